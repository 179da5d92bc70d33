//! How names lead to deployments.

use super::*;
use crate::Alias;
use crate::testing::{deployment, target};

fn ids(route: Option<&Route<'_>>) -> Vec<String> {
    let Some(route) = route else { return Vec::new() };
    route.group.candidates.iter().map(|one| one.deployment.id.to_string()).collect()
}

fn routes(deployments: Vec<Deployment>) -> Routes {
    let mut settings = RouterSettings::default();
    let alias = |model: &str, hidden| Alias { model: model.into(), hidden };
    settings.aliases.insert("nick".into(), alias("gpt", false));
    settings.aliases.insert("secret".into(), alias("gpt", true));
    settings.aliases.insert("wild".into(), alias("openai/o9", false));
    settings.aliases.insert("shadowed".into(), alias("gpt", false));
    let infer: InferProvider = |name| name.starts_with("gpt-").then_some(Cow::Borrowed("openai"));
    Routes::new(deployments, settings, &Counters::new(), Some(infer))
}

fn everything() -> Routes {
    let mut ours = deployment("team-1", "model_name_t1_x", "gpt-4o");
    ours.team_id = Some("t1".into());
    ours.team_public_model_name = Some("gpt".into());
    let mut team_wild = deployment("team-2", "model_name_t1_y", "*");
    team_wild.team_id = Some("t1".into());
    team_wild.team_public_model_name = Some("lab/*".into());
    let catch_all = Deployment::new("any", "*", "groq/*", target("groq", "*"));
    routes(vec![
        catch_all,
        deployment("wild", "openai/*", "*"),
        deployment("wild-4", "openai/gpt-4*", "gpt-4*"),
        deployment("d1", "gpt", "gpt-4o"),
        deployment("d2", "gpt", "gpt-4o-mini"),
        deployment("d3", "shadowed", "gpt-4o"),
        ours,
        team_wild,
    ])
}

/// §2.2: each rule of the order, with a name that could also match a later one.
#[test]
fn names_lead_to_deployments() {
    let routes = everything();
    let check = |name: &str, team: Option<&str>, expect: &[&str]| {
        assert_eq!(ids(routes.resolve(name, team).as_ref()), expect, "{name} {team:?}");
    };
    check("gpt", None, &["d1", "d2"]);
    check("gpt", Some("t1"), &["team-1"]);
    check("gpt", Some("t2"), &["d1", "d2"]);
    check("d2", None, &["d2"]);
    check("nick", None, &["d1", "d2"]);
    check("secret", None, &["d1", "d2"]);
    check("shadowed", None, &["d1", "d2"]);
    check("openai/gpt-4.1", None, &["wild-4"]);
    check("openai/o9", None, &["wild"]);
    check("wild", None, &["wild"]);
    // A bare name finds its provider's pattern.
    check("gpt-5", None, &["wild"]);
    check("gpt-4.1", None, &["wild-4"]);
    // Team patterns come after general ones and before the catch-all.
    check("lab/x", Some("t1"), &["team-2"]);
    check("lab/x", None, &["any"]);
    check("anything", None, &["any"]);
    // What a team owns has no other way in.
    check("team-1", None, &["any"]);
    check("team-1", Some("t1"), &["team-1"]);
    check("model_name_t1_x", None, &["any"]);
}

/// §2.2: without a catch-all, a deployment's own model is a name too; nothing else is.
#[test]
fn a_deployments_model_is_the_last_name() {
    let routes = routes(vec![deployment("d1", "gpt", "gpt-4o"), deployment("d2", "other", "gpt-4o")]);
    assert_eq!(ids(routes.resolve("openai/gpt-4o", None).as_ref()), ["d1", "d2"]);
    assert!(routes.resolve("openai/gpt-5", None).is_none());
    assert!(routes.resolve("wild", None).is_none(), "an alias of nothing");
}

/// §2.2: what the provider is asked for, and under which name the answer goes back.
#[test]
fn wildcards_name_the_model() {
    let routes = everything();
    let check = |name: &str, expect: &str| {
        let route = routes.resolve(name, None).expect("a route");
        assert_eq!(route.name, name);
        assert_eq!(route.model(&route.group.candidates[0].deployment), expect, "{name}");
    };
    check("openai/o9-pro/x", "o9-pro/x");
    check("openai/gpt-4.1", "gpt-4.1");
    check("gpt-5", "gpt-5");
    check("anything", "anything");
    check("gpt", "gpt-4o");
    check("d2", "gpt-4o-mini");
    let route = routes.resolve("wild", None).expect("a route");
    assert_eq!(route.model(&route.group.candidates[0].deployment), "*", "an id is no capture");
}

/// An alias that leads to a pattern keeps its name in answers; the provider gets the real one.
#[test]
fn an_alias_of_a_pattern() {
    let mut settings = RouterSettings::default();
    settings.aliases.insert("best".into(), Alias { model: "openai/o9".into(), hidden: false });
    let routes = Routes::new(vec![deployment("w", "openai/*", "*")], settings, &Counters::new(), None);
    let route = routes.resolve("best", None).expect("a route");
    assert_eq!((route.name, &*route.model(&route.group.candidates[0].deployment)), ("best", "o9"));
}

/// §2.2: aliases, then groups, then patterns as written; hidden aliases and teams' models are not shown.
#[test]
fn names_are_listed() {
    let routes = everything();
    let names: Vec<&str> = routes.names().iter().map(|name| &**name).collect();
    assert_eq!(names, ["nick", "wild", "gpt", "shadowed", "*", "openai/*", "openai/gpt-4*"]);
    assert_eq!(routes.team_names("t1"), ["gpt", "lab/*"]);
    assert!(routes.team_names("t2").is_empty());
}

/// A reload finds the counters of deployments that stayed and forgets those that went.
#[test]
fn counters_survive_a_reload() {
    let counters = Counters::new();
    let build = |ids: &[&str]| {
        let all = ids.iter().map(|id| deployment(id, "m", "gpt")).collect();
        Routes::new(all, RouterSettings::default(), &counters, None)
    };
    let before = build(&["stays", "goes"]);
    counters.of(&"stays".into()).failed(crate::Moment(5));
    let after = build(&["stays", "comes"]);
    drop(before);
    assert_eq!(counters.forget_unused(), 1);
    let state = &after.resolve("m", None).expect("a route").group.candidates[0].state;
    assert_eq!(state.this_minute(crate::Moment(5)).failures, 1);
}

/// §7.7: the name of a routing group stands for its groups; priorities make them levels; its strategy
/// holds for each of them.
#[test]
fn routing_groups() {
    let routing = crate::RoutingGroup {
        name: "fast".into(),
        models: vec!["b".into(), "a".into(), "missing".into()],
        strategy: "least-busy".parse().expect("a strategy"),
        args: crate::StrategyArgs::default(),
        priorities: [("a".to_owned(), 1), ("b".to_owned(), 2)].into(),
    };
    let settings = RouterSettings { routing_groups: vec![routing], ..RouterSettings::default() };
    let deployments = ["a", "b", "c"].map(|name| deployment(name, name, "gpt")).into();
    let routes = Routes::new(deployments, settings, &Counters::new(), None);
    let route = routes.resolve("fast", None);
    assert_eq!(ids(route.as_ref()), ["b", "a"]);
    assert_eq!(*route.expect("a route").group.levels, [1, 2]);
    assert_eq!(routes.settings().strategy_of("a").0.name, "least-busy");
    assert_eq!(routes.settings().strategy_of("c").0.name, "simple-shuffle");
    let own = routes.resolve("a", None).expect("a route");
    assert_eq!(*own.group.levels, [i64::MAX], "its own name is as before");
}

/// §7.7: how many calls a deployment takes at a time: its own word, else what its rates come to, else the default.
#[test]
fn places_by_the_first_that_says_how_many() {
    let places = |own: [Option<u64>; 3], default: Option<u32>| {
        let [parallel, rpm, tpm] = own;
        let mut one = deployment("d", "m", "gpt");
        one.max_parallel_requests = parallel.and_then(|places| places.try_into().ok());
        (one.rpm, one.tpm) = (rpm, tpm);
        let settings = RouterSettings { default_max_parallel_requests: default, ..RouterSettings::default() };
        let routes = Routes::new(vec![one], settings, &Counters::new(), None);
        routes.resolve("m", None).expect("a route").group.candidates[0].parallel_limit
    };
    assert_eq!(places([Some(3), Some(9), Some(60_000)], Some(5)), Some(3));
    assert_eq!(places([None, Some(9), Some(60_000)], Some(5)), Some(9));
    assert_eq!(places([None, None, Some(60_000)], Some(5)), Some(10), "a sixth of the thousands of tokens");
    assert_eq!(places([None, None, None], Some(5)), Some(5));
    assert_eq!(places([None, None, Some(100)], None), Some(1), "never none");
    assert_eq!(places([None, None, None], None), None);
}

/// A key's own `latency-based-routing` finds latencies to go by, where the router itself keeps none.
#[test]
fn what_other_settings_go_by_is_kept_from_when_they_are_known() {
    let counters = Counters::new();
    let members = vec![deployment("a", "m", "gpt")];
    let routes = Routes::new(members, RouterSettings::default(), &counters, None);
    let state = counters.of(&"a".into());
    let kept = || {
        let now = crate::Moment(9);
        state.measures.ended(std::time::Duration::from_secs(1), 1, now);
        state.latencies(false, std::time::Duration::from_secs(60), now).count()
    };
    assert_eq!(kept(), 0);
    let strategy = "latency-based-routing".parse().expect("a strategy");
    routes.watch_for(&RouterSettings { strategy, ..RouterSettings::default() });
    assert_eq!((kept(), kept()), (1, 2));
}
