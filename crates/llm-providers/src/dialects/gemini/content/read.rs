//! Wire parts into canonical ones. Unknown kinds are kept whole as native parts; nothing is lost.

use llm_types::{Error, ErrorKind, Media, MediaSource, Part, PartKind, Result, ToolCall, ToolResult};
use serde_json::{Map, Value};

use super::super::wire::{NATIVE, Signature, mime_of_address, signature_in};
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads `parts`. Members are spelled in `camelCase` already. A single part may stand without its list.
pub(in super::super) fn parts(value: Json<'_>, path: &Path<'_>) -> Result<Vec<Part>> {
    match value {
        Json::Array(list) => {
            let read = |(index, value)| part(value, path.element(index));
            list.into_iter().enumerate().map(read).collect()
        }
        value @ Json::Object(_) => Ok(vec![part(value, *path)?]),
        other => Err(path.wrong(other, "an array of parts")),
    }
}

/// Reads one part.
pub(in super::super) fn part(value: Json<'_>, path: Path<'_>) -> Result<Part> {
    const KNOWN: [&str; 5] = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
    let Json::Object(members) = &value else { return Err(path.wrong(value, "a part")) };
    let said = |name: &str| members.get(name).is_some_and(|value| !value.is_null());
    let signed_only = said("thoughtSignature") && members.keys().all(|name| name.starts_with("thought"));
    if !signed_only && !KNOWN.iter().any(|name| said(name)) {
        return Ok(Part::new(PartKind::Native { dialect: NATIVE.to_owned(), value: value.into_value() }));
    }
    let mut fields = Fields::of(value, path)?;
    let thought = fields.flag("thought")?.unwrap_or(false);
    let signature = fields.text("thoughtSignature")?.filter(|signature| !signature.is_empty());
    let mut part = Part::new(kind(&mut fields, thought)?);
    match signature.as_deref().map(signature_in) {
        Some(Signature::Plain(signature)) => part.signature = Some(signature),
        Some(Signature::Redacted(data)) => part.kind = PartKind::RedactedReasoning { data },
        None => {}
    }
    part.extra.0.extend(fields.rest().0);
    part.extra.0.retain(|_, value| !value.is_null());
    if let (PartKind::Image(media) | PartKind::Video(media), Some(level)) =
        (&mut part.kind, part.extra.value("mediaResolution").and_then(|resolution| resolution.get("level")))
    {
        media.detail = detail(level);
    }
    Ok(part)
}

fn kind(fields: &mut Fields<'_, '_>, thought: bool) -> Result<PartKind> {
    if let Some(inline) = fields.object("inlineData", inline)? {
        return Ok(inline);
    }
    if let Some(file) = fields.object("fileData", file)? {
        return Ok(file);
    }
    if let Some(call) = fields.object("functionCall", call)? {
        return Ok(PartKind::ToolCall(call));
    }
    if let Some(result) = fields.object("functionResponse", result)? {
        return Ok(PartKind::ToolResult(result));
    }
    let text = fields.text("text")?.unwrap_or_default();
    Ok(if thought {
        PartKind::Reasoning { text, summary: true }
    } else {
        PartKind::Text { text, citations: Vec::new() }
    })
}

fn detail(level: &Value) -> Option<String> {
    match level.as_str()? {
        "MEDIA_RESOLUTION_LOW" => Some("low".to_owned()),
        "MEDIA_RESOLUTION_HIGH" | "MEDIA_RESOLUTION_ULTRA_HIGH" => Some("high".to_owned()),
        _ => None,
    }
}

fn inline(fields: &mut Fields<'_, '_>) -> Result<PartKind> {
    let data = fields.required_text("data")?;
    let mime = fields.text("mimeType")?;
    let title = fields.text("displayName")?;
    Ok(of_mime(Media { title, ..Media::new(MediaSource::Base64(data), mime) }))
}

fn file(fields: &mut Fields<'_, '_>) -> Result<PartKind> {
    let address = fields.required_text("fileUri")?;
    let mime = fields.text("mimeType")?.or_else(|| mime_of_address(&address).map(str::to_owned));
    let title = fields.text("displayName")?;
    Ok(of_mime(Media { title, ..Media::new(MediaSource::Url(address), mime) }))
}

/// Media by their type; what is none of them is a document.
fn of_mime(media: Media) -> PartKind {
    match media.mime.as_deref().and_then(|mime| mime.split('/').next()) {
        Some("image") => PartKind::Image(media),
        Some("audio") => PartKind::Audio(media),
        Some("video") => PartKind::Video(media),
        _ => PartKind::Document(media),
    }
}

fn call(fields: &mut Fields<'_, '_>) -> Result<ToolCall> {
    let args = fields.map("args")?.unwrap_or_default();
    Ok(ToolCall {
        id: fields.text("id")?.unwrap_or_default(),
        name: fields.required_text("name")?,
        arguments: Value::Object(args).to_string(),
        custom: false,
    })
}

fn result(fields: &mut Fields<'_, '_>) -> Result<ToolResult> {
    let response = fields.map("response")?.unwrap_or_default();
    let (text, is_error) = said(response);
    let mut content = vec![Part::text(text)];
    let path = *fields.path();
    let path = path.member("parts");
    let shown = fields.array("parts")?.unwrap_or_default();
    for (index, value) in shown.into_iter().enumerate() {
        content.push(part(value, path.element(index))?);
    }
    Ok(ToolResult {
        call_id: fields.text("id")?.unwrap_or_default(),
        name: fields.text("name")?,
        parts: content,
        is_error,
    })
}

/// What a function answered: `output` and `error` are the vendor's names for it and for a failure, else
/// the whole object is the answer.
fn said(response: Map<String, Value>) -> (String, Option<bool>) {
    let only = |name: &str| if response.len() == 1 { response.get(name) } else { None };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (only("output"), only("error")) {
        (Some(output), _) => (text(output), None),
        (_, Some(error)) => (text(error), Some(true)),
        _ => (Value::Object(response).to_string(), None),
    }
}

/// Joins what a stream gave in pieces and a client sends back piece by piece: thoughts up to their
/// signature, and a signature that came behind its text.
pub(in super::super) fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut out: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        let Some(last) = out.last_mut().filter(|last| last.signature.is_none() && part.extra.is_empty())
        else {
            out.push(part);
            continue;
        };
        match (&mut last.kind, &part.kind) {
            (PartKind::Reasoning { text, .. }, PartKind::Reasoning { text: more, .. }) => {
                text.push_str(more);
                last.signature = part.signature;
            }
            (PartKind::Text { .. }, PartKind::Text { text, .. })
                if text.is_empty() && part.signature.is_some() =>
            {
                last.signature = part.signature;
            }
            _ => out.push(part),
        }
    }
    out
}

/// The error of a provider's reply that is not this dialect: says what was wrong with it.
pub(in super::super) fn bad_reply(error: &Error) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("provider reply is not generated content: {error}"))
}
