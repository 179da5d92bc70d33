//! Where a configuration comes from: text, files, the environment.

mod env;
mod file;
mod scalar;
mod tree;
mod yaml;

pub use env::Env;
pub(crate) use file::{read as read_file, without_includes};
pub(crate) use tree::{At, Member, Node, Tree};
pub(crate) use yaml::read as read_text;

/// A text that is YAML or JSON as a value; `None` where it is neither.
pub(crate) fn parse_text(text: &str, name: &str) -> Option<serde_json::Value> {
    Some(read_text(text, &name.into(), &mut Vec::new())?.json())
}

#[cfg(test)]
mod tests;
