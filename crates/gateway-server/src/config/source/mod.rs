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

#[cfg(test)]
mod tests;
