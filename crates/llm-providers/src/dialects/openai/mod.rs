//! OpenAI's protocols: Chat Completions, legacy Completions, and the errors all of them share.

pub mod chat;
mod error;
pub mod text;
