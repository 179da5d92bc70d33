//! Which groups are tried next, in order.

use super::*;
use crate::Candidate;

fn map(entries: &[(&str, &str)]) -> FallbackMap {
    let mut map = FallbackMap::default();
    for (group, target) in entries {
        map.add(*group, [FallbackTarget::from(*target)]);
    }
    map
}

fn found(controls: &Controls, settings: &RouterSettings, kind: ErrorKind) -> Vec<String> {
    let error = Error::new(kind, "no");
    let targets = Lists { controls, settings }.targets(&error, ["nick", "m"], None);
    targets.iter().map(|target| target.model.to_string()).collect()
}

/// §7.4: which list is read for which error; the caller's replace the configured ones.
#[test]
fn lists_by_error() {
    let settings = RouterSettings {
        fallbacks: map(&[("m", "general"), ("*", "any")]),
        context_window_fallbacks: map(&[("nick", "window")]),
        default_fallbacks: vec!["default".into()],
        ..RouterSettings::default()
    };
    let none = Controls::default();
    assert_eq!(found(&none, &settings, ErrorKind::BadUpstream), ["general"]);
    assert_eq!(found(&none, &settings, ErrorKind::ContextTooLong), ["window"]);
    assert_eq!(found(&none, &settings, ErrorKind::ContentFiltered), ["general"]);
    let asked = Controls {
        fallbacks: Some(Fallbacks::Map(map(&[("other", "x")]))),
        content_policy_fallbacks: Some(Fallbacks::List(vec!["safe".into()])),
        context_window_fallbacks: Some(Fallbacks::Map(map(&[("other", "x")]))),
        ..Controls::default()
    };
    assert_eq!(found(&asked, &settings, ErrorKind::BadUpstream), ["default"]);
    assert_eq!(found(&asked, &settings, ErrorKind::ContentFiltered), ["safe"]);
    assert!(found(&asked, &settings, ErrorKind::ContextTooLong).is_empty(), "configured, but no entry");
    let plain = Controls { fallbacks: Some(Fallbacks::List(vec!["p".into()])), ..Controls::default() };
    assert_eq!(found(&plain, &settings, ErrorKind::ContextTooLong), ["p"]);
}

/// §7.4 step 5: where no list has the name itself, one counts that has it with or without the group's provider.
#[test]
fn names_with_and_without_their_provider() {
    let one = Arc::new(crate::testing::deployment("d", "m", "gpt-4o"));
    let candidate = Candidate::new(one, Arc::default(), None);
    let group = Group::new("openai/gpt-4o".into(), vec![candidate]);
    let entry = |entries: &[(&str, &str)], name: &str| {
        let map = map(entries);
        let controls = Controls::default();
        let lists = Lists { controls: &controls, settings: &RouterSettings::default() };
        lists.lookup(&map, [name, name], Some(&group)).map(|targets| targets[0].model.to_string())
    };
    assert_eq!(entry(&[("gpt-4o", "bare"), ("*", "any")], "openai/gpt-4o").as_deref(), Some("bare"));
    assert_eq!(entry(&[("openai/gpt-4o", "whole")], "gpt-4o").as_deref(), Some("whole"));
    assert_eq!(entry(&[("gpt-4o", "bare"), ("openai/gpt-4o", "whole")], "gpt-4o").as_deref(), Some("bare"));
    assert_eq!(entry(&[("azure/gpt-4o", "another's")], "gpt-4o"), None);
}

/// §7.4 step 5: the requested name before the group's, any name before `*`.
#[test]
fn names_in_order() {
    let entry = |entries: &[(&str, &str)]| {
        let map = map(entries);
        let controls = Controls { requested: Some("auto".into()), ..Controls::default() };
        let lists = Lists { controls: &controls, settings: &RouterSettings::default() };
        let targets = lists.lookup(&map, ["nick", "m"], None)?;
        Some(targets[0].model.to_string())
    };
    assert_eq!(entry(&[("*", "any"), ("m", "group"), ("nick", "asked")]).as_deref(), Some("asked"));
    assert_eq!(entry(&[("*", "any"), ("m", "group")]).as_deref(), Some("group"));
    assert_eq!(entry(&[("*", "any"), ("auto", "router's")]).as_deref(), Some("router's"));
    assert_eq!(entry(&[("*", "any")]).as_deref(), Some("any"));
    assert_eq!(entry(&[("q", "other")]), None);
}

/// §7.4: guardrails and budgets end a call; a deployment that is set up wrongly does not.
#[test]
fn decisions_of_ours_are_the_last_word() {
    let check = |kind, origin, expect: bool| {
        assert_eq!(is_last_word(&Error::new(kind, "no").with_origin(origin)), expect, "{kind:?} {origin:?}");
    };
    check(ErrorKind::BudgetExceeded, Origin::Gateway, true);
    check(ErrorKind::ContentFiltered, Origin::Gateway, true);
    check(ErrorKind::ContentFiltered, Origin::Upstream, false);
    check(ErrorKind::BadRequest, Origin::Caller, false);
    check(ErrorKind::Unauthenticated, Origin::Gateway, false);
    check(ErrorKind::Internal, Origin::Gateway, false);
}
