//! What each priority gets of a model.

use super::{Callers, HEARD_MS, Limits, ModelShares, Priorities, Share};

fn said(shares: &[(&str, Share)]) -> Priorities {
    let shares = shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
    Priorities { shares, default: 0.25, threshold: 0.5 }
}

fn whole(rpm: Option<u64>, tpm: Option<u64>) -> Limits {
    Limits { rpm, tpm, ..Limits::default() }
}

fn rates(shares: &ModelShares, priority: Option<&str>) -> (Option<u64>, Option<u64>) {
    let limits = shares.pool(priority).limits;
    (limits.rpm, limits.tpm)
}

#[test]
fn shares_are_parts_of_requests_and_tokens() {
    let said = said(&[("prod", Share::Part(0.75)), ("dev", Share::Part(0.1))]);
    let shares = ModelShares::new("m", whole(Some(100), Some(1_000)), &said);
    assert_eq!(rates(&shares, Some("prod")), (Some(75), Some(750)));
    assert_eq!(rates(&shares, Some("dev")), (Some(10), Some(100)));
    for stranger in [None, Some("unnamed")] {
        assert_eq!(rates(&shares, stranger), (Some(25), Some(250)));
        assert_eq!(shares.pool(stranger).account, shares.pool(None).account, "they share one pool");
    }
    assert_ne!(shares.pool(Some("prod")).account, shares.pool(Some("dev")).account);
}

#[test]
fn shares_may_be_said_in_requests_or_tokens() {
    let said = said(&[("a", Share::Requests(20)), ("b", Share::Tokens(300))]);
    let shares = ModelShares::new("m", whole(Some(100), Some(1_000)), &said);
    assert_eq!(rates(&shares, Some("a")), (Some(20), Some(200)));
    assert_eq!(rates(&shares, Some("b")), (Some(30), Some(300)));
}

#[test]
fn shares_of_more_than_the_whole_are_made_smaller() {
    let said = said(&[("a", Share::Part(0.6)), ("b", Share::Part(0.8))]);
    let shares = ModelShares::new("m", whole(Some(70), None), &said);
    assert_eq!(rates(&shares, Some("a")), (Some(30), None));
    assert_eq!(rates(&shares, Some("b")), (Some(40), None));
}

#[test]
fn a_model_is_as_full_as_its_fuller_rate() {
    let shares = ModelShares::new("m", whole(Some(10), Some(1_000)), &said(&[]));
    for (used, full) in [((0, 0), 0.0), ((5, 100), 0.5), ((1, 900), 0.9), ((20, 0), 2.0)] {
        assert!((shares.saturation(used) - full).abs() < 1e-12, "{used:?}");
    }
}

#[test]
fn keys_share_equally_where_no_priority_is_named() {
    let shares = ModelShares::new("m", whole(Some(10), Some(1_000)), &said(&[]));
    assert!(shares.is_equal());
    assert!(!ModelShares::new("m", whole(Some(10), None), &said(&[("a", Share::Part(0.5))])).is_equal());
    for (keys, rpm, tpm) in [(1, 10, 1_000), (2, 5, 500), (3, 3, 333), (20, 1, 50)] {
        let limits = shares.pool_of("k", keys).limits;
        assert_eq!((limits.rpm, limits.tpm), (Some(rpm), Some(tpm)), "{keys} keys");
    }
    assert_ne!(shares.pool_of("a", 2).account, shares.pool_of("b", 2).account);
    assert_eq!(ModelShares::new("m", whole(None, Some(7)), &said(&[])).pool_of("k", 2).limits.rpm, None);
}

#[test]
fn keys_count_for_a_minute() {
    let callers = Callers::default();
    assert_eq!(callers.note("m", "a", 0), 1);
    assert_eq!(callers.note("m", "a", 1), 1);
    assert_eq!(callers.note("m", "b", 30_000), 2);
    assert_eq!(callers.note("n", "c", 30_000), 1, "each model by itself");
    assert_eq!(callers.note("m", "b", 60_001), 1, "a minute after its last call");
}

#[test]
fn gateways_count_each_others_keys() {
    let (here, there) = (Callers::default(), Callers::default());
    here.note("m", "a", 1_000);
    there.note("m", "a", 1_000);
    there.note("m", "b", 1_000);
    assert_eq!(here.news(1_200), [("m".to_owned(), vec![("a".into(), 1_000)])]);
    assert_eq!(
        here.news(1_400),
        [("m".to_owned(), vec![])],
        "told once; the number is asked for all the same"
    );
    here.forget_told();
    assert_eq!(here.news(1_500)[0].1.len(), 1, "what may not have arrived is told again");
    // Redis holds `a` once: the two together have two keys, not three.
    here.hear("m", 2, 1_500);
    assert_eq!(here.note("m", "a", 1_600), 2);
    here.hear("m", 1, 1_700);
    here.note("m", "c", 1_700);
    assert_eq!(here.note("m", "a", 1_700), 2, "what is seen here counts before it is told");
    here.hear("m", 9, 1_800);
    assert_eq!(here.note("m", "a", 1_800 + HEARD_MS), 2, "what was heard long ago does not count");
}
