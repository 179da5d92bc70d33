//! A JSON value whose texts stay in the body until somebody takes them: what decoders take apart.
//!
//! `serde_json::Value` copies every name and text and hashes every name. Most of what a caller sends is read
//! once, so here a body is read in one pass and nothing is copied that nobody keeps. What is kept beyond the
//! body becomes a [`Value`].

use std::borrow::Cow;

use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Number, Value};

use crate::scan::{Fault, Kind, Reader, unescape};

mod deserialize;

/// A JSON value that may lean on the body it was read from.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Json<'b> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it is written.
    Number(Cow<'b, str>),
    /// A text, unescaped.
    String(Cow<'b, str>),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Members<'b>),
}

/// The members of an object in their order. A name that is given twice counts as given last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members<'b>(Vec<(Cow<'b, str>, Json<'b>)>);

/// Reads a whole body.
///
/// # Errors
/// A [`Fault`] at the first byte that is not JSON.
pub(crate) fn parse(body: &[u8]) -> std::result::Result<Json<'_>, Fault> {
    let mut reader = Reader::new(body)?;
    let value = value(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a provider's reply.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is not JSON.
pub(crate) fn reply(body: &[u8]) -> Result<Json<'_>> {
    parse(body)
        .map_err(|fault| Error::new(ErrorKind::BadUpstream, "provider reply is not JSON").with_source(fault))
}

/// Reads the value that stands here. As deep as bodies may nest, which the reader watches over.
fn value<'b>(reader: &mut Reader<'b>) -> std::result::Result<Json<'b>, Fault> {
    match reader.kind() {
        Kind::Object => {
            let mut members = Vec::new();
            reader.members(|reader, name| {
                members.push((name, value(reader)?));
                Ok(())
            })?;
            Ok(Json::Object(Members(members)))
        }
        Kind::Array => {
            let mut elements = Vec::new();
            reader.elements(|reader| {
                elements.push(value(reader)?);
                Ok(())
            })?;
            Ok(Json::Array(elements))
        }
        _ => {
            let item = reader.item()?;
            Ok(match item.kind {
                // It was validated, so it always unescapes.
                Kind::String => Json::String(unescape(item.text).unwrap_or_default()),
                Kind::Number => Json::Number(Cow::Borrowed(item.text)),
                Kind::Bool => Json::Bool(item.text == "true"),
                _ => Json::Null,
            })
        }
    }
}

impl<'b> Json<'b> {
    /// Whether it is `null`.
    #[must_use]
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a string.
    #[must_use]
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A boolean.
    #[must_use]
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The number, where it is one of this kind.
    fn number<N: std::str::FromStr>(&self) -> Option<N> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A whole number from 0, written without fraction and exponent.
    #[must_use]
    pub(crate) fn as_u64(&self) -> Option<u64> {
        self.number()
    }

    /// A whole number, written without fraction and exponent.
    #[must_use]
    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.number()
    }

    /// Any number.
    #[must_use]
    pub(crate) fn as_f64(&self) -> Option<f64> {
        self.number()
    }

    /// The number as exactly as it is written: `serde_json` may be off by one in the last place.
    fn as_number(&self) -> Option<Number> {
        let whole = || self.as_u64().map(Number::from).or_else(|| self.as_i64().map(Number::from));
        whole().or_else(|| Number::from_f64(self.as_f64()?))
    }

    /// The members of an object.
    #[must_use]
    pub(crate) fn as_object(&self) -> Option<&Members<'b>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements of an array.
    #[must_use]
    pub(crate) fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The member of an object.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The value at the end of a path of member names.
    #[must_use]
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// The same value on its own feet.
    #[must_use]
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Number(_) => self.as_number().map(Value::Number).unwrap_or_default(),
            Self::String(text) => Value::String(text.into_owned()),
            Self::Array(elements) => elements.into_iter().map(Self::into_value).collect(),
            Self::Object(members) => Value::Object(members.into_map()),
        }
    }

    /// A copy on its own feet.
    #[must_use]
    pub(crate) fn to_value(&self) -> Value {
        self.clone().into_value()
    }
}

impl From<Value> for Json<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => Self::Number(number.to_string().into()),
            Value::String(text) => Self::String(text.into()),
            Value::Array(elements) => Self::Array(elements.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Object(map.into()),
        }
    }
}

impl<'b> From<&'b str> for Json<'b> {
    fn from(text: &'b str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Map<String, Value>> for Members<'_> {
    fn from(map: Map<String, Value>) -> Self {
        Self(map.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<'b> Members<'b> {
    /// The member of that name.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'b>> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes the member of that name out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json<'b>> {
        let at = self.0.iter().rposition(|(known, _)| known == name)?;
        let (_, value) = self.0.remove(at);
        // What stood before under the same name is overwritten by what was taken.
        self.0[..at]
            .iter()
            .any(|(known, _)| known == name)
            .then(|| self.0.retain(|(known, _)| known != name));
        Some(value)
    }

    /// Whether there is a member of that name.
    #[must_use]
    pub(crate) fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names, in order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    /// The members, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'b>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// The members, to be changed.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, (Cow<'b, str>, Json<'b>)> {
        self.0.iter_mut()
    }

    /// The same members on their own feet.
    #[must_use]
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, value)| (name.into_owned(), value.into_value())).collect()
    }
}

#[cfg(test)]
mod tests;
