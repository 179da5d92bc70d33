//! Fewest calls first.

use crate::plan::{Filter, plan};
use crate::testing::deployment;
use crate::{Candidate, Counters, Group, Moment, RouterSettings};

/// §7.2: fewest first, in the order of the configuration where alike.
#[test]
fn the_idle_come_first() {
    let counters = Counters::new();
    let candidates = ["a", "b", "c"].map(|id| {
        let one = deployment(id, "m", "gpt");
        let state = counters.of(&one.id);
        Candidate::new(one.into(), state, None)
    });
    let group = Group::new("m".into(), candidates.into());
    let strategy = "least-busy".parse().expect("a strategy");
    let settings = RouterSettings { strategy, ..RouterSettings::default() };
    let order = || {
        let mut plan = plan(&group, Filter::default(), &settings, Moment(0)).expect("a plan");
        let mut rng = fastrand::Rng::with_seed(1);
        std::iter::from_fn(|| plan.pick(&mut rng)).collect::<Vec<_>>()
    };
    assert_eq!(order(), [0, 1, 2]);
    let first = [group.candidates[0].state.enter(None), group.candidates[0].state.enter(None)];
    let third = group.candidates[2].state.enter(None);
    assert_eq!(order(), [1, 2, 0]);
    drop((first, third));
    assert_eq!(order(), [0, 1, 2]);
}
