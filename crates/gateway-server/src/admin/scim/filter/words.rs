//! The words of a filter.

use std::fmt;

use super::wrong;
use crate::admin::scim::fault::Fault;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// A name, an operator, a number, `true`, a parenthesis.
    Bare(String),
    /// What stood in quotes.
    Text(String),
}

impl Word {
    /// Whether it is this word, in any case.
    pub(super) fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Bare(word) if word.eq_ignore_ascii_case(expected))
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bare(text) | Self::Text(text) => f.write_str(text),
        }
    }
}

/// Takes a filter apart.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Fault> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' | '[' | ']' => 1,
            '"' => quoted(rest).ok_or_else(|| wrong("a text in it has no end"))?,
            _ => rest.find(|c: char| c.is_whitespace() || "()[]\"".contains(c)).unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(length);
        words.push(match first {
            // Texts are written as in JSON.
            '"' => Word::Text(serde_json::from_str(word).map_err(|_| wrong(&format!("{word} is no text")))?),
            _ => Word::Bare(word.to_owned()),
        });
        rest = behind.trim_start();
    }
    Ok(words)
}

/// How many bytes the text in quotes has with which this begins.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}
