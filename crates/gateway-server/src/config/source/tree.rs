//! What a file says, before anybody asks what it means: a tree whose nodes remember where they stand.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::config::Place;

/// A file and a line in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    /// The file as it was named; empty for text without a file.
    pub(crate) file: Arc<str>,
    /// The line, counted from 1; 0 when it is not known.
    pub(crate) line: usize,
}

impl At {
    /// No place that is known.
    pub(crate) fn nowhere() -> Self {
        Self { file: "".into(), line: 0 }
    }

    pub(crate) fn place(&self) -> Place {
        Place { file: self.file.to_string(), line: self.line }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) tree: Tree,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Null,
    Flag(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Text that came from this environment variable: never shown.
    FromEnv(String, Arc<str>),
    /// The environment variable asked for is not set.
    Unset(Arc<str>),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// One member of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) at: At,
    pub(crate) value: Node,
}

impl Node {
    /// The members of a mapping; none for anything else.
    pub(crate) fn members(&self) -> &[Member] {
        if let Tree::Map(members) = &self.tree { members } else { &[] }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        if let Tree::List(items) = &self.tree { items } else { &[] }
    }

    /// A member's value; the last one counts where a key stands twice.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        self.members().iter().rfind(|member| member.key == key).map(|member| &member.value)
    }

    /// The text, wherever it came from.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Text(text) | Tree::FromEnv(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether there is no value.
    pub(crate) fn is_null(&self) -> bool {
        self.tree == Tree::Null
    }

    /// What kind of value it is, with its article, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.tree {
            Tree::Null => "nothing",
            Tree::Flag(_) => "a boolean",
            Tree::Int(_) | Tree::Float(_) => "a number",
            Tree::Text(_) | Tree::FromEnv(..) => "text",
            Tree::Unset(_) => "an unset environment variable",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
        }
    }

    /// A tree that stands nowhere in a file.
    pub(crate) fn of_json(value: &Value) -> Self {
        let tree = match value {
            Value::Null => Tree::Null,
            Value::Bool(flag) => Tree::Flag(*flag),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(int), _) => Tree::Int(int),
                (None, Some(float)) => Tree::Float(float),
                (None, None) => Tree::Text(number.to_string()),
            },
            Value::String(text) => Tree::Text(text.clone()),
            Value::Array(items) => Tree::List(items.iter().map(Self::of_json).collect()),
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| Member {
                    key: key.clone(),
                    at: At::nowhere(),
                    value: Self::of_json(value),
                };
                Tree::Map(members.iter().map(member).collect())
            }
        };
        Self { at: At::nowhere(), tree }
    }

    /// The same as JSON; an unset environment variable is `null`.
    pub(crate) fn json(&self) -> Value {
        match &self.tree {
            Tree::Null | Tree::Unset(_) => Value::Null,
            Tree::Flag(flag) => Value::Bool(*flag),
            Tree::Int(int) => Value::from(*int),
            Tree::Float(float) => Number::from_f64(*float).map_or(Value::Null, Value::Number),
            Tree::Text(text) | Tree::FromEnv(text, _) => Value::String(text.clone()),
            Tree::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Tree::Map(members) => Value::Object(
                members.iter().map(|member| (member.key.clone(), member.value.json())).collect::<Map<_, _>>(),
            ),
        }
    }
}
