//! The events of a stream as they stand on the wire.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::super::usage::WireUsage;

/// Any event: the members of all kinds, each present in its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct WireEvent {
    #[serde(rename = "type")]
    pub(in super::super) kind: String,
    pub(in super::super) id: Option<String>,
    pub(super) index: Option<u64>,
    pub(in super::super) delta: Option<Delta>,
    pub(super) logprobs: Option<Value>,
}

/// The delta of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Delta {
    pub(super) message: Option<Piece>,
    pub(in super::super) finish_reason: Option<String>,
    pub(in super::super) usage: Option<WireUsage>,
    /// What went wrong, where the stream ends in an error.
    pub(in super::super) error: Option<String>,
}

/// A piece of the message. Lists at the start of a stream are empty and pass for nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Piece {
    pub(super) content: One<Content>,
    pub(super) tool_plan: Option<String>,
    pub(super) tool_calls: One<Call>,
    pub(super) citations: Value,
}

/// One of what whole messages have lists of.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum One<T> {
    /// It.
    This(T),
    /// A list, which is empty, or nothing.
    None(IgnoredAny),
}

impl<T> Default for One<T> {
    fn default() -> Self {
        Self::None(IgnoredAny)
    }
}

impl<T> One<T> {
    /// It, if it is there.
    pub(super) fn this(self) -> Option<T> {
        match self {
            Self::This(this) => Some(this),
            Self::None(_) => None,
        }
    }

    fn as_ref(&self) -> Option<&T> {
        match self {
            Self::This(this) => Some(this),
            Self::None(_) => None,
        }
    }
}

/// A piece of a content block.
#[derive(Debug, Deserialize)]
pub(super) struct Content {
    #[serde(default)]
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) thinking: Option<String>,
}

/// A piece of a call.
#[derive(Debug, Deserialize)]
pub(super) struct Call {
    #[serde(default)]
    pub(super) id: Option<String>,
    pub(super) function: Function,
}

/// What is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

impl WireEvent {
    /// The name of the function that the event begins to call.
    pub(in super::super) fn called(&self) -> Option<&str> {
        self.delta.as_ref()?.message.as_ref()?.tool_calls.as_ref()?.function.name.as_deref()
    }

    /// The text the event adds to the answer, of whatever kind.
    pub(in super::super) fn said(&self) -> Option<&str> {
        let piece = self.delta.as_ref()?.message.as_ref()?;
        let content = piece.content.as_ref();
        let text = content.and_then(|content| content.text.as_deref().or(content.thinking.as_deref()));
        let call = piece.tool_calls.as_ref();
        text.or(piece.tool_plan.as_deref())
            .or_else(|| call.and_then(|call| call.function.arguments.as_deref()))
    }
}
