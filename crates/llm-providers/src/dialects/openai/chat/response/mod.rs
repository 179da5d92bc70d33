//! Replies, both ways.

mod facts;
mod read;
mod write;

pub(super) use facts::facts;
pub(super) use read::{citation, error_of, image, read as decode, redacted, sources, text_of, written};
pub(super) use write::{annotation, encode, image as write_image, thinking_block};

#[cfg(test)]
mod tests;
