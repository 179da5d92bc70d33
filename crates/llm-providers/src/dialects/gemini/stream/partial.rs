//! Arguments of a call that come piece by piece (`functionCall.partialArgs`).
//!
//! Vendor's page: <https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling>,
//! "Streaming function call arguments".

use serde_json::{Map, Value};

/// The deepest place and the longest list a path may name.
const LIMIT: usize = 10_000;

/// A call whose arguments have not all come.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Partial {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) signature: Option<String>,
    args: Value,
    /// Where a text goes on in the next piece.
    open: Option<String>,
}

impl Partial {
    /// A call that begins, with the arguments it brings.
    pub(super) fn new(id: String, name: String, signature: Option<String>, args: Option<Value>) -> Self {
        let args = args.filter(Value::is_object).unwrap_or_else(|| Value::Object(Map::new()));
        Self { id, name, signature, args, open: None }
    }

    /// The arguments so far, as JSON text.
    pub(super) fn arguments(&self) -> String {
        self.args.to_string()
    }

    /// Takes the pieces of one frame.
    pub(super) fn take(&mut self, pieces: &[Value]) {
        for piece in pieces {
            let Some(path) = piece.get("jsonPath").and_then(Value::as_str) else { continue };
            let goes_on = self.open.as_deref() == Some(path);
            let Some(place) = place(&mut self.args, path) else { continue };
            match (piece.get("stringValue").and_then(Value::as_str), place) {
                (Some(more), Value::String(text)) if goes_on => text.push_str(more),
                (Some(text), place) => *place = Value::from(text),
                (None, place) => {
                    let value = piece.get("numberValue").or_else(|| piece.get("boolValue"));
                    *place = value.cloned().unwrap_or(Value::Null);
                }
            }
            let more = piece.get("willContinue").and_then(Value::as_bool).unwrap_or(false);
            self.open = more.then(|| path.to_owned());
        }
    }
}

enum Step<'p> {
    Member(&'p str),
    Element(usize),
}

/// The place a JSON path (RFC 9535, names and indices) stands for, made where it is missing.
fn place<'a>(root: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut at = root;
    for step in steps(path)? {
        at = match step {
            Step::Member(name) => {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut()?.entry(name).or_insert(Value::Null)
            }
            Step::Element(index) => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if list.len() <= index {
                    list.resize(index + 1, Value::Null);
                }
                &mut list[index]
            }
        };
    }
    Some(at)
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, behind) = if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|first| matches!(first, '\'' | '"'));
            match quote {
                Some(quote) => {
                    let (name, behind) = inner[1..].split_once(quote)?;
                    (Step::Member(name), behind.strip_prefix(']')?)
                }
                None => {
                    let (index, behind) = inner.split_once(']')?;
                    (Step::Element(index.parse().ok().filter(|index| *index < LIMIT)?), behind)
                }
            }
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            (Step::Member(&name[..end]), &name[end..])
        };
        steps.push(step);
        if steps.len() > LIMIT {
            return None;
        }
        rest = behind;
    }
    Some(steps)
}
