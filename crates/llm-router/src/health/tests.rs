//! When a deployment has to rest.

use http::StatusCode;
use llm_types::{ErrorKind, Origin};

use super::*;
use crate::Counters;
use crate::testing::deployment;

fn upstream(kind: ErrorKind, status: u16) -> Error {
    let status = StatusCode::from_u16(status).expect("a status");
    Error::new(kind, "upstream says no").with_origin(Origin::Upstream).with_status(status)
}

/// How long a deployment without peers rests after a failure.
fn recorded(
    state: &DeploymentState,
    failure: Failure<'_>,
    deployment: &Deployment,
    settings: &RouterSettings,
    now: Moment,
) -> Option<Duration> {
    let place = Place { state, peers: &Peers::default(), deployment, settings };
    record_failure(place, failure, now).first().map(|rest| rest.time)
}

fn rests(error: &Error, lone: bool, successes: u32, failures: u32) -> bool {
    let failure = Failure { error, lone, by_caller: false };
    let counts = MinuteCounts { successes, failures };
    let settings = RouterSettings::default();
    rest_after(failure, &deployment("d", "m", "gpt"), &settings, counts, |_| 0).is_some()
}

/// §7.5, the default rule, for groups of several.
#[test]
fn the_first_failure() {
    let check = |kind, status, expect: bool| {
        assert_eq!(rests(&upstream(kind, status), false, 0, 1), expect, "{kind:?} {status}");
    };
    check(ErrorKind::RateLimited, 429, true);
    check(ErrorKind::QuotaExceeded, 429, true);
    check(ErrorKind::QuotaExceeded, 402, true);
    check(ErrorKind::Unauthenticated, 401, true);
    check(ErrorKind::NotFound, 404, true);
    check(ErrorKind::Timeout, 408, false);
    check(ErrorKind::BadUpstream, 500, false);
    check(ErrorKind::Overloaded, 503, false);
    check(ErrorKind::Forbidden, 403, false);
    check(ErrorKind::BadRequest, 400, false);
    check(ErrorKind::BadRequest, 422, false);
    check(ErrorKind::ContextTooLong, 400, false);
    check(ErrorKind::ContentFiltered, 400, false);
}

/// §7.5 (a), (d): a lone deployment is spared for rate limits and empty accounts, not for its key.
#[test]
fn lone_deployments() {
    assert!(!rests(&upstream(ErrorKind::RateLimited, 429), true, 0, 1));
    assert!(!rests(&upstream(ErrorKind::QuotaExceeded, 402), true, 0, 1));
    assert!(rests(&upstream(ErrorKind::Unauthenticated, 401), true, 0, 1));
}

/// §7.5 (b), (c): the share of failures in this minute.
#[test]
fn the_share_of_failures() {
    let error = upstream(ErrorKind::BadUpstream, 500);
    assert!(!rests(&error, false, 0, 4));
    assert!(rests(&error, false, 0, 5));
    assert!(!rests(&error, false, 5, 5));
    assert!(rests(&error, false, 5, 6));
    assert!(!rests(&error, true, 0, 999));
    assert!(rests(&error, true, 0, 1000));
    assert!(!rests(&error, true, 1, 1000));
}

/// §7.5, the environment's numbers: another share, from another number of calls on.
#[test]
fn the_thresholds_of_the_environment() {
    let error = upstream(ErrorKind::BadUpstream, 500);
    let tuning = Tuning { failure_share: 0.25, minimum_calls: 3, lone_calls: 20, ..Default::default() };
    let settings = RouterSettings { tuning, ..RouterSettings::default() };
    let rests = |lone, successes, failures| {
        let failure = Failure { error: &error, lone, by_caller: false };
        let counts = MinuteCounts { successes, failures };
        rest_after(failure, &deployment("d", "m", "gpt"), &settings, counts, |_| 0).is_some()
    };
    assert!(!rests(false, 0, 2) && rests(false, 0, 3));
    assert!(!rests(false, 6, 2) && rests(false, 5, 2));
    assert!(!rests(true, 0, 19) && rests(true, 0, 20));
}

/// What a caller did wrong never counts against a deployment, even a 401 with the caller's own key.
#[test]
fn callers_rest_nobody() {
    let settings = RouterSettings { allowed_fails: Some(0), ..RouterSettings::default() };
    let state = DeploymentState::default();
    let now = Moment(0);
    let check = |error: &Error, by_caller: bool| {
        let failure = Failure { error, lone: false, by_caller };
        assert_eq!(recorded(&state, failure, &deployment("d", "m", "gpt"), &settings, now), None);
    };
    check(&upstream(ErrorKind::Unauthenticated, 401), true);
    check(&upstream(ErrorKind::Timeout, 408), true);
    check(&upstream(ErrorKind::BadRequest, 400), false);
    check(&upstream(ErrorKind::TooLarge, 413), false);
    check(&Error::new(ErrorKind::Internal, "our own fault"), false);
    assert_eq!(state.this_minute(now), MinuteCounts::default());
    assert!(!state.rests(now));
}

/// §7.5: `allowed_fails` and policies count instead; the deployment's own win (LiteLLM #31876 asked for these).
#[test]
fn allowed_fails_are_counted() {
    let fails_until_rest = |settings: &RouterSettings, deployment: &Deployment, error: &Error| {
        let state = DeploymentState::default();
        let failure = Failure { error, lone: false, by_caller: false };
        let mut fails =
            (1..20).filter(|_| recorded(&state, failure, deployment, settings, Moment(0)).is_some());
        fails.next()
    };
    let error = upstream(ErrorKind::BadUpstream, 500);
    let mut policy = AllowedFails::default();
    assert!(policy.set("InternalServerErrorAllowedFails", 7) && !policy.set("WhatAllowedFails", 1));
    let mut plain = deployment("d", "m", "gpt");
    let mut settings = RouterSettings { allowed_fails: Some(2), ..RouterSettings::default() };
    assert_eq!(fails_until_rest(&settings, &plain, &error), Some(3));
    settings.allowed_fails_policy = Some(policy);
    assert_eq!(fails_until_rest(&settings, &plain, &error), Some(8));
    settings.allowed_fails = None;
    assert_eq!(fails_until_rest(&settings, &plain, &upstream(ErrorKind::Timeout, 408)), Some(4));
    plain.allowed_fails = Some(0);
    assert_eq!(fails_until_rest(&settings, &plain, &error), Some(1));
    plain.allowed_fails_policy = Some(policy);
    assert_eq!(fails_until_rest(&settings, &plain, &error), Some(8));
}

/// §7.5: how long: the deployment's time, Retry-After, the router's; zero and `disable_cooldowns` never.
#[test]
fn how_long_it_rests() {
    let rest = |deployment: &Deployment, settings: &RouterSettings, asked: Option<u64>| {
        let mut error = upstream(ErrorKind::RateLimited, 429);
        if let Some(seconds) = asked {
            error = error.with_retry(Retry::After(Duration::from_secs(seconds)));
        }
        let failure = Failure { error: &error, lone: false, by_caller: false };
        rest_after(failure, deployment, settings, MinuteCounts::default(), |_| 0).map(|rest| rest.as_secs())
    };
    let mut own = deployment("d", "m", "gpt");
    let settings = RouterSettings::default();
    assert_eq!(rest(&own, &settings, None), Some(5));
    assert_eq!(rest(&own, &settings, Some(30)), Some(30));
    let off = RouterSettings { disable_cooldowns: true, ..RouterSettings::default() };
    assert_eq!(rest(&own, &off, Some(30)), None);
    own.cooldown_time = Some(Duration::from_secs(90));
    assert_eq!(rest(&own, &settings, Some(30)), Some(90));
    own.cooldown_time = Some(Duration::ZERO);
    assert_eq!(rest(&own, &settings, Some(30)), None);
}

/// A deployment back from a rest is on trial: its first failure rests it again, its first success frees it.
#[test]
fn a_trial_after_a_rest() {
    let (state, one, settings) =
        (DeploymentState::default(), deployment("d", "m", "gpt"), RouterSettings::default());
    let error = upstream(ErrorKind::Overloaded, 503);
    let failure = Failure { error: &error, lone: false, by_caller: false };
    let fail = |now| recorded(&state, failure, &one, &settings, now);
    assert_eq!(fail(Moment(0)), None, "one failure of many is none");
    state.rest(Moment(0), Duration::from_secs(5));
    assert!(!state.is_on_trial(Moment(4_999)) && state.is_on_trial(Moment(5_000)));
    assert_eq!(fail(Moment(60_000)), Some(Duration::from_secs(5)));
    state.succeeded(Moment(62_000));
    assert!(state.rests(Moment(62_000)), "a call from before says nothing");
    state.succeeded(Moment(65_000));
    assert!(!state.is_on_trial(Moment(65_000)));
    assert_eq!(fail(Moment(125_000)), None);
    // Who counts failures himself gets what he counts.
    let counted = RouterSettings { allowed_fails: Some(9), ..RouterSettings::default() };
    state.rest(Moment(130_000), Duration::from_secs(5));
    assert_eq!(recorded(&state, failure, &one, &counted, Moment(140_000)), None);
}

/// §7.7: with a policy probes count as calls; without one they do not.
#[test]
fn probes_count_where_a_policy_says_how_many_may_fail() {
    let one = deployment("d", "m", "gpt");
    let candidate = Candidate::new(Arc::new(one), Counters::new().of(&"d".into()), None);
    let error = upstream(ErrorKind::Unauthenticated, 401);
    let mut settings = RouterSettings::default();
    assert!(!probe_failed(&candidate, false, &settings, &error, Moment(0)));
    assert!(!candidate.state.rests(Moment(0)));
    let mut policy = AllowedFails::default();
    assert!(policy.set("AuthenticationErrorAllowedFails", 1));
    settings.allowed_fails_policy = Some(policy);
    assert!(probe_failed(&candidate, false, &settings, &error, Moment(0)));
    assert!(!candidate.state.rests(Moment(0)), "one is allowed");
    assert!(probe_failed(&candidate, false, &settings, &error, Moment(0)));
    assert!(candidate.state.rests(Moment(0)));
}
