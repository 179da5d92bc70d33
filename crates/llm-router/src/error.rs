//! The router's own errors, in LiteLLM's words. LiteLLM surface §2.2, §5.2, §7.1, §7.4.

use std::fmt::Write;
use std::time::Duration;

use llm_types::{Error, ErrorKind, Origin, Retry};

use crate::plan::Refusal;
use crate::rates::{self, Asked};
use crate::{FallbackMap, Group, MockFailure, Moment, RouterSettings};

/// No deployment answers to this name: 400.
#[must_use]
pub(crate) fn unknown_model(name: &str) -> Error {
    let message = format!(
        "Invalid model name passed in model={name}. Call `/v1/models` to view available models for your key."
    );
    Error::bad_param("model", message)
}

/// Nobody in the group can serve: 429, 503 when all are paused, 401 when no tag matches.
#[must_use]
pub(crate) fn refused(
    name: &str,
    group: &Group,
    refusal: &Refusal,
    settings: &RouterSettings,
    asked: &Asked<'_>,
) -> Error {
    let now = asked.now;
    match refusal {
        Refusal::Paused => {
            let message = format!("Model '{name}' is currently paused and cannot accept requests.");
            Error::new(ErrorKind::Overloaded, message).with_origin(Origin::Gateway).with_retry(Retry::Never)
        }
        Refusal::Tags => {
            let message = "Not allowed to access model due to tags configuration";
            Error::new(ErrorKind::Unauthenticated, message).with_origin(Origin::Caller)
        }
        Refusal::Unable => unable(name),
        Refusal::Reserved => reserved(name),
        Refusal::Limits => at_limits(name, group, asked),
        Refusal::Resting(rest) => no_deployments(name, group, *rest, now),
        Refusal::Nobody => no_deployments(name, group, settings.cooldown_time, now),
    }
}

/// The prompt is longer than any deployment takes, or none can answer in the way asked for: 400, and
/// where to go next is up to the fallbacks for long prompts.
fn unable(name: &str) -> Error {
    let message = format!(
        "No deployment of model={name} can take this request: its prompt is longer than their context \
         windows, or none is in the region, searches the web or can answer by the schema asked for"
    );
    Error::new(ErrorKind::ContextTooLong, message).with_origin(Origin::Upstream).with_retry(Retry::Never)
}

/// All deployments are at their limits of this minute: 429, in LiteLLM's words for the first of them (surface
/// §7.7), and what each has used where there are several.
fn at_limits(name: &str, group: &Group, asked: &Asked<'_>) -> Error {
    let mut told = String::new();
    let active = group.candidates.iter().filter(|one| !one.blocked);
    let reached = active.filter_map(|one| Some((one, rates::reached(one, asked)?)));
    for (at, (one, reached)) in reached.take(MOST_SHOWN).enumerate() {
        // Writing to a `String` cannot fail.
        let _ = match at {
            0 => write!(told, "Model rate limit exceeded. {reached}"),
            _ => write!(told, "; {}: {reached}", one.deployment.id),
        };
    }
    if told.is_empty() {
        told = "Model rate limit exceeded".to_owned();
    }
    if !group.is_single() {
        // As above.
        let _ = write!(told, ". Passed model={name}");
    }
    limited(told, MINUTE).with_code(MODEL_LIMIT)
}

/// All are kept for other teams at this time of the day: 429, for the time passes.
fn reserved(name: &str) -> Error {
    let message = format!(
        "Model '{name}' is reserved for other teams at this time of the day (`model_info.access_windows`)."
    );
    limited(message, Duration::ZERO).with_retry(Retry::Never)
}

/// The code of errors about limits of deployments.
pub const MODEL_LIMIT: &str = "model_rate_limit";

/// Deployments named in a message at most.
const MOST_SHOWN: usize = 10;
/// When limits of a minute are over at the latest.
const MINUTE: Duration = Duration::from_secs(60);

/// A place did not become free in time: 429.
#[must_use]
pub(crate) fn no_place(name: &str, waited: Duration) -> Error {
    let message = format!(
        "No deployments available for selected model, all are at `max_parallel_requests` and none became \
         free within {} seconds. Passed model={name}",
        waited.as_secs_f64()
    );
    limited(message, Duration::ZERO)
}

fn no_deployments(name: &str, group: &Group, rest: Duration, now: Moment) -> Error {
    let mut resting = String::new();
    for candidate in group.candidates.iter().filter(|candidate| candidate.state.rests(now)) {
        let comma = if resting.is_empty() { "" } else { ", " };
        // Writing to a `String` cannot fail.
        let _ = write!(resting, "{comma}'{}'", candidate.deployment.id);
    }
    let seconds = rest.as_millis().div_ceil(1000);
    let message = format!(
        "No deployments available for selected model, Try again in {seconds} seconds. \
         Passed model={name}. pre-call-checks=False, cooldown_list=[{resting}]"
    );
    limited(message, rest)
}

fn limited(message: String, wait: Duration) -> Error {
    let retry = if wait.is_zero() { Retry::Same } else { Retry::After(wait) };
    Error::new(ErrorKind::RateLimited, message)
        .with_origin(Origin::Gateway)
        .with_retry(retry)
        .with_vendor_type("rate_limit_error")
}

/// A failure on purpose, to try fallbacks out (`mock_testing_fallbacks` and its kin).
#[must_use]
pub(crate) fn mock(name: &str, failure: MockFailure) -> Error {
    let (kind, goal) = match failure {
        MockFailure::Any => (ErrorKind::BadUpstream, "trigger a fallback"),
        MockFailure::ContextWindow => (ErrorKind::ContextTooLong, "trigger a fallback"),
        MockFailure::ContentPolicy => (ErrorKind::ContentFiltered, "trigger a fallback"),
        MockFailure::RateLimit => (ErrorKind::RateLimited, "trigger a rate limit error"),
    };
    Error::new(kind, format!("This is a mock exception for model={name}, to {goal}."))
        .with_origin(Origin::Upstream)
        .with_retry(Retry::Same)
}

/// What is added to the message of a group's error about fallbacks.
#[must_use]
pub(crate) fn postscript(name: &str, fallbacks: &FallbackMap, tried: &[&str]) -> String {
    if !tried.is_empty() {
        return format!(
            "LiteLLM: model group '{name}' failed with the error above, and so did its fallbacks: {}.",
            tried.join(", ")
        );
    }
    if fallbacks.is_empty() {
        return format!(
            "LiteLLM: model group '{name}' failed with the error above. No fallback was attempted."
        );
    }
    let configured: Vec<&str> = fallbacks.iter().map(|(group, _)| group).collect();
    format!(
        "LiteLLM: model group '{name}' failed with the error above and no fallback model group was found for \
         it, so the request was not retried on another model. Fallbacks are configured for: {}. Add a \
         fallbacks entry for '{name}' to retry on another model.",
        configured.join(", ")
    )
}

#[cfg(test)]
mod tests;
