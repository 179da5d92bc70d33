//! Types that know how to be read, read from a value that was taken apart already.

use std::borrow::Cow;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Error;

use super::Json;

impl<'b> Json<'b> {
    /// Reads a type that says its own shape.
    ///
    /// # Errors
    /// What of the value is not of that shape.
    pub(crate) fn read<T: Deserialize<'b>>(self) -> Result<T, Error> {
        T::deserialize(self)
    }
}

impl<'b> IntoDeserializer<'b, Error> for Json<'b> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'b> Deserializer<'b> for Json<'b> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(flag) => visitor.visit_bool(flag),
            Self::Number(text) => number(&text, visitor),
            Self::String(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::String(Cow::Owned(text)) => visitor.visit_string(text),
            Self::Array(elements) => visitor.visit_seq(SeqDeserializer::new(elements.into_iter())),
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(members.0.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'b>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'b>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'b>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::String(text) => visitor.visit_enum(text.into_deserializer()),
            other => other.into_value().deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'b>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn number<'b, V: Visitor<'b>>(text: &str, visitor: V) -> Result<V::Value, Error> {
    if let Ok(number) = text.parse() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = text.parse() {
        return visitor.visit_i64(number);
    }
    visitor.visit_f64(text.parse().map_err(Error::custom)?)
}
