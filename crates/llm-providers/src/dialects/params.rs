//! Parameters of any dialect: defaults of the target, what the policy takes away, what cannot be said.

use std::borrow::Cow;

use llm_types::{ChatRequest, Error, Options, ReasoningEffort, Result};
use serde_json::{Map, Value};

use crate::{ParamPolicy, Target, left_out};

/// OpenAI's forerunners of tools.
const LEGACY: &[&str] = &["functions", "function_call"];

/// The request without OpenAI's `functions`: a caller that sends them cannot read tool calls, so LiteLLM
/// refuses or drops them, and so do we.
pub(in crate::dialects) fn without_functions<'r>(
    request: &'r ChatRequest,
    policy: &ParamPolicy,
) -> Result<Cow<'r, ChatRequest>> {
    let native = request.native.as_ref().map(|native| &native.fields);
    let given = |name: &str| native.and_then(|fields| fields.value(name));
    let mut request = Cow::Borrowed(request);
    for name in LEGACY {
        let Some(value) = given(name) else { continue };
        leave_out(policy, name, "its callers take `tools` only")?;
        let request = request.to_mut();
        request.options.tool_choice = None;
        for function in value.as_array().into_iter().flatten() {
            request.tools.retain(|tool| function.get("name").and_then(Value::as_str) != Some(&tool.name));
        }
    }
    Ok(request)
}

/// Members of OpenAI's APIs that no other has, with the question whether an answer without them is another
/// one. Source: OpenAI API reference, `CreateChatCompletionRequest`.
const OPENAIS: [(&str, bool); 3] =
    [("moderation", true), ("prompt_cache_options", false), ("prompt_cache_retention", false)];

/// The request without what only OpenAI's APIs understand: told to the caller where it matters.
pub(in crate::dialects) fn without_openais<'r>(
    mut request: Cow<'r, ChatRequest>,
    policy: &ParamPolicy,
) -> Result<Cow<'r, ChatRequest>> {
    for (name, matters) in OPENAIS {
        let allowed = policy.allow.iter().any(|listed| listed == name);
        if allowed || request.extra.value(name).is_none() {
            continue;
        }
        match matters {
            true => leave_out(policy, name, "only OpenAI's APIs have it")?,
            false => left_out::note(name),
        }
        request.to_mut().extra.0.shift_remove(name);
    }
    Ok(request)
}

/// The caller's options with the target's defaults filled in and what the policy always drops taken
/// out, and the defaults that no option took: they are body fields.
pub(in crate::dialects) fn settle(request: &ChatRequest, target: &Target) -> (Options, Map<String, Value>) {
    let mut options = request.options.clone();
    let mut fields = target.defaults.clone();
    fill(&mut options, &mut fields);
    for name in &target.policy.always_drop {
        if options.forget(name) {
            left_out::note(name.clone());
        }
        fields.shift_remove(name);
    }
    (options, fields)
}

/// Takes the defaults that are options, by their OpenAI names or this dialect's.
fn fill(options: &mut Options, fields: &mut Map<String, Value>) {
    let whole = |value: &Value| value.as_u64();
    let number = |value: &Value| value.as_f64();
    take(&mut options.max_tokens, fields, "max_completion_tokens", whole);
    take(&mut options.max_tokens, fields, "max_tokens", whole);
    take(&mut options.temperature, fields, "temperature", number);
    take(&mut options.top_p, fields, "top_p", number);
    take(&mut options.top_k, fields, "top_k", whole);
    take(&mut options.user, fields, "user", |value| value.as_str().map(str::to_owned));
    take(&mut options.web_search, fields, "web_search_options", |value| Some(value.clone()));
    take(&mut options.parallel_tool_calls, fields, "parallel_tool_calls", Value::as_bool);
    if fields.get("stop").is_some_and(|stop| options.stop.is_empty() || stop.is_null()) {
        options.stop = texts(fields.shift_remove("stop"));
    }
    if options.reasoning.is_none() {
        let word = fields.get("reasoning_effort").and_then(Value::as_str);
        if let Some(effort) = word.and_then(ReasoningEffort::from_word) {
            options.reasoning.get_or_insert_default().effort = Some(effort);
        }
    }
    fields.shift_remove("reasoning_effort");
}

fn take<T>(
    option: &mut Option<T>,
    fields: &mut Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) {
    if let Some(value) = fields.shift_remove(name)
        && option.is_none()
    {
        *option = read(&value);
    }
}

fn texts(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Takes out what the target's record says the vendor does not take, of what a dialect could say.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] naming the first of them, unless the policy drops it. `user` is left
/// out without being refused, as LiteLLM does.
pub(in crate::dialects) fn not_taken(options: &mut Options, target: &Target) -> Result<()> {
    let asked: [(&'static str, bool); 5] = [
        ("parallel_tool_calls", options.parallel_tool_calls.is_some()),
        ("response_format", options.response_format.is_some()),
        ("stop", !options.stop.is_empty()),
        ("user", options.user.is_some()),
        ("web_search_options", options.web_search.is_some()),
    ];
    for (name, _) in asked.into_iter().filter(|(name, asked)| *asked && !target.spec.quirks.takes(name)) {
        if target.policy.allow.iter().any(|allowed| allowed == name) {
            continue;
        }
        match name {
            "user" => left_out::note(name),
            _ => leave_out(&target.policy, name, "its models of this dialect do not have it")?,
        }
        options.forget(name);
    }
    Ok(())
}

/// Whether a part of a message that cannot be said is left out; an error when the policy does not allow that.
pub(in crate::dialects) fn leave_part_out(policy: &ParamPolicy, what: &str) -> Result<()> {
    if policy.drop {
        left_out::note("messages.content");
        return Ok(());
    }
    let message = format!(
        "{what} in `messages` is not supported by this model's provider; leave it out or set `drop_params`"
    );
    Err(Error::unsupported("messages", message))
}

/// Whether the policy drops a parameter that cannot be said.
pub(in crate::dialects) fn drops(policy: &ParamPolicy, name: &str) -> bool {
    policy.drop || policy.always_drop.iter().any(|dropped| dropped == name)
}

/// Whether a parameter that cannot be said is left out; an error when the policy does not allow that.
pub(in crate::dialects) fn leave_out(policy: &ParamPolicy, name: &'static str, why: &str) -> Result<()> {
    if drops(policy, name) {
        left_out::note(name);
        return Ok(());
    }
    let message = format!(
        "`{name}` is not supported by this model's provider: {why}; leave it out or set `drop_params`"
    );
    Err(Error::unsupported(name, message))
}
