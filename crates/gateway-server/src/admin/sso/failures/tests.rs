//! Wrong passwords hold up who gives them, and nobody else.

use std::time::Duration;

use super::*;

fn limits(per_source: u32, overrides: &[(&str, u32)]) -> SignInLimits {
    let parse = |(network, limit): &(&str, u32)| (network.parse().unwrap(), *limit);
    SignInLimits {
        per_source,
        overrides: overrides.iter().map(parse).collect(),
        window: Duration::from_secs(60),
        block: Duration::from_secs(300),
    }
}

fn source<'a>(place: &'a str, name: Option<&'a str>) -> Source<'a> {
    Source { address: place.parse().ok(), place, name }
}

/// How often a source may be wrong before it is blocked.
fn tries(limits: &SignInLimits, place: &str, name: impl Fn(u32) -> String) -> u32 {
    let failures = Failures::default();
    (0..50)
        .find(|index| {
            let name = name(*index);
            let source = source(place, Some(&name));
            let blocked = failures.blocked(source, limits, 1_000).is_some();
            failures.note(source, limits, 1_000);
            blocked
        })
        .unwrap_or(u32::MAX)
}

#[test]
fn an_address_and_a_name_at_an_address_are_held_up() {
    let usual = limits(10, &[("10.0.0.9", 0), ("10.0.0.0/8", 4)]);
    assert_eq!(tries(&usual, "192.0.2.1", |index| index.to_string()), 10, "of any names");
    assert_eq!(tries(&usual, "192.0.2.1", |_| "Ann".to_owned()), 5, "of one name half as many");
    assert_eq!(tries(&usual, "10.1.2.3", |index| index.to_string()), 4);
    assert_eq!(tries(&usual, "10.0.0.9", |_| "ann".to_owned()), u32::MAX, "0 is no limit");
    assert_eq!(tries(&limits(1, &[]), "192.0.2.1", |_| "ann".to_owned()), 1);
}

#[test]
fn a_block_ends_and_others_are_not_blocked() {
    let (failures, limits) = (Failures::default(), limits(4, &[]));
    let ann = source("192.0.2.1", Some("ann"));
    for _ in 0..2 {
        failures.note(ann, &limits, 1_000);
    }
    assert_eq!(failures.blocked(ann, &limits, 1_000), Some(301_000));
    assert_eq!(failures.blocked(source("192.0.2.1", Some("ben")), &limits, 1_000), None);
    assert_eq!(failures.blocked(source("192.0.2.2", Some("ann")), &limits, 1_000), None);
    assert_eq!(failures.blocked(ann, &limits, 301_000), None);
}

#[test]
fn what_is_long_ago_does_not_count() {
    let (failures, limits) = (Failures::default(), limits(2, &[]));
    let one = source("192.0.2.1", None);
    failures.note(one, &limits, 0);
    failures.note(one, &limits, 60_000);
    assert_eq!(failures.blocked(one, &limits, 60_000), None);
    failures.note(one, &limits, 60_001);
    assert!(failures.blocked(one, &limits, 60_001).is_some());
}
