//! Streams, both ways.

mod decoder;
mod encoder;

pub(super) use decoder::{Decoder, ended_in_error};
pub(super) use encoder::{Encoder, cut, error_frame};

#[cfg(test)]
mod tests;
