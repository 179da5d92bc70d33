//! Streams: a provider's frames into events, and events into frames for a caller.
//!
//! Vendor's page: `build-with-claude/streaming`.

mod decode;
mod encode;
mod wire;

pub(super) use decode::Decoder;
pub(in crate::dialects) use encode::Depth;
pub(super) use encode::{Encoder, cut};
pub(super) use wire::Tail;

#[cfg(test)]
mod tests;
