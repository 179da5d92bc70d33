//! The management API: thin, and the only place that writes settings.

mod fields;
mod keys;
mod query;
mod refusal;
mod view;

pub(crate) use keys::{KeyAction, keys};
