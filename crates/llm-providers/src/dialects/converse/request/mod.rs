//! Requests: a caller's into canonical form, and canonical ones for a provider.

mod decode;
mod encode;
mod fields;
mod messages;
mod options;
pub(super) mod place;
mod refs;
mod told;
mod tools;

pub(super) use decode::decode;
pub(super) use encode::{encode, path};

#[cfg(test)]
mod tests;
