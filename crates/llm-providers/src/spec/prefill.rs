//! Answers that were begun and are to be continued: which vendors go on with one, and how they are asked.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::DialectId;
use crate::Target;
use crate::dialects::anthropic::models::takes_prefill;

/// How a vendor is asked to go on with an answer that was begun. The beginning is the text of the last
/// message, which is the assistant's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefill {
    /// It does not go on, or nothing is known of it.
    #[default]
    None,
    /// Nothing more has to be said.
    Last,
    /// The message says `prefix: true`; Mistral repeats the beginning in its answer, DeepSeek does not
    /// (<https://docs.mistral.ai/api>, <https://api-docs.deepseek.com/guides/chat_prefix_completion>).
    Prefix,
    /// The body says `continue_final_message: true` and `add_generation_prompt: false`
    /// (<https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html>).
    FinalMessage,
}

impl Prefill {
    /// How a target goes on with an answer. `said` is the operator's word whether its model does, `known`
    /// the price book's; both may be silent. Claude's older models do wherever they are; since 4.6 they
    /// refuse it (<https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6>), whatever
    /// the price book says.
    #[must_use]
    pub fn of(target: &Target, said: Option<bool>, known: Option<bool>) -> Self {
        let spec = &target.spec;
        let is_claude = matches!(spec.dialect, DialectId::Anthropic | DialectId::Converse);
        let own = match spec.quirks.prefill {
            Self::None if is_claude && takes_prefill(target.family()) => Self::Last,
            own => own,
        };
        match (said, known) {
            (Some(true), _) if own == Self::None => Self::Last,
            (Some(false), _) | (None, Some(false)) => Self::None,
            _ => own,
        }
    }

    /// Whether the answer may repeat the beginning.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        matches!(self, Self::Prefix)
    }

    /// A finished body that ends in the beginning of the answer, with what the vendor wants said of it.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the body is no JSON object with messages.
    pub fn mark(self, body: Bytes) -> Result<Bytes> {
        let member = match self {
            Self::None | Self::Last => return Ok(body),
            Self::Prefix => "prefix",
            Self::FinalMessage => "continue_final_message",
        };
        let unfit = || Error::new(ErrorKind::Internal, "a body to be continued has no messages");
        let mut body: Value = serde_json::from_slice(&body).map_err(|fault| unfit().with_source(fault))?;
        if self == Self::FinalMessage {
            body[member] = json!(true);
            body["add_generation_prompt"] = json!(false);
        } else {
            let messages = body.get_mut("messages").and_then(Value::as_array_mut);
            messages.and_then(|messages| messages.last_mut()).ok_or_else(unfit)?[member] = json!(true);
        }
        Ok(body.to_string().into())
    }
}

#[cfg(test)]
mod tests;
