//! Names of attributes (RFC 7644 §3.10), in any case, with the schema in front or without. Pure.

use serde_json::{Map, Value};

/// The schema whose attributes stand in a member of their own.
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// An attribute, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// The extension it is of.
    pub(super) extension: Option<String>,
    pub(super) name: String,
    pub(super) sub: Option<String>,
}

impl Path {
    /// Reads `name`, `name.sub`, or either behind a schema and a colon.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (schema, rest) = match text.to_ascii_lowercase().starts_with("urn:") {
            // A schema's name has dots and colons of its own: the attribute is behind the last colon.
            true => text.rsplit_once(':').map(|(schema, rest)| (Some(schema), rest))?,
            false => (None, text),
        };
        let extension =
            schema.filter(|schema| !schema.to_ascii_lowercase().contains(":core:")).map(str::to_owned);
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        let fine = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-$".contains(c))
        };
        (fine(name) && sub.is_none_or(fine)).then(|| Self {
            extension,
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }

    /// Whether it is the attribute of this name (`name` or `name.sub`) of the core schema.
    pub(super) fn is(&self, name: &str) -> bool {
        let own = match &self.sub {
            Some(sub) => format!("{}.{sub}", self.name),
            None => self.name.clone(),
        };
        self.extension.is_none() && own.eq_ignore_ascii_case(name)
    }

    /// Its values in a resource; of an attribute with several each one.
    pub(super) fn values<'r>(&self, of: &'r Map<String, Value>) -> Vec<&'r Value> {
        let home = match &self.extension {
            Some(schema) => get(of, schema).and_then(Value::as_object),
            None => Some(of),
        };
        let Some(found) = home.and_then(|home| get(home, &self.name)) else { return Vec::new() };
        let each = flat(found);
        match &self.sub {
            None => each,
            Some(sub) => {
                each.into_iter().filter_map(|value| get(value.as_object()?, sub)).flat_map(flat).collect()
            }
        }
    }
}

fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    }
}

/// A member by its name in any case.
pub(super) fn get<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    map.get(name)
        .or_else(|| map.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The name a member has in a map, or the one that is said.
pub(super) fn own_name(map: &Map<String, Value>, name: &str) -> String {
    map.keys().find(|own| own.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned())
}
