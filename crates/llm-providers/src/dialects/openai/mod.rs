//! OpenAI's protocols: Chat Completions, Responses, legacy Completions, and the errors all of them share.

pub mod chat;
mod error;
pub mod responses;
pub mod text;

pub(crate) use error::{
    decode as openai_error, decode_object as openai_error_within, encode as openai_encode_error,
};
