//! Requests: a caller's into canonical form, and canonical ones for a provider.

mod decode;
mod encode;
mod messages;
mod options;
mod turns;

pub(super) use decode::decode;
pub(super) use encode::encode;
pub(super) use messages::assistant;
pub(super) use options::{nothing_said, own_defaults, unsupported};
