//! What is told of a choice.

use std::time::Duration;

use super::*;
use crate::testing::{FakeClock, deployment};
use crate::{Controls, Counters, FallbackTarget, Moment, Routes};

#[test]
fn everyone_is_accounted_for() {
    let mut members: Vec<Deployment> =
        ["paused", "resting", "later", "short", "half", "most"].map(|id| deployment(id, "m", "gpt")).into();
    members[0].blocked = true;
    members.iter_mut().for_each(|one| one.order = Some(1));
    members[2].order = Some(2);
    members[3].max_input_tokens = Some(100);
    (members[4].weight, members[5].weight) = (Some(1.0), Some(3.0));
    let counters = Counters::new();
    let mut settings = RouterSettings { pre_call_checks: true, ..RouterSettings::default() };
    settings.fallbacks.add("m", [FallbackTarget::from("n")]);
    let routes = Routes::new(members, settings, &counters, None);
    counters.of(&"resting".into()).rest(Moment(0), Duration::from_secs(9));
    let router = Router::new(Arc::new(routes), Arc::new(FakeClock::default()));
    let controls = Controls { seed: Some(1), ..Controls::default() };
    let count = |_: &Deployment| 101;
    let mut request = Request::new("m", &controls);
    request.ask.tokens = Some(&count);
    let told = router.explain(request);
    let why: Vec<String> = told
        .considered
        .iter()
        .map(|one| one.left_out.as_ref().map_or_else(String::new, ToString::to_string))
        .collect();
    assert_eq!(
        why,
        [
            "paused by the operator (`blocked`)",
            "rests 9 s more after failures of its own",
            "of `order` 2, which comes later",
            "the prompt has 101 tokens, it takes 100",
            "",
            "",
        ]
    );
    assert!((told.considered[5].chance - 0.75).abs() < 0.06, "{}", told.considered[5].chance);
    assert!((told.considered.iter().map(|one| one.chance).sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!((told.strategy, told.fallbacks, told.refusal), ("simple-shuffle", vec!["n"], None));
    assert_eq!(counters.of(&"half".into()).requests_this_minute(Moment(0)), 0, "nothing is counted");
    assert!(router.explain(Request::new("x", &controls)).route.is_none());
}

/// What keeps deployments from a call beside the plan: budgets that are spent, limits of the strategy; and the lists
/// of groups that are tried after errors of their own.
#[test]
fn budgets_limits_and_every_list() {
    let mut members: Vec<Deployment> =
        ["broke", "requests", "tokens", "free"].map(|id| deployment(id, "m", "gpt")).into();
    (members[1].rpm, members[2].tpm) = (Some(1), Some(100));
    let counters = Counters::new();
    let strategy = "usage-based-routing-v2".parse().expect("a strategy");
    let mut settings = RouterSettings { strategy, ..RouterSettings::default() };
    settings.fallbacks.add("openai/m", [FallbackTarget::from("n")]);
    settings.context_window_fallbacks.add("m", [FallbackTarget::from("long")]);
    let routes = Routes::new(members, settings, &counters, None);
    counters.of(&"requests".into()).measures.requests.add(1, Moment(0));
    let router = Router::new(Arc::new(routes), Arc::new(FakeClock::default()));
    let controls = Controls::default();
    let (count, broke) = (|_: &Deployment| 101, |one: &Deployment| one.id.as_str() == "broke");
    let mut request = Request { broke: Some(&broke), ..Request::new("m", &controls) };
    request.ask.tokens = Some(&count);
    let told = router.explain(request);
    let why: Vec<Option<Why>> = told.considered.into_iter().map(|one| one.left_out).collect();
    assert_eq!(why, [Some(Why::Broke), Some(Why::Requests(1)), Some(Why::Tokens(100)), None]);
    assert_eq!((told.fallbacks, told.context_fallbacks), (vec!["n"], Some(vec!["long"])));
    assert_eq!((told.content_fallbacks, told.by_tags), (None, false));
}
