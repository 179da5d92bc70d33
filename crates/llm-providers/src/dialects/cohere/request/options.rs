//! Parameters on the wire: what is said in the vendor's words, and what it cannot say.

use llm_types::{Error, Options, Reasoning, ReasoningEffort, ResponseFormat, Result};
use serde_json::{Map, Value};

use super::super::models::reasons;
use super::super::wire::own_name;
use crate::dialects::params::leave_out;
use crate::write::Object;
use crate::{ParamPolicy, Target};

/// Takes out defaults of the operator that are written in this dialect's own names.
pub(in super::super) fn own_defaults(options: &mut Options, fields: &mut Map<String, Value>) {
    let number = |name: &str, fields: &mut Map<String, Value>| {
        fields.shift_remove(name).and_then(|value| value.as_f64())
    };
    if options.top_p.is_none() {
        options.top_p = number("p", fields);
    }
    if options.top_k.is_none() {
        options.top_k = fields.shift_remove("k").and_then(|value| value.as_u64());
    }
    for name in ["p", "k"] {
        fields.shift_remove(name);
    }
}

/// Checks what the dialect cannot say. Returns what the policy wants passed all the same.
pub(in super::super) fn unsupported(
    options: &Options,
    policy: &ParamPolicy,
) -> Result<Vec<(&'static str, Value)>> {
    let modalities = options.modalities.as_ref().filter(|kinds| kinds.iter().any(|kind| kind != "text"));
    let given: [(&'static str, Option<Value>); 14] = [
        ("n", options.n.filter(|n| *n > 1).map(Value::from)),
        ("top_logprobs", options.top_logprobs.filter(|most| *most > 0).map(Value::from)),
        ("logit_bias", options.logit_bias.clone().filter(|bias| !bias.is_empty()).map(Value::Object)),
        ("parallel_tool_calls", options.parallel_tool_calls.filter(|on| !on).map(Value::from)),
        ("modalities", modalities.cloned().map(Value::from)),
        ("audio", options.audio.clone()),
        ("prediction", options.prediction.clone()),
        ("web_search_options", options.web_search.clone()),
        ("verbosity", options.verbosity.clone().map(Value::from)),
        ("service_tier", options.service_tier.clone().map(Value::from)),
        ("store", options.store.filter(|on| *on).map(Value::from)),
        ("prompt_cache_key", options.prompt_cache_key.clone().map(Value::from)),
        ("safety_identifier", options.safety_identifier.clone().map(Value::from)),
        ("safety_settings", options.safety_settings.clone()),
    ];
    let mut passed = Vec::new();
    for (name, value) in given {
        let Some(value) = value else { continue };
        if policy.allow.iter().any(|allowed| allowed == name) {
            passed.push((name, value));
        } else {
            leave_out(policy, name, "Chat has no such parameter")?;
        }
    }
    Ok(passed)
}

/// Writes the form, limits and sampling.
pub(super) fn write(options: &Options, body: &mut Object<'_>) {
    match &options.response_format {
        Some(ResponseFormat::JsonObject) => {
            body.object("response_format", |format| format.text("type", "json_object"));
        }
        Some(ResponseFormat::JsonSchema { schema, .. }) => body.object("response_format", |format| {
            format.text("type", "json_object");
            format.value("json_schema", schema);
        }),
        // Free text is what is given without asking.
        Some(ResponseFormat::Text) | None => {}
    }
    body.some("max_tokens", options.max_tokens.as_ref());
    body.some("temperature", options.temperature.as_ref());
    body.some("p", options.top_p.as_ref());
    body.some("k", options.top_k.as_ref());
    if !options.stop.is_empty() {
        body.value("stop_sequences", &options.stop);
    }
    body.some("seed", options.seed.as_ref());
    body.some("frequency_penalty", options.frequency_penalty.as_ref());
    body.some("presence_penalty", options.presence_penalty.as_ref());
    body.some("logprobs", options.logprobs.as_ref());
}

/// `thinking` as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Disabled,
    Enabled(Option<u64>),
}

impl Thinking {
    /// What becomes of the caller's wish. A model that does not think is not asked to.
    pub(super) fn of(options: &Options, own: bool, target: &Target) -> Result<Option<Self>> {
        let Some(reasoning) = options.reasoning.as_ref().filter(|asked| **asked != Reasoning::default())
        else {
            return Ok(None);
        };
        let off = reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None);
        let name = if reasoning.effort.is_some() { "reasoning_effort" } else { "thinking" };
        let asked = own || target.policy.allow.iter().any(|allowed| allowed == name);
        if !asked && !reasons(&target.model) {
            let says_nothing = off && reasoning.effort.is_none();
            if !says_nothing {
                leave_out(&target.policy, name, "the model does not reason")?;
            }
            return Ok(None);
        }
        if off {
            return Ok(Some(Self::Disabled));
        }
        Ok(Some(Self::Enabled(reasoning.budget_tokens.or_else(|| reasoning.effort.and_then(budget_of)))))
    }

    /// Writes it.
    pub(super) fn write(self, body: &mut Object<'_>) {
        body.object("thinking", |out| match self {
            Self::Disabled => out.text("type", "disabled"),
            Self::Enabled(budget) => {
                out.text("type", "enabled");
                out.some("token_budget", budget.as_ref());
            }
        });
    }
}

/// The budget of a named effort, in tokens: LiteLLM's figures for budgets. The most of it has no limit.
const fn budget_of(effort: ReasoningEffort) -> Option<u64> {
    match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => Some(1024),
        ReasoningEffort::Medium => Some(2048),
        ReasoningEffort::High => Some(4096),
        ReasoningEffort::XHigh | ReasoningEffort::Max => None,
    }
}

/// Whether the policy always drops a parameter, by OpenAI's name or the dialect's.
pub(super) fn is_dropped(policy: &ParamPolicy, name: &str) -> bool {
    policy.always_drop.iter().any(|drop| drop == name || own_name(drop) == name)
}

/// The error of a conversation in which nobody says anything.
pub(in super::super) fn nothing_said() -> Error {
    Error::bad_param("messages", "`messages`: expected at least one message, found none")
}
