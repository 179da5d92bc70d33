//! Streams: a provider's frames into events, and events into frames for a caller.
//!
//! Vendor's page: `v2/docs/streaming`.

mod decode;
mod encode;
mod wire;

pub(super) use decode::Decoder;
pub(super) use encode::{Encoder, end_in_error};
pub(super) use wire::WireEvent;
