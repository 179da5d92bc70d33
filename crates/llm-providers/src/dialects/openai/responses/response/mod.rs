//! Replies, both ways.

mod read;
mod write;

pub(super) use read::{
    error_event, error_of_reply, facts, logprobs, note_call, output_item, read as decode, usage as read_usage,
};
pub(super) use write::{Head, annotation, encode, error_of, image_item, native_item, reply};

#[cfg(test)]
mod tests;
