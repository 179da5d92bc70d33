//! A canonical request for a provider: the conversation as one prompt, parameters by the wire's names.

use std::borrow::Cow;

use llm_types::{
    ChatRequest, Error, Message, Options, Part, PartKind, Reasoning, ResponseFormat, Result, Role, ToolCall,
};
use serde_json::{Map, Value, json};

use super::template::{Speaker, Template, Turn};
use super::wire::{Form, Names, Wire};
use crate::dialects::params::{self, leave_out};
use crate::dialects::unsaid::{PLAIN, note_unsaid};
use crate::left_out::note;
use crate::{Encoded, ParamPolicy, Target};

/// Why a parameter cannot be said.
const NO_SUCH: &str = "models that complete a prompt have no such parameter";
/// Members that LiteLLM's callers give beside the body, and one the wire has no use for.
const BESIDE: [&str; 4] = ["extra_headers", "extra_body", "stream_options", "model"];

/// Writes a request. Its path is the host's: a record's shell says it.
pub(super) fn encode(request: &ChatRequest, target: &Target, wire: Wire) -> Result<Encoded> {
    let policy = &target.policy;
    let request = &*params::without_functions(request, policy)?;
    let (mut options, defaults) = params::settle(request, target);
    let passed = unsupported(&mut options, policy, &wire.names())?;
    if !request.tools.is_empty() {
        leave_out(policy, "tools", "a prompt has no place for them")?;
    }
    if request.messages.is_empty() {
        let message = "`messages`: expected at least one message, found none";
        return Err(Error::bad_param("messages", message));
    }
    note_unsaid(request, PLAIN);
    let template = wire.template(target.family());
    let turns = turns(&request.messages, &template, policy)?;
    let own = &target.spec.quirks.own_template;
    let prompt = if own.is_none() { template.prompt(&turns) } else { own.prompt(&turns)? };
    let mut body = body(prompt, &options, target, wire, rest(request, &defaults, policy))?;
    body.extend(passed.into_iter().map(|(name, value)| (name.to_owned(), value)));
    if request.stream && !wire.form().asked_again {
        body.insert("stream".to_owned(), true.into());
    }
    let body = Value::Object(body).to_string().into();
    Ok(Encoded { path: "/".to_owned(), body, ..Encoded::default() })
}

/// The body's members, each in its place.
fn body(
    prompt: String,
    options: &Options,
    target: &Target,
    wire: Wire,
    rest: Map<String, Value>,
) -> Result<Map<String, Value>> {
    let (names, form) = (wire.names(), wire.form());
    let (mut body, mut said) = (Map::new(), Map::new());
    if form.names_model {
        body.insert("model".to_owned(), target.model.as_str().into());
    }
    if let Some((_, version)) = target.model.split_once(':').filter(|_| form.versions) {
        body.insert("version".to_owned(), version.into());
    }
    let place = if form.prompt_within { &mut said } else { &mut body };
    place.insert(names.prompt.to_owned(), prompt.into());
    parameters(&mut said, options, &names, &form)?;
    let place = if form.rest_within { &mut said } else { &mut body };
    for (name, value) in rest {
        place.entry(name).or_insert(value);
    }
    for (name, on) in form.flags {
        said.entry(*name).or_insert(Value::Bool(*on));
    }
    if names.within.is_empty() {
        body.extend(said);
    } else {
        body.insert(names.within.to_owned(), Value::Object(said));
    }
    Ok(body)
}

/// Checks what the wire cannot say and takes it out. Returns what the policy wants passed all the same.
fn unsupported(
    options: &mut Options,
    policy: &ParamPolicy,
    names: &Names,
) -> Result<Vec<(&'static str, Value)>> {
    let mut passed = Vec::new();
    for (name, value) in given(options, names) {
        if policy.allow.iter().any(|allowed| allowed == name) {
            passed.push((name, value));
        } else {
            leave_out(policy, name, NO_SUCH)?;
        }
        options.forget(name);
    }
    Ok(passed)
}

/// What is asked for and has no name on the wire, by OpenAI's names.
fn given(options: &Options, names: &Names) -> Vec<(&'static str, Value)> {
    let unnamed = |name: &str, value: Option<Value>| value.filter(|_| name.is_empty());
    let stop = (!options.stop.is_empty()).then(|| json!(options.stop));
    let effort = options.reasoning.as_ref().and_then(|asked| asked.effort);
    let modalities = options.modalities.as_ref().filter(|kinds| kinds.iter().any(|kind| kind != "text"));
    let list = [
        ("stop", unnamed(names.stop, stop)),
        ("n", unnamed(names.n, options.n.filter(|n| *n > 1).map(Value::from))),
        ("seed", unnamed(names.seed, options.seed.map(Value::from))),
        ("frequency_penalty", unnamed(names.frequency_penalty, options.frequency_penalty.map(Value::from))),
        ("presence_penalty", unnamed(names.presence_penalty, options.presence_penalty.map(Value::from))),
        ("logit_bias", options.logit_bias.clone().filter(|bias| !bias.is_empty()).map(Value::Object)),
        ("logprobs", options.logprobs.filter(|on| *on).map(Value::from)),
        ("top_logprobs", options.top_logprobs.filter(|most| *most > 0).map(Value::from)),
        ("tool_choice", options.tool_choice.as_ref().map(|choice| json!(choice))),
        ("parallel_tool_calls", options.parallel_tool_calls.map(Value::from)),
        ("response_format", unnamed(names.response_format, options.response_format.as_ref().map(shape))),
        ("temperature", unnamed(names.temperature, options.temperature.map(Value::from))),
        ("top_p", unnamed(names.top_p, options.top_p.map(Value::from))),
        ("reasoning_effort", effort.map(|effort| effort.as_str().into())),
        ("thinking", thinking(options)),
        ("modalities", modalities.cloned().map(Value::from)),
        ("audio", options.audio.clone()),
        ("prediction", options.prediction.clone()),
        ("web_search_options", options.web_search.clone()),
        ("verbosity", options.verbosity.clone().map(Value::from)),
        ("service_tier", options.service_tier.clone().map(Value::from)),
        ("store", options.store.map(Value::from)),
        ("prompt_cache_key", options.prompt_cache_key.clone().map(Value::from)),
        ("safety_identifier", options.safety_identifier.clone().map(Value::from)),
        ("safety_settings", options.safety_settings.clone()),
    ];
    list.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A wish about thinking that names no effort.
fn thinking(options: &Options) -> Option<Value> {
    let asked = options.reasoning.as_ref().filter(|asked| **asked != Reasoning::default())?;
    asked
        .effort
        .is_none()
        .then(|| json!({ "type": if asked.enabled == Some(false) { "disabled" } else { "enabled" } }))
}

/// Writes parameters by their names.
fn parameters(said: &mut Map<String, Value>, options: &Options, names: &Names, form: &Form) -> Result<()> {
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|_| !name.is_empty()) {
            said.insert(name.to_owned(), value);
        }
    };
    let least = |given: f64| form.least_temperature.map_or(given, |least| given.max(least));
    let n = options.n.filter(|_| !names.n.is_empty());
    add(names.max_tokens, options.max_tokens.or(form.cap).map(Value::from));
    add(names.temperature, options.temperature.map(least).map(Value::from));
    add(names.top_p, options.top_p.map(Value::from));
    add(names.top_k, options.top_k.map(Value::from));
    add(names.stop, stops(&options.stop, form.stop_joint)?);
    add(names.n, n.map(Value::from));
    add(form.several, n.map(|_| true.into()));
    add(names.seed, options.seed.map(Value::from));
    add(names.frequency_penalty, options.frequency_penalty.map(Value::from));
    add(names.presence_penalty, options.presence_penalty.map(Value::from));
    add(names.response_format, options.response_format.as_ref().map(shape));
    if form.tells_user {
        add("metadata", options.user.as_ref().map(|user| json!({ "user_id": user })));
    }
    Ok(())
}

/// The texts that end an answer: a list, or one text where the wire has them so.
fn stops(stop: &[String], joint: Option<&str>) -> Result<Option<Value>> {
    let Some(joint) = joint else { return Ok((!stop.is_empty()).then(|| json!(stop))) };
    if let Some(text) = stop.iter().find(|text| text.contains(joint)) {
        let message = format!("`stop`: `{text}` holds `{joint}`, which stands between the texts there");
        return Err(Error::unsupported("stop", message));
    }
    Ok((!stop.is_empty()).then(|| stop.join(joint).into()))
}

/// The form of an answer in `OpenAI`'s words.
fn shape(format: &ResponseFormat) -> Value {
    match format {
        ResponseFormat::Text => json!({ "type": "text" }),
        ResponseFormat::JsonObject => json!({ "type": "json_object" }),
        ResponseFormat::JsonSchema { name, description, strict, schema } => {
            let mut inner = json!({ "name": name.as_deref().unwrap_or("answer"), "schema": schema });
            if let Some(description) = description {
                inner["description"] = description.as_str().into();
            }
            if let Some(strict) = strict {
                inner["strict"] = (*strict).into();
            }
            json!({ "type": "json_schema", "json_schema": inner })
        }
    }
}

/// Body members without canonical form: the caller's own, then the target's.
fn rest(request: &ChatRequest, defaults: &Map<String, Value>, policy: &ParamPolicy) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in request.extra.0.iter().chain(defaults) {
        fields.entry(name.clone()).or_insert_with(|| value.clone());
    }
    fields.retain(|name, value| {
        let dropped = policy.always_drop.iter().any(|listed| listed == name);
        !BESIDE.contains(&name.as_str()) && !value.is_null() && !dropped
    });
    fields
}

/// The conversation in words.
fn turns<'r>(messages: &'r [Message], template: &Template, policy: &ParamPolicy) -> Result<Vec<Turn<'r>>> {
    let mut turns = Vec::with_capacity(messages.len());
    for message in messages {
        let speaker = match message.role {
            Role::System | Role::Developer => Speaker::System,
            Role::User => Speaker::User,
            Role::Assistant => Speaker::Assistant,
            Role::Tool => Speaker::Tool,
        };
        let mut texts: Vec<Cow<'r, str>> = Vec::new();
        for part in &message.parts {
            match &part.kind {
                // Each result is a turn of its own.
                PartKind::ToolResult(result) => {
                    let text = words(&result.parts, template, policy)?;
                    turns.push(Turn { speaker: Speaker::Tool, text: joined(text, template) });
                }
                _ => texts.extend(word(part, template, policy)?),
            }
        }
        if speaker != Speaker::Tool || !texts.is_empty() {
            turns.push(Turn { speaker, text: joined(texts, template) });
        }
    }
    Ok(turns)
}

fn words<'r>(parts: &'r [Part], template: &Template, policy: &ParamPolicy) -> Result<Vec<Cow<'r, str>>> {
    let mut texts = Vec::new();
    for part in parts {
        texts.extend(word(part, template, policy)?);
    }
    Ok(texts)
}

/// A part in words; nothing for one that says nothing here.
fn word<'r>(part: &'r Part, template: &Template, policy: &ParamPolicy) -> Result<Option<Cow<'r, str>>> {
    let what = match &part.kind {
        PartKind::Text { text, .. } | PartKind::Refusal { text } => return Ok(Some(Cow::Borrowed(text))),
        // What a model thought is not repeated to it, as its own template has it.
        PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. } => return Ok(None),
        PartKind::ToolCall(call) => match template.call() {
            Some(marks) => return Ok(Some(Cow::Owned(called(call, marks)))),
            None => "a call of a tool",
        },
        PartKind::Image(_) => "a picture",
        PartKind::Audio(_) => "sound",
        PartKind::Video(_) => "a video",
        PartKind::Document(media) => match &media.source {
            llm_types::MediaSource::Text(text) => return Ok(Some(Cow::Borrowed(text))),
            _ => "a document",
        },
        PartKind::ToolResult(_) => "a tool's result inside another",
        PartKind::Native { .. } => "another vendor's content block",
    };
    if policy.drop {
        note("messages.content");
        return Ok(None);
    }
    let message = format!(
        "{what} in `messages` is not supported by this model's provider: it takes a prompt; leave it out or set \
         `drop_params`"
    );
    Err(Error::unsupported("messages", message))
}

/// A call as the family writes it.
fn called(call: &ToolCall, (before, after): (&str, &str)) -> String {
    let arguments = serde_json::from_str::<Value>(&call.arguments)
        .unwrap_or_else(|_| Value::from(call.arguments.as_str()));
    format!("{before}{}{after}", json!({ "name": call.name, "arguments": arguments }))
}

/// Texts one after the other, as the template has them.
fn joined<'r>(mut texts: Vec<Cow<'r, str>>, template: &Template) -> Cow<'r, str> {
    texts.retain(|text| !text.is_empty());
    match texts.len() {
        0 => Cow::Borrowed(""),
        1 => texts.remove(0),
        _ => Cow::Owned(texts.join(template.between_parts())),
    }
}

#[cfg(test)]
mod tests;
