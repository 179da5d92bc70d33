//! Who rests with whom.

use llm_providers::Target;
use llm_types::Secret;

use super::*;
use crate::Counters;
use crate::testing::{deployment, target};

const REST: Duration = Duration::from_secs(5);

struct Bench {
    counters: Counters,
    all: Vec<Known>,
    peers: Vec<Arc<Peers>>,
}

/// Deployments by id, group, address and key.
fn bench(entries: &[(&str, &str, &str, &str)]) -> Bench {
    let counters = Counters::new();
    let known = |(id, group, address, key): &(&str, &str, &str, &str)| {
        let target = Target {
            base_url: format!("http://{address}.invalid"),
            key: Some(Secret::new((*key).to_owned())),
            ..target("openai", "gpt")
        };
        let one = Deployment { target: Arc::new(target), ..deployment(id, group, "gpt") };
        (Arc::new(one), counters.of(&(*id).into()))
    };
    let all: Vec<Known> = entries.iter().map(known).collect();
    let peers = Peers::of_all(&all);
    Bench { counters, all, peers }
}

impl Bench {
    fn fail(&self, at: usize, class: ErrorClass, now: Moment) {
        self.peers[at].fail(&self.all[at].0.id, class, REST, now);
    }

    fn resting(&self, now: Moment) -> Vec<&str> {
        let rests = self.all.iter().filter(|(_, state)| state.rests(now));
        rests.map(|(one, _)| one.id.as_str()).collect()
    }
}

/// A bad key rests what signs in with it and can be done without; nothing else.
#[test]
fn a_bad_key_rests_one_credential() {
    let bench = bench(&[
        ("a1", "a", "x", "bad"),
        ("a2", "a", "x", "good"),
        ("b1", "b", "x", "bad"),
        ("b2", "b", "x", "good"),
        ("c1", "c", "x", "bad"),
        ("d1", "d", "y", "bad"),
        ("d2", "d", "y", "good"),
    ]);
    bench.fail(0, ErrorClass::Authentication, Moment(0));
    // Its own rest is the rules' business; `c` has no other key; `d` is elsewhere.
    assert_eq!(bench.resting(Moment(0)), ["b1"]);
    assert_eq!(bench.counters.of(&"b1".into()).cause(), Cause::Credential);
    assert!(bench.resting(Moment(0) + REST).is_empty());
}

/// An outage is several failures at several deployments of an address without a success between them.
#[test]
fn an_outage_rests_the_address() {
    let entries = [
        ("a1", "a", "x", "k"),
        ("a2", "a", "y", "k"),
        ("b1", "b", "x", "k"),
        ("b2", "b", "y", "k"),
        ("c1", "c", "x", "k"),
        ("c2", "c", "y", "k"),
        ("lone", "l", "x", "k"),
    ];
    let one = bench(&entries);
    for n in 0..20 {
        one.fail(0, ErrorClass::InternalServer, Moment(n));
    }
    assert!(one.resting(Moment(20)).is_empty(), "one deployment alone is no outage");
    one.fail(2, ErrorClass::BadGateway, Moment(21));
    assert_eq!(one.resting(Moment(21)), ["a1", "c1"]);

    let other = bench(&entries);
    for n in 0..4 {
        other.fail(n as usize % 2 * 2, ErrorClass::Timeout, Moment(n));
    }
    other.peers[4].succeed();
    other.fail(0, ErrorClass::Timeout, Moment(5));
    other.fail(0, ErrorClass::RateLimit, Moment(6));
    other.fail(2, ErrorClass::BadRequest, Moment(6));
    assert!(other.resting(Moment(6)).is_empty(), "something works there");
    for n in 0..4 {
        other.fail(2, ErrorClass::Timeout, Moment(20_000 + n));
    }
    assert!(other.resting(Moment(20_004)).is_empty(), "old failures do not count");
}
