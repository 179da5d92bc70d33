//! Replies, both ways.

mod facts;
mod read;
mod write;

pub(super) use facts::facts;
pub(super) use read::{citation, error_of, image, read as decode, redacted, sources, text_of, written};
pub(super) use write::{annotation, audio, encode, image as write_image, spoken_members, thinking_block};

#[cfg(test)]
mod tests;
