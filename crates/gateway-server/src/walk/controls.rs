//! What a call asks of the gateway and not of its provider: by headers that speak to it, and by members of the body.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use llm_providers::dialect::Control;
use llm_router::{Controls, FallbackMap, FallbackTarget, Fallbacks, MockFailure};
use llm_types::{Error, ErrorKind, Result};
use serde_json::Value;

use super::Call;
use crate::config::{is_empty, pause};

impl Call {
    /// What request headers ask of the router (surface §6.2).
    pub(super) fn read_headers(&mut self) {
        let headers = &self.head.headers;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let seconds = |name: &str| text(name).and_then(|value| value.parse::<f64>().ok()).and_then(duration);
        self.controls.num_retries = text("x-litellm-num-retries").and_then(|value| value.parse().ok());
        self.controls.timeout = seconds("x-litellm-timeout");
        self.controls.stream_timeout = seconds("x-litellm-stream-timeout");
        self.keepalive =
            text("x-litellm-keepalive-seconds").and_then(|value| value.parse().ok()).and_then(silence);
        self.controls.priority = text("x-litellm-priority").and_then(|value| value.parse().ok());
        if let Some(tags) = text("x-litellm-tags") {
            self.tags =
                tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
        }
    }

    /// What members of the body ask of the gateway (surface §6.3).
    pub(super) fn read_controls(&mut self) -> Result<()> {
        let controls = std::mem::take(&mut self.glance.controls);
        let body = self.body.clone();
        for (control, span) in &controls {
            match control {
                Control::Banned => return Err(banned(&name_before(&body, span.start))),
                Control::OwnKey | Control::OwnBase if !self.snapshot.takes_credentials() => {
                    return Err(banned(&name_before(&body, span.start)));
                }
                Control::Other => {}
                // Members were read with the body: what cannot be read again says nothing.
                control => {
                    let value = serde_json::from_slice(&body[span.clone()]).unwrap_or_default();
                    self.obey(*control, value, &|| name_before(&body, span.start))?;
                }
            }
        }
        self.glance.controls = controls;
        self.controls.tags.clone_from(&self.tags);
        Ok(())
    }

    /// What one member asks.
    fn obey(&mut self, control: Control, value: Value, name: &dyn Fn() -> String) -> Result<()> {
        match control {
            Control::Metadata | Control::LitellmMetadata => self.read_metadata(&value)?,
            Control::Tags => self.add_tags(Some(&value)),
            // What is said at the top beats what stands in metadata.
            Control::Session => self.session = named(Some(&value)).or(self.session.take()),
            Control::Trace => self.trace = named(Some(&value)).or(self.trace.take()),
            Control::OwnKey => self.bring("api_key", &value)?,
            Control::OwnBase => self.bring("api_base", &value)?,
            Control::NoLog => self.no_log = flag("no-log", &value)?,
            Control::IncludeFallbackErrors => {
                let told = self.snapshot.config.general.tells_fallbacks;
                self.tells_fallbacks = told && value == Value::Bool(true);
            }
            Control::KeepaliveSeconds => {
                self.keepalive = value.as_f64().and_then(silence).or(self.keepalive);
            }
            Control::MockFallbacks
            | Control::MockContextFallbacks
            | Control::MockContentPolicyFallbacks
            | Control::MockRateLimit => self.fail_on_purpose(control, &value)?,
            Control::RouterSettings => self.routing = Some(value).filter(|own| !is_empty(own)),
            Control::DropParams => self.policy.drop = flag("drop_params", &value)?,
            Control::AdditionalDropParams => {
                self.policy.always_drop = names_of("additional_drop_params", &value)?;
            }
            Control::AllowedOpenaiParams => self.policy.allow = names_of("allowed_openai_params", &value)?,
            Control::ExtraHeaders => {
                let key_header = self.snapshot.config.general.key_header.as_ref();
                self.extras.read_headers(value, key_header)?;
            }
            Control::ExtraBody => self.extras.read_members(value)?,
            control => ask_router(&mut self.controls, control, &value).map_err(|expected| {
                let name = name();
                let message = format!("`{name}`: found `{value}`, expected {expected}");
                Error::bad_param(name, message)
            })?,
        }
        Ok(())
    }

    /// A failure on purpose, where the operator lets callers have those. Elsewhere it is refused, whatever its value:
    /// one that is left out would look like a fallback that worked.
    fn fail_on_purpose(&mut self, control: Control, value: &Value) -> Result<()> {
        let (name, failure) = match control {
            Control::MockContextFallbacks => ("mock_testing_context_fallbacks", MockFailure::ContextWindow),
            Control::MockContentPolicyFallbacks => {
                ("mock_testing_content_policy_fallbacks", MockFailure::ContentPolicy)
            }
            Control::MockRateLimit => ("mock_testing_rate_limit_error", MockFailure::RateLimit),
            _ => ("mock_testing_fallbacks", MockFailure::Any),
        };
        if !self.snapshot.config.general.mock_failures {
            let words = format!(
                "`{name}` makes a group fail on purpose, which is not allowed here; the operator can allow it with \
                 `general_settings.dangerously_allow_mock_testing_request_params`"
            );
            return Err(Error::bad_param(name, words));
        }
        if *value == Value::Bool(true) {
            self.controls.mock_failure = self.controls.mock_failure.or(Some(failure));
        }
        Ok(())
    }

    fn read_metadata(&mut self, metadata: &Value) -> Result<()> {
        if metadata.get("tags").is_some() && self.snapshot.config.general.reject_client_tags {
            return Err(Error::bad_param("metadata.tags", "`metadata.tags` may not be set by callers here"));
        }
        self.add_tags(metadata.get("tags"));
        self.session = self.session.take().or_else(|| named(metadata.get("session_id")));
        self.trace = self.trace.take().or_else(|| named(metadata.get("trace_id")));
        if let Some(notes) = metadata.get("spend_logs_metadata").filter(|notes| !notes.is_null()) {
            if !notes.is_object() {
                let message = format!("`metadata.spend_logs_metadata`: expected a mapping, found `{notes}`");
                return Err(Error::bad_param("metadata.spend_logs_metadata", message));
            }
            self.notes = Some(Box::new(notes.clone()));
        }
        self.lar1 = metadata.get("lar1").cloned().or_else(|| self.lar1.take());
        Ok(())
    }

    fn add_tags(&mut self, tags: Option<&Value>) {
        let Some(Value::Array(tags)) = tags else { return };
        for tag in tags.iter().filter_map(Value::as_str) {
            if !self.tags.iter().any(|have| have == tag) {
                self.tags.push(super::call::without_nul(tag.to_owned()));
            }
        }
    }
}

/// A name that is one.
fn named(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What one member asks of the router. What is null says nothing.
///
/// # Errors
/// What is expected of a value that is none of its kind.
fn ask_router(
    controls: &mut Controls,
    control: Control,
    value: &Value,
) -> std::result::Result<(), &'static str> {
    match control {
        _ if value.is_null() => {}
        Control::Fallbacks => controls.fallbacks = Some(fallbacks(value).ok_or(GROUPS)?),
        Control::ContextWindowFallbacks => {
            controls.context_window_fallbacks = Some(fallbacks(value).ok_or(GROUPS)?);
        }
        Control::ContentPolicyFallbacks => {
            controls.content_policy_fallbacks = Some(fallbacks(value).ok_or(GROUPS)?);
        }
        Control::DisableFallbacks => controls.disable_fallbacks = value.as_bool().ok_or(SWITCH)?,
        Control::NumRetries => {
            let retries = whole(value).and_then(|retries| u32::try_from(retries).ok());
            controls.num_retries = Some(retries.ok_or("a whole number of retries, zero or more")?);
        }
        Control::Timeout => controls.timeout = seconds(value)?.or(controls.timeout),
        Control::StreamTimeout => controls.stream_timeout = seconds(value)?.or(controls.stream_timeout),
        Control::Priority => {
            controls.priority = Some(whole(value).ok_or("a whole number, lower ones first")?);
        }
        Control::EnableTagFiltering => controls.tag_filtering = value.as_bool().ok_or(SWITCH)?,
        Control::AllowedModelRegion => {
            controls.region = Some(value.as_str().ok_or("the name of a region such as `eu`")?.to_owned());
        }
        _ => {}
    }
    Ok(())
}

const SWITCH: &str = "`true` or `false`";
const GROUPS: &str = "a list of model names, of `{model, …}` with parameters, or of `{group: [names]}`";

/// A whole number, or a text that is one.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A number of seconds, or a text that is one; zero says nothing.
fn seconds(value: &Value) -> std::result::Result<Option<Duration>, &'static str> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let seconds = seconds.filter(|seconds| *seconds >= 0.0);
    seconds.map(duration).ok_or("a number of seconds, zero or more")
}

/// Seconds of silence after which a sign of life is wanted: none where they are zero.
fn silence(seconds: f64) -> Option<Option<Duration>> {
    Duration::try_from_secs_f64(seconds).ok().map(pause)
}

/// Seconds as a duration; nothing for what is no positive time.
fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero())
}

/// A switch of the caller's; nothing said is off.
fn flag(name: &str, value: &Value) -> Result<bool> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(on) => Ok(*on),
        other => {
            Err(Error::bad_param(name, format!("`{name}`: expected `true` or `false`, found `{other}`")))
        }
    }
}

/// A list of parameter names, as callers send it.
fn names_of(name: &str, value: &Value) -> Result<Vec<String>> {
    let wrong = || Error::bad_param(name, format!("`{name}`: expected a list of parameter names"));
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => {
            list.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// What callers send as fallbacks: names and models with parameters of their own, or lists by the group that failed, as
/// a configuration has them. LiteLLM surface §6.3, §7.4.
/// `None` for what is none of these.
fn fallbacks(value: &Value) -> Option<Fallbacks> {
    let list = value.as_array()?;
    let by_group = |entry: &Value| entry.as_object().is_some_and(|entry| !entry.contains_key("model"));
    if list.is_empty() || !list.iter().all(by_group) {
        return Some(Fallbacks::List(list.iter().map(fallback).collect::<Option<_>>()?));
    }
    let mut map = FallbackMap::default();
    for (group, targets) in list.iter().filter_map(Value::as_object).flatten() {
        // One name alone is a list of one, as in a configuration.
        let targets = targets.as_array().map_or(slice::from_ref(targets), Vec::as_slice);
        let targets: Vec<FallbackTarget> = targets.iter().map(fallback).collect::<Option<_>>()?;
        map.add(group.as_str(), targets);
    }
    Some(Fallbacks::Map(map))
}

/// A name, or a mapping of a name and request parameters.
fn fallback(value: &Value) -> Option<FallbackTarget> {
    if let Some(name) = value.as_str() {
        return Some(name.into());
    }
    let mut params = value.as_object()?.clone();
    let Some(Value::String(model)) = params.shift_remove("model") else { return None };
    let params = (!params.is_empty()).then(|| Arc::new(params));
    Some(FallbackTarget { model: model.into(), params })
}

/// The name of a member whose value stands here.
fn name_before(body: &[u8], value_at: usize) -> String {
    let before = String::from_utf8_lossy(&body[..value_at]);
    before.rsplit('"').nth(1).unwrap_or("a member").to_owned()
}

/// The refusal of a member that would let a caller redirect the gateway (surface §4.7).
pub(super) fn banned(name: &str) -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        format!(
            "Authentication Error, Rejected Request: {name} is not allowed in request body. Set it on the deployment, \
             or allow it with `general_settings.allow_client_side_credentials`"
        ),
    )
    .with_vendor_type("auth_error")
    .with_param(name)
}

#[cfg(test)]
mod tests;
