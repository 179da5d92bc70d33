//! Parameters: what the dialect cannot say, and what it says in its own words.

use llm_types::{Options, Result};
use serde_json::Value;

use super::super::models::Traits;
use crate::ParamPolicy;
use crate::dialects::params::leave_out;
use crate::left_out::note;
use crate::write::Object;

/// Checks what the dialect cannot say. Returns what the policy wants passed all the same.
pub(super) fn unsupported(
    options: &Options,
    own_tier: bool,
    policy: &ParamPolicy,
) -> Result<Vec<(&'static str, Value)>> {
    let modalities = options.modalities.as_ref().filter(|kinds| kinds.iter().any(|kind| kind != "text"));
    let given: [(&'static str, Option<Value>); 16] = [
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
        ("service_tier", options.service_tier.clone().filter(|_| !own_tier).map(Value::from)),
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
            leave_out(policy, name, "the Messages API has no such parameter")?;
        }
    }
    Ok(passed)
}

/// Writes sampling, stop texts and the end user.
pub(super) fn write(body: &mut Object<'_>, options: &Options) {
    body.some("temperature", options.temperature.as_ref());
    body.some("top_p", options.top_p.as_ref());
    body.some("top_k", options.top_k.as_ref());
    if !options.stop.is_empty() {
        body.value("stop_sequences", &options.stop);
    }
    let named = options.metadata.as_ref().and_then(|labels| labels.get("user_id")).and_then(Value::as_str);
    match options.user.as_deref().or(named) {
        Some(user) if is_personal(user) => note("user"),
        Some(user) => body.object("metadata", |metadata| metadata.text("user_id", user)),
        None => {}
    }
}

/// E-mail addresses and international phone numbers: the vendor forbids them as user ids.
fn is_personal(user: &str) -> bool {
    let is_mail = user.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let digits = user.chars().filter(char::is_ascii_digit).count();
    let is_phone = user.starts_with('+') && digits >= 7 && user.chars().all(|c| !c.is_alphabetic());
    is_mail || is_phone
}

/// Takes out the sampling parameters of models that take none.
pub(super) fn sampling(options: &mut Options, traits: Traits, policy: &ParamPolicy) -> Result<()> {
    const WHY: &str = "the model does not take sampling parameters";
    if traits.sampling {
        return Ok(());
    }
    for (name, option) in [("temperature", &mut options.temperature), ("top_p", &mut options.top_p)] {
        if option.take().is_some_and(|value| value != 1.0) {
            leave_out(policy, name, WHY)?;
        }
    }
    if options.top_k.take().is_some() {
        leave_out(policy, "top_k", WHY)?;
    }
    Ok(())
}
