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
    // The configuration of these tests has none of the models.
    assert!(problems.iter().all(|problem| problem.contains("a name that no model has")), "{problems:?}");
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

/// Surface §7.3, §7.5: numbers that LiteLLM takes from the environment; settings of the file win.
#[test]
fn numbers_of_the_environment() {
    let read = |file: &str, variables: &[(&str, &str)]| {
        let env: Env = variables.iter().copied().chain([("LITELLM_MASTER_KEY", "sk-of-this-test")]).collect();
        parse(file, &env, &Registry::built_in()).config.expect("a configuration").router
    };
    let variables = [
        ("INITIAL_RETRY_DELAY", "0.1"),
        ("MAX_RETRY_DELAY", "2"),
        ("JITTER", "0"),
        ("DEFAULT_FAILURE_THRESHOLD_PERCENT", "0.25"),
        ("DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS", "3"),
        ("SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD", "20"),
        ("DEFAULT_COOLDOWN_TIME_SECONDS", "11"),
        ("ROUTER_MAX_FALLBACKS", "2"),
    ];
    let told = read("model_list: []", &variables);
    let tuning = llm_router::Tuning {
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_secs(2),
        jitter: 0.0,
        failure_share: 0.25,
        minimum_calls: 3,
        lone_calls: 20,
    };
    assert_eq!((told.tuning, told.cooldown_time, told.max_fallbacks), (tuning, Duration::from_secs(11), 2));
    let over = read("router_settings: {cooldown_time: 4, max_fallbacks: 3}", &variables);
    assert_eq!((over.cooldown_time, over.max_fallbacks), (Duration::from_secs(4), 3));
    let wrong = [("JITTER", "-1"), ("DEFAULT_FAILURE_THRESHOLD_PERCENT", "50"), ("MAX_RETRY_DELAY", "soon")];
    assert_eq!(read("model_list: []", &wrong), RouterSettings::default());
}

/// `custom` needs a program; what names Python is told what to write instead.
#[test]
fn strategies_of_the_operators_own() {
    let (told, problems) =
        settings("routing_strategy: custom\nrouting_webhook: {url: 'http://127.0.0.1:9/route'}");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(told.expect("a configuration").strategy.name, "custom");
    for (text, problem) in [
        (
            "routing_strategy: custom",
            "error router_settings.routing_strategy: found the strategy `custom` without `routing_webhook`",
        ),
        (
            "routing_webhook: {url: 'http://127.0.0.1:9/'}",
            "warning router_settings.routing_webhook: found no strategy `custom`",
        ),
        (
            "routing_strategy: custom\nrouting_webhook: {url: my_module.pick}",
            "error router_settings.routing_webhook.url: found `my_module.pick`",
        ),
        (
            "routing_strategy: custom\nrouting_webhook: {secret: s}",
            "error router_settings.routing_webhook.url: found no `url`",
        ),
        (
            "routing_strategy: my_module.MyStrategy",
            "error router_settings.routing_strategy: found `my_module.MyStrategy`",
        ),
    ] {
        assert_eq!(settings(text).1, [problem], "{text}");
    }
    let file = "general_settings: {master_key: sk-of-this-test-0000}\nrouter_settings: {routing_strategy: my_module.MyStrategy}";
    let loaded = parse(file, &Env::default(), &Registry::built_in());
    let hint = loaded.problems[0].hint.as_deref().unwrap_or_default();
    assert!(hint.contains("Python is not run here") && hint.contains("routing_webhook"), "{hint}");
}
