//! Limits of a minute: looked at, taken, given back.

use std::sync::Arc;

use super::*;
use crate::testing::deployment;

fn candidate(rpm: Option<u64>, itpm: Option<u64>, otpm: Option<u64>) -> Candidate {
    let mut one = deployment("d", "m", "gpt");
    (one.rpm, one.itpm, one.otpm) = (rpm, itpm, otpm);
    Candidate::new(one.into(), Arc::default(), None)
}

fn enforced() -> RouterSettings {
    RouterSettings { enforce_limits: true, ..RouterSettings::default() }
}

const NOW: Moment = Moment(61_000);

/// §7.7: a prompt and its longest answer must fit; what was set aside is replaced by what was used, prompts
/// read from a cache not counted.
#[test]
fn tokens_are_set_aside_and_replaced() {
    let one = candidate(None, Some(100), Some(50));
    let count = |_: &Deployment| 40;
    let ask = Ask { tokens: Some(&count), output: Some(20), ..Ask::default() };
    let asked = Asked { ask, enforced: true, now: NOW };
    let settings = enforced();
    let mut held = Vec::new();
    for _ in 0..2 {
        assert!(reached(&one, &asked).is_none());
        held.push(take(&one, &ask, &settings, NOW).expect("room").expect("something is held"));
    }
    assert_eq!(one.state.split_tokens_this_minute(NOW), [80, 40]);
    assert_eq!(reached(&one, &asked).expect("full").to_string(), "ITPM limit=100, current usage=120");
    assert_eq!(take(&one, &ask, &settings, NOW), Err(TooLate));
    assert_eq!(one.state.requests_this_minute(NOW), 2, "who comes too late is not counted");
    held.pop().expect("a call").replace(&one.state, 10, 45, NOW);
    assert_eq!(one.state.split_tokens_this_minute(NOW), [50, 65]);
    assert_eq!(reached(&one, &asked).expect("full").why(), Why::OutputTokens(50));
    held.pop().expect("a call").give_back(&one.state);
    assert_eq!(one.state.split_tokens_this_minute(NOW), [10, 45]);
    assert!(reached(&one, &Asked { now: Moment(120_000), ..asked }).is_none(), "a new minute");
}

/// What is given back or used after its minute changes nothing of the next.
#[test]
fn minutes_do_not_mix() {
    let one = candidate(None, Some(100), None);
    let held = take(&one, &Ask::default(), &enforced(), NOW).expect("room").expect("held");
    let next = Moment(120_000);
    one.state.measures.input.add(7, next);
    held.replace(&one.state, 50, 5, next);
    assert_eq!(one.state.split_tokens_this_minute(next), [7, 0]);
}

/// An answer whose length nobody limits is never too long for a deployment: one at a time passes.
#[test]
fn an_answer_without_a_cap_fits_once() {
    let one = candidate(None, None, Some(50));
    let settings = enforced();
    let held = take(&one, &Ask::default(), &settings, NOW).expect("room").expect("held");
    assert_eq!(take(&one, &Ask::default(), &settings, NOW), Err(TooLate));
    held.replace(&one.state, 5, 5, NOW);
    assert_eq!(one.state.split_tokens_this_minute(NOW), [5, 5]);
    assert_eq!(take(&one, &Ask::default(), &settings, NOW), Err(TooLate), "it may need all 50 again");
    let short = Ask { output: Some(45), ..Ask::default() };
    assert!(take(&one, &short, &settings, NOW).is_ok());
}

/// However many ask at once, no more than the limit are sent.
#[test]
fn nobody_goes_beyond_a_limit() {
    let one = candidate(Some(100), Some(1_000), None);
    let settings = enforced();
    let count = |_: &Deployment| 20;
    let ask = Ask { tokens: Some(&count), ..Ask::default() };
    let sent: usize = std::thread::scope(|scope| {
        let send = || (0..50).filter(|_| take(&one, &ask, &settings, NOW).is_ok()).count();
        let all: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).sum()
    });
    assert_eq!(sent, 50, "1,000 tokens are 50 prompts");
    assert_eq!(one.state.split_tokens_this_minute(NOW), [1_000, 0]);
}

/// Without `enforce_model_rate_limits` calls are counted and none is refused.
#[test]
fn limits_that_are_not_enforced() {
    let one = candidate(Some(1), Some(1), Some(1));
    let settings = RouterSettings::default();
    for _ in 0..3 {
        assert_eq!(take(&one, &Ask::default(), &settings, NOW), Ok(None));
    }
    let asked = Asked { ask: Ask::default(), enforced: false, now: NOW };
    assert_eq!(reached(&one, &asked).expect("pre-call checks look at requests").why(), Why::Requests(1));
}
