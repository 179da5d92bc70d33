//! The protocols, one folder each, all with the same file names.

pub mod anthropic;
mod asked;
mod calls;
pub mod cohere;
pub mod converse;
pub mod gemini;
mod look;
pub mod ollama;
pub mod openai;
mod params;
pub mod prompt;

pub use asked::openai_params;

use crate::DialectId;
use crate::dialect::Dialect;

/// Anthropic Messages.
pub static ANTHROPIC: &dyn Dialect = &anthropic::Anthropic;
/// Gemini `generateContent`.
pub static GEMINI: &dyn Dialect = &gemini::Gemini;
/// Cohere Chat, version 2.
pub static COHERE: &dyn Dialect = &cohere::Cohere;
/// Cohere Chat, version 1: providers only.
pub static COHERE_V1: &dyn Dialect = &cohere::CohereV1;
/// Amazon Bedrock Converse.
pub static CONVERSE: &dyn Dialect = &converse::Converse;
/// Ollama's chat.
pub static OLLAMA: &dyn Dialect = &ollama::Ollama;
/// Amazon Nova's own messages.
pub static NOVA: &dyn Dialect = &converse::Nova;
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
        DialectId::CohereV1 => COHERE_V1,
        DialectId::Ollama => OLLAMA,
        DialectId::Nova => NOVA,
        DialectId::Prompt(wire) => prompt::Prompt::on(wire),
    }
}

#[cfg(test)]
mod tests;
