//! `router_settings` of one key or team, laid over those of the file. LiteLLM surface §2.6.

use std::time::Duration;

use llm_router::RouterSettings;
use serde_json::Value;

use super::{Context, Section, router, routing};
use crate::config::raw::ROUTER;
use crate::config::source::{Env, read_text};
use crate::config::{Problem, Severity};

/// The settings that a key or a team may have of its own.
const OWN: &[&str] = &[
    "routing_strategy",
    "routing_strategy_args",
    "routing_groups",
    "retry_policy",
    "model_group_retry_policy",
    "model_group_affinity_config",
    "allowed_fails",
    "cooldown_time",
    "num_retries",
    "max_retries",
    "timeout",
    "retry_after",
    "fallbacks",
    "context_window_fallbacks",
    "model_group_alias",
    "enable_tag_filtering",
    "weights",
    "tag_routing_prefix",
    "optional_pre_call_checks",
];

/// The settings that one request may have of its own: what changes the way of this call only, and nothing that
/// rests a deployment or leads to another model.
const OF_REQUEST: &[&str] = &[
    "routing_strategy",
    "routing_strategy_args",
    "retry_policy",
    "model_group_retry_policy",
    "num_retries",
    "max_retries",
    "timeout",
    "stream_timeout",
    "retry_after",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "enable_tag_filtering",
];

/// The settings with what a key or a team says over them; what it leaves open, says as null or as nothing stays.
///
/// # Errors
/// What is wrong with it: nothing is laid over then.
pub(crate) fn overlaid(base: &RouterSettings, own: &Value) -> Result<RouterSettings, Vec<Problem>> {
    laid_over(base, own, OWN)
}

/// The settings with what a request says over them (`router_settings_override`).
///
/// # Errors
/// What is wrong with it.
pub(crate) fn overridden(base: &RouterSettings, own: &Value) -> Result<RouterSettings, Vec<Problem>> {
    let mut settings = laid_over(base, own, OF_REQUEST)?;
    // What the operator says no caller takes back.
    settings.tag_filtering |= base.tag_filtering;
    if let Some(seconds) = own.get("stream_timeout").and_then(Value::as_f64) {
        settings.stream_timeout = Duration::try_from_secs_f64(seconds).ok();
    }
    Ok(settings)
}

fn laid_over(base: &RouterSettings, own: &Value, names: &[&str]) -> Result<RouterSettings, Vec<Problem>> {
    let said = own.as_object().cloned().unwrap_or_default();
    let said = said.into_iter().filter(|(name, value)| names.contains(&name.as_str()) && !is_empty(value));
    let text = Value::Object(said.collect()).to_string();
    let env = Env::default();
    let mut problems = Vec::new();
    let node = read_text(&text, &"router_settings".into(), &mut problems);
    let mut cx = Context::new(&env);
    let mut section = Section::open(&mut cx, "router_settings", node.as_ref(), ROUTER);
    let mut settings = base.clone();
    router::own_of_caller(&mut section, &mut settings);
    routing::own_of_caller(&mut section, &mut settings);
    problems.append(&mut cx.problems);
    problems.retain(|problem| problem.severity == Severity::Error);
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// Whether a value says nothing: LiteLLM's dashboard stores all settings, most of them empty.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
