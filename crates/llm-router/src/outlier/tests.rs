//! Who is an outlier of its group, for how long, and how many at a time.

use super::*;
use crate::Counters;
use crate::testing::deployment;

/// A group whose deployments have had so many successes and failures this minute, at such a latency.
fn group(shown: &[(u32, u32, u64)], now: Moment) -> Group {
    let counters = Counters::new();
    let member = |(at, (successes, failures, latency)): (usize, &(u32, u32, u64))| {
        let one = deployment(&format!("d{at}"), "m", "gpt");
        let state = counters.of(&one.id);
        show(&state, (*successes, *failures, *latency), now);
        Candidate::new(one.into(), state, None)
    };
    Group::new("m".into(), shown.iter().enumerate().map(member).collect())
}

fn show(state: &crate::DeploymentState, (successes, failures, latency): (u32, u32, u64), now: Moment) {
    (0..successes).for_each(|_| state.succeeded(now));
    (0..failures).for_each(|_| state.failed(now));
    if latency > 0 {
        state.measures.answered(Duration::from_millis(latency), now);
    }
}

fn names(rests: &[Rest]) -> Vec<&str> {
    rests.iter().map(|rest| rest.deployment.as_str()).collect()
}

#[test]
fn outliers() {
    let now = Moment(600_000);
    let settings = Outliers::default();
    for (shown, expected) in [
        // All alike, well or ill: nobody is an outlier.
        (vec![(100, 0, 200); 4], vec![]),
        (vec![(50, 50, 200); 4], vec![]),
        // One fails more often than the others.
        (vec![(100, 0, 200), (70, 30, 200), (99, 1, 200)], vec!["d1"]),
        (vec![(90, 10, 200), (71, 29, 200), (90, 10, 200)], vec![]),
        (vec![(90, 10, 200), (60, 40, 200), (90, 10, 200)], vec!["d1"]),
        // Failures below the floor are never too many.
        (vec![(100, 0, 200), (85, 15, 200), (100, 0, 200)], vec![]),
        // One is slower.
        (vec![(100, 0, 200), (100, 0, 900), (100, 0, 210)], vec!["d1"]),
        (vec![(100, 0, 200), (100, 0, 700), (100, 0, 210)], vec![]),
        // Two of them judge each other; of one nothing can be said.
        (vec![(100, 0, 200), (10, 90, 200)], vec!["d1"]),
        (vec![(0, 100, 200)], vec![]),
        // Too few calls to be judged, or to judge by.
        (vec![(100, 0, 200), (0, 9, 200), (100, 0, 200)], vec![]),
        (vec![(5, 0, 200), (10, 90, 200), (4, 0, 200)], vec![]),
        // The worst is out first, and no more than the share.
        (vec![(100, 0, 9), (50, 50, 9), (100, 0, 9), (0, 100, 9), (100, 0, 9), (100, 0, 9)], vec!["d3"]),
        (
            vec![(100, 0, 9), (50, 50, 9), (100, 0, 9), (0, 100, 9), (100, 0, 9), (99, 0, 9), (98, 0, 9)],
            vec!["d3", "d1"],
        ),
        // What is unknown is not slow.
        (vec![(100, 0, 0), (100, 0, 500), (100, 0, 0)], vec![]),
    ] {
        let group = group(&shown, now);
        assert_eq!(names(&judge(&group, false, &settings, now)), expected, "{shown:?}");
    }
}

/// Each time in a row is longer, up to a limit; doing well in between is remembered.
#[test]
fn ejections_grow() {
    let settings = Outliers { max_ejection_time: 100.0, ..Outliers::default() };
    let mut now = Moment(600_000);
    let group = group(&[(100, 0, 9), (0, 100, 9), (100, 0, 9)], now);
    let mut times = Vec::new();
    for round in 0..6 {
        let rests = judge(&group, false, &settings, now);
        times.extend(rests.iter().map(|rest| rest.time.as_secs()));
        assert!(round == 4 || group.candidates[1].state.rests(now), "{round}");
        assert!(judge(&group, false, &settings, now).is_empty(), "it is out already");
        now = now + Duration::from_secs(180);
        for (at, one) in group.candidates.iter().enumerate() {
            let fails = at == 1 && round != 3;
            show(&one.state, if fails { (0, 100, 9) } else { (100, 0, 9) }, now);
        }
    }
    assert_eq!(times, [30, 60, 90, 100, 90], "it was judged well twice, which took two off");
}

/// What it did before its rest is not held against it when it is back.
#[test]
fn a_rest_is_a_fresh_start() {
    let settings = Outliers { ejection_time: 5.0, ..Outliers::default() };
    let now = Moment(600_000);
    let group = group(&[(100, 0, 9), (0, 100, 9), (100, 0, 9)], now);
    assert_eq!(names(&judge(&group, false, &settings, now)), ["d1"]);
    let back = now + Duration::from_secs(6);
    assert!(!group.candidates[1].state.rests(back));
    assert!(judge(&group, false, &settings, back).is_empty(), "the same minute's counts are old");
}

#[test]
fn a_group_is_looked_at_now_and_then() {
    let settings = Outliers::default();
    let now = Moment(600_000);
    let group = group(&[(100, 0, 9), (0, 100, 9), (100, 0, 9)], now);
    assert!(look(&group, false, &settings, now).is_empty(), "the first look begins to wait");
    assert!(look(&group, false, &settings, now + Duration::from_secs(9)).is_empty());
    assert_eq!(names(&look(&group, false, &settings, now + Duration::from_secs(10))), ["d1"]);
    assert!(look(&group, false, &settings, now + Duration::from_secs(11)).is_empty());
}
