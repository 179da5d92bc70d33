//! OpenAI's protocols: Chat Completions, and the errors all of them share.

pub mod chat;
mod error;
