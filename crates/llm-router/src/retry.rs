//! Whether, how often and after which wait a call is tried again in its group. LiteLLM surface §7.3.

use std::time::Duration;

use fastrand::Rng;
use llm_types::{Error, Retry};

use crate::fallback::is_last_word;
use crate::{Deployment, ErrorClass, RouterSettings};

/// The longest `Retry-After` that is waited for; a longer one is ignored.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How often a group may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Tries beyond the first.
    pub retries: u32,
    /// A retry policy says so: retried whatever the error.
    pub by_policy: bool,
}

/// What the decision to retry depends on, besides the error.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// Deployments in the group.
    pub deployments: usize,
    /// Deployments that could serve right now.
    pub healthy: usize,
    /// There are fallbacks for just this class of error: trying again here is pointless.
    pub special_fallback: bool,
}

/// The number of retries after the first failure in a group: a retry policy that names the error's
/// class (the group's, by any of its `names`, over the router's), else the request's number, the
/// deployment's, the router's.
#[must_use]
pub fn allowance(
    error: &Error,
    names: [&str; 2],
    requested: Option<u32>,
    deployment: &Deployment,
    settings: &RouterSettings,
) -> Allowance {
    let of_group = names.iter().find_map(|name| settings.group_retry_policy.get(*name));
    let policy = of_group.or(settings.retry_policy.as_ref());
    if let Some(retries) = policy.and_then(|policy| policy.of(ErrorClass::of(error))) {
        return Allowance { retries, by_policy: true };
    }
    let retries = requested.or(deployment.num_retries).unwrap_or(settings.num_retries);
    Allowance { retries, by_policy: false }
}

/// Whether a failed try may be followed by another in the same group.
#[must_use]
pub fn may_retry(error: &Error, situation: Situation) -> bool {
    let others = situation.deployments > 1;
    if situation.healthy == 0 || situation.special_fallback {
        return false;
    }
    match (ErrorClass::of(error), error.retry()) {
        (ErrorClass::Authentication | ErrorClass::PermissionDenied, _) | (_, Retry::Elsewhere) => others,
        // A deployment that is set up wrongly; another one may be right.
        (ErrorClass::Ours, _) => others && !is_last_word(error),
        // A bad request by its kind, yet it may pass once the provider is done with the other one.
        (ErrorClass::Conflict, _) => true,
        (class, Retry::Never) => is_retryable(class) && others,
        (class, Retry::Same | Retry::After(_)) => is_retryable(class),
    }
}

/// How long to wait before a retry; `retry` counts from 0. Nothing while another deployment can
/// serve, else what the provider asked for, else twice as long each time.
#[must_use]
pub fn wait(
    error: &Error,
    retry: u32,
    situation: Situation,
    settings: &RouterSettings,
    rng: &mut Rng,
) -> Duration {
    if situation.deployments > 1 && situation.healthy > 0 {
        return Duration::ZERO;
    }
    let tuning = &settings.tuning;
    let jitter = Duration::try_from_secs_f64(tuning.jitter * rng.f64()).unwrap_or_default();
    if let Retry::After(asked) = error.retry()
        && !asked.is_zero()
        && asked <= LONGEST_RETRY_AFTER
    {
        return asked + jitter;
    }
    let doubled = tuning.first_wait.saturating_mul(1 << retry.min(16));
    (doubled.max(settings.retry_after).min(tuning.longest_wait) + jitter).max(settings.retry_after)
}

/// Whether another try may help, by LiteLLM's rule on statuses: 408, 409, 429 and everything from 500.
#[must_use]
pub(crate) const fn is_retryable(class: ErrorClass) -> bool {
    match class {
        ErrorClass::Timeout
        | ErrorClass::Conflict
        | ErrorClass::RateLimit
        | ErrorClass::InternalServer
        | ErrorClass::BadGateway
        | ErrorClass::ServiceUnavailable => true,
        ErrorClass::BadRequest
        | ErrorClass::ContextWindow
        | ErrorClass::ContentPolicy
        | ErrorClass::Authentication
        | ErrorClass::PaymentRequired
        | ErrorClass::PermissionDenied
        | ErrorClass::NotFound
        | ErrorClass::Other
        | ErrorClass::Ours => false,
    }
}

#[cfg(test)]
mod tests;
