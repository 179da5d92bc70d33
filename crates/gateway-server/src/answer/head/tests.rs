//! How values read, and that a head which is copied equals one that is built.

use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use llm_types::Money;
use proptest::prelude::*;

use super::{Head, Heads, MOST_SHAPES, PREFIX};

const NAME: HeaderName = HeaderName::from_static("x-number");

fn read(write: impl Fn(&mut Head)) -> String {
    let heads = Heads::default();
    let mut head = heads.begin();
    write(&mut head);
    heads.finish(head)[&NAME].to_str().unwrap().to_owned()
}

#[test]
fn money_and_times_read_as_litellm_writes_them() {
    for (nanos, shown) in [
        (1_950, "0.00000195"),
        (0, "0"),
        (2_500_000_000, "2.5"),
        (-12_000_000_000, "-12"),
        (30_000_000_000, "30"),
    ] {
        assert_eq!(read(|head| head.usd(NAME, Money(nanos))), shown);
    }
    for (us, shown) in [(1_234, "1.234"), (7, "0.007")] {
        assert_eq!(read(|head| head.millis(NAME, us)), shown);
    }
    for count in [0, 9, 10, u64::MAX] {
        assert_eq!(read(|head| head.count(NAME, count)), count.to_string());
    }
}

#[test]
fn provider_headers_are_shown_under_a_prefix_each_of_them() {
    let heads = Heads::default();
    for round in 0..3 {
        let mut head = heads.begin();
        head.text(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let id = HeaderValue::from_str(&round.to_string()).unwrap();
        head.of_provider(&HeaderName::from_static("x-request-id"), &id);
        head.of_provider(&SET_COOKIE, &HeaderValue::from_static("a"));
        head.of_provider(&SET_COOKIE, &HeaderValue::from_static("b"));
        let map = heads.finish(head);
        assert_eq!(map[CONTENT_TYPE], "text/plain");
        assert_eq!(map["llm_provider-x-request-id"], id);
        let cookies: Vec<_> = map.get_all("llm_provider-set-cookie").iter().collect();
        assert_eq!(cookies, ["a", "b"]);
    }
    assert!(heads.0.lock().shapes.is_empty(), "a repeated name has no place of its own");
}

#[test]
fn what_providers_invent_is_forgotten_again() {
    let heads = Heads::default();
    for round in 0..3 * MOST_SHAPES {
        let name = HeaderName::try_from(format!("x-{round}")).unwrap();
        let mut head = heads.begin();
        head.of_provider(&name, &HeaderValue::from_static("1"));
        assert_eq!(heads.finish(head)[format!("{PREFIX}{name}")], "1");
    }
    assert_eq!(heads.0.lock().shapes.len(), MOST_SHAPES);
}

proptest! {
    /// Whatever came before, a head says what was written into it.
    #[test]
    fn a_copied_head_equals_a_built_one(
        calls in prop::collection::vec(prop::collection::vec((0..6_u8, any::<bool>(), 0..99_u64), 0..8), 1..8),
    ) {
        let heads = Heads::default();
        for call in calls {
            let mut head = heads.begin();
            let mut expected = HeaderMap::new();
            for (name, theirs, value) in call {
                let name = HeaderName::try_from(format!("x-{name}")).unwrap();
                let text = HeaderValue::from_str(&value.to_string()).unwrap();
                if theirs {
                    head.of_provider(&name, &text);
                    expected.append(HeaderName::try_from(format!("{PREFIX}{name}")).unwrap(), text);
                } else if !expected.contains_key(&name) {
                    head.count(name.clone(), value);
                    expected.insert(name, text);
                }
            }
            prop_assert_eq!(heads.finish(head), expected);
        }
    }
}
