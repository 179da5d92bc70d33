//! Streams, both ways.

mod decoder;
mod encoder;

pub(super) use decoder::{Decoder, ended_in_error};
pub(super) use encoder::Encoder;
pub(in crate::dialects::openai) use encoder::error_frame;

#[cfg(test)]
mod tests;
