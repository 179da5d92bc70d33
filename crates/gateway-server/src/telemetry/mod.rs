//! What operators see: metrics and the access log.

mod deployments;
mod log;
mod metrics;

pub(crate) use deployments::standing;
pub(crate) use log::{AccessLine, AccessLog};
pub(crate) use metrics::{CallCounts, Metrics};
