//! Requests: a caller's into canonical form, and canonical ones for a provider.

mod decode;
mod encode;
mod messages;
mod options;
mod prompt;
mod turns;

pub(super) use decode::decode;
pub(super) use encode::encode;
pub(super) use options::is_option;
