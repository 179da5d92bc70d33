//! The id of a deployment that has none of its own.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::config::source::{Node, Tree};

/// SHA-256 hex over the public name and every parameter with its value, in the order of the file, as
/// Python would write them: stable over restarts, and the same for the same entry. LiteLLM surface §2.2.
///
/// Secrets are part of it, as they are in LiteLLM; a digest does not give them away.
pub(crate) fn derived(name: &str, params: &Node) -> String {
    let mut text = name.to_owned();
    for member in params.members() {
        text.push_str(&member.key);
        python(&member.value, &mut text, false);
    }
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
    }
    hex
}

/// A value as Python's `str` writes it: text bare at the top and quoted inside of lists.
fn python(node: &Node, out: &mut String, inside: bool) {
    let written = match &node.tree {
        Tree::Null | Tree::Unset(_) => {
            out.push_str("None");
            Ok(())
        }
        Tree::Flag(true) => write!(out, "True"),
        Tree::Flag(false) => write!(out, "False"),
        Tree::Int(int) => write!(out, "{int}"),
        Tree::Float(float) => write!(out, "{float:?}"),
        Tree::Text(text) | Tree::FromEnv(text, _) if inside => write!(out, "'{text}'"),
        Tree::Text(text) | Tree::FromEnv(text, _) => write!(out, "{text}"),
        Tree::Map(_) => write!(out, "{}", node.json()),
        Tree::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                python(item, out, true);
            }
            out.push(']');
            Ok(())
        }
    };
    written.expect("writing to a string cannot fail");
}
