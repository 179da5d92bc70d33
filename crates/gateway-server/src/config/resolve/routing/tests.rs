//! What router settings come to.

use std::time::Duration;

use llm_router::RouterSettings;

use crate::config::{Env, Registry, Severity, parse};

/// The settings of a text of `router_settings`, and its problems as `path: found`.
fn settings(text: &str) -> (Option<RouterSettings>, Vec<String>) {
    let lines: String = text.lines().map(|line| format!("  {line}\n")).collect();
    let file = format!("general_settings: {{master_key: sk-of-this-test-0000}}\nrouter_settings:\n{lines}");
    let loaded = parse(&file, &Env::default(), &Registry::built_in());
    let shown = |problem: &crate::config::Problem| {
        let kind = if problem.severity == Severity::Error { "error" } else { "warning" };
        format!("{kind} {}: {}", problem.path, problem.found)
    };
    (loaded.config.map(|config| config.router), loaded.problems.iter().map(shown).collect())
}

#[test]
fn strategies_and_their_options() {
    let (settings, problems) = settings(
        "routing_strategy: latency-based-routing\nrouting_strategy_args: {ttl: 60, lowest_latency_buffer: 0.5, max_latency_list_size: 3, ttft_percentile: 0.9}\nenable_pre_call_checks: true\noptional_pre_call_checks: [enforce_model_rate_limits]\ntag_routing_prefix: 'route:'\ndefault_priority: 5\nhedging: {percentile: 90}\nmid_stream_failover: true\noutlier_detection: {max_ejected: 0.5, interval: 2}",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let settings = settings.expect("a configuration");
    assert_eq!(settings.strategy.name, "latency-based-routing");
    let args = &settings.strategy_args;
    assert_eq!((args.ttl, args.latency_buffer, args.latencies), (Duration::from_secs(60), 0.5, 3));
    assert_eq!(args.first_byte_percentile, Some(90.0));
    assert_eq!(settings.hedging, Some(llm_router::Hedging { percentile: 90.0, budget: 0.05 }));
    assert!(settings.mid_stream_failover);
    let outliers =
        llm_router::Outliers { max_ejected: 0.5, interval: 2.0, ..llm_router::Outliers::default() };
    assert_eq!(settings.outliers, Some(outliers));
    assert!(settings.pre_call_checks && settings.enforce_limits);
    assert_eq!((settings.tag_prefix.as_str(), settings.default_priority), ("route:", Some(5)));
}

#[test]
fn groups_of_groups() {
    let (settings, problems) = settings(
        "routing_groups:\n  - {group_name: fast, models: [a, b], routing_strategy: least-busy}\n  - {group_name: chain, models: [a, c], routing_strategy: priority, model_priorities: {a: 2, c: 1}}",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let groups = settings.expect("a configuration").routing_groups;
    assert_eq!((groups[0].name.as_str(), groups[0].strategy.name), ("fast", "least-busy"));
    assert_eq!((groups[1].priorities["a"], groups[1].priorities["c"]), (2, 1));
}

#[test]
fn what_is_wrong_is_told() {
    let check = |text: &str, expect: &str| {
        let (_, problems) = settings(text);
        assert!(problems.iter().any(|problem| problem.starts_with(expect)), "{text}: {problems:?}");
    };
    check("routing_strategy: least-bussy", "error router_settings.routing_strategy: found `least-bussy`");
    check(
        "routing_strategy_args: {ttl: soon}",
        "error router_settings.routing_strategy_args.ttl: found text",
    );
    check(
        "routing_strategy_args: {tll: 1}",
        "warning router_settings.routing_strategy_args.tll: found an unknown",
    );
    check("hedging: {budget: 2}", "error router_settings.hedging.budget: found a number");
    check(
        "outlier_detection: {max_ejected: 2}",
        "error router_settings.outlier_detection.max_ejected: found a number",
    );
    check("outlier_detection: {factor: 2}", "warning router_settings.outlier_detection: found `factor`");
    check("hedging: {delay: 2}", "warning router_settings.hedging: found `delay`");
    check("routing_groups: [{models: [a]}]", "error router_settings.routing_groups[0]: found a mapping");
    check(
        "optional_pre_call_checks: [crystal_ball]",
        "warning router_settings.optional_pre_call_checks: found `crystal_ball`",
    );
}
