//! Messages and their parts, from OpenAI's form into the canonical one.

use std::collections::VecDeque;

use llm_types::{
    CacheMark, CacheTtl, Media, MediaSource, Message, Part, PartKind, Result, Role, ToolCall, ToolResult,
};

use super::super::wire::{DIALECT, audio_mime, data_uri};
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads all messages. A result that does not name its call (legacy `function` messages, some
/// clients' `tool` messages) answers the first call before it that has no answer yet.
pub(super) fn decode(listed: Vec<Json<'_>>, path: &Path<'_>) -> Result<Vec<Message>> {
    let mut unanswered = VecDeque::new();
    let mut messages = Vec::with_capacity(listed.len());
    for (index, value) in listed.into_iter().enumerate() {
        let mut fields = Fields::of(value, path.element(index))?;
        let role = role(&mut fields)?;
        let message = message(role, index, &mut fields, &mut unanswered)?;
        if role == Role::Assistant {
            unanswered = calls(&message);
        }
        messages.push(message);
    }
    Ok(messages)
}

fn calls(message: &Message) -> VecDeque<String> {
    let id = |part: &Part| match &part.kind {
        PartKind::ToolCall(call) => Some(call.id.clone()),
        _ => None,
    };
    message.parts.iter().filter_map(id).collect()
}

fn role(fields: &mut Fields<'_, '_>) -> Result<Role> {
    const ROLES: &str = "one of `system`, `developer`, `user`, `assistant`, `tool`, `function`";
    let word = fields.text("role")?.ok_or_else(|| fields.path().member("role").missing(ROLES))?;
    match word.as_str() {
        "system" => Ok(Role::System),
        "developer" => Ok(Role::Developer),
        "user" => Ok(Role::User),
        "assistant" | "model" => Ok(Role::Assistant),
        "tool" | "function" => Ok(Role::Tool),
        _ => Err(fields.path().member("role").wrong(word, ROLES)),
    }
}

fn message(
    role: Role,
    index: usize,
    fields: &mut Fields<'_, '_>,
    unanswered: &mut VecDeque<String>,
) -> Result<Message> {
    let cache = cache_mark(fields)?;
    let name = fields.text("name")?;
    let mut message = Message::new(role, Vec::new());
    match role {
        Role::Tool => {
            let call_id = match fields.text("tool_call_id")? {
                Some(id) => {
                    unanswered.retain(|open| *open != id);
                    id
                }
                None => match unanswered.pop_front() {
                    Some(id) => id,
                    None => return Err(fields.path().member("tool_call_id").missing("a string")),
                },
            };
            let parts = content(fields)?.unwrap_or_default();
            let result = ToolResult { call_id, name, parts, is_error: fields.flag("is_error")? };
            message.parts = vec![Part::new(PartKind::ToolResult(result))];
        }
        Role::Assistant => {
            message.name = name;
            message.parts = assistant(fields, index)?;
        }
        _ => {
            message.name = name;
            message.parts = match content(fields)? {
                Some(parts) => parts,
                None => return Err(fields.path().member("content").missing("a string or an array of parts")),
            };
        }
    }
    if let (Some(mark), Some(last)) = (cache, message.parts.last_mut()) {
        last.cache = Some(mark);
    }
    message.extra = fields.rest();
    Ok(message)
}

/// What the model said: its thoughts, then its words, then its calls.
fn assistant(fields: &mut Fields<'_, '_>, index: usize) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let thoughts = fields.array("thinking_blocks")?;
    let plain = fields.text("reasoning_content")?;
    match (thoughts, plain) {
        (Some(blocks), _) if !blocks.is_empty() => {
            let path = *fields.path();
            let path = path.member("thinking_blocks");
            for (index, block) in blocks.into_iter().enumerate() {
                parts.push(part(block, path.element(index))?);
            }
        }
        (_, Some(text)) if !text.is_empty() => parts.push(Part::reasoning(text, None)),
        _ => {}
    }
    parts.extend(content(fields)?.unwrap_or_default());
    if let Some(text) = fields.text("refusal")? {
        parts.push(Part::new(PartKind::Refusal { text }));
    }
    if let Some(calls) = fields.array("tool_calls")? {
        let path = *fields.path();
        let path = path.member("tool_calls");
        for (index, call) in calls.into_iter().enumerate() {
            parts.push(tool_call(Fields::of(call, path.element(index))?)?);
        }
    }
    let called = fields.object("function_call", |call| {
        Ok(ToolCall {
            id: format!("call_{index}"),
            name: call.required_text("name")?,
            arguments: call.text("arguments")?.unwrap_or_default(),
            custom: false,
        })
    })?;
    parts.extend(called.map(|call| Part::new(PartKind::ToolCall(call))));
    Ok(parts)
}

fn tool_call(mut fields: Fields<'_, '_>) -> Result<Part> {
    let id = fields.required_text("id")?;
    let kind = fields.text("type")?.unwrap_or_else(|| "function".to_owned());
    let call = match kind.as_str() {
        "function" => fields.required_object("function", |function| {
            let name = function.required_text("name")?;
            let arguments = arguments(function)?;
            Ok(ToolCall { id, name, arguments, custom: false })
        })?,
        "custom" => fields.required_object("custom", |custom| {
            let name = custom.required_text("name")?;
            let arguments = custom.text("input")?.unwrap_or_default();
            Ok(ToolCall { id, name, arguments, custom: true })
        })?,
        _ => {
            return Err(fields.path().member("type").wrong(kind, "`function` or `custom`"));
        }
    };
    let mut part = Part::new(PartKind::ToolCall(call));
    part.signature = signature(&fields);
    part.cache = cache_mark(&mut fields)?;
    for known in ["extra_content", "index"] {
        fields.any(known);
    }
    part.extra = fields.rest();
    Ok(part)
}

/// Arguments are JSON in a string; some clients send the object itself.
fn arguments(function: &mut Fields<'_, '_>) -> Result<String> {
    if let Some(Json::Object(_)) = function.peek("arguments") {
        return Ok(function.any("arguments").map(|object| object.to_string()).unwrap_or_default());
    }
    Ok(function.text("arguments")?.unwrap_or_default())
}

/// Gemini's thought signature, where LiteLLM and where Google's OpenAI endpoint put it.
fn signature(call: &Fields<'_, '_>) -> Option<String> {
    let at = |name: &str, path: &[&str]| call.peek(name)?.at(path)?.as_str().map(str::to_owned);
    at("provider_specific_fields", &["thought_signature"])
        .or_else(|| at("extra_content", &["google", "thought_signature"]))
}

/// The `content` member: a string, or parts; `None` when it is absent or null.
fn content(fields: &mut Fields<'_, '_>) -> Result<Option<Vec<Part>>> {
    let path = *fields.path();
    let path = path.member("content");
    match fields.take("content") {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(vec![Part::text(text.into_owned())])),
        Some(Json::Array(listed)) => {
            let read = |(index, value)| part(value, path.element(index));
            listed.into_iter().enumerate().map(read).collect::<Result<_>>().map(Some)
        }
        Some(other) => Err(path.wrong(other, "a string or an array of parts")),
    }
}

fn part(value: Json<'_>, path: Path<'_>) -> Result<Part> {
    if let Json::String(text) = value {
        return Ok(Part::text(text.into_owned()));
    }
    let whole = copy_if_unknown(&value);
    let mut fields = Fields::of(value, path)?;
    let kind = fields.required_text("type")?;
    let cache = cache_mark(&mut fields)?;
    let mut part = match kind.as_str() {
        "text" | "input_text" => Part::text(fields.required_text("text")?),
        "refusal" => Part::new(PartKind::Refusal { text: fields.required_text("refusal")? }),
        "image_url" | "input_image" => Part::new(PartKind::Image(linked(&mut fields, "image_url")?)),
        "video_url" => Part::new(PartKind::Video(linked(&mut fields, "video_url")?)),
        "input_audio" => Part::new(PartKind::Audio(audio(&mut fields)?)),
        "file" => Part::new(PartKind::Document(file(&mut fields)?)),
        "thinking" => thinking(&mut fields)?,
        "redacted_thinking" => Part::new(PartKind::RedactedReasoning { data: fields.required_text("data")? }),
        _ => {
            // A part that only some vendor knows travels as it is.
            let value = whole.map(Json::into_value).unwrap_or_default();
            return Ok(Part { cache, ..Part::new(PartKind::Native { dialect: DIALECT.to_owned(), value }) });
        }
    };
    part.cache = cache;
    part.extra = fields.rest();
    Ok(part)
}

/// A copy of a part whose type only some vendor knows; known parts are moved, not copied.
fn copy_if_unknown<'b>(part: &Json<'b>) -> Option<Json<'b>> {
    const KNOWN: [&str; 10] = [
        "text",
        "input_text",
        "refusal",
        "image_url",
        "input_image",
        "video_url",
        "input_audio",
        "file",
        "thinking",
        "redacted_thinking",
    ];
    let kind = part.get("type")?.as_str()?;
    (!KNOWN.contains(&kind)).then(|| part.clone())
}

/// `thinking` is a string (Anthropic's block, as LiteLLM passes it) or text parts (Mistral's).
fn thinking(fields: &mut Fields<'_, '_>) -> Result<Part> {
    let text = match fields.take("thinking") {
        Some(Json::String(text)) => text.into_owned(),
        Some(Json::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text").and_then(Json::as_str)).collect()
        }
        Some(other) => return Err(fields.path().member("thinking").wrong(other, "a string")),
        None => String::new(),
    };
    Ok(Part::reasoning(text, fields.text("signature")?))
}

/// `{"url": …, "detail": …}`, or the URL alone.
fn linked(fields: &mut Fields<'_, '_>, name: &str) -> Result<Media> {
    if let Some(Json::String(_)) = fields.peek(name) {
        let url = fields.required_text(name)?;
        return Ok(located(url, None));
    }
    fields.required_object(name, |link| {
        let url = link.required_text("url")?;
        let mut media = located(url, link.text("format")?);
        media.detail = link.text("detail")?;
        Ok(media)
    })
}

/// Media behind a URL; a `data:` URL holds them itself. LiteLLM's `format` names the type.
fn located(url: String, format: Option<String>) -> Media {
    match data_uri(&url) {
        Some((mime, data)) => {
            Media::new(MediaSource::Base64(data.to_owned()), format.or_else(|| mime.map(str::to_owned)))
        }
        None => Media::new(MediaSource::Url(url), format),
    }
}

/// `{"data": …, "format": …}`, or the data alone (Mistral).
fn audio(fields: &mut Fields<'_, '_>) -> Result<Media> {
    if let Some(Json::String(_)) = fields.peek("input_audio") {
        return Ok(sound(fields.required_text("input_audio")?, None));
    }
    fields.required_object("input_audio", |audio| {
        let data = audio.required_text("data")?;
        Ok(sound(data, audio.text("format")?.map(|format| audio_mime(&format))))
    })
}

fn sound(data: String, mime: Option<String>) -> Media {
    if data.starts_with("https://") || data.starts_with("http://") || data.starts_with("data:") {
        return located(data, mime);
    }
    Media::new(MediaSource::Base64(data), mime)
}

fn file(fields: &mut Fields<'_, '_>) -> Result<Media> {
    fields.required_object("file", |file| {
        let format = file.text("format")?;
        let mut media = match (file.text("file_data")?, file.text("file_id")?) {
            (Some(data), _) => match data_uri(&data) {
                Some((mime, data)) => Media::new(
                    MediaSource::Base64(data.to_owned()),
                    format.or_else(|| mime.map(str::to_owned)),
                ),
                None => Media::new(MediaSource::Base64(data), format),
            },
            // LiteLLM takes URLs in `file_id`.
            (None, Some(id)) if id.contains("://") => located(id, format),
            (None, Some(id)) => Media::new(MediaSource::FileId(id), format),
            (None, None) => {
                return Err(file.path().member("file_id").missing("a string, or `file_data`"));
            }
        };
        media.title = file.text("filename")?;
        Ok(media)
    })
}

/// LiteLLM passes Anthropic's `cache_control` on messages, parts, tools and calls.
pub(super) fn cache_mark(fields: &mut Fields<'_, '_>) -> Result<Option<CacheMark>> {
    fields.object("cache_control", |mark| {
        let ttl = match mark.text("ttl")?.as_deref() {
            None => None,
            Some("5m") => Some(CacheTtl::FiveMinutes),
            Some("1h") => Some(CacheTtl::OneHour),
            Some(other) => {
                return Err(mark.path().member("ttl").wrong(other, "`5m` or `1h`"));
            }
        };
        Ok(CacheMark { ttl })
    })
}
