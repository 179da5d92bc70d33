//! Requests: a caller's into canonical form, and canonical ones for a provider.

mod decode;
mod encode;
mod features;
mod messages;
mod options;
mod schema;
mod thinking;
mod tools;

pub(super) use decode::decode;
pub(super) use encode::{PATH, encode};
pub(super) use features::{VERSION, VERSION_HEADER};

#[cfg(test)]
mod tests;
