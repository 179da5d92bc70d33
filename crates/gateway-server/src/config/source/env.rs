//! The environment, read once: the only door through which the configuration sees it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::tree::{Node, Tree};

/// What LiteLLM's users write for "take this from the environment".
const PREFIX: &str = "os.environ/";

/// Environment variables: the process's own, or a test's. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Env(HashMap<String, String>);

impl Env {
    /// The environment of this process; variables that are not Unicode are left out.
    #[must_use]
    pub fn of_process() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(unicode).collect())
    }

    /// A variable's value; an empty one counts as not set.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The first variable of a list that is set, and its value.
    pub fn first<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, &str)> {
        names.into_iter().find_map(|name| Some((name, self.value(name)?)))
    }

    /// Whether a variable is set to something that means yes (`true`, `1`, `yes`, `on`).
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| {
            ["true", "1", "yes", "on"].iter().any(|yes| value.trim().eq_ignore_ascii_case(yes))
        })
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Replaces every `os.environ/NAME` in a tree.
    pub(crate) fn expand(&self, node: &mut Node) {
        match &mut node.tree {
            Tree::Text(text) => {
                if let Some(name) = text.strip_prefix(PREFIX) {
                    let name: Arc<str> = name.trim().into();
                    node.tree = match self.value(&name) {
                        Some(value) => Tree::FromEnv(value.to_owned(), name),
                        None => Tree::Unset(name),
                    };
                }
            }
            Tree::List(items) => items.iter_mut().for_each(|item| self.expand(item)),
            Tree::Map(members) => members.iter_mut().for_each(|member| self.expand(&mut member.value)),
            _ => {}
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.0.keys().collect();
        names.sort_unstable();
        f.debug_set().entries(names).finish()
    }
}
