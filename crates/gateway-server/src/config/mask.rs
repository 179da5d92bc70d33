//! What may be shown of the configuration: secrets are recognised by name and by look.

use serde_json::{Map, Value};

use super::raw::{self, Catalogue, Shape};
use super::source::{Node, Tree};

/// What stands in for a secret.
const MASK: &str = "***";

/// Whether a name sounds like a secret's: used for names the catalogue does not have.
pub(crate) fn name_is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    let plain = name.contains("cost")
        || name.contains("keyword")
        || name.contains("pertoken")
        || name.starts_with("max")
        || name.ends_with("tokens");
    let sounds =
        ["apikey", "key", "secret", "token", "password", "passwd", "credential", "authorization", "cookie"];
    !plain && sounds.iter().any(|sound| name.contains(sound))
}

/// Whether a member of a mapping is a secret: by its shape, by its name, or because it is a misspelling
/// of a secret's name.
pub(crate) fn is_secret(name: &str, keys: Catalogue) -> bool {
    let secret = |name: &str| raw::find(keys, name).is_some_and(|key| key.shape == Shape::Secret);
    match raw::find(keys, name) {
        Some(key) => key.shape == Shape::Secret,
        None => {
            name_is_secret(name) || raw::nearest(name, keys.iter().map(|key| key.name)).is_some_and(secret)
        }
    }
}

/// Whether a value looks like a key: the prefixes vendors use, or text that signs in.
fn value_is_secret(value: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "sk-",
        "sk_",
        "pk-",
        "gsk_",
        "xai-",
        "AIza",
        "AKIA",
        "ASIA",
        "hf_",
        "nvapi-",
        "r8_",
        "ghp_",
        "Bearer ",
        "Basic ",
        "-----BEGIN",
    ];
    PREFIXES.iter().any(|prefix| value.trim_start().starts_with(prefix))
}

/// A value for a message: text in backticks, cut when long; its kind only when it could be a secret.
pub(crate) fn shown(node: &Node, key: &str, shape: Option<Shape>) -> String {
    let secret = match shape {
        Some(shape) => shape == Shape::Secret,
        None => name_is_secret(key),
    };
    match &node.tree {
        Tree::Flag(flag) if !secret => format!("`{flag}`"),
        Tree::Int(int) if !secret => format!("`{int}`"),
        Tree::Float(float) if !secret => format!("`{float}`"),
        Tree::Text(text) if !secret && !value_is_secret(text) => {
            let text = without_userinfo(text);
            let short: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
            if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
        }
        Tree::FromEnv(_, name) => format!("the value of `{name}`"),
        _ => node.kind().to_owned(),
    }
}

/// A mapping as JSON with every secret masked or, when `keep` is false, left out.
pub(crate) fn public(node: &Node, keys: Catalogue, keep: bool) -> Map<String, Value> {
    let mut map = Map::new();
    for member in node.members() {
        let foreign =
            raw::find(keys, &member.key).is_none() && matches!(member.value.tree, Tree::FromEnv(..));
        let secret = foreign || is_secret(&member.key, keys);
        if !secret {
            map.insert(member.key.clone(), public_value(&member.value));
        } else if keep {
            map.insert(member.key.clone(), Value::from(MASK));
        }
    }
    map
}

fn public_value(node: &Node) -> Value {
    match &node.tree {
        Tree::Text(text) | Tree::FromEnv(text, _) if value_is_secret(text) => Value::from(MASK),
        Tree::Text(text) | Tree::FromEnv(text, _) => Value::from(without_userinfo(text)),
        Tree::Map(_) => Value::Object(public(node, &[], true)),
        Tree::List(items) => Value::Array(items.iter().map(public_value).collect()),
        _ => node.json(),
    }
}

/// A URL without the user and password, and without query values, which may be keys.
fn without_userinfo(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
    let path = rest[end..].split(['?', '#']).next().unwrap_or("");
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests;
