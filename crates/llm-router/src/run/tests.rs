//! Attempts, retries and fallbacks as they happen.

mod complaints;
mod fallbacks;

use std::cell::RefCell;
use std::time::Duration;

use futures_util::FutureExt;
use http::StatusCode;
use llm_types::{ErrorKind, Origin, Retry};
use proptest::prelude::*;

use serde_json::Map;

use super::*;
use crate::testing::{FakeClock, deployment};
use crate::{Alias, Controls, Counters, FallbackTarget, Fallbacks, MockFailure, Retries};

/// What a fake upstream says, by deployment id.
type Script = fn(&str, u32) -> Result<&'static str>;

struct Bench {
    router: Router,
    clock: Arc<FakeClock>,
    counters: Counters,
    calls: RefCell<Vec<String>>,
}

impl Bench {
    fn new(deployments: Vec<Deployment>, settings: RouterSettings) -> Self {
        let counters = Counters::new();
        let routes = Arc::new(Routes::new(deployments, settings, &counters, None));
        let clock = Arc::new(FakeClock::at(Moment(1_000_000)));
        let router = Router::new(routes, Arc::clone(&clock) as Arc<dyn Clock>);
        Self { router, clock, counters, calls: RefCell::default() }
    }

    fn run<'r>(
        &'r self,
        request: Request<'r>,
        script: Script,
    ) -> Result<Done<'r, &'static str>, Box<Failed<'r>>> {
        let attempt = |attempt: Attempt<'r>| {
            let id = attempt.deployment.id.to_string();
            let answer = script(&id, attempt.number);
            self.calls.borrow_mut().push(id);
            async move { answer }
        };
        self.router.run(request, attempt).now_or_never().expect("nothing waits for real")
    }

    fn calls(&self) -> Vec<String> {
        self.calls.take()
    }
}

fn upstream(kind: ErrorKind, status: u16) -> Error {
    Error::new(kind, format!("upstream says {status}"))
        .with_origin(Origin::Upstream)
        .with_status(StatusCode::from_u16(status).expect("a status"))
}

fn http_500<T>() -> Result<T> {
    Err(upstream(ErrorKind::BadUpstream, 500))
}

fn settings(fallbacks: &[(&str, &[&str])]) -> RouterSettings {
    let mut settings = RouterSettings::default();
    for (group, targets) in fallbacks {
        settings.fallbacks.add(*group, targets.iter().map(|name| FallbackTarget::from(*name)));
    }
    settings
}

#[test]
fn success_at_first_try() {
    let bench = Bench::new(vec![deployment("d1", "m", "gpt")], RouterSettings::default());
    let controls = Controls::default();
    let done = bench.run(Request::new("m", &controls), |_, _| Ok("hi")).expect("an answer");
    assert_eq!((done.value, done.group, &*done.model), ("hi", "m", "gpt"));
    assert_eq!((done.report.attempts, done.report.retries, done.report.fallbacks), (1, 0, 0));
    assert_eq!(done.ticket.state().in_flight(), 1);
    let state = Arc::clone(done.ticket.state());
    drop(done);
    assert_eq!(state.in_flight(), 0);
    assert_eq!(state.this_minute(bench.clock.now()).successes, 1);
}

/// §7.3: a single deployment that answers 500 is called 3 times with 2 retries, after growing waits.
#[test]
fn retries_wait_longer_each_time() {
    let bench = Bench::new(vec![deployment("d1", "m", "gpt")], RouterSettings::default());
    let controls = Controls { seed: Some(1), ..Controls::default() };
    let failed = bench.run(Request::new("m", &controls), |_, _| http_500()).expect_err("an error");
    assert_eq!(bench.calls().len(), 3);
    assert_eq!((failed.report.retries, failed.report.max_retries), (2, 2));
    let sleeps = bench.clock.sleeps();
    assert!(sleeps[0] >= Duration::from_millis(500) && sleeps[0] < Duration::from_millis(1250));
    assert!(sleeps[1] >= Duration::from_secs(1) && sleeps[1] < Duration::from_millis(1750));
    assert_eq!(failed.error.message(), "upstream says 500");
    let line = "LiteLLM: model group 'm' failed with the error above. No fallback was attempted.";
    assert_eq!(failed.postscript.as_deref(), Some(line));
}

/// §7.3: Retry-After is waited for up to 60 s; §7.3: `num_retries: 0` makes one call.
#[test]
fn retry_after_and_requested_counts() {
    let bench = Bench::new(vec![deployment("d1", "m", "gpt")], RouterSettings::default());
    let controls = Controls { num_retries: Some(1), ..Controls::default() };
    fn asks<T>(seconds: u64) -> Result<T> {
        Err(upstream(ErrorKind::Overloaded, 503).with_retry(Retry::After(Duration::from_secs(seconds))))
    }
    assert!(bench.run(Request::new("m", &controls), |_, _| asks(7)).is_err());
    assert!(bench.run(Request::new("m", &controls), |_, _| asks(61)).is_err());
    let sleeps = bench.clock.sleeps();
    assert_eq!(sleeps[0].as_secs(), 7);
    assert!(sleeps[1] < Duration::from_millis(1250));
    assert_eq!(bench.calls().len(), 4);
    let none = Controls { num_retries: Some(0), ..Controls::default() };
    assert!(bench.run(Request::new("m", &none), |_, _| http_500()).is_err());
    assert_eq!(bench.calls().len(), 1);
}

/// §7.3: which errors are retried in a group of one and of two.
#[test]
fn what_is_retried() {
    let check = |size: usize, kind: ErrorKind, status: u16, calls: usize| {
        let members = (0..size).map(|n| deployment(&format!("d{n}"), "m", "gpt")).collect();
        let bench = Bench::new(members, RouterSettings::default());
        let controls = Controls { num_retries: Some(1), ..Controls::default() };
        let attempt = |_| async move { Err::<(), _>(upstream(kind, status)) };
        let failed = bench.router.run(Request::new("m", &controls), attempt).now_or_never();
        let failed = failed.expect("nothing waits for real").expect_err("an error");
        assert_eq!(failed.report.attempts as usize, calls, "{size} {kind:?} {status}");
    };
    check(1, ErrorKind::Timeout, 408, 2);
    check(1, ErrorKind::BadRequest, 409, 2);
    check(1, ErrorKind::RateLimited, 429, 2);
    check(1, ErrorKind::BadUpstream, 500, 2);
    check(1, ErrorKind::BadUpstream, 502, 2);
    check(1, ErrorKind::Overloaded, 503, 2);
    check(1, ErrorKind::Unauthenticated, 401, 1);
    check(2, ErrorKind::Unauthenticated, 401, 2);
    check(1, ErrorKind::Forbidden, 403, 1);
    check(2, ErrorKind::Forbidden, 403, 2);
    check(2, ErrorKind::NotFound, 404, 1);
    check(2, ErrorKind::BadRequest, 400, 1);
    check(2, ErrorKind::ContextTooLong, 400, 1);
}

/// §7.3: the policy by class wins over every number and over the rules above.
#[test]
fn a_retry_policy_decides_alone() {
    let mut policy = Retries::default();
    assert!(policy.set("BadRequestErrorRetries", 3) && policy.set("TimeoutErrorRetries", 0));
    let settings = RouterSettings { retry_policy: Some(policy), ..RouterSettings::default() };
    let bench = Bench::new(vec![deployment("d1", "m", "gpt")], settings);
    let controls = Controls { num_retries: Some(1), ..Controls::default() };
    let request = Request::new("m", &controls);
    assert!(bench.run(request, |_, _| Err(upstream(ErrorKind::BadRequest, 400))).is_err());
    assert_eq!(bench.calls().len(), 4);
    assert!(bench.run(request, |_, _| Err(upstream(ErrorKind::Timeout, 408))).is_err());
    assert_eq!(bench.calls().len(), 1);
}

/// §7.3: no wait while another deployment can serve, and the one that failed is avoided.
#[test]
fn another_deployment_is_tried_at_once() {
    let members = vec![deployment("bad", "m", "gpt"), deployment("good", "m", "gpt")];
    let bench = Bench::new(members, RouterSettings::default());
    for seed in 0..20 {
        let controls = Controls { seed: Some(seed), ..Controls::default() };
        let script: Script = |id, _| if id == "bad" { http_500() } else { Ok("hi") };
        let done = bench.run(Request::new("m", &controls), script).expect("an answer");
        assert!(done.report.attempts <= 2);
        bench.clock.advance(Duration::from_secs(60));
    }
    assert!(bench.clock.sleeps().is_empty());
}

/// §7.4 [O]: order 1 answers 500, order 2 is fine, 2 retries: 3 calls to order 1, then 1 to order 2.
#[test]
fn order_levels_are_fallbacks() {
    let mut first = deployment("o1", "m", "gpt");
    first.order = Some(1);
    let mut second = deployment("o2", "m", "gpt");
    second.order = Some(2);
    let bench = Bench::new(vec![second, first], RouterSettings::default());
    let controls = Controls::default();
    let script: Script = |id, _| if id == "o1" { http_500() } else { Ok("hi") };
    let done = bench.run(Request::new("m", &controls), script).expect("an answer");
    assert_eq!(done.report.fallbacks, 1);
    drop(done);
    assert_eq!(bench.calls(), ["o1", "o1", "o1", "o2"]);
    assert!(bench.clock.sleeps().is_empty());
    bench.clock.advance(Duration::from_secs(60));
    let stay = Controls { disable_fallbacks: true, ..Controls::default() };
    let failed = bench.run(Request::new("m", &stay), script).expect_err("an error");
    assert_eq!((failed.postscript.as_deref(), bench.calls().len()), (None, 3));
}

fn chain() -> Vec<Deployment> {
    ["a", "b", "c", "d", "e"].map(|name| deployment(name, name, "gpt")).into()
}

/// §7.7: the alias keeps its name, and falling back to its own group would be a repetition.
#[test]
fn an_alias_is_its_group() {
    let mut settings = settings(&[("nick", &["a", "b"])]);
    settings.aliases.insert("nick".into(), Alias { model: "a".into(), hidden: true });
    let bench = Bench::new(chain(), settings);
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let script: Script = |id, _| if id == "a" { http_500() } else { Ok("hi") };
    assert_eq!(bench.run(Request::new("nick", &controls), |_, _| Ok("hi")).expect("an answer").group, "nick");
    bench.calls();
    assert_eq!(bench.run(Request::new("nick", &controls), script).expect("an answer").group, "b");
    assert_eq!(bench.calls(), ["a", "b"]);
}

/// §7.4: weighted failover stays in the group without those that failed.
#[test]
fn weighted_failover_excludes_the_failed() {
    let members: Vec<Deployment> = ["x", "y", "z"].map(|id| deployment(id, "m", "gpt")).into();
    let settings = RouterSettings { weighted_failover: true, ..RouterSettings::default() };
    let bench = Bench::new(members, settings);
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let failed = bench.run(Request::new("m", &controls), |_, _| http_500()).expect_err("an error");
    assert_eq!(failed.report.fallbacks, 2);
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(calls, ["x", "y", "z"]);
}

/// §7.5: a rate limited deployment rests for as long as it asked; then all rest: 429 with the time.
#[test]
fn resting_deployments_are_left_out() {
    let members = vec![deployment("x", "m", "gpt"), deployment("y", "m", "gpt")];
    let bench = Bench::new(members, RouterSettings::default());
    let controls = Controls::default();
    let limited = |_: &str, _| {
        Err(upstream(ErrorKind::RateLimited, 429).with_retry(Retry::After(Duration::from_secs(20))))
    };
    let failed = bench.run(Request::new("m", &controls), limited).expect_err("an error");
    assert_eq!(failed.report.rests.iter().map(|rest| rest.time.as_secs()).collect::<Vec<_>>(), [20, 20]);
    assert_eq!(bench.calls().len(), 2);
    bench.clock.advance(Duration::from_secs(8));
    let failed = bench.run(Request::new("m", &controls), limited).expect_err("an error");
    let message = "No deployments available for selected model, Try again in 12 seconds. \
                   Passed model=m. pre-call-checks=False, cooldown_list=['x', 'y']";
    assert_eq!(failed.error.message(), message);
    assert_eq!(failed.error.kind(), ErrorKind::RateLimited);
    assert!(bench.calls().is_empty());
    bench.clock.advance(Duration::from_secs(12));
    assert!(bench.run(Request::new("m", &controls), |_, _| Ok("hi")).is_ok());
}

/// §2.2: an unknown name is 400; `default_fallbacks` answer for it.
#[test]
fn unknown_names() {
    let controls = Controls::default();
    let bench = Bench::new(chain(), RouterSettings::default());
    let failed = bench.run(Request::new("what", &controls), |_, _| Ok("hi")).expect_err("an error");
    assert!(failed.error.message().starts_with("Invalid model name passed in model=what."));
    assert_eq!((failed.error.kind(), failed.postscript), (ErrorKind::BadRequest, None));
    let defaults = RouterSettings { default_fallbacks: vec!["b".into()], ..RouterSettings::default() };
    let bench = Bench::new(chain(), defaults);
    assert_eq!(bench.run(Request::new("what", &controls), |_, _| Ok("hi")).expect("an answer").group, "b");
}

/// A fault of ours ends the call: no other group would do better.
#[test]
fn faults_of_ours_do_not_fall_back() {
    let bench = Bench::new(chain(), settings(&[("a", &["b"])]));
    let controls = Controls::default();
    let script: Script = |_, _| Err(Error::new(ErrorKind::BudgetExceeded, "budget exceeded"));
    assert!(bench.run(Request::new("a", &controls), script).is_err());
    assert_eq!(bench.calls(), ["a"]);
    let state = bench.counters.of(&"a".into());
    assert_eq!(state.this_minute(bench.clock.now()).failures, 0);
}

/// §6.3: failures on purpose try the fallbacks out without calling the first group.
#[test]
fn mocked_failures() {
    let mut lists = settings(&[("*", &["b"])]);
    lists.context_window_fallbacks.add("a", [FallbackTarget::from("c")]);
    lists.content_policy_fallbacks.add("a", [FallbackTarget::from("d")]);
    let bench = Bench::new(chain(), lists);
    for (failure, expect) in [
        (MockFailure::Any, "b"),
        (MockFailure::RateLimit, "b"),
        (MockFailure::ContextWindow, "c"),
        (MockFailure::ContentPolicy, "d"),
    ] {
        let controls = Controls { mock_failure: Some(failure), ..Controls::default() };
        assert_eq!(
            bench.run(Request::new("a", &controls), |_, _| Ok("hi")).expect("an answer").group,
            expect
        );
        assert_eq!(bench.calls(), [expect]);
    }
}

/// A policy that insists waits for a resting deployment to come back.
#[test]
fn a_policy_outwaits_a_rest() {
    let mut policy = Retries::default();
    assert!(policy.set("AuthenticationErrorRetries", 4));
    let settings = RouterSettings { retry_policy: Some(policy), ..RouterSettings::default() };
    let bench = Bench::new(vec![deployment("d1", "m", "gpt")], settings);
    let controls = Controls { seed: Some(3), ..Controls::default() };
    let script: Script = |_, number| match number {
        1 => Err(upstream(ErrorKind::Unauthenticated, 401)),
        _ => Ok("hi"),
    };
    let done = bench.run(Request::new("m", &controls), script).expect("an answer");
    assert_eq!(done.report.attempts, 2);
    assert!(bench.clock.sleeps().iter().sum::<Duration>() >= Duration::from_secs(5));
}

/// §6.3: a fallback written as a mapping may name the same group with other parameters, once.
#[test]
fn the_same_group_with_other_parameters() {
    let mut params = Map::new();
    params.insert("temperature".into(), 0.into());
    let cooler = FallbackTarget { model: "a".into(), params: Some(Arc::new(params)) };
    let list = Fallbacks::List(vec!["a".into(), cooler]);
    let controls = Controls { num_retries: Some(0), fallbacks: Some(list), ..Controls::default() };
    let bench = Bench::new(chain(), RouterSettings::default());
    let seen = RefCell::new(Vec::new());
    let attempt = |attempt: Attempt<'_>| {
        seen.borrow_mut().push(attempt.params.map(|params| params["temperature"].clone()));
        async { http_500::<()>() }
    };
    let failed = bench.router.run(Request::new("a", &controls), attempt).now_or_never();
    assert!(failed.expect("nothing waits for real").is_err());
    assert_eq!(seen.take(), [None, Some(0.into())]);
}

/// A fallback's parameters hold for all levels of its group.
#[test]
fn parameters_follow_to_other_levels() {
    let leveled = |id: &str, level| {
        let mut one = deployment(id, "b", "gpt");
        one.order = Some(level);
        one
    };
    let members = vec![deployment("a", "a", "gpt"), leveled("b1", 1), leveled("b2", 2)];
    let params = Arc::new(Map::from_iter([("temperature".to_owned(), 0.into())]));
    let list = Fallbacks::List(vec![FallbackTarget { model: "b".into(), params: Some(params) }]);
    let controls = Controls { num_retries: Some(0), fallbacks: Some(list), ..Controls::default() };
    let bench = Bench::new(members, RouterSettings::default());
    let attempt = |attempt: Attempt<'_>| {
        let answer = match attempt.deployment.id.as_str() {
            "b2" => Ok(attempt.params.is_some()),
            _ => http_500(),
        };
        async { answer }
    };
    let done = bench.router.run(Request::new("a", &controls), attempt).now_or_never();
    assert!(done.expect("nothing waits for real").expect("an answer").value);
}

/// Nobody can use up a wildcard deployment for others by naming models it does not have.
#[test]
fn unknown_models_do_not_rest_a_wildcard() {
    let bench = Bench::new(vec![deployment("w", "openai/*", "*")], RouterSettings::default());
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let script: Script = |_, _| Err(upstream(ErrorKind::NotFound, 404));
    assert!(bench.run(Request::new("openai/nonsense", &controls), script).is_err());
    assert!(bench.run(Request::new("openai/gpt-4o", &controls), |_, _| Ok("hi")).is_ok());
}

/// §6.2: a timeout the caller set never rests a deployment, one of the operator's counts.
#[test]
fn whose_timeout_it_was() {
    let bench = Bench::new(chain(), RouterSettings::default());
    let failures = |name: &str| bench.counters.of(&name.into()).this_minute(bench.clock.now()).failures;
    let script: Script = |_, _| Err(upstream(ErrorKind::Timeout, 408));
    let timeout = Some(Duration::from_secs(1));
    let asked = Controls { num_retries: Some(0), timeout, ..Controls::default() };
    assert!(bench.run(Request::new("a", &asked), script).is_err());
    assert_eq!(failures("a"), 0);
    let silent = Controls { num_retries: Some(0), ..Controls::default() };
    assert!(bench.run(Request::new("a", &silent), script).is_err());
    assert_eq!(failures("a"), 1);
}

/// A caller that hangs up frees its place; one that waits for it gets it then.
#[test]
fn hanging_up_frees_the_place() {
    let mut only = deployment("d1", "m", "gpt");
    only.max_parallel_requests = Some(1);
    let bench = Bench::new(vec![only], RouterSettings::default());
    let controls = Controls::default();
    let never = |_| std::future::pending::<Result<()>>();
    let state = bench.counters.of(&"d1".into());
    let mut first = Box::pin(bench.router.run(Request::new("m", &controls), never));
    assert!((&mut first).now_or_never().is_none());
    assert_eq!(state.in_flight(), 1);
    drop(first);
    assert_eq!(state.in_flight(), 0);
}

/// §7.7: a call waits for its turn and then goes on as if nothing had been.
#[test]
fn a_place_that_becomes_free_is_taken() {
    let mut only = deployment("d1", "m", "gpt");
    only.max_parallel_requests = Some(1);
    let bench = Bench::new(vec![only], RouterSettings { timeout: None, ..RouterSettings::default() });
    let controls = Controls::default();
    let first = bench.run(Request::new("m", &controls), |_, _| Ok("hi")).expect("an answer");
    let mut second = Box::pin(bench.router.run(Request::new("m", &controls), |_| async { Ok(()) }));
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    let second = (&mut second).now_or_never().expect("its turn").expect("an answer");
    assert_eq!(second.ticket.state().in_flight(), 1);
}

/// §7.5 over time: a deployment that fails is avoided for 5 s once more than half of at least 5 of its
/// calls failed, then it gets its share again.
#[test]
fn a_failing_deployment_rests_and_returns() {
    let members = vec![deployment("bad", "m", "gpt"), deployment("good", "m", "gpt")];
    let bench = Bench::new(members, RouterSettings::default());
    let script: Script = |id, _| if id == "bad" { http_500() } else { Ok("hi") };
    let bad_calls = |rounds: u64| {
        for seed in 0..rounds {
            let controls = Controls { seed: Some(seed), ..Controls::default() };
            assert!(bench.run(Request::new("m", &controls), script).is_ok());
        }
        bench.calls().iter().filter(|id| *id == "bad").count()
    };
    assert_eq!(bad_calls(100), 5);
    bench.clock.advance(Duration::from_millis(4999));
    assert_eq!(bad_calls(100), 0);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bad_calls(100), 1, "the minute's share is still above half");
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(bad_calls(100), 1, "it is on trial until it answers");
}

/// §7.7: no place in time is a 429 and the next group is tried.
#[test]
fn a_full_deployment_is_waited_for() {
    let mut full = deployment("d1", "a", "gpt");
    full.max_parallel_requests = Some(0);
    full.timeout = Some(Duration::from_secs(3));
    let bench = Bench::new(vec![full, deployment("d2", "b", "gpt")], settings(&[("a", &["b"])]));
    let controls = Controls::default();
    let done = bench.run(Request::new("a", &controls), |_, _| Ok("hi")).expect("an answer");
    assert_eq!(done.group, "b");
    assert_eq!(bench.clock.sleeps(), [Duration::from_secs(3)]);
    assert!(done.report.errors[0].error.message().contains("max_parallel_requests"));
}

/// §7.7: a call with a priority waits until a deployment is back, unless that takes longer than it may.
#[test]
fn the_urgent_wait_for_those_that_rest() {
    let bench = Bench::new(vec![deployment("d1", "m", "gpt")], RouterSettings::default());
    bench.counters.of(&"d1".into()).rest(bench.clock.now(), Duration::from_secs(9));
    let plain = Controls::default();
    assert!(bench.run(Request::new("m", &plain), |_, _| Ok("hi")).is_err());
    let hurried =
        Controls { priority: Some(0), timeout: Some(Duration::from_secs(5)), ..Controls::default() };
    assert!(bench.run(Request::new("m", &hurried), |_, _| Ok("hi")).is_err());
    let patient = Controls { priority: Some(0), ..Controls::default() };
    assert!(bench.run(Request::new("m", &patient), |_, _| Ok("hi")).is_ok());
    assert_eq!(bench.clock.sleeps(), [Duration::from_secs(9)]);
}

/// A reply that fails after it began counts as a failure, not as both.
#[test]
fn a_late_failure_replaces_the_success() {
    let bench = Bench::new(chain(), RouterSettings::default());
    let controls = Controls::default();
    let done = bench.run(Request::new("a", &controls), |_, _| Ok("hi")).expect("an answer");
    let now = bench.clock.now();
    assert_eq!(done.ticket.fail(&upstream(ErrorKind::BadUpstream, 500), now), []);
    let counts = bench.counters.of(&"a".into()).this_minute(now);
    assert_eq!((counts.successes, counts.failures), (0, 1));
}

/// Prints what a call costs at best besides the attempt; with `CARGO_PROFILE_TEST_OPT_LEVEL=3` it means something.
#[test]
fn a_call_takes_this_long() {
    let bench = Bench::new(chain(), RouterSettings::default());
    let controls = Controls::default();
    let rounds = 5_000;
    let round = || {
        let start = std::time::Instant::now();
        for _ in 0..rounds {
            let call = bench.router.run(Request::new("a", &controls), |_| async { Ok(()) });
            assert!(call.now_or_never().expect("nothing waits for real").is_ok());
        }
        start.elapsed() / rounds
    };
    println!("one call: {:?}", std::iter::repeat_with(round).take(20).min());
}

#[test]
fn a_call_can_move_between_threads() {
    fn is_send(_: impl Send) {}
    let bench = Bench::new(chain(), RouterSettings::default());
    let controls = Controls::default();
    is_send(bench.router.run(Request::new("a", &controls), |_| async { Ok(()) }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the fallback lists, a call ends, never tries a group twice, and the same seed makes
    /// the same choices.
    #[test]
    fn fallbacks_end_and_never_repeat(
        lists in proptest::collection::vec(proptest::collection::vec(0_usize..6, 0..5), 6),
        max_fallbacks in 0_u32..7,
        start in 0_usize..6,
        seed in any::<u64>(),
    ) {
        let names = ["a", "b", "c", "d", "e", "f"];
        let mut settings = RouterSettings { max_fallbacks, num_retries: 0, ..RouterSettings::default() };
        for (from, list) in lists.iter().enumerate() {
            settings.fallbacks.add(names[from], list.iter().map(|to| FallbackTarget::from(names[*to])));
        }
        let bench = Bench::new(names.map(|name| deployment(name, name, "gpt")).into(), settings);
        let controls = Controls { seed: Some(seed), ..Controls::default() };
        prop_assert!(bench.run(Request::new(names[start], &controls), |_, _| http_500()).is_err());
        let calls = bench.calls();
        let mut once = calls.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), calls.len());
        prop_assert_eq!(&calls[0], names[start]);
        prop_assert!(bench.run(Request::new(names[start], &controls), |_, _| http_500()).is_err());
        prop_assert_eq!(bench.calls(), calls);
    }
}
