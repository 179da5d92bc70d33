//! What the configuration says of letting calls in, and of letting no more in.

use std::time::Duration;

use llm_types::Secret;

/// How calls are let in.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    /// How many calls to models are answered at a time (`max_in_flight_requests_per_worker`); `None` is no bound.
    pub admission: Option<Admission>,
    /// Whether `/health/drain` is served, and for whom (`enable_drain_endpoint`).
    pub drain: Option<DrainDoor>,
    /// Say everything at `/health/readiness` (`allow_public_health_readiness_details`).
    pub tells_readiness: bool,
}

/// A bound on calls that are answered at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Calls at a time.
    pub most: u64,
    /// Calls that may wait (`max_queued_requests_per_worker`); `None` is no bound.
    pub queue: Option<usize>,
    /// The longest wait (`admission_queue_timeout_seconds`).
    pub patience: Duration,
}

/// Who may ask for `/health/drain`.
#[derive(Debug, Clone)]
pub struct DrainDoor {
    /// What must be sent as `x-drain-token`; without it anybody may (`drain_endpoint_token`).
    pub token: Option<Secret>,
    /// How long calls may take to end (`GRACEFUL_SHUTDOWN_TIMEOUT`).
    pub patience: Duration,
}
