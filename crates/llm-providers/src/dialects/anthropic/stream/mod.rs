//! Streams: a provider's frames into events, and events into frames for a caller.
//!
//! Vendor's page: `build-with-claude/streaming`.

mod decode;
mod encode;
mod wire;

pub(super) use decode::Decoder;
pub(super) use encode::{Encoder, write_error};
pub(super) use wire::Tail;

#[cfg(test)]
mod tests;
