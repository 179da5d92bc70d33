//! What the audit log shows of secrets: that they are there, and that they changed.

use serde_json::{Map, Value};

/// Words of names whose values are secrets.
const SECRETS: [&str; 8] =
    ["apikey", "key", "secret", "token", "password", "credential", "authorization", "cookie"];

/// Names that hold such a word and no secret.
const CLEAR: [&str; 8] =
    ["token", "key_name", "key_alias", "key_type", "credential_name", "keys", "token_id", "api_key_hash"];

/// The map of which everything is a secret.
const CREDENTIALS: &str = "credential_values";

/// A value with its secrets masked. A secret that is not what it was before says so.
pub(super) fn masked(value: &Value, before: Option<&Value>) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let one = |(name, value): (&String, &Value)| {
        let before = before.and_then(|before| before.get(name));
        let clear = CLEAR.contains(&name.as_str());
        (name.clone(), if clear { value.clone() } else { member(name, value, before) })
    };
    Value::Object(map.iter().map(one).collect())
}

fn member(name: &str, value: &Value, before: Option<&Value>) -> Value {
    match value {
        Value::Object(map) => {
            let all = (name == CREDENTIALS).then_some("secret");
            let inner = |(name, value): (&String, &Value)| {
                let before = before.and_then(|before| before.get(name));
                (name.clone(), member(all.unwrap_or(name), value, before))
            };
            Value::Object(map.iter().map(inner).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let inner =
                |(at, item): (usize, &Value)| member(name, item, before.and_then(|before| before.get(at)));
            items.iter().enumerate().map(inner).collect()
        }
        Value::String(text) if is_secret(name, text) => {
            let changed = before.is_some_and(|before| before != value);
            Value::from(if changed { "**** (changed)" } else { "****" })
        }
        _ => value.clone(),
    }
}

/// Whether a text is a secret: by the name it stands under, or by its look.
fn is_secret(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    let plain = name.contains("pertoken") || name.starts_with("max") || name.ends_with("tokens");
    let looks = ["sk-", "sk_", "pk-", "Bearer ", "Basic ", "AKIA", "AIza", "-----BEGIN"];
    (!plain && SECRETS.iter().any(|word| name.contains(word)))
        || looks.iter().any(|look| text.trim_start().starts_with(look))
}
