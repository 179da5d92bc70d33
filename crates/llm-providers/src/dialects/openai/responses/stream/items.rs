//! The items of an answer while it is being written.

use serde_json::{Value, json};

use super::super::wire::reasoning_item;

/// An item that takes more.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) id: String,
    /// Its place in the output.
    pub(super) place: usize,
    pub(super) kind: Kind,
    /// Another vendor's signature of it.
    pub(super) signature: Option<String>,
}

/// What is being written.
#[derive(Debug)]
pub(super) enum Kind {
    /// The model's words: finished parts, and the one that takes more.
    Message { parts: Vec<Value>, part: Option<Part> },
    /// The model's thoughts.
    Reasoning { text: String },
    /// A call of a tool.
    Call { index: u32, call_id: String, name: String, arguments: String, custom: bool },
}

/// A part of a message.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) refusal: bool,
    pub(super) text: String,
    pub(super) annotations: Vec<Value>,
    pub(super) logprobs: Vec<Value>,
}

impl Part {
    /// The part as it stands.
    pub(super) fn value(&self) -> Value {
        if self.refusal {
            return json!({"type": "refusal", "refusal": self.text});
        }
        json!({
            "type": "output_text", "text": self.text, "annotations": self.annotations,
            "logprobs": self.logprobs,
        })
    }
}

impl Open {
    /// The item as it stands.
    pub(super) fn value(&self, status: &str) -> Value {
        let mut item = match &self.kind {
            Kind::Message { parts, .. } => json!({
                "id": self.id, "type": "message", "status": status, "role": "assistant", "content": parts,
            }),
            Kind::Reasoning { text } => {
                return reasoning_item(&self.id, text, self.signature.as_deref(), false);
            }
            Kind::Call { call_id, name, arguments, custom, .. } => {
                let (kind, member) =
                    if *custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
                json!({
                    "id": self.id, "type": kind, "status": status, "call_id": call_id, "name": name,
                    member: arguments,
                })
            }
        };
        if let Some(signature) = &self.signature {
            item["provider_specific_fields"] = json!({"thought_signature": signature});
        }
        item
    }
}
