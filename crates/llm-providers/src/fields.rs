//! Strict reading of a caller's JSON: members are taken by name and type, and an error names the
//! path, what was found and what was expected.

use std::fmt;

use llm_types::{Error, Extra, Result};
use serde_json::{Map, Value};

use crate::json::{Json, Members};

/// Where a value stands in a request, such as `messages[3].content[0].image_url.url`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'p> {
    /// The body itself.
    Root,
    /// A member.
    Member(&'p Self, &'p str),
    /// An element.
    Element(&'p Self, usize),
}

impl Path<'_> {
    /// The path of a member of what stands here.
    #[must_use]
    pub(crate) fn member<'p>(&'p self, name: &'p str) -> Path<'p> {
        Path::Member(self, name)
    }

    /// The path of an element of what stands here.
    #[must_use]
    pub(crate) fn element(&self, index: usize) -> Path<'_> {
        Path::Element(self, index)
    }

    /// The error of a value here that is not what it should be.
    pub(crate) fn wrong<'f>(&self, found: impl Into<Json<'f>>, expected: &str) -> Error {
        let path = self.to_string();
        let message = format!("`{path}`: expected {expected}, found {}", describe(&found.into()));
        Error::bad_param(path, message)
    }

    /// The error of a value here that is not there.
    pub(crate) fn missing(&self, expected: &str) -> Error {
        let path = self.to_string();
        let message = format!("missing required parameter `{path}`: expected {expected}");
        Error::bad_param(path, message)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value in words: its kind, and itself when it is short.
fn describe(value: &Json<'_>) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(flag) => format!("the boolean `{flag}`"),
        Json::Number(number) => format!("the number `{number}`"),
        Json::String(text) if text.len() <= 40 => format!("the string `{text}`"),
        Json::String(_) => "a long string".to_owned(),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// An object whose members are taken one by one; `null` counts as absent.
#[derive(Debug)]
pub(crate) struct Fields<'p, 'b> {
    members: Members<'b>,
    path: Path<'p>,
}

impl<'p, 'b> Fields<'p, 'b> {
    /// Reads a value that must be an object.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming the path.
    pub(crate) fn of(value: impl Into<Json<'b>>, path: Path<'p>) -> Result<Self> {
        match value.into() {
            Json::Object(members) => Ok(Self { members, path }),
            other => Err(path.wrong(other, "an object")),
        }
    }

    /// Where the object stands.
    pub(crate) fn path(&self) -> &Path<'p> {
        &self.path
    }

    /// A member that may be anything but `null`.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json<'b>> {
        self.members.take(name).filter(|value| !value.is_null())
    }

    /// The same, to be kept as it is.
    pub(crate) fn any(&mut self, name: &str) -> Option<Value> {
        self.take(name).map(Json::into_value)
    }

    /// Looks at a member without taking it.
    #[must_use]
    pub(crate) fn peek(&self, name: &str) -> Option<&Json<'b>> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn typed<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(Json<'b>) -> Result<T, Json<'b>>,
    ) -> Result<Option<T>> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => {
                read(value).map(Some).map_err(|found| self.path.member(name).wrong(found, expected))
            }
        }
    }

    /// A string.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming the path when it is something else; likewise below.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        self.typed(name, "a string", |value| match value {
            Json::String(text) => Ok(text.into_owned()),
            other => Err(other),
        })
    }

    /// A string that must be there.
    ///
    /// # Errors
    /// As [`Fields::text`], and when it is missing.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.path.member(name).missing("a string"))
    }

    /// A boolean.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        self.typed(name, "a boolean", |value| value.as_bool().ok_or(value))
    }

    /// A whole number from 0; `4096.0` is one.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn whole(&mut self, name: &str) -> Result<Option<u64>> {
        self.typed(name, "a whole number from 0", |value| whole(&value).ok_or(value))
    }

    /// A whole number.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>> {
        self.typed(name, "a whole number", |value| value.as_i64().ok_or(value))
    }

    /// A number.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>> {
        self.typed(name, "a number", |value| value.as_f64().ok_or(value))
    }

    /// An array.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn array(&mut self, name: &str) -> Result<Option<Vec<Json<'b>>>> {
        self.typed(name, "an array", |value| match value {
            Json::Array(elements) => Ok(elements),
            other => Err(other),
        })
    }

    /// An object as it is.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn map(&mut self, name: &str) -> Result<Option<Map<String, Value>>> {
        self.typed(name, "an object", |value| match value {
            Json::Object(members) => Ok(members.into_map()),
            other => Err(other),
        })
    }

    /// An array of strings.
    ///
    /// # Errors
    /// As [`Fields::text`], naming the element.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        let Some(elements) = self.array(name)? else { return Ok(None) };
        let path = self.path.member(name);
        let read = |(index, element)| match element {
            Json::String(text) => Ok(text.into_owned()),
            other => Err(path.element(index).wrong(other, "a string")),
        };
        elements.into_iter().enumerate().map(read).collect::<Result<_>>().map(Some)
    }

    /// An object whose members `read` takes; what it leaves is dropped unless it asks for the rest.
    ///
    /// # Errors
    /// As [`Fields::text`], and those of `read`.
    pub(crate) fn object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields<'_, 'b>) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let mut fields = Fields::of(value, self.path.member(name))?;
        read(&mut fields).map(Some)
    }

    /// An object that must be there.
    ///
    /// # Errors
    /// As [`Fields::object`], and when it is missing.
    pub(crate) fn required_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields<'_, 'b>) -> Result<T>,
    ) -> Result<T> {
        self.object(name, read)?.ok_or_else(|| self.path.member(name).missing("an object"))
    }

    /// What nobody took, nulls included.
    #[must_use]
    pub(crate) fn rest(&mut self) -> Extra {
        Extra(std::mem::take(&mut self.members).into_map())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
fn whole(value: &Json<'_>) -> Option<u64> {
    let exact = |number: &f64| number.fract() == 0.0 && (0.0..9e15).contains(number);
    value.as_u64().or_else(|| value.as_f64().filter(exact).map(|number| number as u64))
}
