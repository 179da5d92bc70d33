//! Defaults, and which of several entries counts.

use super::*;

/// §2.6: LiteLLM's keys; a class a policy is silent about has no number, `DefaultRetries` speaks for all.
#[test]
fn policies_by_class() {
    let mut retries = Retries::default();
    assert!(retries.set("BadRequestErrorRetries", 1) && retries.set("NotFoundErrorRetries", 0));
    assert!(!retries.set("TeapotErrorRetries", 1) && !retries.set("BadRequestErrorAllowedFails", 1));
    assert_eq!(retries.of(ErrorClass::BadRequest), Some(1));
    assert_eq!(retries.of(ErrorClass::ContentPolicy), Some(1), "a kind of bad request");
    assert_eq!(retries.of(ErrorClass::NotFound), Some(0));
    assert_eq!(retries.of(ErrorClass::Timeout), None);
    assert!(retries.set("ContentPolicyViolationErrorRetries", 3) && retries.set("DefaultRetries", 4));
    assert_eq!(retries.of(ErrorClass::ContentPolicy), Some(3));
    assert_eq!(retries.of(ErrorClass::Other), Some(4));
    let mut fails = AllowedFails::default();
    assert!(fails.set("BadGatewayErrorAllowedFails", 2) && !fails.set("DefaultAllowedFails", 1));
    assert_eq!(fails.of(ErrorClass::BadGateway), Some(2));
}

#[test]
fn the_first_entry_of_a_group_counts() {
    let mut map = FallbackMap::default();
    assert!(map.is_empty());
    map.add("a", ["b".into()]);
    map.add("a", ["c".into()]);
    assert_eq!(map.of("a"), Some(&["b".into()][..]));
    assert_eq!(map.of("z"), None);
}

/// §2.6: the defaults LiteLLM documents.
#[test]
fn defaults() {
    let settings = RouterSettings::default();
    assert_eq!((settings.num_retries, settings.max_fallbacks, settings.allowed_fails), (2, 5, None));
    assert_eq!(settings.timeout, Some(Duration::from_secs(6000)));
    assert_eq!(settings.cooldown_time, Duration::from_secs(5));
    assert_eq!("simple-shuffle".parse(), Ok(settings.strategy));
    let unknown = "lucky-dip".parse::<Strategy>().expect_err("no such strategy");
    let start =
        "unknown routing strategy, expected one of: `simple-shuffle` `least-busy` `usage-based-routing`";
    assert!(unknown.to_string().starts_with(start), "{unknown}");
}

#[test]
fn a_group_s_fallbacks_are_set_and_taken_back() {
    let mut map = FallbackMap::default();
    map.add("a", ["b".into()]);
    map.add("c", ["d".into()]);
    map.add("a", ["hidden".into()]);
    let shown = |map: &FallbackMap| -> Vec<String> {
        let line = |(group, targets): (&str, &[FallbackTarget])| {
            format!("{group}: {:?}", targets.iter().map(|target| &*target.model).collect::<Vec<_>>())
        };
        map.iter().map(line).collect()
    };
    map.set("a", ["x".into(), "y".into()]);
    map.set("e", ["f".into()]);
    assert_eq!(shown(&map), [r#"a: ["x", "y"]"#, r#"c: ["d"]"#, r#"e: ["f"]"#]);
    map.set("a", []);
    assert_eq!(map.of("a"), None, "no entry behind it comes to light");
    assert_eq!(shown(&map), [r#"c: ["d"]"#, r#"e: ["f"]"#]);
}
