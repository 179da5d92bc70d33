//! Who is known again, and for how long.

use super::*;
use crate::testing::deployment;
use crate::{Candidate, Counters};

fn group() -> Group {
    let counters = Counters::new();
    let member = |id: &str| Candidate::new(deployment(id, "m", "gpt").into(), counters.of(&id.into()), None);
    Group::new("m".into(), ["a", "b", "c", "d"].map(member).into())
}

fn bond(key: u128, spreads: bool) -> Bond {
    Bond { key, ttl: Duration::from_secs(300), spreads, tokens: None }
}

fn named(id: &str) -> Deployment {
    deployment(id, "m", "gpt")
}

/// A beginning that is too short for a deployment's cache is not warm there.
#[test]
fn what_is_too_short_for_a_model_is_not_known_there() {
    let (affinity, group) = (Affinity::default(), group());
    let beginnings = [4_096, 512].map(|tokens| Bond { tokens: Some(tokens), ..bond(tokens.into(), true) });
    let caching = |id, cached_from| Deployment { cached_from, ..named(id) };
    affinity.bind(&beginnings, &caching("a", Some(4_096)), Moment(0));
    let wanted = |bonds: &[Bond]| affinity.wanted(bonds, &group, Moment(2)).to_vec();
    assert_eq!((wanted(&beginnings[..1]), wanted(&beginnings[1..])), (vec![0], vec![]));
    affinity.bind(&beginnings, &caching("b", Some(512)), Moment(1));
    affinity.bind(&beginnings[..1], &caching("c", None), Moment(1));
    assert_eq!((wanted(&beginnings[..1]), wanted(&beginnings[1..])), (vec![2, 1, 0], vec![1]));
}

#[test]
fn a_session_has_one_home() {
    let (affinity, group, session) = (Affinity::default(), group(), [bond(1, false)]);
    let wanted = |now| affinity.wanted(&session, &group, Moment(now)).to_vec();
    assert!(wanted(0).is_empty());
    affinity.bind(&session, &named("b"), Moment(0));
    assert_eq!(wanted(299_999), [1]);
    assert!(wanted(300_000).is_empty(), "its time is over");
    affinity.bind(&session, &named("b"), Moment(200_000));
    assert_eq!(wanted(499_999), [1], "each use makes it last");
    affinity.bind(&session, &named("c"), Moment(200_000));
    assert_eq!(wanted(200_000), [2], "it moved");
    affinity.release(&session, &"c".into());
    assert!(wanted(200_000).is_empty());
    affinity.bind(&session, &named("gone"), Moment(0));
    assert!(wanted(1).is_empty(), "a deployment of another configuration");
}

/// LiteLLM #28427: where a prompt was cached for an hour its deployment was forgotten after five minutes.
#[test]
fn what_is_cached_for_an_hour_is_known_for_an_hour() {
    let (affinity, group) = (Affinity::default(), group());
    let (hour, usual) = ([Bond { ttl: Duration::from_secs(3600), ..bond(7, true) }], [bond(8, true)]);
    affinity.bind(&hour, &named("b"), Moment(0));
    affinity.bind(&usual, &named("c"), Moment(0));
    for (minutes, long, short) in [(4, true, true), (6, true, false), (59, true, false), (60, false, false)] {
        let wanted = |bonds: &[Bond]| !affinity.wanted(bonds, &group, Moment(minutes * 60_000)).is_empty();
        assert_eq!((wanted(&hour), wanted(&usual)), (long, short), "after {minutes} minutes");
    }
}

#[test]
fn a_prompt_may_have_several() {
    let (affinity, group) = (Affinity::default(), group());
    let prompt = [bond(1, true), bond(2, true)];
    for (at, id) in ["a", "b", "c", "d"].iter().enumerate() {
        affinity.bind(&prompt[1..], &named(id), Moment(at as u64));
    }
    assert_eq!(affinity.wanted(&prompt, &group, Moment(9)).to_vec(), [3, 2, 1], "the latest three");
    affinity.bind(&prompt[..1], &named("b"), Moment(9));
    assert_eq!(affinity.wanted(&prompt, &group, Moment(9)).to_vec(), [1, 3, 2], "the strongest bond first");
}

#[test]
fn there_is_an_end_to_what_is_kept() {
    let affinity = Affinity::default();
    let fill = |from: u128, now: u64| {
        let bonds: Vec<Bond> = (from..from + MOST as u128).map(|key| bond(key, false)).collect();
        affinity.bind(&bonds, &named("a"), Moment(now));
    };
    fill(0, 20_000);
    affinity.bind(&[bond(u128::MAX, false)], &named("a"), Moment(40_000));
    assert_eq!(affinity.pins.len(), MOST, "there is no room");
    affinity.bind(&[bond(u128::MAX, false)], &named("a"), Moment(400_000));
    assert_eq!(affinity.pins.len(), 1, "old ones made room");
}
