//! The canonical reply as this API shows one.

use bytes::Bytes;
use llm_types::{
    ChatResponse, Citation, Error, ErrorKind, Extra, Finish, Media, MediaSource, Part, PartKind, Usage,
};
use serde_json::{Map, Value, json};

use super::super::wire::{DIALECT, item_id, reasoning_item, reply_id, state_of};
use super::super::{echo, namespace, usage};
use crate::dialect::ReplyContext;
use crate::dialects::openai::chat::NATIVE as CHAT;

/// What stands around a reply's items.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Head<'a> {
    pub(in super::super) id: &'a str,
    pub(in super::super) model: &'a str,
    pub(in super::super) created: i64,
    pub(in super::super) status: &'a str,
    /// Why it is not whole.
    pub(in super::super) reason: Option<&'a str>,
    pub(in super::super) error: Option<&'a Error>,
    pub(in super::super) usage: Option<&'a Usage>,
    pub(in super::super) service_tier: Option<&'a str>,
    pub(in super::super) extra: &'a Extra,
}

/// Writes a whole reply.
pub(crate) fn encode(response: &ChatResponse, cx: &ReplyContext) -> Bytes {
    let id = reply_id(cx, &response.id);
    let choice = response.choices.iter().find(|choice| choice.index == 0).or(response.choices.first());
    let parts = choice.map(|choice| choice.message.parts.as_slice()).unwrap_or_default();
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let (status, reason) = state(finish, parts);
    let mut output = items(parts, &id, status);
    output.iter_mut().for_each(|item| namespace::name_call(item, cx.echo.as_deref()));
    let words = choice.and_then(|choice| choice.logprobs.as_ref()?.get("content"));
    if let Some(words) = words.filter(|words| words.is_array()) {
        add_logprobs(&mut output, words);
    }
    let mut extra = response.extra.clone();
    let natives: Vec<&Value> = parts.iter().filter_map(foreign).collect();
    if !natives.is_empty() {
        extra.keep("native_blocks", json!(natives));
    }
    let head = Head {
        id: &id,
        model: if response.model.is_empty() { &cx.model } else { &response.model },
        created: response.created.unwrap_or(cx.now),
        status,
        reason,
        error: None,
        usage: response.usage.as_ref(),
        service_tier: response.service_tier.as_deref(),
        extra: &extra,
    };
    Value::Object(reply(&head, output, cx)).to_string().into()
}

fn state(finish: Option<&Finish>, parts: &[Part]) -> (&'static str, Option<&'static str>) {
    state_of(finish, parts.iter().any(|part| matches!(part.kind, PartKind::Refusal { .. })))
}

/// A block of another dialect that no item stands for: shown beside the output, as on Chat Completions.
fn foreign(part: &Part) -> Option<&Value> {
    match &part.kind {
        PartKind::Native { dialect, value } if native_item(dialect, value).is_none() => Some(value),
        _ => None,
    }
}

/// The reply object.
pub(in super::super) fn reply(head: &Head<'_>, output: Vec<Value>, cx: &ReplyContext) -> Map<String, Value> {
    let mut reply = Map::new();
    let mut put = |name: &str, value: Value| reply.insert(name.to_owned(), value);
    put("id", json!(head.id));
    put("object", json!("response"));
    put("created_at", json!(head.created));
    put("status", json!(head.status));
    put(
        "completed_at",
        if head.status == "completed" { json!(cx.now.max(head.created)) } else { Value::Null },
    );
    put("error", head.error.map_or(Value::Null, error_of));
    put("incomplete_details", head.reason.map_or(Value::Null, |reason| json!({"reason": reason})));
    put("model", json!(head.model));
    put("output", Value::Array(output));
    echo::add(&mut reply, cx.echo.as_deref());
    let asked = cx.echo.as_ref().and_then(|said| said.get("service_tier"));
    let tier = head.service_tier.map(|tier| json!(tier)).or_else(|| asked.cloned());
    reply.insert("service_tier".to_owned(), tier.unwrap_or_else(|| json!("default")));
    reply.insert("usage".to_owned(), head.usage.map_or(Value::Null, usage::written));
    for (name, value) in &head.extra.0 {
        reply.entry(name).or_insert_with(|| value.clone());
    }
    reply
}

/// The `error` of a failed reply. Source: API reference, `ResponseErrorCode`.
pub(in super::super) fn error_of(error: &Error) -> Value {
    let code = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded => "rate_limit_exceeded",
        ErrorKind::BadRequest | ErrorKind::ContextTooLong | ErrorKind::ContentFiltered => "invalid_prompt",
        _ => "server_error",
    };
    json!({"code": code, "message": error.message()})
}

/// The items of an answer: neighbouring words are one message, everything else an item of its own.
fn items(parts: &[Part], id: &str, status: &str) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::new();
    let mut words: Vec<Value> = Vec::new();
    let flush = |words: &mut Vec<Value>, items: &mut Vec<Value>| {
        if !words.is_empty() {
            items.push(json!({
                "id": item_id("msg", id, items.len()), "type": "message", "status": status,
                "role": "assistant", "content": std::mem::take(words),
            }));
        }
    };
    for part in parts {
        match &part.kind {
            PartKind::Text { text, citations } => words.push(text_part(text, citations)),
            PartKind::Refusal { text } => words.push(json!({"type": "refusal", "refusal": text})),
            _ => {
                flush(&mut words, &mut items);
                let number = items.len();
                items.extend(item(part, id, number));
            }
        }
    }
    flush(&mut words, &mut items);
    items
}

fn text_part(text: &str, citations: &[Citation]) -> Value {
    let annotations: Vec<Value> = citations.iter().filter_map(annotation).collect();
    json!({"type": "output_text", "text": text, "annotations": annotations, "logprobs": []})
}

fn item(part: &Part, id: &str, number: usize) -> Option<Value> {
    Some(match &part.kind {
        PartKind::Reasoning { text, .. } => {
            reasoning_item(&item_id("rs", id, number), text, part.signature.as_deref(), false)
        }
        PartKind::RedactedReasoning { data } => {
            reasoning_item(&item_id("rs", id, number), "", Some(data), true)
        }
        PartKind::ToolCall(call) => {
            let (kind, prefix, member) = if call.custom {
                ("custom_tool_call", "ctc", "input")
            } else {
                ("function_call", "fc", "arguments")
            };
            let mut item = json!({
                "id": item_id(prefix, id, number), "type": kind, "status": "completed",
                "call_id": call.id, "name": call.name, member: call.arguments,
            });
            if let Some(signature) = &part.signature {
                item["provider_specific_fields"] = json!({"thought_signature": signature});
            }
            item
        }
        PartKind::Image(media) => image_item(media, &item_id("ig", id, number)),
        PartKind::Native { dialect, value } => native_item(dialect, value)?,
        _ => return None,
    })
}

/// A picture the model made.
pub(in super::super) fn image_item(media: &Media, id: &str) -> Value {
    let mut item = json!({"id": id, "type": "image_generation_call", "status": "completed", "result": null});
    match &media.source {
        MediaSource::Base64(data) => item["result"] = json!(data),
        MediaSource::Url(url) => item["image_url"] = json!(url),
        _ => {}
    }
    if let Some(format) = media.mime.as_deref().and_then(|mime| mime.strip_prefix("image/")) {
        item["output_format"] = json!(format);
    }
    item
}

/// The item of a native block: this API's own, or the web search another vendor ran.
pub(in super::super) fn native_item(dialect: &str, value: &Value) -> Option<Value> {
    if dialect == DIALECT {
        return Some(value.clone());
    }
    let is_search = value["type"] == "server_tool_use" && value["name"] == "web_search";
    is_search.then(|| {
        let query = value.pointer("/input/query").cloned().unwrap_or_default();
        json!({
            "id": value["id"], "type": "web_search_call", "status": "completed",
            "action": {"type": "search", "query": query},
        })
    })
}

/// The annotation of a citation: its own, else the nearest form that says what is known.
pub(in super::super) fn annotation(cited: &Citation) -> Option<Value> {
    let (start, end) = cited.span.unwrap_or((0, 0));
    match (cited.dialect.as_deref(), &cited.native) {
        (Some(DIALECT), Some(native)) => return Some(native.clone()),
        (Some(CHAT), Some(native)) => {
            // Chat Completions puts the members one level deeper.
            let kind = native.get("type")?.as_str()?;
            let mut flat = native.get(kind)?.as_object()?.clone();
            flat.insert("type".to_owned(), json!(kind));
            return Some(Value::Object(flat));
        }
        _ => {}
    }
    if let Some(url) = &cited.url {
        let title = cited.title.as_deref().unwrap_or(url);
        return Some(json!({
            "type": "url_citation", "start_index": start, "end_index": end, "url": url, "title": title,
        }));
    }
    cited.document?;
    let name = cited.title.as_deref().unwrap_or_default();
    Some(json!({
        "type": "file_citation", "file_id": "", "filename": name, "index": start,
        "quote": cited.cited_text,
    }))
}

/// Puts log-probabilities on the first text.
fn add_logprobs(output: &mut [Value], words: &Value) {
    let texts = output.iter_mut().filter_map(|item| item.get_mut("content")?.as_array_mut()).flatten();
    if let Some(text) = texts.into_iter().find(|part| part["type"] == "output_text") {
        text["logprobs"] = words.clone();
    }
}
