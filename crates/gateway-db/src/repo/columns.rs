//! JSON columns read back, with an error that says which row and column is wrong.

use serde_json::Value as Json;

use crate::JsonMap;
use crate::error::{DbError, DbErrorKind};

/// Reads the JSON columns of one row.
pub(super) struct Columns<'a> {
    /// What the row is, such as `key`.
    pub(super) what: &'a str,
    /// Its id.
    pub(super) id: &'a str,
}

impl Columns<'_> {
    /// An object.
    pub(super) fn map(&self, name: &str, value: Json) -> Result<JsonMap, DbError> {
        match value {
            Json::Object(map) => Ok(map),
            other => Err(self.corrupt(name, "an object", &other)),
        }
    }

    /// A list of texts.
    pub(super) fn list(&self, name: &str, value: Json) -> Result<Vec<String>, DbError> {
        let Json::Array(items) = value else { return Err(self.corrupt(name, "a list", &value)) };
        let text = |item| match item {
            Json::String(text) => Ok(text),
            other => Err(self.corrupt(name, "a list of texts", &other)),
        };
        items.into_iter().map(text).collect()
    }

    fn corrupt(&self, name: &str, expected: &str, found: &Json) -> DbError {
        let kind = match found {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a text",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        };
        let (what, id) = (self.what, self.id);
        DbError::new(
            DbErrorKind::Corrupt,
            format!("column `{name}` of {what} `{id}` holds {kind}, expected {expected}"),
        )
    }
}
