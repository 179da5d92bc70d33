//! How deployments are picked: strategies with their options, groups with strategies of their own, checks.

use std::collections::HashMap;
use std::time::Duration;

use llm_router::{
    AffinityKinds, Fairness, Hedging, Outliers, RouterSettings, RoutingGroup, Strategy, StrategyArgs,
    strategies,
};

use super::section::{count_of, number_of, text_of};
use super::{Context, Section};
use crate::config::raw::nearest;
use crate::config::source::{Node, Tree};

/// Seconds.
const DAY: f64 = 86_400.0;

/// Names under which LiteLLM users know nothing, but which mean the order of groups by number.
const PRIORITY: &str = "priority";

/// Checks of `optional_pre_call_checks` that are served, and those that need nothing: what they ask for
/// always holds here.
const CHECKS: &[&str] = &[
    "enforce_model_rate_limits",
    "prompt_caching",
    "session_affinity",
    "deployment_affinity",
    "responses_api_deployment_check",
    "encrypted_content_affinity",
    "router_budget_limiting",
    "forward_client_headers_by_model_group",
];

/// Reads what `router_settings` say of picking deployments.
pub(super) fn resolve(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    settings.strategy = strategy(section);
    if let Some(node) = section.mapping("routing_strategy_args") {
        let path = section.path_of("routing_strategy_args");
        settings.strategy_args = args(section.cx, &path, node);
    }
    settings.routing_groups = groups(section);
    settings.tag_prefix = section.text("tag_routing_prefix").unwrap_or_default();
    settings.pre_call_checks = section.is_on("enable_pre_call_checks");
    settings.health_routing = section.is_on("enable_health_check_routing");
    settings.default_priority = section.integer("default_priority");
    checks(section, settings);
    settings.hedging = hedging(section);
    settings.outliers = outliers(section);
    settings.mid_stream_failover = section.is_on("mid_stream_failover");
    settings.tenants = section.choice("tenant_fairness", &[("key", Fairness::Key), ("team", Fairness::Team)]);
    if let Some(ttl) = section.seconds("deployment_affinity_ttl_seconds") {
        settings.affinity_ttl = ttl;
    }
    group_affinity(section, settings);
}

/// What a key or a team may say of its own, of what this file reads.
pub(super) fn own_of_caller(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    if section.gives("routing_strategy") {
        settings.strategy = strategy(section);
    }
    if let Some(node) = section.mapping("routing_strategy_args") {
        let path = section.path_of("routing_strategy_args");
        settings.strategy_args = args(section.cx, &path, node);
    }
    if section.gives("routing_groups") {
        settings.routing_groups = groups(section);
    }
    settings.tag_prefix =
        section.text("tag_routing_prefix").unwrap_or(std::mem::take(&mut settings.tag_prefix));
    checks(section, settings);
    group_affinity(section, settings);
}

/// What keeps calls of some groups at a deployment.
fn group_affinity(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    if let Some(node) = section.mapping("model_group_affinity_config") {
        let path = section.path_of("model_group_affinity_config");
        for member in node.members() {
            let kinds = affinity(section.cx, &format!("{path}.{}", member.key), &member.value);
            settings.group_affinity.insert(member.key.clone(), kinds);
        }
    }
}

/// `hedging`: a setting of ours; what it does not say is as [`Hedging::default`].
fn hedging(section: &mut Section<'_, '_, '_>) -> Option<Hedging> {
    let mut hedging = Hedging::default();
    let slots = &mut [("percentile", 100.0, &mut hedging.percentile), ("budget", 1.0, &mut hedging.budget)];
    numbers(section, "hedging", slots)?;
    Some(hedging)
}

/// `outlier_detection`: a setting of ours; what it does not say is as [`Outliers::default`].
fn outliers(section: &mut Section<'_, '_, '_>) -> Option<Outliers> {
    let mut outliers = Outliers::default();
    let slots = &mut [
        ("interval", DAY, &mut outliers.interval),
        ("min_requests", f64::INFINITY, &mut outliers.min_requests),
        ("max_ejected", 1.0, &mut outliers.max_ejected),
        ("ejection_time", DAY, &mut outliers.ejection_time),
        ("max_ejection_time", DAY, &mut outliers.max_ejection_time),
        ("error_rate", 1.0, &mut outliers.error_rate),
        ("error_factor", f64::INFINITY, &mut outliers.error_factor),
        ("latency_factor", f64::INFINITY, &mut outliers.latency_factor),
    ];
    numbers(section, "outlier_detection", slots)?;
    Some(outliers)
}

/// A mapping of numbers: the names it may have, the largest value of each, and where it goes. Nothing where
/// it is not set.
fn numbers(section: &mut Section<'_, '_, '_>, name: &str, slots: &mut [(&str, f64, &mut f64)]) -> Option<()> {
    let node = section.mapping(name)?;
    let path = section.path_of(name);
    for member in node.members() {
        let Some((_, most, slot)) = slots.iter_mut().find(|(name, ..)| member.key == *name) else {
            let names: Vec<String> = slots.iter().map(|(name, ..)| format!("`{name}`")).collect();
            let found = format!("found `{}`, expected {}", member.key, names.join(", "));
            section.cx.warning(&path, &member.at, found, "it has no effect");
            continue;
        };
        match number_of(&member.value).filter(|number| (0.0..=*most).contains(number)) {
            Some(number) => **slot = number,
            None => {
                let (path, at) = (format!("{path}.{}", member.key), &member.value.at);
                let found = format!("found {}", member.value.kind());
                let up_to = if most.is_finite() { format!(" to {most}") } else { " up".to_owned() };
                section.cx.error(&path, at, found, format!("expected a number from 0{up_to}"));
            }
        }
    }
    Some(())
}

/// Switches a kind of affinity on; says whether it is one.
fn is_affinity(name: &str, kinds: &mut AffinityKinds) -> bool {
    match name {
        "prompt_caching" => set(&mut kinds.prompt, true),
        "session_affinity" => set(&mut kinds.session, true),
        "deployment_affinity" => set(&mut kinds.caller, true),
        "encrypted_content_affinity" => set(&mut kinds.sealed, true),
        _ => false,
    }
}

/// The kinds of affinity of one group.
fn affinity(cx: &mut Context<'_>, path: &str, node: &Node) -> AffinityKinds {
    let mut kinds = AffinityKinds::default();
    if !matches!(node.tree, Tree::List(_)) {
        cx.error(path, &node.at, format!("found {}", node.kind()), "expected a list of kinds of affinity");
    }
    for item in node.items() {
        let name = text_of(item).unwrap_or_default();
        if !is_affinity(&name, &mut kinds) && name != "responses_api_deployment_check" {
            let known =
                "`prompt_caching`, `session_affinity`, `deployment_affinity`, `encrypted_content_affinity`";
            cx.warning(path, &item.at, format!("found `{name}`, expected {known}"), "it has no effect");
        }
    }
    kinds
}

fn strategy(section: &mut Section<'_, '_, '_>) -> Strategy {
    let Some(node) = section.value("routing_strategy") else { return Strategy::default() };
    let path = section.path_of("routing_strategy");
    named(section.cx, &path, node).unwrap_or_default()
}

/// A strategy by its name; anything else is an error.
fn named(cx: &mut Context<'_>, path: &str, node: &Node) -> Option<Strategy> {
    let name = node.text().unwrap_or_default();
    if let Ok(strategy) = name.parse() {
        return Some(strategy);
    }
    let all = strategies::ALL.iter().map(|strategy| strategy.name);
    let near = nearest(name, all.clone());
    let expected: Vec<String> = all.map(|name| format!("`{name}`")).collect();
    let found = if name.is_empty() { node.kind().to_owned() } else { format!("`{name}`") };
    let expected = format!("expected one of {}", expected.join(", "));
    let problem = cx.error(path, &node.at, format!("found {found}"), expected);
    // LiteLLM takes a Python object here, which is named by its module.
    let python = name.contains('.') || name.contains(':');
    let instead = || {
        "Python is not run here: write `custom`, and the URL of a program that picks under `routing_webhook` \
         (docs/guide/routing-webhook.md)"
            .to_owned()
    };
    problem.hint = near.map(|near| format!("did you mean `{near}`?")).or_else(|| python.then(instead));
    None
}

/// Options of a strategy. LiteLLM surface §7.2.
fn args(cx: &mut Context<'_>, path: &str, node: &Node) -> StrategyArgs {
    let mut args = StrategyArgs::default();
    for member in node.members().iter().filter(|member| !member.value.is_null()) {
        let (at, value) = (&member.value.at, &member.value);
        let number = number_of(value).filter(|number| *number >= 0.0);
        let known = match (member.key.as_str(), number) {
            ("ttl", Some(seconds)) => Duration::try_from_secs_f64(seconds).map(|ttl| args.ttl = ttl).is_ok(),
            ("lowest_latency_buffer", Some(share)) => set(&mut args.latency_buffer, share),
            ("max_latency_list_size", Some(_)) => match count_of(value) {
                Some(size) => set(&mut args.latencies, size),
                None => false,
            },
            // LiteLLM takes 0 to 1, and so may be what is above it a percentage.
            ("ttft_percentile", Some(percentile)) => {
                let percentage = if percentile <= 1.0 { percentile * 100.0 } else { percentile };
                set(&mut args.first_byte_percentile, Some(percentage))
            }
            ("confidence_threshold_low", Some(share)) => set(&mut args.confidence[0], share),
            ("confidence_threshold_medium", Some(share)) => set(&mut args.confidence[1], share),
            ("confidence_threshold_high", Some(share)) => set(&mut args.confidence[2], share),
            (key, None) if KNOWN_ARGS.contains(&key) => false,
            (key, _) => {
                let path = format!("{path}.{key}");
                let problem = cx.warning(&path, &member.at, "found an unknown option", "it has no effect");
                problem.hint =
                    nearest(key, KNOWN_ARGS.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                continue;
            }
        };
        if !known {
            let path = format!("{path}.{}", member.key);
            cx.error(&path, at, format!("found {}", value.kind()), "expected a number, zero or more");
        }
    }
    args
}

const KNOWN_ARGS: &[&str] = &[
    "ttl",
    "lowest_latency_buffer",
    "max_latency_list_size",
    "ttft_percentile",
    "confidence_threshold_low",
    "confidence_threshold_medium",
    "confidence_threshold_high",
];

fn set<T>(slot: &mut T, value: T) -> bool {
    *slot = value;
    true
}

/// `routing_groups`: strategies for some groups.
fn groups(section: &mut Section<'_, '_, '_>) -> Vec<RoutingGroup> {
    let Some(node) = section.value("routing_groups") else { return Vec::new() };
    if !matches!(node.tree, Tree::List(_)) {
        section.wrong("routing_groups", node, "expected a list of {group_name, models, routing_strategy}");
    }
    let path = section.path_of("routing_groups");
    let entries = node.items().iter().enumerate();
    entries.filter_map(|(index, entry)| group(section.cx, &format!("{path}[{index}]"), entry)).collect()
}

fn group(cx: &mut Context<'_>, path: &str, entry: &Node) -> Option<RoutingGroup> {
    let models: Vec<String> =
        entry.member("models").map(Node::items).unwrap_or_default().iter().filter_map(text_of).collect();
    let name = entry.member("group_name").and_then(text_of);
    let (Some(name), false) = (name, models.is_empty()) else {
        let expected = "expected a mapping with `group_name` and a list of `models`";
        cx.error(path, &entry.at, format!("found {}", entry.kind()), expected);
        return None;
    };
    let strategy = match entry.member("routing_strategy").filter(|node| !node.is_null()) {
        None => Strategy::default(),
        Some(node) if node.text() == Some(PRIORITY) => Strategy::default(),
        Some(node) => named(cx, &format!("{path}.routing_strategy"), node)?,
    };
    let options = entry.member("routing_strategy_args").filter(|node| !node.is_null());
    let args = options.map(|node| args(cx, &format!("{path}.routing_strategy_args"), node));
    let mut priorities = HashMap::new();
    for member in entry.member("model_priorities").map(Node::members).unwrap_or_default() {
        match count_of::<u32>(&member.value) {
            Some(number) => drop(priorities.insert(member.key.clone(), i64::from(number))),
            None => {
                let path = format!("{path}.model_priorities.{}", member.key);
                let found = format!("found {}", member.value.kind());
                cx.error(&path, &member.value.at, found, "expected a whole number, zero or more");
            }
        }
    }
    Some(RoutingGroup { name, models, strategy, args: args.unwrap_or_default(), priorities })
}

/// `optional_pre_call_checks`: each is served, holds anyway, or is warned of.
fn checks(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    for check in section.texts("optional_pre_call_checks") {
        match check.as_str() {
            "enforce_model_rate_limits" => settings.enforce_limits = true,
            kind if is_affinity(kind, &mut settings.affinity) => {}
            // A reply that goes on from an earlier one is always asked where that is kept, budgets always hold,
            // and `model_group_settings` alone says whose headers go on.
            "responses_api_deployment_check"
            | "router_budget_limiting"
            | "forward_client_headers_by_model_group" => {}
            _ => {
                let (path, at) =
                    (section.path_of("optional_pre_call_checks"), section.at("optional_pre_call_checks"));
                let problem = section.cx.warning(
                    &path,
                    &at,
                    format!("found `{check}`"),
                    "it is not served: it has no effect",
                );
                problem.hint =
                    nearest(&check, CHECKS.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
