//! Requests, both ways: a caller's JSON into the canonical form, and that into a provider's JSON.

mod content;
mod decode;
mod encode;
mod encode_items;
mod items;
mod options;
mod tools;
mod write_tools;

pub(super) use content::annotation_of;
pub(super) use decode::decode;
pub(super) use encode::{default_of, encode};

#[cfg(test)]
mod tests;
