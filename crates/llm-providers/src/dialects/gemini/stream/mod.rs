//! Streams, both ways: frames into events, events into frames. Every frame is a whole reply object
//! that holds what is new.

mod decode;
mod encode;
mod partial;

pub(super) use decode::Decoder;
pub(super) use encode::{Encoder, error_frame};

#[cfg(test)]
mod tests;
