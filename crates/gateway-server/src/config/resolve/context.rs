//! Where problems are collected while a file is resolved.

use crate::config::raw::{self, Catalogue};
use crate::config::source::{At, Env, Node, Tree};
use crate::config::{Problem, Severity};

/// The environment, and what was found wrong so far.
#[derive(Debug)]
pub(crate) struct Context<'e> {
    pub(crate) env: &'e Env,
    /// Settings of clouds that count for every deployment that does not say otherwise, by name.
    pub(crate) clouds: Vec<(&'static str, String)>,
    pub(crate) problems: Vec<Problem>,
}

impl<'e> Context<'e> {
    pub(crate) fn new(env: &'e Env) -> Self {
        Self { env, clouds: Vec::new(), problems: Vec::new() }
    }

    pub(crate) fn error(
        &mut self,
        path: &str,
        at: &At,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> &mut Problem {
        self.push(Severity::Error, path, at, (found.into(), expected.into()))
    }

    pub(crate) fn warning(
        &mut self,
        path: &str,
        at: &At,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> &mut Problem {
        self.push(Severity::Warning, path, at, (found.into(), expected.into()))
    }

    fn push(&mut self, severity: Severity, path: &str, at: &At, words: (String, String)) -> &mut Problem {
        let (found, expected) = words;
        let place = at.place();
        let problem = Problem { severity, path: path.to_owned(), place, found, expected, hint: None };
        // A section that two resolvers read is reported once.
        let same = |earlier: &Problem| Problem { hint: None, ..earlier.clone() } == problem;
        let index = self.problems.iter().position(same).unwrap_or(self.problems.len());
        if index == self.problems.len() {
            self.problems.push(problem);
        }
        &mut self.problems[index]
    }

    /// A key that LiteLLM knows and this version does not serve.
    pub(crate) fn not_served(&mut self, path: &str, at: &At, instead: &str) {
        self.warning(path, at, "found a setting that is not served yet", instead);
    }

    /// A key nobody knows.
    pub(crate) fn unknown(&mut self, path: &str, at: &At, key: &str, keys: Catalogue) {
        let near = raw::nearest(key, keys.iter().map(|key| key.name));
        let problem = self.warning(path, at, "found an unknown setting", "it has no effect");
        let elsewhere = || raw::home_of(key).map(|section| format!("`{section}.{key}` has one"));
        problem.hint = elsewhere().or_else(|| near.map(|near| format!("did you mean `{near}`?")));
    }

    /// An `os.environ/NAME` without the variable.
    pub(crate) fn unset(&mut self, path: &str, at: &At, name: &str) {
        let found = format!("found `os.environ/{name}`, but the environment variable `{name}` is not set");
        if self.problems.iter().any(|problem| problem.path == path && problem.found == found) {
            return;
        }
        let problem = self.error(path, at, found, "expected it to be set and not empty");
        problem.hint = Some(format!("set `{name}` before the start, or under `environment_variables`"));
    }

    /// Every `os.environ/NAME` without the variable, anywhere below a value.
    pub(crate) fn report_unset(&mut self, path: &str, node: &Node) {
        match &node.tree {
            Tree::Unset(name) => self.unset(path, &node.at, name),
            Tree::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.report_unset(&format!("{path}[{index}]"), item);
                }
            }
            Tree::Map(members) => {
                for member in members {
                    self.report_unset(&format!("{path}.{}", member.key), &member.value);
                }
            }
            _ => {}
        }
    }
}
