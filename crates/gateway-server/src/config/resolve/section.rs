//! One mapping of the file, read key by key against its catalogue.

use std::time::Duration;

use llm_types::{Money, Secret};
use serde_json::{Map, Value};

use super::Context;
use crate::config::mask;
use crate::config::raw::{self, Catalogue, Key, Status};
use crate::config::source::{At, Member, Node, Tree};

/// The longest duration taken seriously, seconds (ten years).
const MAX_SECONDS: f64 = 315_360_000.0;

/// A mapping, its path and its catalogue; an absent mapping reads as empty.
#[derive(Debug)]
pub(crate) struct Section<'t, 'c, 'e> {
    node: Option<&'t Node>,
    keys: Catalogue,
    path: String,
    pub(crate) cx: &'c mut Context<'e>,
}

impl<'t, 'c, 'e> Section<'t, 'c, 'e> {
    /// Opens a mapping; anything else is an error and reads as empty.
    pub(crate) fn open(cx: &'c mut Context<'e>, path: &str, node: Option<&'t Node>, keys: Catalogue) -> Self {
        let node = node.filter(|node| !node.is_null());
        let usable = node.filter(|node| matches!(node.tree, Tree::Map(_)));
        if let (Some(node), None) = (node, usable) {
            cx.error(path, &node.at, format!("found {}", node.kind()), "expected a mapping");
        }
        Self { node: usable, keys, path: path.to_owned(), cx }
    }

    /// Whether there is a mapping at all.
    pub(crate) const fn is_there(&self) -> bool {
        self.node.is_some()
    }

    /// Warns of every key that is not served or not known. Call once.
    pub(crate) fn review(&mut self) {
        for member in self.members() {
            self.review_one(member);
        }
    }

    /// The same for one member.
    pub(crate) fn review_one(&mut self, member: &Member) {
        let path = self.path_of(&member.key);
        match raw::find(self.keys, &member.key) {
            Some(Key { status: Status::Later(instead), .. }) if !says_nothing(&member.value) => {
                self.cx.not_served(&path, &member.at, instead);
            }
            Some(_) => {}
            None => self.cx.unknown(&path, &member.at, &member.key, self.keys),
        }
    }

    /// The path of a key.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where a key's value stands; the mapping's own place when the key is not there.
    pub(crate) fn at(&self, key: &str) -> At {
        let value = self.node.and_then(|node| node.member(key)).or(self.node);
        value.map_or_else(At::nowhere, |node| node.at.clone())
    }

    /// Whether the file gives a value at all, be it a wrong one.
    pub(crate) fn gives(&self, key: &str) -> bool {
        self.node.and_then(|node| node.member(key)).is_some_and(|node| !node.is_null())
    }

    /// A value that is there; an unset environment variable is an error.
    pub(crate) fn value(&mut self, key: &str) -> Option<&'t Node> {
        let node = self.node?.member(key)?;
        match &node.tree {
            Tree::Null => None,
            Tree::Unset(_) if self.is_later(key) => None,
            Tree::Unset(name) => {
                self.cx.unset(&self.path_of(key), &node.at, name);
                None
            }
            _ => Some(node),
        }
    }

    /// Whether a key is not served yet: what is wrong with its value stops nothing.
    fn is_later(&self, key: &str) -> bool {
        raw::find(self.keys, key).is_some_and(|key| matches!(key.status, Status::Later(_)))
    }

    /// Reports an error at a key.
    pub(crate) fn error(&mut self, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        if self.is_later(key) {
            return;
        }
        let (path, at) = (self.path_of(key), self.at(key));
        self.cx.error(&path, &at, found, expected);
    }

    /// Reports a value of the wrong kind.
    pub(crate) fn wrong(&mut self, key: &str, node: &Node, expected: &str) {
        if self.is_later(key) {
            return;
        }
        let shape = raw::find(self.keys, key).map(|key| key.shape);
        let found = format!("found {}", mask::shown(node, key, shape));
        self.cx.error(&self.path_of(key), &node.at, found, expected);
    }

    /// A key's value for a message, masked where it could be a secret.
    pub(crate) fn shown(&self, key: &str) -> String {
        let shape = raw::find(self.keys, key).map(|key| key.shape);
        let value = self.node.and_then(|node| node.member(key));
        value.map_or_else(|| "nothing".to_owned(), |node| mask::shown(node, key, shape))
    }

    /// The members of the mapping.
    pub(crate) fn members(&self) -> &'t [Member] {
        self.node.map(Node::members).unwrap_or_default()
    }

    fn typed<T>(&mut self, key: &str, expected: &str, read: impl FnOnce(&Node) -> Option<T>) -> Option<T> {
        let node = self.value(key)?;
        let value = read(node);
        if value.is_none() {
            self.wrong(key, node, expected);
        }
        value
    }

    /// Text; numbers and booleans count as what they look like.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.typed(key, "expected text", text_of)
    }

    pub(crate) fn secret(&mut self, key: &str) -> Option<Secret> {
        self.text(key).filter(|text| !text.trim().is_empty()).map(Secret::new)
    }

    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        self.typed(key, "expected `true` or `false`", |node| match &node.tree {
            Tree::Flag(flag) => Some(*flag),
            Tree::Int(0) => Some(false),
            Tree::Int(1) => Some(true),
            _ => match node.text()?.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
        })
    }

    /// A switch that is off unless turned on.
    pub(crate) fn is_on(&mut self, key: &str) -> bool {
        self.flag(key).unwrap_or(false)
    }

    /// A whole number from zero.
    pub(crate) fn count<T: TryFrom<u64>>(&mut self, key: &str) -> Option<T> {
        self.typed(key, "expected a whole number, zero or more", count_of)
    }

    /// A finite number from zero.
    pub(crate) fn number(&mut self, key: &str) -> Option<f64> {
        self.typed(key, "expected a number, zero or more", |node| {
            number_of(node).filter(|number| *number >= 0.0)
        })
    }

    /// An integer of any sign.
    pub(crate) fn integer(&mut self, key: &str) -> Option<i64> {
        self.typed(key, "expected a whole number", |node| match &node.tree {
            Tree::Int(int) => Some(*int),
            _ => node.text()?.trim().parse().ok(),
        })
    }

    pub(crate) fn seconds(&mut self, key: &str) -> Option<Duration> {
        self.typed(key, "expected a number of seconds, zero or more", |node| {
            number_of(node)
                .filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds))
                .map(Duration::from_secs_f64)
        })
    }

    pub(crate) fn usd(&mut self, key: &str) -> Option<Money> {
        self.typed(key, "expected an amount in USD from 0 to 9223372036", |node| {
            number_of(node).filter(|usd| *usd >= 0.0).and_then(Money::of_usd)
        })
    }

    /// A list of texts; one text alone counts as a list of one.
    pub(crate) fn texts(&mut self, key: &str) -> Vec<String> {
        let one_or_more = |node: &Node| match &node.tree {
            Tree::List(items) => items.iter().map(text_of).collect(),
            _ => node.text().map(|text| vec![text.to_owned()]),
        };
        self.typed(key, "expected a list of texts", one_or_more).unwrap_or_default()
    }

    /// A mapping as JSON; an unset environment variable in it is an error.
    pub(crate) fn map(&mut self, key: &str) -> Map<String, Value> {
        self.mapping(key).map(Node::json).and_then(|json| json.as_object().cloned()).unwrap_or_default()
    }

    /// A mapping; an unset environment variable in it is an error.
    pub(crate) fn mapping(&mut self, key: &str) -> Option<&'t Node> {
        let node = self.value(key)?;
        if !matches!(node.tree, Tree::Map(_)) {
            self.wrong(key, node, "expected a mapping");
            return None;
        }
        if !self.is_later(key) {
            self.cx.report_unset(&self.path_of(key), node);
        }
        Some(node)
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        let expected = format!("expected one of {}", words.join(", "));
        self.typed(key, &expected, |node| {
            let text = node.text()?;
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        })
    }
}

/// Whether a value asks for nothing: turning off what is not there needs no warning.
pub(crate) fn says_nothing(node: &Node) -> bool {
    match &node.tree {
        Tree::Null | Tree::Flag(false) => true,
        Tree::List(items) => items.is_empty(),
        Tree::Map(members) => members.is_empty(),
        _ => false,
    }
}

/// A scalar as text.
pub(crate) fn text_of(node: &Node) -> Option<String> {
    match &node.tree {
        Tree::Int(int) => Some(int.to_string()),
        Tree::Float(float) => Some(float.to_string()),
        Tree::Flag(flag) => Some(flag.to_string()),
        _ => node.text().map(str::to_owned),
    }
}

/// A whole number from zero, written as one or as text.
pub(crate) fn count_of<T: TryFrom<u64>>(node: &Node) -> Option<T> {
    let number = number_of(node)?;
    let whole = number >= 0.0 && number.fract() == 0.0 && number <= 9.0e15;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked in the line above")]
    whole.then_some(number as u64).and_then(|count| T::try_from(count).ok())
}

/// A finite number, written as one or as text.
pub(crate) fn number_of(node: &Node) -> Option<f64> {
    let number = match &node.tree {
        #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^53")]
        Tree::Int(int) => *int as f64,
        Tree::Float(float) => *float,
        _ => node.text()?.trim().parse().ok()?,
    };
    number.is_finite().then_some(number)
}
