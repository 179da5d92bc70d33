//! The events of a stream as they stand on the wire.

use serde::Deserialize;
use serde_json::Value;

use super::super::usage::WireUsage;

/// Any event: the members of all kinds, each present in its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct WireEvent {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) index: Option<u64>,
    pub(super) message: Option<Head>,
    pub(super) content_block: Option<Value>,
    pub(super) delta: Option<Delta>,
    pub(super) usage: Option<WireUsage>,
    pub(super) error: Option<Value>,
}

/// The message of `message_start`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Head {
    pub(in super::super) id: String,
    pub(in super::super) model: String,
    pub(in super::super) usage: WireUsage,
    /// Empty as a rule. A message that goes on after a call from running code holds its blocks here
    /// and sends no events for them.
    pub(in super::super) content: Option<Vec<Value>>,
    /// Given here when the message has no more events than its beginning and its end.
    pub(in super::super) stop_reason: Option<String>,
    pub(in super::super) stop_sequence: Option<String>,
}

/// The delta of `content_block_delta` or `message_delta`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) signature: Option<String>,
    pub(super) partial_json: Option<String>,
    pub(super) citation: Option<Value>,
    pub(super) stop_reason: Option<String>,
    pub(super) stop_sequence: Option<String>,
}

/// What a relay reads of `message_start`, `message_delta` and `error`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Tail {
    pub(in super::super) message: Option<Head>,
    pub(in super::super) usage: Option<WireUsage>,
    pub(in super::super) delta: Option<Stop>,
}

/// Why a message stopped.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Stop {
    pub(in super::super) stop_reason: Option<String>,
    pub(in super::super) stop_sequence: Option<String>,
}
