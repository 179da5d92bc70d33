//! When a deployment rests: a function of its counters, the error and the moment.

use std::sync::Arc;
use std::time::Duration;

use llm_types::{Error, Retry};

use crate::class::status;
use crate::counters::{DeploymentState, InFlight, MinuteCounts};
use crate::{
    AllowedFails, Candidate, Cause, Deployment, ErrorClass, Moment, Peers, Rest, RouterSettings, Tuning,
};

/// What the rules know of a failure. LiteLLM surface §7.5.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// What the attempt ended with.
    pub error: &'a Error,
    /// Its group has no other deployment.
    pub lone: bool,
    /// The caller caused it: its own timeout passed, its own key was used, or it named a model that
    /// no wildcard deployment has.
    pub by_caller: bool,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The deployment's: it counts and may rest it.
    Deployment,
    /// The caller's or ours: it says nothing of the deployment.
    Elsewhere,
}

/// Whose fault a failure is. A request that is wrong everywhere never counts against a deployment.
#[must_use]
pub fn blame(failure: Failure<'_>) -> Blame {
    if failure.by_caller {
        return Blame::Elsewhere;
    }
    match ErrorClass::of(failure.error) {
        ErrorClass::Ours
        | ErrorClass::BadRequest
        | ErrorClass::ContextWindow
        | ErrorClass::ContentPolicy
        | ErrorClass::Conflict
        | ErrorClass::PermissionDenied => Blame::Elsewhere,
        ErrorClass::PaymentRequired if failure.lone => Blame::Elsewhere,
        ErrorClass::Other if (400..500).contains(&status(failure.error)) => Blame::Elsewhere,
        _ => Blame::Deployment,
    }
}

/// How long a deployment rests after this failure; `None` when it does not. `counts` include the
/// failure; `fails` are those counted against `allowed_fails`, this one included.
#[must_use]
pub fn rest_after(
    failure: Failure<'_>,
    deployment: &Deployment,
    settings: &RouterSettings,
    counts: MinuteCounts,
    fails: impl FnOnce(Duration) -> u32,
) -> Option<Duration> {
    let time = rest_time(failure.error, deployment, settings);
    if settings.disable_cooldowns || time.is_zero() || blame(failure) == Blame::Elsewhere {
        return None;
    }
    let class = ErrorClass::of(failure.error);
    let rests = match allowed_fails(class, deployment, settings) {
        Some(allowed) => fails(time) > allowed,
        None => rests_by_default(class, failure, counts, &settings.tuning),
    };
    rests.then_some(time)
}

/// The rules that hold while nobody set `allowed_fails` or a policy.
fn rests_by_default(class: ErrorClass, failure: Failure<'_>, counts: MinuteCounts, tuning: &Tuning) -> bool {
    let total = counts.successes + counts.failures;
    let rate_limited = class == ErrorClass::RateLimit && !failure.lone;
    let all_failed = counts.successes == 0 && total >= tuning.lone_calls;
    let share = f64::from(counts.failures) / f64::from(total.max(1));
    let mostly_failed = share > tuning.failure_share && total >= tuning.minimum_calls && !failure.lone;
    rate_limited || all_failed || mostly_failed || !crate::retry::is_retryable(class)
}

/// The deployment's own policy and count win over the router's; by class wins over the plain count.
fn allowed_fails(class: ErrorClass, deployment: &Deployment, settings: &RouterSettings) -> Option<u32> {
    let by_class = |policy: &Option<AllowedFails>| policy.and_then(|policy| policy.of(class));
    by_class(&deployment.allowed_fails_policy)
        .or(deployment.allowed_fails)
        .or_else(|| by_class(&settings.allowed_fails_policy))
        .or(settings.allowed_fails)
        .or_else(|| settings.allowed_fails_policy.map(|_| DEFAULT_ALLOWED_FAILS))
}

/// LiteLLM's `allowed_fails` where only a policy is set and it is silent about a class.
const DEFAULT_ALLOWED_FAILS: u32 = 3;

/// How long a rest takes: the deployment's own time, the provider's `Retry-After`, the router's.
fn rest_time(error: &Error, deployment: &Deployment, settings: &RouterSettings) -> Duration {
    let asked = match error.retry() {
        Retry::After(wait) => Some(wait),
        Retry::Never | Retry::Same | Retry::Elsewhere => None,
    };
    deployment.cooldown_time.or(asked).unwrap_or(settings.cooldown_time)
}

/// Where a failure happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) state: &'a DeploymentState,
    pub(crate) peers: &'a Peers,
    pub(crate) deployment: &'a Deployment,
    pub(crate) settings: &'a RouterSettings,
}

/// Counts a failure, rests the deployment if the rules say so, and those that share its fate; tells who
/// rests for how long.
pub(crate) fn record_failure(place: Place<'_>, failure: Failure<'_>, now: Moment) -> Vec<Rest> {
    let Place { state, peers, deployment, settings } = place;
    if blame(failure) == Blame::Elsewhere {
        return Vec::new();
    }
    let class = ErrorClass::of(failure.error);
    let on_trial = state.is_on_trial(now);
    state.failed(now);
    if class == ErrorClass::Timeout {
        state.measures.timed_out(now);
    }
    let counts = state.this_minute(now);
    let fails = |ttl| state.count_fail(now, ttl);
    let mut time = rest_after(failure, deployment, settings, counts, fails);
    let own = rest_time(failure.error, deployment, settings);
    let may_rest = !settings.disable_cooldowns && !own.is_zero();
    if time.is_none() && may_rest && on_trial && allowed_fails(class, deployment, settings).is_none() {
        // It was back on trial: it has shown that it is not well yet.
        time = Some(own);
    }
    let mut rests = Vec::new();
    let code = Some(status(failure.error));
    if let Some(time) = time {
        state.rest(now, time);
        rests.push(Rest { deployment: deployment.id.clone(), time, cause: Cause::Itself, status: code });
    }
    if may_rest {
        let others = peers.fail(&deployment.id, class, own, now);
        rests.extend(others.into_iter().map(|(deployment, cause)| Rest {
            deployment,
            time: own,
            cause,
            status: code,
        }));
    }
    rests
}

/// A probe of a deployment failed. Where a policy says how many failures are allowed (`allowed_fails_policy`), the probe
/// counts as a call that failed, and whether the deployment rests is the policy's to say; `false` where there is none.
/// LiteLLM surface §7.7.
pub fn probe_failed(
    candidate: &Candidate,
    lone: bool,
    settings: &RouterSettings,
    error: &Error,
    now: Moment,
) -> bool {
    let Candidate { deployment, state, peers, .. } = candidate;
    if deployment.allowed_fails_policy.is_none() && settings.allowed_fails_policy.is_none() {
        return false;
    }
    record_failure(
        Place { state, peers, deployment, settings },
        Failure { error, lone, by_caller: false },
        now,
    );
    true
}

/// What an answer came to, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Of the prompt, those read from a cache counted.
    pub input: u64,
    /// Of the prompt, read from a cache.
    pub cached: u64,
    /// Of the answer.
    pub output: u64,
}

/// A call that is on its way or whose reply still arrives. Holds the deployment's place.
#[derive(Debug)]
pub struct Ticket {
    place: InFlight,
    peers: Arc<Peers>,
    deployment: Arc<Deployment>,
    settings: Arc<RouterSettings>,
    began: Moment,
    lone: bool,
    by_caller: bool,
}

impl Ticket {
    pub(crate) fn new(
        place: InFlight,
        candidate: &Candidate,
        settings: &Arc<RouterSettings>,
        began: Moment,
        (lone, by_caller): (bool, bool),
    ) -> Self {
        Self {
            place,
            peers: Arc::clone(&candidate.peers),
            deployment: Arc::clone(&candidate.deployment),
            settings: Arc::clone(settings),
            began,
            lone,
            by_caller,
        }
    }

    /// Notes what the answer came to, when it is over.
    pub fn used(&mut self, used: Used, now: Moment) {
        self.place.used(used.input.saturating_sub(used.cached), used.output, now);
        let measures = &self.place.state().measures;
        measures.tokens.add(used.input.saturating_add(used.output), now);
        measures.ended(now.since(self.began), used.output, now);
    }

    /// How long ago the deployment was asked.
    #[must_use]
    pub fn took(&self, now: Moment) -> Duration {
        now.since(self.began)
    }

    /// Reports a failure that came after the answer had begun; tells who rests for how long.
    pub fn fail(self, error: &Error, now: Moment) -> Vec<Rest> {
        let failure = Failure { error, lone: self.lone, by_caller: self.by_caller };
        if blame(failure) == Blame::Elsewhere {
            return Vec::new();
        }
        self.place.state().take_success_back(now);
        let place = Place {
            state: self.place.state(),
            peers: &self.peers,
            deployment: &self.deployment,
            settings: &self.settings,
        };
        record_failure(place, failure, now)
    }

    /// The counters of the deployment that answers.
    #[must_use]
    pub fn state(&self) -> &Arc<DeploymentState> {
        self.place.state()
    }
}

#[cfg(test)]
mod tests;
