//! What was seen is stored once and believed from then on.

use super::*;

const KIND: RequestKind = RequestKind::Writing;

fn start() -> Belief {
    Belief::at_start(2, false)
}

#[test]
fn lessons_are_stored_once_and_recalled() {
    let (here, model) = (Lessons::default(), Arc::from("m"));
    here.learn("smart", KIND, &model, start(), (1.0, 0.0));
    here.learn("smart", KIND, &model, start(), (1.0, 3.0));
    let fresh = here.take_fresh();
    let expected = Lesson { router: "smart".into(), kind: "writing", model: "m".into(), good: 2.0, bad: 3.0 };
    assert_eq!(fresh, [expected]);
    assert_eq!(here.take_fresh(), [], "taken once");
    assert_eq!(here.belief("smart", KIND, &model, start()), start().after(2.0, 3.0), "believed meanwhile");
    here.give_back(fresh.clone());
    assert_eq!(here.belief("smart", KIND, &model, start()), start().after(2.0, 3.0));
    assert_eq!(here.take_fresh(), fresh, "what was not stored is taken again");
    // Another process, or this one started again; a third gateway has seen one more.
    let there = Lessons::default();
    there.recall("smart", "writing", "m", (2.0, 4.0));
    assert_eq!(there.belief("smart", KIND, &model, start()), start().after(2.0, 4.0));
    assert_eq!(there.samples("smart", KIND, &model), 6.0);
    there.recall("smart", "no such kind", "m", (9.0, 9.0));
    assert_eq!(there.take_fresh(), []);
}

/// What a belief has no room for is not stored either.
#[test]
fn a_full_belief_stays() {
    let (lessons, model) = (Lessons::default(), Arc::from("m"));
    lessons.recall("smart", "writing", "m", (190.0, 0.0));
    lessons.learn("smart", KIND, &model, start(), (1.0, 0.0));
    assert_eq!(lessons.take_fresh(), []);
}

#[test]
fn what_is_warm_is_known_for_its_time() {
    let lessons = Lessons::default();
    let minute = Duration::from_secs(60);
    let warmth = |model: &str, tokens| Warmth { model: model.into(), tokens };
    lessons.keep_warm(1, warmth("m", 2_000), (Moment(0), minute));
    lessons.keep_warm(2, warmth("m", 3_000), (Moment(0), minute));
    lessons.keep_warm(2, warmth("n", 1_500), (Moment(0), minute * 60));
    let warm = |beginnings: &[u128], now| lessons.warm(beginnings.iter().copied(), now);
    assert_eq!(warm(&[2, 1], Moment(0)), [warmth("m", 3_000), warmth("n", 1_500)], "the most of each");
    assert_eq!(warm(&[9, 1], Moment(0)), [warmth("m", 2_000)]);
    assert_eq!(warm(&[1, 2], Moment(0) + minute), [warmth("n", 1_500)], "a cache forgets after its time");
}
