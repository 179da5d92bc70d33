//! Callers can loosen an operator's policy for their own call, and not tighten it.

use std::borrow::Cow;
use std::sync::Arc;

use http::HeaderMap;
use llm_providers::{ParamPolicy, Registry, Target};
use llm_types::Timeouts;
use serde_json::Map;

use super::{target, without};

fn operators(policy: ParamPolicy) -> Target {
    Target {
        spec: Arc::clone(Registry::built_in().all().first().unwrap()),
        model: "claude-sonnet-4-5".to_owned(),
        base_url: "https://provider.example".to_owned(),
        key: None,
        headers: HeaderMap::new(),
        defaults: Map::new(),
        policy,
        timeouts: Timeouts::default(),
        cloud: None,
    }
}

fn names(drop: bool, always_drop: &[&str], allow: &[&str]) -> ParamPolicy {
    let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    ParamPolicy { drop, always_drop: owned(always_drop), allow: owned(allow) }
}

#[test]
fn a_caller_that_asks_for_nothing_costs_nothing() {
    let own = operators(names(true, &["seed"], &[]));
    assert!(matches!(target(&own, &ParamPolicy::default()), Cow::Borrowed(_)));
}

#[test]
fn a_caller_may_have_more_dropped_and_passed() {
    let own = operators(names(false, &["seed"], &["store"]));
    let used = target(&own, &names(true, &["user"], &["verbosity"]));
    assert_eq!(used.policy, names(true, &["seed", "user"], &["store", "verbosity"]));
}

#[test]
fn a_caller_cannot_switch_the_operators_dropping_off() {
    let own = operators(names(true, &["seed"], &[]));
    let used = target(&own, &names(false, &["user"], &[]));
    assert_eq!(used.policy, names(true, &["seed", "user"], &[]));
}

#[test]
fn defaults_that_would_be_refused_are_left_out() {
    let mut own = operators(ParamPolicy::default());
    own.defaults.insert("temperature".to_owned(), 0.into());
    own.defaults.insert("max_tokens".to_owned(), 9.into());
    assert!(matches!(without(Cow::Borrowed(&own), &["top_p"]), Cow::Borrowed(_)));
    let used = without(Cow::Borrowed(&own), &["temperature", "top_p"]);
    assert_eq!(used.defaults.keys().collect::<Vec<_>>(), ["max_tokens"]);
}
