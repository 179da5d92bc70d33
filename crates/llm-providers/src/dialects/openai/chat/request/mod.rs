//! Requests, both ways: a caller's JSON into the canonical form, and that into a provider's JSON.

mod decode;
mod encode;
mod encode_messages;
mod judge;
mod messages;
mod options;
mod tools;

pub(super) use decode::decode;
pub(in crate::dialects) use decode::options_of;
pub(in crate::dialects::openai) use encode::effort_of;
pub(super) use encode::encode;
pub(in crate::dialects) use encode_messages::SHOWN_BY_TOOLS;
pub(super) use encode_messages::write_call;
pub(in crate::dialects::openai) use judge::{Fate, Judge, Said};
pub(super) use judge::{MAX_STOPS, canonical, rules_of};

#[cfg(test)]
pub(super) mod tests;

#[cfg(test)]
mod round_trip;
