//! `configurable_clientside_auth_params` of a deployment.

use super::Section;
use crate::config::source::Tree;
use crate::config::{BasePattern, ClientSide};

const KEY: &str = "configurable_clientside_auth_params";

/// What callers may bring along for it.
pub(super) fn of(section: &mut Section<'_, '_, '_>) -> ClientSide {
    let mut allowed = ClientSide::default();
    let Some(node) = section.value(KEY) else { return allowed };
    let Tree::List(entries) = &node.tree else {
        section.wrong(KEY, node, "expected a list of `api_key`, `api_base` and {api_base: …}");
        return allowed;
    };
    for entry in entries {
        let pattern =
            entry.member("api_base").or_else(|| entry.member("base_url")).and_then(|node| node.text());
        match (entry.text(), pattern) {
            (Some("api_key"), _) => allowed.key = true,
            (Some("api_base" | "base_url"), _) => allowed.base = true,
            (None, Some(pattern)) => match BasePattern::new(pattern) {
                Ok(pattern) => allowed.bases.push(pattern),
                Err(why) => {
                    let found = format!("found `{pattern}`: {why}");
                    section.error(
                        KEY,
                        found,
                        "expected a URL, or a regular expression that matches all of one",
                    );
                }
            },
            (other, _) => {
                let found = other.map_or_else(|| entry.kind().to_owned(), |other| format!("`{other}`"));
                section.error(
                    KEY,
                    format!("found {found}"),
                    "expected `api_key`, `api_base`, or a mapping with `api_base`",
                );
            }
        }
    }
    allowed
}
