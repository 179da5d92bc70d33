//! OpenAI's wires, and Cohere's for reranking, as most vendors have them: bytes are forwarded with the
//! model's name patched. <https://platform.openai.com/docs/api-reference>

use std::time::Duration;

use bytes::Bytes;
use llm_types::{
    Embeddings, Error, Extra, Operation, OperationReply, Picture, Pictures, Result, Usage, Vector,
};
use serde_json::{Map, Value};

use super::parts;
use crate::Auth;
use crate::dialects::control_of;
use crate::operations::form::Change;
use crate::operations::reply::{read_usage, wants_base64};
use crate::operations::{Form, Job, Payload, Place, Received, Sending, Step, Taking, Wire};
use crate::scan::{self, Patch, quoted};

/// OpenAI's form.
#[derive(Debug)]
pub(crate) struct Openai;

/// OpenAI's form of embeddings with vectors of signed bytes in base64.
/// <https://docs.perplexity.ai/api-reference/embeddings-post>
#[derive(Debug)]
pub(crate) struct SignedBytes;

impl Wire for Openai {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        let path = job.entry.path.to_owned();
        let place = if job.entry.wrapped { Place::Wrapped(path) } else { Place::Path(path) };
        let mut sending = match &job.asked.form {
            None => Sending::bytes(place, http::HeaderValue::from_static("application/json"), forward(job)?),
            Some(form) => Sending::payload(place, form.content_type(), forward_form(job, form)?),
        };
        sending.auth = job.entry.bearer.then_some(Auth::Bearer);
        Ok(vec![sending])
    }

    fn streams(&self) -> bool {
        true
    }

    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = parts::last(rounds)?;
        let error = scan::value(&reply.body).ok().and_then(|reply| reply.member("error"));
        if let Some(error) = error.filter(|error| !error.is_null() && error.text != "\"\"") {
            return Err(crate::dialects::openai_error_within(error));
        }
        let lacks = job.entry.lacks.contains(&"encoding_format");
        if job.asked.operation == Operation::Embeddings
            && (lacks && wants_base64(job) || !is_whole(&reply.body))
        {
            return Ok(Step::done(OperationReply::Embeddings(embeddings(&reply.json()?, parts::vector)?)));
        }
        if job.asked.operation.makes_pictures() && !says_when(&reply.body) {
            return Ok(Step::done(OperationReply::Pictures(pictures(reply.json()?)?)));
        }
        Ok(Step::Forward)
    }

    fn taking(&self, job: &Job<'_>) -> Taking {
        let flows = job.asked.operation == Operation::Speech || job.request.flag("stream") == Some(true);
        if flows { Taking::Flow } else { Taking::Whole }
    }
}

impl Wire for SignedBytes {
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>> {
        Openai.begin(job)
    }

    fn read(&self, _job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step> {
        let reply = parts::last(rounds)?;
        let read = |value: &Value| match value {
            Value::String(text) => {
                let bytes = parts::unbase64(text)?;
                Ok(Vector::Numbers(
                    bytes.into_iter().map(|byte| f64::from(byte.cast_signed()) / 127.0).collect(),
                ))
            }
            other => parts::vector(other),
        };
        Ok(Step::done(OperationReply::Embeddings(embeddings(&reply.json()?, read)?)))
    }
}

/// Whether a reply of pictures says when they were made: some vendors leave that out.
fn says_when(body: &[u8]) -> bool {
    let Ok(reply) = scan::value(body) else { return true };
    reply.member("data").is_none() || reply.member("created").is_some_and(|at| at.as_u64().is_some())
}

fn pictures(mut reply: Value) -> Result<Pictures> {
    let usage = reply.get("usage").filter(|usage| usage.is_object()).map(Value::to_string);
    let usage = usage.and_then(|text| scan::value(text.as_bytes()).ok().map(read_usage));
    let members = reply.as_object_mut().ok_or_else(|| parts::broken("`data`"))?;
    members.shift_remove("created");
    let data = members.shift_remove("data").ok_or_else(|| parts::broken("`data`"))?;
    let text = |one: &Value, name: &str| one[name].as_str().map(str::to_owned);
    let pictures = data.as_array().into_iter().flatten().map(|one| Picture {
        url: text(one, "url"),
        base64: text(one, "b64_json"),
        revised_prompt: text(one, "revised_prompt"),
    });
    let pictures = pictures.collect();
    Ok(Pictures { created: None, pictures, usage, extra: Extra(std::mem::take(members)) })
}

/// Whether a list of embeddings says all that OpenAI's says: some vendors leave out `object` or `usage`.
fn is_whole(body: &[u8]) -> bool {
    let Ok(reply) = scan::value(body) else { return true };
    let object = reply.member("object").and_then(|object| object.as_str());
    let mut whole =
        object.as_deref() == Some("list") && reply.member("usage").is_some_and(|usage| !usage.is_null());
    let Some(data) = reply.member("data") else { return true };
    let mut at = 0;
    data.elements(|element| {
        let named = element.member("object").and_then(|object| object.as_str());
        let placed = element.member("index").and_then(|index| index.as_u64());
        whole &= named.as_deref() == Some("embedding") && placed == Some(at);
        at += 1;
    });
    whole
}

fn embeddings(reply: &Value, read: impl Fn(&Value) -> Result<Vector>) -> Result<Embeddings> {
    let data = reply["data"].as_array().ok_or_else(|| parts::broken("`data`"))?;
    let mut placed: Vec<(u64, Vector)> = Vec::with_capacity(data.len());
    for (at, element) in data.iter().enumerate() {
        let index = element["index"].as_u64().unwrap_or(at as u64);
        placed.push((index, read(&element["embedding"])?));
    }
    placed.sort_by_key(|(index, _)| *index);
    let usage = &reply["usage"];
    let total = usage["total_tokens"].as_u64();
    let input = usage["prompt_tokens"].as_u64().or(total);
    Ok(Embeddings {
        model: reply["model"].as_str().unwrap_or_default().to_owned(),
        vectors: placed.into_iter().map(|(_, vector)| vector).collect(),
        usage: input.map(|input_tokens| Usage { input_tokens, total_tokens: total, ..Usage::default() }),
    })
}

/// The name under which the vendor takes the model.
fn model_of(job: &Job<'_>) -> String {
    let (model, prefix) = (&job.target.model, job.entry.model_prefix);
    if model.starts_with(prefix) { model.clone() } else { format!("{prefix}{model}") }
}

/// Members that are set whatever the body says: those of fallbacks, and the operator's defaults.
fn set_members<'a>(job: &'a Job<'_>) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let set = job.set.into_iter().flat_map(Map::iter).filter(|(name, _)| *name != "stream");
    set.chain(job.target.defaults.iter())
}

/// The caller's JSON made ready: the model's name, what the gateway and the policy take out, what is set.
fn forward(job: &Job<'_>) -> Result<Bytes> {
    let body = &job.asked.body;
    let mut patch = Patch::new(body);
    let mut said: Vec<String> = Vec::new();
    let model = (!job.entry.without_model).then(|| quoted(&model_of(job)));
    scan::object(body, |member| {
        let name = &*member.name;
        let renamed = job.entry.renames.iter().find(|(ours, _)| *ours == name);
        let value = job.request.params.get(name);
        let set = job.set.is_some_and(|set| set.contains_key(name)) && name != "stream";
        match (name, value) {
            ("model", _) => {
                if said.iter().any(|said| said == "model") || model.is_none() {
                    patch.remove(member.span());
                } else if let Some(model) = &model {
                    patch.replace(member.value.span(), model.clone());
                }
            }
            (_, None) if control_of(name).is_some() || !member.value.is_null() => patch.remove(member.span()),
            (_, Some(value)) if set => patch.replace(member.value.span(), value.to_string().into_bytes()),
            (_, Some(_)) if let Some((_, theirs)) = renamed => {
                let mut written = quoted(theirs);
                written.push(b':');
                written.extend_from_slice(member.value.text.as_bytes());
                patch.replace(member.span(), written);
            }
            _ => {}
        }
        said.push(name.to_owned());
    })?;
    if let Some(model) = model.filter(|_| !said.iter().any(|said| said == "model")) {
        patch.add("model", &model);
    }
    for (name, value) in set_members(job) {
        if !said.contains(name) {
            said.push(name.clone());
            patch.add(name, value.to_string().as_bytes());
        }
    }
    Ok(patch.finish())
}

/// The caller's form made ready.
fn forward_form(job: &Job<'_>, form: &Form) -> Result<Payload> {
    let model = (!job.entry.without_model).then(|| model_of(job));
    let has = |name: &str| form.fields.iter().any(|field| field.name.trim_end_matches("[]") == name);
    let mut added: Vec<(String, String)> = Vec::new();
    if let Some(model) = model.as_ref().filter(|_| !has("model")) {
        added.push(("model".to_owned(), model.clone()));
    }
    for (name, value) in set_members(job) {
        if !has(name) && !added.iter().any(|(added, _)| added == name) {
            added.push((name.clone(), as_text(name, value)?));
        }
    }
    Ok(form.changed(&job.asked.body, &added, |field| {
        let name = field.name.trim_end_matches("[]");
        let renamed = job.entry.renames.iter().find(|(ours, _)| *ours == name);
        if name == "model" {
            return model.as_ref().map_or(Change::Drop, |model| Change::Say(name.to_owned(), model.clone()));
        }
        if field.file_name.is_some() && renamed.is_none() {
            return Change::Keep;
        }
        match (job.request.params.get(name), renamed) {
            (None, _) if field.file_name.is_none() => Change::Drop,
            (Some(Value::String(text)), Some((_, theirs))) => Change::Say((*theirs).to_owned(), text.clone()),
            (Some(Value::String(text)), None) if job.set.is_some() => {
                Change::Say(field.name.clone(), text.clone())
            }
            _ => Change::Keep,
        }
    }))
}

/// A value as a field's text.
pub(crate) fn as_text(name: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        other => Err(Error::bad_param(name, format!("`{name}`: a form holds text, not `{other}`"))),
    }
}

/// No pause.
pub(crate) const AT_ONCE: Duration = Duration::ZERO;
