//! Calls of tools, where dialects differ: arguments as a JSON object, and ids that a provider does not give.

use std::borrow::Cow;
use std::collections::VecDeque;

use llm_types::ToolCall;
use serde_json::value::RawValue;

/// The JSON object of a call's arguments. What is none, such as arguments that a token limit cut off, is
/// wrapped the way Anthropic asks for (`agents-and-tools/tool-use/fine-grained-tool-streaming`, "Handling
/// invalid JSON"): no other dialect has a form for it.
pub(in crate::dialects) fn input_json(call: &ToolCall) -> Cow<'_, str> {
    let text = call.arguments.trim();
    if call.custom {
        return Cow::Owned(serde_json::json!({ "input": call.arguments }).to_string());
    }
    if text.is_empty() || text == "null" {
        return Cow::Borrowed("{}");
    }
    if text.starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(serde_json::json!({ "INVALID_JSON": call.arguments }).to_string())
}

/// An id for a call that its provider gave none, the same whenever it is made from the same words.
pub(in crate::dialects) fn made_id(words: &[&str], number: u32) -> String {
    // FNV-1a, 128 bits.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    };
    for word in words {
        take(word.as_bytes());
        take(&[0xff]);
    }
    take(&number.to_be_bytes());
    format!("call_{:024x}", hash >> 32)
}

/// Gives calls without an id one, and results the id of the call they answer: the first of their name (or
/// the first at all, where they name none) that has no answer yet, as vendors without ids match them.
#[derive(Debug)]
pub(in crate::dialects) struct Ids {
    prefix: &'static str,
    made: usize,
    open: VecDeque<(String, String)>,
}

impl Ids {
    /// Ids that begin with `prefix`.
    pub(in crate::dialects) fn new(prefix: &'static str) -> Self {
        Self { prefix, made: 0, open: VecDeque::new() }
    }

    /// A tool is called.
    pub(in crate::dialects) fn called(&mut self, name: &str, id: &mut String) {
        if id.is_empty() {
            *id = self.make();
        }
        self.open.push_back((name.to_owned(), id.clone()));
    }

    /// A tool has answered.
    pub(in crate::dialects) fn answered(&mut self, name: Option<&str>, id: &mut String) {
        let at = if id.is_empty() {
            self.open.iter().position(|(open, _)| name.is_none_or(|name| open == name))
        } else {
            self.open.iter().position(|(_, open)| open == id)
        };
        match at.and_then(|at| self.open.remove(at)) {
            Some((_, open)) => *id = open,
            None if id.is_empty() => *id = self.make(),
            None => {}
        }
    }

    fn make(&mut self) -> String {
        self.made += 1;
        format!("{}{}", self.prefix, self.made - 1)
    }
}

#[cfg(test)]
mod tests;
