//! Parameters on the wire: what is said in the vendor's words, and what it cannot say.

use llm_types::{ChatRequest, Options, Reasoning, ReasoningEffort, ResponseFormat, Result, ToolChoice};
use serde_json::{Map, Value};

use super::super::wire::{NATIVE, OPTIONS, own_name};
use crate::dialects::openai::chat::DIALECT as OPENAI;
use crate::dialects::params::leave_out;
use crate::write::Object;
use crate::{ParamPolicy, Target};

/// Members of `options` that have a canonical form.
const CANONICAL: &[&str] = &[
    "frequency_penalty",
    "num_predict",
    "presence_penalty",
    "seed",
    "stop",
    "temperature",
    "top_k",
    "top_p",
];

/// Whether a name is that of a member of `options`.
pub(in super::super) fn is_option(name: &str) -> bool {
    CANONICAL.contains(&name) || OPTIONS.contains(&name)
}

/// Whether a caller of this dialect asks.
pub(super) fn is_own(request: &ChatRequest) -> bool {
    request.native.as_ref().is_some_and(|native| native.dialect == NATIVE)
}

/// Takes out what the dialect, or the vendor's record, cannot say.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] naming what must not be dropped.
pub(super) fn settle(request: &ChatRequest, options: &mut Options, target: &Target) -> Result<()> {
    let policy = &target.policy;
    let modalities = options.modalities.as_ref();
    let speaks = modalities.is_some_and(|kinds| kinds.iter().any(|kind| kind != "text"));
    let lacks = [
        ("n", options.n.is_some_and(|n| n > 1)),
        ("logit_bias", options.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty())),
        ("parallel_tool_calls", options.parallel_tool_calls == Some(false)),
        ("modalities", speaks),
        ("audio", options.audio.is_some()),
        ("prediction", options.prediction.is_some()),
        ("web_search_options", options.web_search.is_some()),
        ("verbosity", options.verbosity.is_some()),
        ("service_tier", options.service_tier.is_some()),
        ("store", options.store == Some(true)),
        ("prompt_cache_key", options.prompt_cache_key.is_some()),
        ("safety_identifier", options.safety_identifier.is_some()),
        ("safety_settings", options.safety_settings.is_some()),
    ];
    for (name, asked) in lacks {
        if asked {
            leave_out(policy, name, "Ollama's API has no such parameter")?;
        }
    }
    if !is_own(request) {
        unserved(request, options, target)?;
    }
    Ok(())
}

/// Takes out what the dialect can say and the vendor's record does not serve.
fn unserved(request: &ChatRequest, options: &mut Options, target: &Target) -> Result<()> {
    let asks = |reasoning: &Reasoning| reasoning.effort.is_none() && *reasoning != Reasoning::default();
    let openai = request.native.as_ref().is_none_or(|native| native.dialect == OPENAI);
    let given = [
        ("logprobs", options.logprobs == Some(true)),
        ("top_logprobs", options.top_logprobs.is_some()),
        ("parallel_tool_calls", options.parallel_tool_calls == Some(true)),
        ("presence_penalty", options.presence_penalty.is_some()),
        // The name is Anthropic's: its own callers, who know no other, are not refused.
        ("thinking", openai && options.reasoning.as_ref().is_some_and(asks)),
    ];
    for (name, asked) in given {
        let listed = target.spec.quirks.unsupported.iter().any(|listed| listed == name);
        let allowed = target.policy.allow.iter().any(|allowed| allowed == name);
        if asked && listed && !allowed {
            leave_out(&target.policy, name, "it is not among those served for this provider")?;
            options.forget(name);
        }
    }
    Ok(())
}

/// The choice of a tool, as far as it can be said: none is offered, or the one that is wanted.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] when a call is demanded.
pub(super) fn offered(options: &Options, policy: &ParamPolicy) -> Result<Option<Vec<String>>> {
    const WHY: &str = "Ollama's models cannot be made to call a tool";
    match &options.tool_choice {
        None | Some(ToolChoice::Auto) => Ok(None),
        Some(ToolChoice::None) => Ok(Some(Vec::new())),
        Some(ToolChoice::Required) => leave_out(policy, "tool_choice", WHY).map(|()| None),
        Some(ToolChoice::Tool(_)) => leave_out(policy, "tool_choice", WHY).map(|()| None),
        Some(ToolChoice::Among { tools, required }) => {
            if *required {
                leave_out(policy, "tool_choice", WHY)?;
            }
            Ok(Some(tools.clone()))
        }
    }
}

/// Writes `format`, `think` and the wish for log-probabilities.
pub(super) fn write(options: &Options, own: bool, target: &Target, body: &mut Object<'_>) {
    match &options.response_format {
        Some(ResponseFormat::JsonObject) => body.text("format", "json"),
        Some(ResponseFormat::JsonSchema { schema, .. }) => body.value("format", schema),
        // Free text is what is given without asking.
        Some(ResponseFormat::Text) | None => {}
    }
    if let Some(think) = think(options.reasoning.as_ref(), own, &target.model) {
        body.value("think", &think);
    }
    body.some("logprobs", options.logprobs.as_ref());
    body.some("top_logprobs", options.top_logprobs.as_ref());
}

/// Whether to think, or how much. Only the `gpt-oss` models know levels, and these cannot be told not to.
/// Vendor's page: <https://docs.ollama.com/capabilities/thinking>.
fn think(reasoning: Option<&Reasoning>, own: bool, model: &str) -> Option<Value> {
    let reasoning = reasoning.filter(|asked| **asked != Reasoning::default())?;
    let word = reasoning.effort.filter(|effort| *effort != ReasoningEffort::None);
    if own {
        return Some(match (word, reasoning.enabled) {
            (Some(effort), _) => effort.as_str().into(),
            (None, on) => on.unwrap_or(false).into(),
        });
    }
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None);
    let levels = model.rsplit('/').next().is_some_and(|name| name.starts_with("gpt-oss"));
    Some(match (levels, word) {
        (true, _) if off => "low".into(),
        (true, Some(ReasoningEffort::Minimal | ReasoningEffort::Low)) => "low".into(),
        (true, Some(ReasoningEffort::Medium)) => "medium".into(),
        (true, Some(_)) => "high".into(),
        // As little thought as possible is none where it can be switched off.
        (false, Some(ReasoningEffort::Minimal)) => false.into(),
        _ => (!off).into(),
    })
}

/// Writes `options`: sampling, then what the caller or the operator adds to it.
pub(super) fn write_options(options: &Options, more: &Map<String, Value>, body: &mut Object<'_>) {
    body.object("options", |out| {
        out.some("num_predict", options.max_tokens.as_ref());
        out.some("temperature", options.temperature.as_ref());
        out.some("top_p", options.top_p.as_ref());
        out.some("top_k", options.top_k.as_ref());
        // The server takes a list alone, although its specification allows a text.
        if !options.stop.is_empty() {
            out.value("stop", &options.stop);
        }
        out.some("seed", options.seed.as_ref());
        out.some("frequency_penalty", options.frequency_penalty.as_ref());
        out.some("presence_penalty", options.presence_penalty.as_ref());
        for (name, value) in more {
            out.value(name, value);
        }
    });
}

/// Whether the policy always drops a parameter, by OpenAI's name or the dialect's.
pub(super) fn is_dropped(policy: &ParamPolicy, name: &str) -> bool {
    policy.always_drop.iter().any(|drop| drop == name || own_name(drop) == name)
}

/// Whether `options` has a member that stands for a canonical one which is said.
pub(super) fn is_said(options: &Options, name: &str) -> bool {
    match name {
        "num_predict" => options.max_tokens.is_some(),
        name => CANONICAL.contains(&name),
    }
}
