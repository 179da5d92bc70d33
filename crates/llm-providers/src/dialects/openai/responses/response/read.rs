//! A provider's reply into the canonical one.

use llm_types::{
    ChatResponse, Choice, Error, ErrorKind, Extra, Media, MediaSource, Message, Part, PartKind, Result, Role,
    ToolCall, Usage,
};
use serde_json::{Value, json};

use super::super::namespace;
use super::super::request::annotation_of;
use super::super::wire::{DIALECT, finish_of, reasoning_part};
use crate::dialect::{InvokedTools, ReplyFacts};
use crate::dialects::openai::chat::read_usage;
use crate::dialects::openai::error;
use crate::scan::{self, Item, Kind};

/// Members of a reply that repeat the request or have a place of their own.
const KNOWN: [&str; 33] = [
    "background",
    "billing",
    "completed_at",
    "content_filters",
    "conversation",
    "created_at",
    "error",
    "frequency_penalty",
    "id",
    "incomplete_details",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "object",
    "output",
    "output_text",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "status",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
];
const KNOWN_TOO: [&str; 6] =
    ["moderation", "prompt_cache_options", "top_logprobs", "top_p", "truncation", "user"];

/// Reads a whole reply with a success status.
pub(crate) fn read(body: &[u8]) -> Result<ChatResponse> {
    let item = parsed(body)?;
    if let Some(error) = failure(item) {
        return Err(error);
    }
    let Some(output) = item.member("output").filter(|output| output.kind == Kind::Array) else {
        let found = item.member("output").map_or("none", |found| found.kind.described());
        let message =
            format!("the provider's reply is not a response: expected an array `output`, found {found}");
        return Err(Error::new(ErrorKind::BadUpstream, message));
    };
    let mut message = Message::new(Role::Assistant, Vec::new());
    let mut words = Vec::new();
    output.elements(|element| {
        if let Ok(value) = serde_json::from_str::<Value>(element.text) {
            words.extend(logprobs(&value));
            message.parts.extend(output_item(value));
        }
    });
    let calls = message.parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    let text = |name: &str| item.member(name).and_then(|value| value.as_str()).map(String::from);
    Ok(ChatResponse {
        id: text("id").unwrap_or_default(),
        model: text("model").unwrap_or_default(),
        created: item.member("created_at").and_then(seconds),
        choices: vec![Choice {
            index: 0,
            message,
            finish: Some(finish_of(item, calls)),
            logprobs: (!words.is_empty()).then(|| json!({"content": words, "refusal": null})),
            extra: Extra::default(),
        }],
        usage: usage(item),
        service_tier: text("service_tier"),
        extra: extra(item),
    })
}

fn parsed(body: &[u8]) -> Result<Item<'_>> {
    scan::value(body).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, format!("the provider's reply is not JSON: {fault}"))
    })
}

#[expect(clippy::cast_possible_truncation, reason = "seconds; casts from float saturate")]
fn seconds(item: Item<'_>) -> Option<i64> {
    item.text.parse::<f64>().ok().map(|seconds| seconds as i64)
}

fn extra(reply: Item<'_>) -> Extra {
    let mut extra = Extra::default();
    reply.members(|member| {
        let name = &*member.name;
        let known = KNOWN.contains(&name) || KNOWN_TOO.contains(&name) || name == "usage";
        if !known
            && let Ok(value) = serde_json::from_str::<Value>(member.value.text)
            && !value.is_null()
        {
            extra.keep(name, value);
        }
    });
    extra
}

/// The usage a reply states. Searches are counted from its items where the record does not say.
pub(in super::super) fn usage(reply: Item<'_>) -> Option<Usage> {
    let mut usage = read_usage(reply.member("usage")?)?;
    let mut searches = 0;
    if let Some(output) = reply.member("output") {
        output.elements(|item| {
            let kind = item.member("type").and_then(|kind| kind.as_str());
            searches += u64::from(kind.as_deref() == Some("web_search_call"));
        });
    }
    usage.web_searches = usage.web_searches.or((searches > 0).then_some(searches));
    let tier = reply.member("service_tier").and_then(|tier| tier.as_str());
    usage.service_tier = usage.service_tier.or(tier.map(Into::into));
    Some(usage)
}

/// The parts of one output item.
pub(in super::super) fn output_item(value: Value) -> Vec<Part> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let call = |arguments: String, custom: bool| {
        let id = Some(text("call_id")).filter(|id| !id.is_empty()).unwrap_or_else(|| text("id"));
        let name = namespace::joined(value.get("namespace").and_then(Value::as_str), text("name"));
        let mut part = Part::new(PartKind::ToolCall(ToolCall { id, name, arguments, custom }));
        let signature = value.pointer("/provider_specific_fields/thought_signature");
        part.signature = signature.and_then(Value::as_str).map(str::to_owned);
        vec![part]
    };
    match value.get("type").and_then(Value::as_str).unwrap_or_default() {
        "message" => {
            let content = value.get("content").and_then(Value::as_array);
            content.into_iter().flatten().filter_map(content_part).collect()
        }
        "function_call" => match value.get("arguments") {
            Some(Value::String(arguments)) => call(arguments.clone(), false),
            Some(Value::Null) | None => call(String::new(), false),
            Some(other) => call(other.to_string(), false),
        },
        "custom_tool_call" => call(text("input"), true),
        "reasoning" => {
            let mut thoughts = joined(value.get("summary"));
            if thoughts.is_empty() {
                thoughts = joined(value.get("content"));
            }
            let encrypted = value.get("encrypted_content").and_then(Value::as_str);
            reasoning_part(&text("id"), thoughts, encrypted).into_iter().collect()
        }
        "image_generation_call" if value.get("result").is_some_and(Value::is_string) => {
            vec![Part::new(PartKind::Image(picture(&value)))]
        }
        _ => vec![Part::new(PartKind::Native { dialect: DIALECT.to_owned(), value })],
    }
}

/// A picture the provider made, PNG unless it says otherwise.
fn picture(value: &Value) -> Media {
    let data = value.get("result").and_then(Value::as_str).unwrap_or_default();
    let format = value.get("output_format").and_then(Value::as_str).unwrap_or("png");
    Media::new(MediaSource::Base64(data.to_owned()), Some(format!("image/{format}")))
}

fn content_part(part: &Value) -> Option<Part> {
    let text = |name: &str| part.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Part::new(match part.get("type").and_then(Value::as_str)? {
        "refusal" => PartKind::Refusal { text: text("refusal")? },
        "output_text" | "text" => {
            let listed = part.get("annotations").and_then(Value::as_array).into_iter().flatten();
            PartKind::Text { text: text("text")?, citations: listed.cloned().map(annotation_of).collect() }
        }
        _ => PartKind::Native { dialect: DIALECT.to_owned(), value: part.clone() },
    }))
}

fn joined(parts: Option<&Value>) -> String {
    let parts = parts.and_then(Value::as_array).into_iter().flatten();
    let texts: Vec<&str> = parts.filter_map(|part| part.get("text")?.as_str()).collect();
    texts.join("\n\n")
}

/// The log-probabilities of a message's texts: the records are those of Chat Completions.
pub(in super::super) fn logprobs(item: &Value) -> Vec<Value> {
    let content = item.get("content").and_then(Value::as_array).into_iter().flatten();
    content.filter_map(|part| part.get("logprobs")?.as_array()).flatten().cloned().collect()
}

/// The error of a reply that failed, or that is none.
fn failure(reply: Item<'_>) -> Option<Error> {
    let status = reply.member("status").and_then(|status| status.as_str());
    let error = reply.member("error").filter(|error| !error.is_null());
    match status.as_deref() {
        Some("failed" | "cancelled") => Some(error_of_reply(reply)),
        Some(_) => None,
        None => error.map(|_| error::decode_within(reply)),
    }
}

/// The error of a reply with the state `failed` or `cancelled`; what it used is billed.
pub(in super::super) fn error_of_reply(reply: Item<'_>) -> Error {
    let stated = reply.member("error").filter(|error| error.kind == Kind::Object);
    let error = match stated {
        Some(error) => error::decode_object(error),
        None => {
            let status = reply.member("status").and_then(|status| status.as_str()).unwrap_or_default();
            Error::new(ErrorKind::BadUpstream, format!("the provider ended the response as `{status}`"))
        }
    };
    match usage(reply) {
        Some(usage) => error.with_usage(usage),
        None => error,
    }
}

/// The error of an `error` event: its members at the top, or one level deeper.
pub(in super::super) fn error_event(event: Item<'_>) -> Error {
    match event.member("error").filter(|error| error.kind == Kind::Object) {
        Some(error) => error::decode_object(error),
        None => error::decode_object(event),
    }
}

/// What settlement needs of a whole reply.
pub(crate) fn facts(body: &[u8]) -> ReplyFacts {
    let failed = |error| ReplyFacts { error: Some(error), ..ReplyFacts::default() };
    let item = match parsed(body) {
        Ok(item) => item,
        Err(error) => return failed(error),
    };
    if let Some(error) = failure(item) {
        return failed(error);
    }
    let Some(output) = item.member("output").filter(|output| output.kind == Kind::Array) else {
        let message = "the provider's reply is not a response: expected an array `output`";
        return failed(Error::new(ErrorKind::BadUpstream, message));
    };
    let (mut answer_bytes, mut tools) = (0, InvokedTools::default());
    let mut calls = false;
    output.elements(|item| {
        calls |= note_call(item, &mut tools);
        answer_bytes += answer_len(item);
    });
    let text = |name: &str| {
        let value = item.member(name).and_then(|value| value.as_str());
        value.filter(|text| !text.is_empty()).map(String::from)
    };
    ReplyFacts {
        id: text("id"),
        model: text("model"),
        usage: usage(item),
        finish: Some(finish_of(item, calls)),
        answer_bytes,
        tools,
        error: None,
        complete: true,
    }
}

/// Takes note of the function that an item of the output calls; false where it calls none.
pub(in super::super) fn note_call(item: Item<'_>, tools: &mut InvokedTools) -> bool {
    let text = |name: &str| item.member(name).and_then(|value| value.as_str());
    let calls = matches!(text("type").as_deref(), Some("function_call" | "custom_tool_call"));
    if calls && let Some(name) = text("name") {
        tools.note(&name);
    }
    calls
}

/// Bytes of what the model wrote in an item.
fn answer_len(item: Item<'_>) -> u64 {
    let mut length = 0;
    item.members(|member| {
        length += match (&*member.name, member.value.kind) {
            ("text" | "arguments" | "input" | "refusal" | "name", Kind::String) => {
                member.value.text.len() as u64 - 2
            }
            ("content" | "summary", Kind::Array) => {
                let mut inner = 0;
                member.value.elements(|part| inner += answer_len(part));
                inner
            }
            _ => 0,
        };
    });
    length
}
