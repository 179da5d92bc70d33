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
    Bond { key, ttl: Duration::from_secs(300), spreads }
}

#[test]
fn a_session_has_one_home() {
    let (affinity, group, session) = (Affinity::default(), group(), [bond(1, false)]);
    let wanted = |now| affinity.wanted(&session, &group, Moment(now)).to_vec();
    assert!(wanted(0).is_empty());
    affinity.bind(&session, &"b".into(), Moment(0));
    assert_eq!(wanted(299_999), [1]);
    assert!(wanted(300_000).is_empty(), "its time is over");
    affinity.bind(&session, &"b".into(), Moment(200_000));
    assert_eq!(wanted(499_999), [1], "each use makes it last");
    affinity.bind(&session, &"c".into(), Moment(200_000));
    assert_eq!(wanted(200_000), [2], "it moved");
    affinity.release(&session, &"c".into());
    assert!(wanted(200_000).is_empty());
    affinity.bind(&session, &"gone".into(), Moment(0));
    assert!(wanted(1).is_empty(), "a deployment of another configuration");
}

/// LiteLLM #28427: where a prompt was cached for an hour its deployment was forgotten after five minutes.
#[test]
fn what_is_cached_for_an_hour_is_known_for_an_hour() {
    let (affinity, group) = (Affinity::default(), group());
    let (hour, usual) = ([Bond { ttl: Duration::from_secs(3600), ..bond(7, true) }], [bond(8, true)]);
    affinity.bind(&hour, &"b".into(), Moment(0));
    affinity.bind(&usual, &"c".into(), Moment(0));
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
        affinity.bind(&prompt[1..], &(*id).into(), Moment(at as u64));
    }
    assert_eq!(affinity.wanted(&prompt, &group, Moment(9)).to_vec(), [3, 2, 1], "the latest three");
    affinity.bind(&prompt[..1], &"b".into(), Moment(9));
    assert_eq!(affinity.wanted(&prompt, &group, Moment(9)).to_vec(), [1, 3, 2], "the strongest bond first");
}

#[test]
fn there_is_an_end_to_what_is_kept() {
    let affinity = Affinity::default();
    let fill = |from: u128, now: u64| {
        let bonds: Vec<Bond> = (from..from + MOST as u128).map(|key| bond(key, false)).collect();
        affinity.bind(&bonds, &"a".into(), Moment(now));
    };
    fill(0, 20_000);
    affinity.bind(&[bond(u128::MAX, false)], &"a".into(), Moment(40_000));
    assert_eq!(affinity.pins.len(), MOST, "there is no room");
    affinity.bind(&[bond(u128::MAX, false)], &"a".into(), Moment(400_000));
    assert_eq!(affinity.pins.len(), 1, "old ones made room");
}
