//! A provider's whole reply into the canonical one.

use llm_types::{
    ChatResponse, Choice, Error, ErrorKind, Extra, Finish, Message, Part, PartKind, Result, Role,
};
use serde_json::{Value, json};

use super::super::usage::WireUsage;
use super::super::wire::{camel, finish_of, finish_said, id_with_signature};
use super::super::{content, error};
use super::{citations, to_openai};
use crate::dialects::calls::made_id;
use crate::fields::{Fields, Path};
use crate::json::{self, Json};

/// Members of a candidate that have a place of their own.
const READ: &[&str] = &["content", "index", "logprobsResult"];

/// Reads a provider's reply: one object, or the list of a stream asked for without `alt=sse`.
pub(in super::super) fn decode(body: &[u8]) -> Result<ChatResponse> {
    let mut value = json::reply(body)?;
    let is_answer = value.get("candidates").is_some() && value.get("error").is_none();
    if !is_answer && let Some(error) = error::stated(&value.to_value()) {
        return Err(error);
    }
    camel(&mut value);
    reply(value).map_err(|error| match error.kind() {
        ErrorKind::BadRequest => content::bad_reply(&error),
        _ => error,
    })
}

fn reply(value: Json<'_>) -> Result<ChatResponse> {
    let mut fields = Fields::of(value, Path::Root)?;
    let usage: Option<WireUsage> = fields
        .take("usageMetadata")
        .map(Json::read)
        .transpose()
        .map_err(|fault| Error::bad_param("usageMetadata", format!("`usageMetadata`: {fault}")))?;
    let mut response = ChatResponse {
        id: fields.text("responseId")?.unwrap_or_default(),
        model: fields.text("modelVersion")?.unwrap_or_default(),
        usage: usage.as_ref().and_then(WireUsage::canonical),
        ..ChatResponse::default()
    };
    response.service_tier = response.usage.as_ref().and_then(|usage| usage.service_tier.clone());
    let path = Path::Root.member("candidates");
    let candidates = fields.array("candidates")?.unwrap_or_default();
    for (number, value) in candidates.into_iter().enumerate() {
        let choice = candidate(value, number, &response.id, path.element(number))?;
        let searches = choice.extra.value("groundingMetadata").map_or(0, searches);
        if let Some(usage) = response.usage.as_mut().filter(|_| searches > 0) {
            usage.web_searches = Some(usage.web_searches.unwrap_or(0) + searches);
        }
        response.choices.push(choice);
    }
    let mut rest = fields.rest();
    rest.take("createTime");
    rest.0.retain(|_, value| !value.is_null());
    if response.choices.is_empty() {
        if !rest.value("promptFeedback").is_some_and(blocked) {
            let message = "provider reply has no `candidates` and no reason for that in `promptFeedback`";
            return Err(Error::new(ErrorKind::BadUpstream, message));
        }
        response.choices.push(Choice {
            index: 0,
            message: Message::new(Role::Assistant, Vec::new()),
            finish: Some(Finish::ContentFilter),
            logprobs: None,
            extra: Extra::default(),
        });
    }
    response.extra = rest;
    Ok(response)
}

/// Whether `promptFeedback` says that the prompt was refused.
pub(in super::super) fn blocked(feedback: &Value) -> bool {
    let reason = feedback.get("blockReason").and_then(Value::as_str);
    reason
        .is_some_and(|reason| reason != "BLOCKED_REASON_UNSPECIFIED" && reason != "BLOCK_REASON_UNSPECIFIED")
}

/// How many searches the vendor made.
pub(in super::super) fn searches(grounding: &Value) -> u64 {
    grounding.get("webSearchQueries").and_then(Value::as_array).map_or(0, |queries| queries.len() as u64)
}

fn candidate(value: Json<'_>, number: usize, id: &str, path: Path<'_>) -> Result<Choice> {
    let Json::Object(mut members) = value else { return Err(path.wrong(value, "a candidate")) };
    let parts = match members.take("content") {
        Some(Json::Object(mut content)) => content.take("parts").filter(|parts| !parts.is_null()),
        _ => None,
    };
    let parts = match parts {
        None => Vec::new(),
        Some(parts) => content::parts(parts, &path.member("content"))?,
    };
    let mut map = members.into_map();
    let index = map.get("index").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
    let index = index.unwrap_or_else(|| u32::try_from(number).unwrap_or(u32::MAX));
    let mut message = Message::new(Role::Assistant, parts);
    let calls = name_calls(&mut message, id, index);
    let reason = map.get_mut("finishReason").map(Value::take);
    let finish = reason.as_ref().and_then(finish_said).map(|word| finish_of(word, calls > 0));
    let logprobs = map.get("logprobsResult").and_then(to_openai);
    let value = Value::Object(map);
    cite(&mut message, &value);
    let Value::Object(mut map) = value else { return Err(path.missing("a candidate")) };
    map.retain(|name, value| !READ.contains(&name.as_str()) && !value.is_null());
    if let Some(word) = reason.as_ref().and_then(finish_said) {
        // Where LiteLLM's callers look for the vendor's own word.
        map.insert("provider_specific_fields".to_owned(), json!({ "native_finish_reason": word }));
    }
    Ok(Choice { index, message, finish, logprobs, extra: Extra(map) })
}

/// Gives calls ids, and ids the signature they have to bring back. Returns how many calls there are.
fn name_calls(message: &mut Message, reply: &str, choice: u32) -> u32 {
    let mut calls = 0;
    for part in &mut message.parts {
        let Part { kind: PartKind::ToolCall(call), signature, .. } = part else { continue };
        if call.id.is_empty() {
            call.id = made_id(&[reply, &choice.to_string(), &call.name, &call.arguments], calls);
        }
        call.id = id_with_signature(&call.id, signature.as_deref());
        calls += 1;
    }
    calls
}

/// Gives the last text what the answer rests on.
fn cite(message: &mut Message, candidate: &Value) {
    let found = citations(candidate, &message.text());
    if found.is_empty() {
        return;
    }
    let texts = message.parts.iter_mut().rev();
    let last = texts.into_iter().find_map(|part| match &mut part.kind {
        PartKind::Text { citations, .. } => Some(citations),
        _ => None,
    });
    match last {
        Some(citations) => citations.extend(found),
        None => message.parts.push(Part::new(PartKind::Text { text: String::new(), citations: found })),
    }
}
