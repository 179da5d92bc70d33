//! Traffic follows the weights.

use crate::plan::{Filter, plan};
use crate::testing::deployment;
use crate::{Candidate, Counters, Deployment, Group, Moment, RouterSettings};

/// Shares of 20 000 picks with a fixed seed.
fn shares(deployments: Vec<Deployment>, settings: &RouterSettings) -> Vec<f64> {
    let counters = Counters::new();
    let candidates = deployments.into_iter().map(|one| {
        let state = counters.of(&one.id);
        Candidate::new(one.into(), state, None)
    });
    let group = Group::new("m".into(), candidates.collect());
    let mut rng = fastrand::Rng::with_seed(42);
    let mut counts = vec![0.0; group.candidates.len()];
    for _ in 0..20_000 {
        let mut plan = plan(&group, Filter::default(), settings, Moment(0)).expect("a plan");
        counts[plan.pick(&mut rng).expect("a deployment") as usize] += 1.0;
    }
    counts.into_iter().map(|count| count / 20_000.0).collect()
}

fn near(found: &[f64], expect: &[f64]) {
    // Four standard deviations of 20 000 draws are below 1.5 %.
    let close = found.iter().zip(expect).all(|(found, expect)| (found - expect).abs() < 0.015);
    assert!(close, "{found:?} instead of {expect:?}");
    let impossible = found.iter().zip(expect).any(|(found, expect)| *expect == 0.0 && *found > 0.0);
    assert!(!impossible, "{found:?} instead of {expect:?}");
}

fn members(set: impl Fn(usize, &mut Deployment)) -> Vec<Deployment> {
    let member = |n: usize| {
        let mut one = deployment(["a", "b", "c"][n], "m", "gpt");
        set(n, &mut one);
        one
    };
    (0..3).map(member).collect()
}

/// §7.2: weight, then rpm, then tpm, then all alike; who has none of the deciding kind gets nothing.
#[test]
fn traffic_follows_the_shares() {
    let settings = RouterSettings::default();
    near(&shares(members(|_, _| {}), &settings), &[1.0 / 3.0; 3]);
    let by_weight = members(|n, one| {
        one.weight = [Some(3.0), Some(1.0), None][n];
        one.rpm = Some(100);
    });
    near(&shares(by_weight, &settings), &[0.75, 0.25, 0.0]);
    let by_rpm = members(|n, one| {
        one.rpm = [Some(10), Some(30), Some(60)][n];
        one.tpm = Some(1);
    });
    near(&shares(by_rpm, &settings), &[0.1, 0.3, 0.6]);
    let by_tpm = members(|n, one| one.tpm = [Some(1), None, Some(1)][n]);
    near(&shares(by_tpm, &settings), &[0.5, 0.0, 0.5]);
    let no_weight = members(|_, one| one.weight = Some(0.0));
    near(&shares(no_weight, &settings), &[1.0 / 3.0; 3]);
}

/// §7.2: the weights of the group in the settings win; a group whose weights name nobody is as before.
#[test]
fn scoped_weights_win() {
    let mut settings = RouterSettings::default();
    settings.weights.insert("m".into(), [("c".to_owned(), 1.0), ("b".to_owned(), 4.0)].into());
    near(&shares(members(|_, one| one.weight = Some(1.0)), &settings), &[0.0, 0.8, 0.2]);
    settings.weights.insert("m".into(), [("z".to_owned(), 1.0)].into());
    near(&shares(members(|n, one| one.weight = [Some(1.0), None, None][n]), &settings), &[1.0, 0.0, 0.0]);
}
