//! Changes to JSON text in place: values replaced, members removed or added, in a single copy.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::Fault;
use crate::dialect::Span;

/// A list of changes to one body. Spans are those of the unchanged body and must not overlap.
#[derive(Debug)]
pub struct Patch<'a> {
    body: &'a Bytes,
    edits: Vec<(Span, Option<Cow<'a, [u8]>>)>,
    added: Vec<u8>,
}

impl<'a> Patch<'a> {
    /// No change yet.
    #[must_use]
    pub fn new(body: &'a Bytes) -> Self {
        Self { body, edits: Vec::new(), added: Vec::new() }
    }

    /// Writes `with` where `span` is.
    pub fn replace(&mut self, span: Span, with: impl Into<Cow<'a, [u8]>>) {
        self.edits.push((span, Some(with.into())));
    }

    /// Removes a member (span from the quote of its name to the end of its value) and one comma.
    pub fn remove(&mut self, member: Span) {
        self.edits.push((member, None));
    }

    /// Adds a member at the end of the body's outermost object; `value` is JSON text.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        if !self.added.is_empty() {
            self.added.push(b',');
        }
        self.added.extend_from_slice(&quoted(name));
        self.added.push(b':');
        self.added.extend_from_slice(value);
    }

    /// The changed body; the same bytes, not copied, when there was nothing to change.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        if self.edits.is_empty() && self.added.is_empty() {
            return self.body.clone();
        }
        self.edits.sort_unstable_by_key(|(span, _)| span.start);
        let grown: usize =
            self.edits.iter().filter_map(|(_, with)| with.as_ref().map(|text| text.len())).sum();
        let mut out = Vec::with_capacity(self.body.len() + grown + self.added.len() + 1);
        let mut at = 0;
        for (span, with) in &self.edits {
            out.extend_from_slice(&self.body[at..span.start]);
            at = match with {
                Some(text) => {
                    out.extend_from_slice(text);
                    span.end
                }
                None => step_over(self.body, span.end, &mut out),
            };
        }
        let close = if self.added.is_empty() { None } else { memchr::memrchr(b'}', self.body) };
        if let Some(close) = close {
            out.extend_from_slice(&self.body[at..close]);
            trim_space(&mut out);
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            out.extend_from_slice(&self.added);
            at = close;
        }
        out.extend_from_slice(&self.body[at..]);
        out.into()
    }
}

/// A JSON object with these members: in place of those of their names, or at its end.
///
/// # Errors
/// A [`Fault`] where the body is no JSON object.
pub fn merge(body: &Bytes, members: &Map<String, Value>) -> Result<Bytes, Fault> {
    let mut patch = Patch::new(body);
    let mut placed = Vec::new();
    super::object(body, |member| {
        let Some((name, value)) = members.get_key_value(&*member.name) else { return };
        if placed.contains(&name) {
            return patch.remove(member.span());
        }
        placed.push(name);
        patch.replace(member.value.span(), value.to_string().into_bytes());
    })?;
    for (name, value) in members.iter().filter(|(name, _)| !placed.contains(name)) {
        patch.add(name, value.to_string().as_bytes());
    }
    Ok(patch.finish())
}

/// A JSON string with its quotes.
#[must_use]
pub fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    // Writing a string into memory cannot fail; were it to, an empty name would be refused later.
    if serde_json::to_writer(&mut out, text).is_err() {
        out.clear();
    }
    out
}

/// Where to go on after a removed member that ended at `end`: behind its comma, or, if it was the
/// last one, right there with the comma before it taken back from what is written.
fn step_over(body: &[u8], end: usize, out: &mut Vec<u8>) -> usize {
    let rest = &body[end..];
    let space = spaces(rest);
    if rest.get(space) == Some(&b',') {
        let next = space + 1;
        return end + next + spaces(&rest[next..]);
    }
    trim_space(out);
    if out.last() == Some(&b',') {
        out.pop();
    }
    end
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn trim_space(out: &mut Vec<u8>) {
    while out.last().is_some_and(u8::is_ascii_whitespace) {
        out.pop();
    }
}
