//! A chat request in canonical form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Extra, Message, Options, Tool};

/// One chat request: who said what, which tools there are, and how to answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatRequest {
    /// The model, as the caller names it.
    pub model: String,
    /// The conversation, oldest first; system prompts are messages of their own at the start.
    pub messages: Vec<Message>,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// How to answer.
    pub options: Options,
    /// Whether the conversation is a prompt to go on with, said by the user, as callers of legacy Completions
    /// give it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_prompt: bool,
    /// Whether the answer is wanted as a stream.
    pub stream: bool,
    /// Top-level fields of the caller's dialect that have no canonical meaning.
    pub extra: Extra,
    /// Top-level fields that only the caller's own dialect has: written back by that dialect, left out
    /// by all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<NativeFields>,
}

/// Top-level fields of a request that mean nothing outside their dialect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NativeFields {
    /// The dialect that can read them, by its id (`anthropic`, `openai`, …).
    pub dialect: String,
    /// The fields.
    pub fields: Extra,
    /// The names of those without which the answer is another one: a caller must be told when they are
    /// left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needed: Vec<String>,
}

impl NativeFields {
    /// The fields of a dialect; `is_needed` tells of which a caller must be told when they are left out.
    #[must_use]
    pub fn of(dialect: &str, fields: Extra, is_needed: impl Fn(&str, &Value) -> bool) -> Self {
        let needed = fields.0.iter().filter(|(name, value)| is_needed(name, value));
        let needed = needed.map(|(name, _)| name.clone()).collect();
        Self { dialect: dialect.to_owned(), fields, needed }
    }
}

impl ChatRequest {
    /// A request with default options.
    pub fn new(model: impl Into<String>, messages: impl Into<Vec<Message>>) -> Self {
        Self { model: model.into(), messages: messages.into(), ..Self::default() }
    }
}
