//! What users of LiteLLM complained of, by the numbers of its issues, and what happens here.

use super::*;

/// LiteLLM #32574: of the failures of one call only the first was seen, because they were logged once. Here each
/// failed attempt rests its deployment, in the first group and in the one that the call falls back to.
#[test]
fn every_failed_attempt_rests_its_deployment() {
    let members = [("a", "m"), ("b", "m"), ("c", "spare"), ("d", "spare")];
    let members = members.map(|(id, group)| deployment(id, group, "gpt"));
    let bench = Bench::new(members.into(), settings(&[("m", &["spare"])]));
    let controls = Controls { num_retries: Some(1), ..Controls::default() };
    let script: Script = |_, _| Err(upstream(ErrorKind::RateLimited, 429));
    let failed = bench.run(Request::new("m", &controls), script).expect_err("an error");
    assert_eq!(failed.report.errors.len(), 2, "a group each");
    drop(failed);
    let mut called = bench.calls();
    called.sort_unstable();
    assert_eq!(called, ["a", "b", "c", "d"]);
    for id in called {
        assert!(bench.counters.of(&id.as_str().into()).rests(bench.clock.now()), "{id}");
    }
}

/// LiteLLM PR #35104, #31876: a deployment that a call fell back to failed with its own bad key, and was asked again
/// by every call.
#[test]
fn a_failing_fallback_rests_too() {
    let members = vec![deployment("a", "m", "gpt"), deployment("b", "spare", "gpt")];
    let bench = Bench::new(members, settings(&[("m", &["spare"])]));
    let controls = Controls::default();
    let script: Script = |_, _| Err(upstream(ErrorKind::Unauthenticated, 401));
    drop(bench.run(Request::new("m", &controls), script).expect_err("an error"));
    assert_eq!(bench.calls(), ["a", "b"]);
    drop(bench.run(Request::new("m", &controls), script).expect_err("an error"));
    assert!(bench.calls().is_empty(), "both rest: nobody is asked");
}

/// LiteLLM #34416: a rest that was kept longer than it should be left deployments out for minutes. Here it ends with
/// its time, wherever it was heard of.
#[test]
fn a_rest_ends_with_its_time() {
    let bench = Bench::new(vec![deployment("a", "m", "gpt")], RouterSettings::default());
    let state = bench.counters.of(&"a".into());
    state.hear_rest(Duration::from_secs(7), bench.clock.now());
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    assert!(bench.run(Request::new("m", &controls), |_, _| Ok("hi")).is_err());
    bench.clock.advance(Duration::from_secs(7));
    assert!(bench.run(Request::new("m", &controls), |_, _| Ok("hi")).is_ok());
}
