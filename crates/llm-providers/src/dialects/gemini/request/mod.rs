//! Requests, both ways: a caller's JSON into the canonical form, and that into a provider's JSON.

mod decode;
mod encode;
mod generation;
mod judge;
mod messages;
mod options;
mod thinking;
mod tools;

pub(super) use decode::{body, decode};
pub(super) use encode::encode;
pub(super) use generation::config_name;

#[cfg(test)]
mod tests;
