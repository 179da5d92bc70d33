//! OpenAI's protocols: Chat Completions, Responses, legacy Completions, and the errors all of them share.

pub mod chat;
mod error;
pub mod responses;
pub mod text;
