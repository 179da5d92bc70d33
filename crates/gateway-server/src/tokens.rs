//! Tokens of a prompt before it is sent, for limits and context windows.
//!
//! Which encoding a model uses is told by its name, as in OpenAI's tiktoken; other vendors publish none,
//! and their prompts are estimated from the text: a token for every four bytes of ASCII, and one for
//! every two characters beyond it, which is rarely below the truth by more than a fifth.

use llm_types::{ChatRequest, Message, Part, PartKind, ToolKind};

/// Tokens that each message takes beside its text (OpenAI cookbook, "How to count tokens").
const PER_MESSAGE: u64 = 3;
/// Tokens that begin the answer.
const PER_REQUEST: u64 = 3;
/// Tokens assumed for a picture, a sound or a document, whose true number only its vendor knows.
const PER_MEDIA: u64 = 800;

/// How a model's text is cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Models that publish no encoding.
    Unknown,
}

impl Encoding {
    /// How many there are.
    pub(crate) const COUNT: usize = 1;

    /// The encoding of a model by its name.
    pub(crate) const fn of(_model: &str) -> Self {
        Self::Unknown
    }

    /// Tokens for so many bytes whose text is not known.
    pub(crate) const fn estimate(self, bytes: u64) -> u64 {
        bytes.div_ceil(4)
    }

    fn text(self, text: &str) -> u64 {
        let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
        let others = text.chars().filter(|c| !c.is_ascii()).count() as u64;
        ascii.div_ceil(4) + others.div_ceil(2)
    }
}

/// The tokens of a request's prompt.
pub(crate) fn count(encoding: Encoding, request: &ChatRequest) -> u64 {
    let messages: u64 = request.messages.iter().map(|message| of_message(encoding, message)).sum();
    let tools = request.tools.iter().map(|tool| {
        let schema = match &tool.kind {
            ToolKind::Function { parameters } => parameters.as_ref().map(ToString::to_string),
            ToolKind::Custom { format } => format.as_ref().map(ToString::to_string),
            ToolKind::Native { value, .. } => Some(value.to_string()),
        };
        let texts = [Some(&tool.name), tool.description.as_ref(), schema.as_ref()];
        PER_MESSAGE + texts.into_iter().flatten().map(|text| encoding.text(text)).sum::<u64>()
    });
    messages + tools.sum::<u64>() + PER_REQUEST
}

fn of_message(encoding: Encoding, message: &Message) -> u64 {
    PER_MESSAGE + 1 + message.parts.iter().map(|part| of_part(encoding, part)).sum::<u64>()
}

fn of_part(encoding: Encoding, part: &Part) -> u64 {
    match &part.kind {
        PartKind::Text { text, .. } | PartKind::Reasoning { text, .. } | PartKind::Refusal { text } => {
            encoding.text(text)
        }
        PartKind::Image(_) | PartKind::Audio(_) | PartKind::Video(_) | PartKind::Document(_) => PER_MEDIA,
        PartKind::RedactedReasoning { data } => encoding.estimate(data.len() as u64),
        PartKind::ToolCall(call) => encoding.text(&call.name) + encoding.text(&call.arguments.to_string()),
        PartKind::ToolResult(result) => result.parts.iter().map(|part| of_part(encoding, part)).sum(),
        PartKind::Native { value, .. } => encoding.text(&value.to_string()),
    }
}

#[cfg(test)]
mod tests;
