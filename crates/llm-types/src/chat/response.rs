//! A chat reply in canonical form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Extra, Message, Usage};

/// A whole reply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatResponse {
    /// The provider's id of the reply.
    pub id: String,
    /// The model that answered, in the provider's words.
    pub model: String,
    /// When it was made, in Unix seconds, where the provider says.
    pub created: Option<i64>,
    /// The answers; one unless several were asked for.
    pub choices: Vec<Choice>,
    /// What it consumed; `None` when the provider did not say.
    pub usage: Option<Usage>,
    /// The service tier that was served.
    pub service_tier: Option<String>,
    /// Top-level fields without canonical meaning.
    pub extra: Extra,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Its number, from 0.
    pub index: u32,
    /// What the model said.
    pub message: Message,
    /// Why it stopped.
    pub finish: Option<Finish>,
    /// Log-probabilities in OpenAI's form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Value>,
    /// Fields without canonical meaning.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It was done.
    Stop,
    /// It wrote one of the stop texts; which one, where the vendor says.
    StopSequence(Option<String>),
    /// It reached the token limit.
    Length,
    /// It reached the context window rather than the limit asked for.
    ContextWindow,
    /// It wants tools called.
    ToolCalls,
    /// A content filter cut it.
    ContentFilter,
    /// It declined.
    Refusal,
    /// It paused a long turn and wants to be called again (Anthropic `pause_turn`).
    Pause,
    /// Another reason, in the vendor's word.
    Other(String),
}
