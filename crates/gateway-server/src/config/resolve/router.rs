//! `router_settings`, and what `litellm_settings` says of retries and fallbacks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use llm_router::{Alias, AllowedFails, FallbackMap, FallbackTarget, Retries, RouterSettings};

use super::section::{count_of, number_of, text_of};
use super::{Context, Section, routing};
use crate::config::raw::{LITELLM, ROUTER};
use crate::config::source::{Node, Tree};
use crate::config::{Env, FALLBACK_LISTS, StoredEntries};

/// LiteLLM's default for `allowed_fails`: with it the ratio rules apply instead of a count (surface §7.5).
const UNTOUCHED_ALLOWED_FAILS: u32 = 3;

/// Both sections; where both give a value the router's wins, as in LiteLLM (but for the timeout, §7.6). Fallbacks
/// that are stored win over both.
pub(crate) fn resolve(
    cx: &mut Context<'_>,
    router: Option<&Node>,
    litellm: Option<&Node>,
    stored: &StoredEntries,
) -> RouterSettings {
    let mut settings = RouterSettings::default();
    of_environment(cx.env, &mut settings);
    let mut calls = Section::open(cx, "litellm_settings", litellm, LITELLM);
    common(&mut calls, &mut settings);
    settings.explain_errors = calls.flag("expose_router_debug_in_errors").unwrap_or(settings.explain_errors);
    let request_timeout = calls.seconds("request_timeout");
    let mut section = Section::open(cx, "router_settings", router, ROUTER);
    section.review();
    common(&mut section, &mut settings);
    own(&mut section, &mut settings);
    let of_env = section.cx.env.value("REQUEST_TIMEOUT").and_then(|text| text.trim().parse().ok());
    let timeout = request_timeout.or_else(|| section.seconds("timeout")).or(of_env.and_then(duration));
    settings.timeout = timeout.or(settings.timeout);
    for list in FALLBACK_LISTS {
        for (group, models) in stored.fallbacks(list) {
            list_of(&mut settings, list).set(group, models.into_iter().map(FallbackTarget::from));
        }
    }
    settings
}

/// The fallbacks of a list by its name.
fn list_of<'s>(settings: &'s mut RouterSettings, list: &str) -> &'s mut FallbackMap {
    match list {
        "context_window_fallbacks" => &mut settings.context_window_fallbacks,
        "content_policy_fallbacks" => &mut settings.content_policy_fallbacks,
        _ => &mut settings.fallbacks,
    }
}

/// Numbers that LiteLLM takes from the environment; a variable that holds no such number is as good as not set.
fn of_environment(env: &Env, settings: &mut RouterSettings) {
    let number = |name: &str| env.value(name).and_then(|text| text.trim().parse::<f64>().ok());
    let count = |name: &str| env.value(name).and_then(|text| text.trim().parse::<u32>().ok());
    let seconds = |name: &str| number(name).and_then(duration);
    let tuning = &mut settings.tuning;
    tuning.first_wait = seconds("INITIAL_RETRY_DELAY").unwrap_or(tuning.first_wait);
    tuning.longest_wait = seconds("MAX_RETRY_DELAY").unwrap_or(tuning.longest_wait);
    tuning.jitter = number("JITTER").filter(|jitter| *jitter >= 0.0).unwrap_or(tuning.jitter);
    let share = number("DEFAULT_FAILURE_THRESHOLD_PERCENT").filter(|share| (0.0..=1.0).contains(share));
    tuning.failure_share = share.unwrap_or(tuning.failure_share);
    tuning.minimum_calls =
        count("DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS").unwrap_or(tuning.minimum_calls);
    tuning.lone_calls = count("SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD").unwrap_or(tuning.lone_calls);
    settings.cooldown_time = seconds("DEFAULT_COOLDOWN_TIME_SECONDS").unwrap_or(settings.cooldown_time);
    settings.max_fallbacks = count("ROUTER_MAX_FALLBACKS").unwrap_or(settings.max_fallbacks);
}

fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// What both sections may say.
fn common(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    if let Some(retries) = section.count("num_retries") {
        settings.num_retries = retries;
    }
    if let Some(fails) = section.count("allowed_fails") {
        settings.allowed_fails = Some(fails).filter(|fails| *fails != UNTOUCHED_ALLOWED_FAILS);
    }
    if let Some(most) = section.count("max_fallbacks") {
        settings.max_fallbacks = most;
    }
    for key in FALLBACK_LISTS {
        if let Some(fallbacks) = fallbacks(section, key) {
            *list_of(settings, key) = fallbacks;
        }
    }
    if let Some(node) = section.value("default_fallbacks") {
        let path = section.path_of("default_fallbacks");
        settings.default_fallbacks = targets(section.cx, &path, node);
    }
}

/// What a key or a team may say of its own, of what this file reads.
pub(super) fn own_of_caller(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    common(section, settings);
    if let Some(retries) = section.count("max_retries").filter(|_| !section.gives("num_retries")) {
        settings.num_retries = retries;
    }
    settings.timeout = section.seconds("timeout").or(settings.timeout);
    settings.retry_after = section.seconds("retry_after").unwrap_or(settings.retry_after);
    settings.cooldown_time = section.seconds("cooldown_time").unwrap_or(settings.cooldown_time);
    settings.tag_filtering = section.flag("enable_tag_filtering").unwrap_or(settings.tag_filtering);
    policies(section, settings);
    aliases(section, settings);
    settings.weights.extend(weights(section));
}

/// Retries by class of error, of all groups and of some.
fn policies(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    if let Some(node) = section.value("retry_policy") {
        let path = section.path_of("retry_policy");
        settings.retry_policy = Some(retries(section.cx, &path, node));
    }
    if let Some(node) = section.mapping("model_group_retry_policy") {
        for member in node.members() {
            let path = format!("{}.{}", section.path_of("model_group_retry_policy"), member.key);
            let policy = retries(section.cx, &path, &member.value);
            settings.group_retry_policy.insert(member.key.clone(), policy);
        }
    }
}

/// What only `router_settings` says.
fn own(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    routing::resolve(section, settings);
    settings.stream_timeout = section.seconds("stream_timeout");
    settings.retry_after = section.seconds("retry_after").unwrap_or(settings.retry_after);
    settings.cooldown_time = section.seconds("cooldown_time").unwrap_or(settings.cooldown_time);
    settings.disable_cooldowns = section.is_on("disable_cooldowns");
    settings.weighted_failover = section.is_on("enable_weighted_failover");
    settings.default_max_parallel_requests = section.count("default_max_parallel_requests");
    settings.tag_filtering = section.is_on("enable_tag_filtering");
    settings.tag_match_any = section.flag("tag_filtering_match_any").unwrap_or(true);
    policies(section, settings);
    settings.allowed_fails_policy = allowed_fails_policy(section);
    aliases(section, settings);
    settings.weights = weights(section);
}

/// Counts by class of error, each handed to `set`, which says whether the class is known.
fn by_class(
    cx: &mut Context<'_>,
    path: &str,
    node: &Node,
    example: &str,
    mut set: impl FnMut(&str, u32) -> bool,
) {
    if !matches!(node.tree, Tree::Map(_)) {
        cx.error(path, &node.at, format!("found {}", node.kind()), "expected a mapping of counts");
    }
    for member in node.members().iter().filter(|member| !member.value.is_null()) {
        let path = format!("{path}.{}", member.key);
        let Some(count) = count_of(&member.value) else {
            let found = format!("found {}", member.value.kind());
            cx.error(&path, &member.value.at, found, "expected a whole number, zero or more");
            continue;
        };
        if !set(&member.key, count) {
            let problem =
                cx.warning(&path, &member.at, "found an unknown class of error", "it has no effect");
            problem.hint = Some(format!("classes are written like `{example}`"));
        }
    }
}

fn retries(cx: &mut Context<'_>, path: &str, node: &Node) -> Retries {
    let mut policy = Retries::default();
    by_class(cx, path, node, "RateLimitErrorRetries", |class, count| policy.set(class, count));
    policy
}

/// `allowed_fails_policy` of the router or of one deployment.
pub(crate) fn allowed_fails_policy(section: &mut Section<'_, '_, '_>) -> Option<AllowedFails> {
    let node = section.value("allowed_fails_policy")?;
    let path = section.path_of("allowed_fails_policy");
    let mut policy = AllowedFails::default();
    by_class(section.cx, &path, node, "TimeoutErrorAllowedFails", |class, count| policy.set(class, count));
    Some(policy)
}

fn fallbacks(section: &mut Section<'_, '_, '_>, key: &str) -> Option<FallbackMap> {
    const EXPECTED: &str = "expected a list of {group: [groups]}";
    let node = section.value(key)?;
    let path = section.path_of(key);
    let mut map = FallbackMap::default();
    // One mapping alone is taken for a list of one.
    let entries = if matches!(node.tree, Tree::Map(_)) { std::slice::from_ref(node) } else { node.items() };
    if !matches!(node.tree, Tree::Map(_) | Tree::List(_)) {
        section.wrong(key, node, EXPECTED);
    }
    for (index, entry) in entries.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if entry.members().is_empty() {
            section.cx.error(&path, &entry.at, format!("found {}", entry.kind()), EXPECTED);
        }
        for member in entry.members() {
            let path = format!("{path}.{}", member.key);
            map.add(member.key.as_str(), targets(section.cx, &path, &member.value));
        }
    }
    Some(map)
}

fn targets(cx: &mut Context<'_>, path: &str, node: &Node) -> Vec<FallbackTarget> {
    cx.report_unset(path, node);
    let one = std::slice::from_ref(node);
    let items = if let Tree::List(items) = &node.tree { items.as_slice() } else { one };
    let mut targets = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let model = item.member("model").and_then(Node::text).or_else(|| item.text());
        let Some(model) = model else {
            let path = format!("{path}[{index}]");
            cx.error(&path, &item.at, format!("found {}", item.kind()), "expected the name of a group");
            continue;
        };
        let mut params = item.json().as_object().cloned();
        if let Some(params) = &mut params {
            params.shift_remove("model");
        }
        targets.push(FallbackTarget { model: model.into(), params: params.map(Arc::new) });
    }
    targets
}

fn aliases(section: &mut Section<'_, '_, '_>, settings: &mut RouterSettings) {
    let Some(node) = section.mapping("model_group_alias") else { return };
    for member in node.members() {
        let path = format!("{}.{}", section.path_of("model_group_alias"), member.key);
        let model = text_of(&member.value).or_else(|| member.value.member("model").and_then(text_of));
        let Some(model) = model else {
            let found = format!("found {}", member.value.kind());
            section.cx.error(&path, &member.value.at, found, "expected a group, or {model, hidden}");
            continue;
        };
        let hidden = matches!(member.value.member("hidden").map(|node| &node.tree), Some(Tree::Flag(true)));
        settings.aliases.insert(member.key.clone(), Alias { model, hidden });
    }
}

fn weights(section: &mut Section<'_, '_, '_>) -> HashMap<String, HashMap<String, f64>> {
    let mut groups = HashMap::new();
    let Some(node) = section.mapping("weights") else { return groups };
    for group in node.members() {
        let mut shares = HashMap::new();
        for member in group.value.members() {
            match number_of(&member.value).filter(|share| *share >= 0.0) {
                Some(share) => drop(shares.insert(member.key.clone(), share)),
                None => {
                    let path = format!("{}.{}.{}", section.path_of("weights"), group.key, member.key);
                    let found = format!("found {}", member.value.kind());
                    section.cx.error(&path, &member.value.at, found, "expected a share, zero or more");
                }
            }
        }
        groups.insert(group.key.clone(), shares);
    }
    groups
}
