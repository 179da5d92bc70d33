//! What a caller asks of the router for one call (`router_settings_override`). LiteLLM surface §6.3.

use std::sync::Arc;

use llm_router::{Controls, Fallbacks, RouterSettings};
use llm_types::{Error, Result};
use serde_json::Value;

use super::Call;
use crate::config::{is_empty, overridden};

const NAME: &str = "router_settings_override";

/// What a key or its team says of retries and times counts as if the call said it: it wins over what deployments say.
pub(super) fn as_of_call(controls: &mut Controls, own: [Option<&Value>; 2], settings: &RouterSettings) {
    let says =
        |name: &str| own.iter().flatten().any(|own| own.get(name).is_some_and(|value| !is_empty(value)));
    if says("num_retries") || says("max_retries") {
        controls.num_retries = controls.num_retries.or(Some(settings.num_retries));
    }
    if says("timeout") {
        controls.timeout = controls.timeout.or(settings.timeout);
    }
}

/// Takes over what the caller asks; what it says elsewhere of the same thing stands. Fallbacks and times are
/// the caller's own then: they are checked against its models, and a time that passes rests nobody.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] naming what is wrong.
pub(super) fn override_settings(call: &mut Call, asked: &Value) -> Result<()> {
    if !asked.is_object() {
        return Err(Error::bad_param(
            NAME,
            format!("`{NAME}`: expected a mapping of settings, found `{asked}`"),
        ));
    }
    let settings = overridden(call.snapshot.routes().settings(), asked).map_err(|problems| {
        let told = problems
            .iter()
            .map(|problem| format!("{}: {}, {}", problem.path, problem.found, problem.expected));
        let told: Vec<String> = told.collect();
        Error::bad_param(NAME, format!("`{NAME}`: {}", told.join("; ")))
    })?;
    let says = |name: &str| asked.get(name).is_some_and(|value| !is_empty(value));
    if says("routing_strategy") {
        call.snapshot.routes().watch_for(&settings);
    }
    let controls = &mut call.controls;
    for (name, slot, map) in [
        ("fallbacks", &mut controls.fallbacks, &settings.fallbacks),
        (
            "context_window_fallbacks",
            &mut controls.context_window_fallbacks,
            &settings.context_window_fallbacks,
        ),
        (
            "content_policy_fallbacks",
            &mut controls.content_policy_fallbacks,
            &settings.content_policy_fallbacks,
        ),
    ] {
        if says(name) && slot.is_none() {
            *slot = Some(Fallbacks::Map(map.clone()));
        }
    }
    if says("num_retries") || says("max_retries") {
        controls.num_retries = controls.num_retries.or(Some(settings.num_retries));
    }
    if says("timeout") {
        controls.timeout = controls.timeout.or(settings.timeout);
    }
    if says("stream_timeout") {
        controls.stream_timeout = controls.stream_timeout.or(settings.stream_timeout);
    }
    controls.settings = Some(Arc::new(settings));
    Ok(())
}
