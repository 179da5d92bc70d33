//! Parameters: what the dialect or the model cannot say, and where the rest is said.

use llm_types::{Options, Reasoning, ReasoningEffort, Result};
use serde_json::{Map, Value, json};

use super::super::models::{Model, Reasons, TopK};
use crate::ParamPolicy;
use crate::dialects::anthropic::ThinkingPlan;
use crate::dialects::params::leave_out;
use crate::write::Object;

const NOT_THERE: &str = "the Converse API has no such parameter";

/// Checks what the dialect cannot say. Returns what the policy wants passed all the same.
pub(super) fn unsupported(options: &Options, policy: &ParamPolicy) -> Result<Vec<(&'static str, Value)>> {
    let modalities = options.modalities.as_ref().filter(|kinds| kinds.iter().any(|kind| kind != "text"));
    let given: [(&'static str, Option<Value>); 15] = [
        ("n", options.n.filter(|n| *n > 1).map(Value::from)),
        ("seed", options.seed.map(Value::from)),
        ("logprobs", options.logprobs.filter(|on| *on).map(Value::from)),
        ("top_logprobs", options.top_logprobs.map(Value::from)),
        ("frequency_penalty", options.frequency_penalty.filter(|p| *p != 0.0).map(Value::from)),
        ("presence_penalty", options.presence_penalty.filter(|p| *p != 0.0).map(Value::from)),
        ("logit_bias", options.logit_bias.clone().filter(|bias| !bias.is_empty()).map(Value::Object)),
        ("modalities", modalities.cloned().map(Value::from)),
        ("audio", options.audio.clone()),
        ("prediction", options.prediction.clone()),
        ("verbosity", options.verbosity.clone().map(Value::from)),
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
            leave_out(policy, name, NOT_THERE)?;
        }
    }
    Ok(passed)
}

/// Takes out the sampling parameters the model does not take.
pub(super) fn sampling(options: &mut Options, model: &Model, policy: &ParamPolicy) -> Result<()> {
    const WHY: &str = "the model does not take sampling parameters";
    if model.claude.is_some_and(|traits| !traits.sampling) {
        for (name, option) in [("temperature", &mut options.temperature), ("top_p", &mut options.top_p)] {
            if option.take().is_some_and(|value| value != 1.0) {
                leave_out(policy, name, WHY)?;
            }
        }
        if options.top_k.take().is_some() {
            leave_out(policy, "top_k", WHY)?;
        }
    }
    if model.top_k == TopK::No && options.top_k.take().is_some() {
        leave_out(policy, "top_k", "the model has no such parameter")?;
    }
    Ok(())
}

/// How much a model is asked to reason, in its maker's words.
#[derive(Debug)]
pub(super) enum Thinking {
    /// Nothing is said.
    Silent,
    /// As Anthropic says it.
    Claude(ThinkingPlan),
    /// By a word.
    Effort(&'static str),
    /// As Amazon says it; `None` switches it off.
    Nova(Option<&'static str>),
}

impl Thinking {
    /// Decides for one request.
    pub(super) fn of(options: &Options, model: &Model, policy: &ParamPolicy) -> Result<Self> {
        let Some(reasoning) = options.reasoning.as_ref().filter(|asked| **asked != Reasoning::default())
        else {
            return Ok(Self::Silent);
        };
        match (model.reasons, model.claude) {
            (Reasons::Claude, Some(traits)) => {
                Ok(Self::Claude(ThinkingPlan::of(options, false, traits, policy)?))
            }
            (Reasons::Unknown | Reasons::Claude, _) if reasoning.effort.is_none() => {
                let traits = crate::dialects::anthropic::Traits::OTHER;
                Ok(Self::Claude(ThinkingPlan::of(options, false, traits, policy)?))
            }
            (Reasons::Nova, _) => Ok(Self::nova(reasoning)),
            (Reasons::Effort | Reasons::Unknown, _) if reasoning.effort.is_some() => Ok(reasoning
                .effort
                .filter(|effort| *effort != ReasoningEffort::None)
                .map_or(Self::Silent, |effort| Self::Effort(effort.as_str()))),
            // What does not reason need not be told not to.
            (Reasons::No, _) if reasoning.enabled == Some(false) => Ok(Self::Silent),
            _ => {
                let name = if reasoning.effort.is_some() { "reasoning_effort" } else { "thinking" };
                let off = reasoning.enabled == Some(false);
                let why =
                    if off { "the model always reasons" } else { "the model cannot be asked to reason" };
                leave_out(policy, name, why)?;
                Ok(Self::Silent)
            }
        }
    }

    fn nova(reasoning: &Reasoning) -> Self {
        if reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None) {
            return Self::Nova(None);
        }
        let budget = reasoning.budget_tokens.unwrap_or(2048);
        let by_budget = match budget {
            0..=1024 => ReasoningEffort::Low,
            1025..=2048 => ReasoningEffort::Medium,
            _ => ReasoningEffort::High,
        };
        Self::Nova(Some(match reasoning.effort.unwrap_or(by_budget) {
            ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => "low",
            ReasoningEffort::Medium => "medium",
            ReasoningEffort::High | ReasoningEffort::XHigh | ReasoningEffort::Max => "high",
        }))
    }

    /// Whether the model thinks within a budget: then no tool call can be forced, and the limit of the
    /// answer must exceed the budget.
    pub(super) fn has_budget(&self) -> bool {
        matches!(self, Self::Claude(plan) if plan.has_budget())
    }

    /// `inferenceConfig.maxTokens`, where one is asked for or needed.
    fn limit(&self, options: &Options) -> Option<u64> {
        match self {
            Self::Claude(plan) if plan.has_budget() => Some(plan.max_tokens),
            _ => options.max_tokens,
        }
    }

    /// Adds the members that are for the model.
    pub(super) fn add_to(&self, added: &mut Map<String, Value>) {
        match self {
            Self::Silent => {}
            Self::Effort(word) => put(added, "reasoning_effort", json!(word)),
            Self::Nova(None) => put(added, "reasoningConfig", json!({ "type": "disabled" })),
            Self::Nova(Some(word)) => {
                put(added, "reasoningConfig", json!({ "type": "enabled", "maxReasoningEffort": word }));
            }
            Self::Claude(plan) => {
                let mut out = Vec::new();
                crate::write::object(&mut out, |body| plan.write(body));
                // What was just written is an object.
                let written: Map<String, Value> = serde_json::from_slice(&out).unwrap_or_default();
                written.into_iter().for_each(|(name, value)| put(added, &name, value));
                if let Some(effort) = plan.effort {
                    let config = added.entry("output_config").or_insert_with(|| json!({}));
                    if let Value::Object(config) = config {
                        put(config, "effort", json!(effort));
                    }
                }
            }
        }
    }

    /// Whether the reply is asked to state how much of it was thinking.
    pub(super) fn is_claude(&self) -> bool {
        matches!(self, Self::Claude(plan) if plan.says_thinking())
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Value) {
    map.insert(name.to_owned(), value);
}

/// Writes `inferenceConfig`.
pub(super) fn write(body: &mut Object<'_>, options: &Options, thinking: &Thinking) {
    body.object("inferenceConfig", |config| {
        config.some("maxTokens", thinking.limit(options).as_ref());
        config.some("temperature", options.temperature.as_ref());
        config.some("topP", options.top_p.as_ref());
        if !options.stop.is_empty() {
            config.value("stopSequences", &options.stop);
        }
    });
}

/// The tier asked for, in the vendor's words.
pub(super) fn tier(options: &Options, policy: &ParamPolicy) -> Result<Option<&'static str>> {
    let word = match options.service_tier.as_deref() {
        None => return Ok(None),
        Some("auto" | "default" | "standard_only" | "standard") => "default",
        Some("flex") => "flex",
        Some("priority") => "priority",
        Some("reserved") => "reserved",
        Some(_) => {
            leave_out(policy, "service_tier", "it has `default`, `flex`, `priority` and `reserved`")?;
            return Ok(None);
        }
    };
    Ok(Some(word))
}

/// The labels the vendor stores: short texts. Others, and the end user, are for the gateway.
pub(super) fn labels(options: &Options) -> Map<String, Value> {
    let labels = options.metadata.iter().flatten();
    let short = |name: &String, value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let plain =
            |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
        let fits = |text: &str| text.len() <= 256 && text.chars().all(plain);
        name != "user_id" && value.is_string() && !name.is_empty() && fits(name) && fits(text)
    };
    labels.filter(|(name, value)| short(name, value)).take(16).map(|(n, v)| (n.clone(), v.clone())).collect()
}
