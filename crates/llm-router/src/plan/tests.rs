//! Who is asked first, next and never.

use std::time::Instant;

use super::*;
use crate::testing::deployment;
use crate::{Counters, Deployment};

const SECOND: Duration = Duration::from_secs(1);

fn group(deployments: Vec<Deployment>) -> Group {
    let counters = Counters::new();
    let candidates = deployments.into_iter().map(|one| {
        let state = counters.of(&one.id);
        Candidate::new(one.into(), state, None)
    });
    Group::new("m".into(), candidates.collect())
}

fn leveled(levels: &[Option<i64>]) -> Group {
    let member = |(n, level): (usize, &Option<i64>)| {
        let mut one = deployment(&format!("d{n}"), "m", "gpt");
        one.order = *level;
        one
    };
    group(levels.iter().enumerate().map(member).collect())
}

/// Everyone the plan would try, sorted.
fn open(group: &Group, filter: Filter<'_>, now: Moment) -> Result<Vec<u32>, Refusal> {
    let settings = RouterSettings::default();
    let mut rng = Rng::with_seed(1);
    let mut plan = plan(group, filter, &settings, now)?;
    let mut order = Vec::new();
    while let Some(at) = plan.pick(&mut rng) {
        order.push(at);
    }
    assert_eq!((plan.is_empty(), plan.len()), (true, 0));
    order.sort_unstable();
    Ok(order)
}

#[test]
fn everyone_comes_once() {
    assert_eq!(open(&leveled(&[None; 20]), Filter::default(), Moment(0)), Ok((0..20).collect()));
}

/// §7.1 step 10: the lowest level that can serve, or the one asked for.
#[test]
fn the_lowest_level() {
    let group = leveled(&[Some(2), Some(1), None, Some(1), Some(2)]);
    let now = Moment(0);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![1, 3]));
    let second = Filter { level: Some(2), ..Filter::default() };
    assert_eq!(open(&group, second, now), Ok(vec![0, 4]));
    group.candidates[1].state.rest(now, SECOND);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![3]));
    group.candidates[3].state.rest(now, SECOND);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 4]));
    assert_eq!(open(&group, Filter::default(), now + SECOND), Ok(vec![1, 3]));
    assert_eq!(*group.levels, [1, 2, i64::MAX]);
}

/// §7.1 steps 11, 12: excluded ones never, failed ones only when nobody else is left, within the level.
#[test]
fn failed_and_excluded() {
    let group = leveled(&[Some(1), Some(1), Some(2)]);
    let now = Moment(0);
    let failed = |failed| Filter { failed, ..Filter::default() };
    assert_eq!(open(&group, failed(&[0]), now), Ok(vec![1]));
    assert_eq!(open(&group, failed(&[0, 1]), now), Ok(vec![0, 1]));
    let excluded = Filter { excluded: &[0, 1], ..Filter::default() };
    assert_eq!(open(&group, excluded, now), Ok(vec![2]));
    let all = Filter { excluded: &[0, 1, 2], ..Filter::default() };
    assert_eq!(open(&group, all, now), Err(Refusal::Nobody));
}

/// §7.1 steps 3, 5, 13: paused, resting.
#[test]
fn nobody_can_serve() {
    let mut paused = deployment("p", "m", "gpt");
    paused.blocked = true;
    let now = Moment(0);
    assert_eq!(open(&group(vec![paused.clone()]), Filter::default(), now), Err(Refusal::Paused));
    let resting = group(vec![paused, deployment("x", "m", "gpt"), deployment("y", "m", "gpt")]);
    resting.candidates[1].state.rest(now, 9 * SECOND);
    resting.candidates[2].state.rest(now, 4 * SECOND);
    assert_eq!(open(&resting, Filter::default(), now), Err(Refusal::Resting(4 * SECOND)));
    assert_eq!(healthy(&resting, now, 9), 0);
    assert_eq!(open(&resting, Filter::default(), now + 4 * SECOND), Ok(vec![2]));
    assert_eq!(healthy(&resting, now + 4 * SECOND, 9), 1);
}

/// A deployment without a free place is passed over while another has one.
#[test]
fn full_ones_wait() {
    let member = |id: &str, limit| {
        let mut one = deployment(id, "m", "gpt");
        one.max_parallel_requests = Some(limit);
        one
    };
    let group = group(vec![member("x", 1), member("y", 2)]);
    let now = Moment(0);
    let first = group.candidates[0].state.enter(Some(1));
    assert!(first.is_some());
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![1]));
    let rest: Vec<_> = (0..2).map(|_| group.candidates[1].state.enter(Some(2))).collect();
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 1]));
    drop(rest);
    drop(first);
    assert_eq!(open(&group, Filter::default(), now), Ok(vec![0, 1]));
}

/// Prints what a choice costs at best; `--release` or `CARGO_PROFILE_TEST_OPT_LEVEL=3` for figures that count.
#[test]
fn choosing_takes_this_long() {
    let settings = RouterSettings::default();
    let mut rng = Rng::with_seed(1);
    for size in [1_usize, 2, 10, 100, 1000] {
        let members = (0..size).map(|n| {
            let mut one = deployment(&format!("d{n}"), "m", "gpt");
            one.weight = Some(n as f64 + 1.0);
            one
        });
        let group = group(members.collect());
        let rounds = 20_000 / size as u32 + 10;
        let round = || {
            let start = Instant::now();
            for _ in 0..rounds {
                let mut plan = plan(&group, Filter::default(), &settings, Moment(0)).expect("a plan");
                assert!(plan.pick(&mut rng).is_some());
            }
            start.elapsed() / rounds
        };
        let best = std::iter::repeat_with(round).take(20).min();
        println!("choosing 1 of {size}: {best:?}");
    }
}
