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
pub(in crate::dialects) use features::{BETA_HEADER, Features, add_extra};
pub(super) use features::{VERSION, VERSION_HEADER};
pub(in crate::dialects) use schema::exact;
pub(in crate::dialects) use thinking::Plan as ThinkingPlan;

#[cfg(test)]
mod tests;
