//! Streams: a provider's lines into events, and events into lines for a caller.
//!
//! Vendor's page: <https://docs.ollama.com/api/streaming>.

mod decode;
mod encode;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
