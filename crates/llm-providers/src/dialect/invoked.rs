//! The functions a reply calls, by name: what spend is told by tool from.

use llm_types::{Part, PartKind};

/// The longest name that is kept, bytes: what a column of the spend log takes.
const LONGEST: usize = 255;
/// The most names that are kept of one reply.
const MOST: usize = 100;

/// The names of the functions that a reply calls: each once, in the order of the calls, without white space around.
///
/// Tools that the provider runs by itself are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvokedTools(Vec<String>);

impl InvokedTools {
    /// The calls among the parts of a message.
    #[must_use]
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p Part>) -> Self {
        let mut tools = Self::default();
        for part in parts {
            if let PartKind::ToolCall(call) = &part.kind {
                tools.note(&call.name);
            }
        }
        tools
    }

    /// Takes note of a call. A name that is too long is cut.
    pub fn note(&mut self, name: &str) {
        let name = name.trim();
        let name = &name[..name.floor_char_boundary(LONGEST)];
        if !name.is_empty() && self.0.len() < MOST && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests;
