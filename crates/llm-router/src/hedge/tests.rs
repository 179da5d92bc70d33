//! When a second try is made, and how often.

use super::*;
use crate::Counters;
use crate::testing::deployment;

const HEDGING: Hedging = Hedging { percentile: 95.0, budget: 0.05 };

#[test]
fn the_budget_is_a_share_of_the_calls() {
    let budget = Budget::default();
    assert!(!budget.take(), "nothing is saved up");
    let taken = (0..1_000).filter(|_| {
        budget.earn(&HEDGING);
        budget.take()
    });
    assert_eq!(taken.count(), 50);
    (0..1_000).for_each(|_| budget.earn(&HEDGING));
    assert_eq!((0..100).filter(|_| budget.take()).count(), 10, "no more are saved up");
}

#[test]
fn a_percentile_of_enough_latencies() {
    let counters = Counters::new();
    let state = counters.of(&"d".into());
    state.keep_latencies(KEPT);
    let candidate = Candidate::new(deployment("d", "m", "gpt").into(), state, None);
    let begin = |ms| candidate.state.measures.began(Duration::from_millis(ms), Moment(0));
    (1..20).for_each(begin);
    assert_eq!(after(&HEDGING, &candidate, Moment(0)), None);
    (20..=100).for_each(begin);
    let found = after(&HEDGING, &candidate, Moment(0)).expect("enough").as_secs_f64();
    assert!((found - 0.095).abs() < 1e-6, "{found}");
}
