//! One look over a request: what the rooms must know, and where it stands.

use llm_types::{Error, Result};

use crate::dialect::{Control, Glance};
use crate::dialects::look::{expect, wrong};
use crate::scan::{self, Item, Kind, Member};

/// Looks a request over.
pub(super) fn glance(body: &[u8]) -> Result<Glance> {
    let mut glance = Glance { n: 1, lacks: Some("messages"), ..Glance::default() };
    let mut fault = None;
    let mut seen = Seen::default();
    glance.names = Some(scan::object(body, |member| {
        if fault.is_none() {
            fault = note(&member, &mut glance, &mut seen).err();
        }
    })?);
    fault.map_or(Ok(glance), Err)
}

/// Members that decide who pays for what: given twice, readers could disagree on which one counts.
#[derive(Default)]
struct Seen {
    model: bool,
    stream: bool,
    user: bool,
    messages: bool,
}

impl Seen {
    fn once(seen: &mut bool, name: &str) -> Result<()> {
        if std::mem::replace(seen, true) {
            return Err(Error::bad_param(name, format!("`{name}` is given twice; give it once")));
        }
        Ok(())
    }
}

fn note(member: &Member<'_>, glance: &mut Glance, seen: &mut Seen) -> Result<()> {
    let value = member.value;
    match &*member.name {
        "model" => {
            Seen::once(&mut seen.model, "model")?;
            glance.model = value.as_str().map(Into::into).unwrap_or_default();
            if value.kind == Kind::String {
                glance.model_span = Some(value.span());
            } else if !value.is_null() {
                return Err(wrong("model", value, "a string"));
            }
        }
        "messages" => {
            Seen::once(&mut seen.messages, "messages")?;
            glance.prompt_bytes += value.text.len() as u64;
            if value.kind != Kind::Array {
                return Err(wrong("messages", value, "an array of messages"));
            }
            glance.lacks = None;
        }
        "stream" => {
            Seen::once(&mut seen.stream, "stream")?;
            glance.stream = expect(value, value.as_bool(), "stream", "a boolean")?.unwrap_or(false);
        }
        "stream_options" => {
            if !matches!(value.kind, Kind::Object | Kind::Null) {
                return Err(wrong("stream_options", value, "an object"));
            }
            glance.include_usage =
                value.member("include_usage").and_then(|flag| flag.as_bool()).unwrap_or(false);
        }
        name @ ("max_tokens" | "max_completion_tokens") => {
            let cap = expect(value, count(value), name, "a whole number from 0")?;
            glance.max_tokens = glance.max_tokens.max(cap);
            glance.sampled |= name == "max_tokens" && cap.is_some();
        }
        "n" => glance.n = expect(value, count(value), "n", "a whole number from 1")?.unwrap_or(1).max(1),
        "user" => {
            Seen::once(&mut seen.user, "user")?;
            let user = value.as_str().map(Into::into);
            glance.user = expect(value, user, "user", "a string")?;
        }
        "tools" | "functions" if value.kind == Kind::Array => {
            glance.prompt_bytes += value.text.len() as u64;
            value.elements(|_| glance.has_tools = true);
        }
        "temperature" | "top_p" => glance.sampled |= !value.is_null(),
        "tool_choice" | "response_format" | "seed" => {}
        name => {
            if let Some(control) = control_of(name) {
                glance.controls.push((control, value.span()));
            } else {
                glance.rare |= !value.is_null();
            }
        }
    }
    Ok(())
}

/// A whole number; `4096.0` is one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
fn count(value: Item<'_>) -> Option<u64> {
    let exact = |number: &f64| number.fract() == 0.0 && (0.0..9e15).contains(number);
    let float = || value.text.parse().ok().filter(exact).map(|number| number as u64);
    match value.kind {
        Kind::Number => value.as_u64().or_else(float),
        _ => None,
    }
}

/// Which members are meant for the gateway and not for providers. LiteLLM surface §4.7 and §6.3.
pub(crate) fn control_of(name: &str) -> Option<Control> {
    Some(match name {
        "metadata" => Control::Metadata,
        "litellm_metadata" => Control::LitellmMetadata,
        "tags" => Control::Tags,
        "fallbacks" => Control::Fallbacks,
        "context_window_fallbacks" => Control::ContextWindowFallbacks,
        "content_policy_fallbacks" => Control::ContentPolicyFallbacks,
        "disable_fallbacks" => Control::DisableFallbacks,
        "num_retries" | "max_retries" => Control::NumRetries,
        "timeout" | "request_timeout" => Control::Timeout,
        "stream_timeout" => Control::StreamTimeout,
        "drop_params" => Control::DropParams,
        "additional_drop_params" => Control::AdditionalDropParams,
        "allowed_openai_params" => Control::AllowedOpenaiParams,
        "extra_headers" | "headers" => Control::ExtraHeaders,
        "extra_body" => Control::ExtraBody,
        "priority" => Control::Priority,
        "enable_tag_filtering" => Control::EnableTagFiltering,
        "include_fallback_errors" => Control::IncludeFallbackErrors,
        "keepalive_seconds" => Control::KeepaliveSeconds,
        "mock_testing_fallbacks" => Control::MockFallbacks,
        "mock_testing_context_fallbacks" => Control::MockContextFallbacks,
        "mock_testing_content_policy_fallbacks" => Control::MockContentPolicyFallbacks,
        "mock_testing_rate_limit_error" => Control::MockRateLimit,
        "allowed_model_region" => Control::AllowedModelRegion,
        "router_settings_override" => Control::RouterSettings,
        "no-log" => Control::NoLog,
        "api_key" => Control::OwnKey,
        "api_base" | "base_url" => Control::OwnBase,
        "litellm_session_id" => Control::Session,
        "litellm_trace_id" => Control::Trace,
        _ if is_banned(name) => Control::Banned,
        _ if is_ours(name) => Control::Other,
        _ => return None,
    })
}

/// Members that would redirect a call or sign it in as somebody else.
fn is_banned(name: &str) -> bool {
    const PREFIXES: [&str; 7] = ["aws_", "azure_", "vertex_", "langfuse_", "langsmith_", "s3_", "gcs_"];
    const NAMES: [&str; 20] = [
        "api_type",
        "api_version",
        "arize_api_key",
        "arize_space_key",
        "bedrock_tags",
        "braintrust_api_key",
        "braintrust_project_id",
        "client_id",
        "client_secret",
        "humanloop_api_key",
        "model_list",
        "organization",
        "posthog_api_key",
        "posthog_host",
        "tenant_id",
        "user_config",
        "wandb_api_key",
        "watsonx_region_name",
        "weave_project_id",
        "workspace_id",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.binary_search(&name).is_ok()
}

fn is_ours(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["litellm_", "mock_", "input_cost_per_"];
    const NAMES: [&str; 37] = [
        "applied_guardrails",
        "cache",
        "cache_creation_input_token_cost",
        "cache_read_input_token_cost",
        "caching",
        "callbacks",
        "custom_llm_provider",
        "disable_global_guardrails",
        "fallback_depth",
        "fastest_response",
        "guardrail_config",
        "guardrails",
        "logger_fn",
        "max_budget",
        "merge_reasoning_content_in_choices",
        "model_info",
        "output_cost_per_second",
        "output_cost_per_token",
        "policies",
        "prompt_id",
        "prompt_label",
        "prompt_variables",
        "prompt_version",
        "proxy_server_request",
        "retry_policy",
        "routing_decision",
        "rpm",
        "secret_fields",
        "service_callback",
        "specific_deployment",
        "standard_logging_object",
        "stream_chunk_size",
        "tpm",
        "ttl",
        "use_in_pass_through",
        "use_litellm_proxy",
        "weights",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests;
