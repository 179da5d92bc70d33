//! What operators see: metrics and the access log.

mod log;
mod metrics;

pub(crate) use log::{AccessLine, AccessLog};
pub(crate) use metrics::{CallCounts, Metrics};
