//! Streams, both ways.

mod decoder;
mod encoder;
mod items;

pub(super) use decoder::Decoder;
pub(super) use encoder::{Encoder, error_frame};

#[cfg(test)]
mod tests;
