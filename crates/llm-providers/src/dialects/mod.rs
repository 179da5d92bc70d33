//! The protocols, one folder each, all with the same file names.

pub mod anthropic;
pub mod cohere;
pub mod converse;
pub mod gemini;
mod look;
pub mod openai;
mod params;

use crate::DialectId;
use crate::dialect::Dialect;

/// Anthropic Messages.
pub static ANTHROPIC: &dyn Dialect = &anthropic::Anthropic;
/// Gemini `generateContent`.
pub static GEMINI: &dyn Dialect = &gemini::Gemini;
/// Cohere Chat, version 2.
pub static COHERE: &dyn Dialect = &cohere::Cohere;
/// Amazon Bedrock Converse.
pub static CONVERSE: &dyn Dialect = &converse::Converse;
/// OpenAI Chat Completions.
pub static OPENAI_CHAT: &dyn Dialect = &openai::chat::OpenaiChat;

/// OpenAI's legacy Completions.
pub static OPENAI_TEXT: &dyn Dialect = &openai::text::OpenaiText;
/// OpenAI Responses.
pub static OPENAI_RESPONSES: &dyn Dialect = &openai::responses::OpenaiResponses;

/// The dialect of an id.
#[must_use]
pub fn dialect(id: DialectId) -> &'static dyn Dialect {
    match id {
        DialectId::OpenaiChat => OPENAI_CHAT,
        DialectId::OpenaiText => OPENAI_TEXT,
        DialectId::OpenaiResponses => OPENAI_RESPONSES,
        DialectId::Anthropic => ANTHROPIC,
        DialectId::Gemini => GEMINI,
        DialectId::Cohere => COHERE,
        DialectId::Converse => CONVERSE,
    }
}
