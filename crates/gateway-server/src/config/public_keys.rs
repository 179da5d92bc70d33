//! The public keys of credentials whose identity tokens the gateway signs itself.

use gateway_db::{ConfigEntry, JsonMap};
use serde_json::Value;

use super::resolve::{INTERNAL_ISSUER, SOURCE, issuer};
use super::source::Node;
use super::stored::Origin;

/// The vendor that such credentials are for.
const VENDOR: &str = "anthropic";

/// What is known of a credential's public keys.
pub(crate) enum PublicKeys {
    /// The set that verifies its tokens.
    Set(Value),
    /// There is no such credential, or it is another vendor's.
    Missing,
    /// Somebody else makes its tokens.
    Elsewhere,
    /// What is wrong with its settings, in words.
    Wrong(String),
}

impl Origin {
    /// The public keys of a credential: the database's, else the file's of that name.
    pub(crate) fn public_keys(&self, name: &str, stored: Option<&ConfigEntry>) -> PublicKeys {
        if let Some(entry) = stored {
            let mut values = Node::of_json(&Value::Object(entry.secret.clone()));
            self.env.expand(&mut values);
            return self.keys_of(&values, &entry.info);
        }
        let items = self.root.member("credential_list").map(Node::items).unwrap_or_default();
        let named = |item: &&Node| item.member("credential_name").and_then(Node::text) == Some(name);
        let Some(item) = items.iter().find(named) else { return PublicKeys::Missing };
        let info = match item.member("credential_info").map(Node::json) {
            Some(Value::Object(info)) => info,
            _ => JsonMap::new(),
        };
        match item.member("credential_values") {
            Some(values) => self.keys_of(values, &info),
            None => PublicKeys::Missing,
        }
    }

    fn keys_of(&self, values: &Node, info: &JsonMap) -> PublicKeys {
        let vendor = info.get("custom_llm_provider").and_then(Value::as_str).unwrap_or_default();
        if !vendor.eq_ignore_ascii_case(VENDOR) {
            return PublicKeys::Missing;
        }
        if values.member(SOURCE).and_then(Node::text) != Some(INTERNAL_ISSUER) {
            return PublicKeys::Elsewhere;
        }
        match issuer(|key| values.member(key), &self.env) {
            Ok(issuer) => PublicKeys::Set(issuer.key.public_set()),
            Err(wrong) => PublicKeys::Wrong(format!("`{}`: {}, {}", wrong.key, wrong.found, wrong.expected)),
        }
    }
}

#[cfg(test)]
mod tests;
