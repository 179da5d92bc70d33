//! `general_settings`: how calls are let in.

use std::time::Duration;

use llm_types::Secret;

use super::Section;
use crate::config::{Admission, Doors, DrainDoor};

/// The longest wait for a place unless told, seconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a drain waits for calls to end unless told.
const DRAIN: Duration = Duration::from_secs(30);

/// Bounds on calls, and the way to let no more in.
pub(super) fn resolve(section: &mut Section<'_, '_, '_>) -> Doors {
    let of_env = section.cx.env.value("DRAIN_ENDPOINT_TOKEN").filter(|token| !token.is_empty());
    let of_env = of_env.map(|token| Secret::new(token.to_owned()));
    let token = section.secret("drain_endpoint_token").or(of_env);
    let seconds = section.cx.env.value("GRACEFUL_SHUTDOWN_TIMEOUT").and_then(|text| text.trim().parse().ok());
    let patience = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(DRAIN);
    Doors {
        admission: admission(section),
        drain: section.is_on("enable_drain_endpoint").then_some(DrainDoor { token, patience }),
        tells_readiness: section.is_on("allow_public_health_readiness_details"),
    }
}

fn admission(section: &mut Section<'_, '_, '_>) -> Option<Admission> {
    let most = section.count("max_in_flight_requests_per_worker");
    let queue = section.count("max_queued_requests_per_worker");
    let patience = section.seconds("admission_queue_timeout_seconds").unwrap_or(PATIENCE);
    if most == Some(0) {
        section.error("max_in_flight_requests_per_worker", "found 0", "expected one call at a time or more");
    }
    most.filter(|most| *most > 0).map(|most| Admission { most, queue, patience })
}
