//! The protocols, one folder each, all with the same file names.

/// The methods of [`Dialect`] that stand in files of the same names in every folder: `glance`, `request`,
/// `response`, `stream`, `error`, `forward` and `relay`. What a dialect has beyond them stands behind.
macro_rules! by_files {
    ($id:ident, $framing:ident) => {
        fn id(&self) -> $crate::DialectId {
            $crate::DialectId::$id
        }

        fn glance(&self, body: &[u8]) -> ::llm_types::Result<$crate::dialect::Glance> {
            glance::glance(body)
        }

        fn decode_request(&self, body: &[u8]) -> ::llm_types::Result<::llm_types::ChatRequest> {
            request::decode(body)
        }

        fn encode_response(
            &self,
            response: &::llm_types::ChatResponse,
            cx: &$crate::ReplyContext,
        ) -> ::llm_types::Result<::bytes::Bytes> {
            Ok(response::encode(response, cx))
        }

        fn stream_encoder(&self, cx: $crate::ReplyContext) -> Box<dyn $crate::StreamEncoder> {
            Box::new(stream::Encoder::new(cx))
        }

        fn encode_error(&self, error: &::llm_types::Error) -> (::http::StatusCode, ::bytes::Bytes) {
            error::encode(error)
        }

        fn encode_request(
            &self,
            request: &::llm_types::ChatRequest,
            target: &$crate::Target,
        ) -> ::llm_types::Result<$crate::Encoded> {
            request::encode(request, target)
        }

        fn decode_response(&self, body: &[u8]) -> ::llm_types::Result<::llm_types::ChatResponse> {
            response::decode(body)
        }

        fn framing(&self) -> $crate::Framing {
            $crate::Framing::$framing
        }

        fn stream_decoder(&self) -> Box<dyn $crate::StreamDecoder> {
            Box::new(stream::Decoder::default())
        }

        fn decode_error(
            &self,
            status: ::http::StatusCode,
            headers: &::http::HeaderMap,
            body: &[u8],
        ) -> ::llm_types::Error {
            error::decode(status, headers, body)
        }

        fn forward_request(
            &self,
            body: &::bytes::Bytes,
            glance: &$crate::dialect::Glance,
            target: &$crate::Target,
        ) -> ::llm_types::Result<$crate::Encoded> {
            forward::forward(body, glance, target)
        }

        fn reply_facts(&self, body: &[u8]) -> $crate::ReplyFacts {
            relay::reply_facts(body)
        }

        fn relay(&self, show_usage: bool) -> Box<dyn $crate::dialect::Relay> {
            Box::new(relay::Forwarder::new(show_usage))
        }
    };
}

pub mod anthropic;
mod asked;
mod blocks;
mod calls;
pub mod cohere;
mod conversation;
pub mod converse;
pub mod gemini;
mod kin;
mod look;
pub mod ollama;
pub mod openai;
mod params;
mod pass;
pub mod prompt;
mod refusal;
mod unsaid;

pub use anthropic::count::estimated_tokens;
pub use asked::openai_params;
pub(crate) use openai::chat::control_of;
pub(crate) use openai::{openai_encode_error, openai_error, openai_error_within};

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
        DialectId::OracleGeneric => kin::ORACLE,
        DialectId::OracleCohere => kin::ORACLE_COHERE,
        DialectId::Functions => kin::FUNCTIONS,
        DialectId::A2a => kin::A2A,
        DialectId::Langgraph => kin::LANGGRAPH,
        DialectId::Langflow => kin::LANGFLOW,
        DialectId::Threads => kin::THREADS,
        DialectId::Agentcore => kin::AGENTCORE,
        DialectId::BedrockAgent => kin::BEDROCK_AGENT,
        DialectId::Bytez => kin::BYTEZ,
        DialectId::AgentEngine => kin::AGENT_ENGINE,
    }
}

#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
pub(crate) use tests::bench::recordings;
