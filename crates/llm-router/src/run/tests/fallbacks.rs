//! Which group answers when one cannot, and which error is shown when none can.

use super::*;

/// §7.4: the group's entry, nested ones, then siblings; the answer names the group that gave it.
#[test]
fn fallbacks_go_deep_before_wide() {
    let bench = Bench::new(chain(), settings(&[("a", &["b", "c"]), ("b", &["d", "a"]), ("d", &["b"])]));
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let script: Script = |id, _| if id == "c" { Ok("hi") } else { http_500() };
    let done = bench.run(Request::new("a", &controls), script).expect("an answer");
    assert_eq!((done.group, done.report.fallbacks), ("c", 3));
    let errors: Vec<&str> = done.report.errors.iter().map(|one| one.group.as_str()).collect();
    assert_eq!(errors, ["a", "b", "d"]);
    drop(done);
    assert_eq!(bench.calls(), ["a", "b", "d", "c"]);
}

/// §7.4: all fail: the error of the requested group, with what was tried.
#[test]
fn the_original_error_is_shown() {
    let bench = Bench::new(chain(), settings(&[("a", &["b", "nowhere"])]));
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let script: Script =
        |id, _| if id == "a" { http_500() } else { Err(upstream(ErrorKind::Overloaded, 503)) };
    let failed = bench.run(Request::new("a", &controls), script).expect_err("an error");
    assert_eq!(failed.error.message(), "upstream says 500");
    assert!(failed.message().ends_with("and so did its fallbacks: b, nowhere."), "{}", failed.message());
    assert_eq!(failed.report.fallbacks, 2);
    assert_eq!(failed.deployment.map(|one| one.id.as_str()), Some("b"));
}

/// §7.4: `*` for groups without an entry, then `default_fallbacks`; none found is said so.
#[test]
fn entries_for_all_groups() {
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let script: Script = |id, _| if id == "a" { http_500() } else { Ok("hi") };
    let answered = |settings: RouterSettings, expect: &str| {
        let bench = Bench::new(chain(), settings);
        let done = bench.run(Request::new("a", &controls), script).expect("an answer");
        assert_eq!(done.group, expect);
    };
    answered(settings(&[("*", &["d"]), ("a", &["b"])]), "b");
    answered(settings(&[("b", &["c"]), ("*", &["d"])]), "d");
    answered(settings(&[("openai/a", &["e"])]), "e");
    let defaults = RouterSettings { default_fallbacks: vec!["c".into()], ..settings(&[("b", &["d"])]) };
    answered(defaults, "c");
    let bench = Bench::new(chain(), settings(&[("b", &["c"]), ("d", &["c"])]));
    let failed = bench.run(Request::new("a", &controls), script).expect_err("an error");
    assert!(failed.message().contains("Fallbacks are configured for: b, d."), "{}", failed.message());
}

/// §7.4: context-window and content-policy lists, and what happens without an entry.
#[test]
fn fallbacks_by_class() {
    let controls = Controls::default();
    let script: Script = |id, _| match id {
        "a" => Err(upstream(ErrorKind::ContextTooLong, 400)),
        "b" => Err(upstream(ErrorKind::ContentFiltered, 400)),
        _ => Ok("hi"),
    };
    let mut special = settings(&[("*", &["e"])]);
    special.context_window_fallbacks.add("a", [FallbackTarget::from("c")]);
    special.content_policy_fallbacks.add("other", [FallbackTarget::from("d")]);
    let bench = Bench::new(chain(), special);
    assert_eq!(bench.run(Request::new("a", &controls), script).expect("an answer").group, "c");
    assert!(bench.run(Request::new("b", &controls), script).is_err(), "configured without an entry");
    let bench = Bench::new(chain(), settings(&[("*", &["e"])]));
    assert_eq!(bench.run(Request::new("b", &controls), script).expect("an answer").group, "e");
}

/// §6.3: the caller's list replaces the configured ones; §4.5: only groups it may use.
#[test]
fn callers_choose_fallbacks() {
    let list = Fallbacks::List(vec!["a".into(), "b".into(), "c".into()]);
    let controls = Controls { num_retries: Some(0), fallbacks: Some(list), ..Controls::default() };
    let bench = Bench::new(chain(), settings(&[("a", &["e"])]));
    let script: Script = |id, _| if id == "a" { http_500() } else { Ok("hi") };
    let allowed = |name: &str| name != "b";
    let request = Request { may_use: Some(&allowed), ..Request::new("a", &controls) };
    assert_eq!(bench.run(request, script).expect("an answer").group, "c");
    let stay = Controls { stay_in_group: true, ..controls.clone() };
    assert!(bench.run(Request::new("a", &stay), script).is_err());
}

/// A fallback that stands for others leads to the group that it names, with what that sets; nobody to ask leaves
/// it out.
#[test]
fn a_fallback_may_stand_for_others() {
    let mut auto = deployment("auto", "smart", "any");
    auto.auto = Some(Arc::new(crate::auto::AutoRouter::Adaptive(crate::auto::Adaptive::default())));
    let members = vec![deployment("a1", "a", "gpt"), auto, deployment("c1", "c", "gpt")];
    let bench = Bench::new(members, settings(&[("a", &["smart"])]));
    let params = Arc::new(Map::from_iter([("temperature".to_owned(), 1.into())]));
    let named = crate::auto::Choice { model: "c".into(), params: Some(params) };
    let stand_in = |auto: &Arc<Deployment>| (auto.id.as_str() == "auto").then_some(&named);
    let controls = Controls { num_retries: Some(0), ..Controls::default() };
    let request = Request { stand_in: Some(&stand_in), ..Request::new("a", &controls) };
    let script: Script = |id, _| if id == "c1" { Ok("hi") } else { http_500() };
    let done = bench.run(request, script).expect("an answer");
    assert_eq!((done.group, done.report.fallbacks), ("c", 1));
    drop(done);
    assert_eq!(bench.calls(), ["a1", "c1"]);
    assert!(bench.run(Request::new("a", &controls), script).is_err());
    assert_eq!(bench.calls(), ["a1"]);
}

/// §7.4 step 2: failover inside a group goes by the strategy of that group, also where it is a routing group's.
#[test]
fn failover_goes_by_the_groups_own_strategy() {
    let of = |router: &str, group: &str| {
        let routing = crate::RoutingGroup {
            name: "some".into(),
            models: vec!["m".into()],
            strategy: group.parse().expect("a strategy"),
            args: crate::strategies::StrategyArgs::default(),
            priorities: std::collections::HashMap::new(),
        };
        let strategy = router.parse().expect("a strategy");
        let base = RouterSettings { weighted_failover: true, strategy, ..RouterSettings::default() };
        let settings = RouterSettings { routing_groups: vec![routing], ..base };
        let bench = Bench::new(vec![deployment("a", "m", "gpt"), deployment("b", "m", "gpt")], settings);
        let controls = Controls { num_retries: Some(0), seed: Some(1), ..Controls::default() };
        drop(bench.run(Request::new("m", &controls), |_, _| http_500()));
        bench.calls().len()
    };
    assert_eq!((of("simple-shuffle", "simple-shuffle"), of("least-busy", "simple-shuffle")), (2, 2));
    assert_eq!(of("simple-shuffle", "least-busy"), 1);
}

/// A message that is a sentence already is not given a second full stop.
#[test]
fn what_is_added_to_a_sentence_is_one_more() {
    let mut paused = deployment("a", "m", "gpt");
    paused.blocked = true;
    let bench = Bench::new(vec![paused], RouterSettings::default());
    let controls = Controls::default();
    let failed = bench.run(Request::new("m", &controls), |_, _| Ok("hi")).expect_err("an error");
    assert!(failed.message().contains("cannot accept requests. LiteLLM: model"), "{}", failed.message());
}
