//! Content blocks and documents of the wire, and the parts they stand for.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llm_types::{Media, MediaSource, Part, PartKind, Result, ToolCall};
use serde_json::{Map, Value, json};

use super::citation::document_id;
use super::wire::{DOCUMENT, NATIVE};
use crate::fields::{Fields, Path};
use crate::json::Json;
use crate::write::{Array, Object};

/// Reads `content`: a text, or blocks.
pub(super) fn read(value: Json<'_>, path: &Path<'_>) -> Result<Vec<Part>> {
    match value {
        Json::String(text) => Ok(vec![Part::text(text.into_owned())]),
        Json::Array(blocks) => {
            let read = |(index, value)| block(value, path.element(index));
            blocks.into_iter().enumerate().map(read).collect()
        }
        other => Err(path.wrong(other, "a string or an array of content blocks")),
    }
}

fn block(value: Json<'_>, path: Path<'_>) -> Result<Part> {
    let kind = value.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "text" | "thinking" | "image_url" | "document") {
        let kept = value.to_value();
        Fields::of(value, path)?.required_text("type")?;
        return Ok(Part::new(PartKind::Native { dialect: NATIVE.to_owned(), value: kept }));
    }
    let mut fields = Fields::of(value, path)?;
    fields.any("type");
    let mut part = match kind.as_str() {
        "text" => Part::text(fields.required_text("text")?),
        "thinking" => Part::reasoning(fields.required_text("thinking")?, None),
        "image_url" => Part::new(PartKind::Image(image(&mut fields)?)),
        _ => {
            let path = *fields.path();
            let path = path.member("document");
            let value = fields.take("document").ok_or_else(|| path.missing("an object"))?;
            document(value, path)?
        }
    };
    part.extra.0.extend(fields.rest().0);
    Ok(part)
}

/// `{"url": …, "detail": …}`, or the URL alone.
fn image(fields: &mut Fields<'_, '_>) -> Result<Media> {
    if let Some(Json::String(_)) = fields.peek("image_url") {
        return Ok(picture(fields.required_text("image_url")?));
    }
    fields.required_object("image_url", |link| {
        let mut media = picture(link.required_text("url")?);
        media.detail = link.text("detail")?;
        Ok(media)
    })
}

/// A picture behind a URL; a `data:` URL holds it itself.
fn picture(url: String) -> Media {
    let inside = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inside {
        Some((mime, data)) => Media::new(MediaSource::Base64(data.to_owned()), Some(mime.to_owned())),
        None => Media::new(MediaSource::Url(url), None),
    }
}

/// Reads a document: a text, or `{"id": …, "data": {…}}` with members of the caller's choice.
pub(super) fn document(value: Json<'_>, path: Path<'_>) -> Result<Part> {
    const PLAIN: &str = "text/plain";
    let media = |text: String| Media::new(MediaSource::Text(text), Some(PLAIN.to_owned()));
    if let Json::String(text) = value {
        return Ok(Part::new(PartKind::Document(media(text.into_owned()))));
    }
    let whole = value.to_value();
    let mut fields = Fields::of(value, path)?;
    fields.text("id")?;
    let data = match fields.any("data") {
        Some(Value::Object(data)) => data,
        Some(Value::String(text)) => Map::from_iter([("text".to_owned(), Value::String(text))]),
        Some(other) => return Err(fields.path().member("data").wrong(other, "an object")),
        None => return Err(fields.path().member("data").missing("an object")),
    };
    let mut media = media(text_of(&data));
    media.title = data.get("title").and_then(Value::as_str).map(str::to_owned);
    let mut part = Part::new(PartKind::Document(media));
    part.extra.keep(DOCUMENT, whole);
    Ok(part)
}

/// What a document says to a model of another vendor: its text, or all its members by name.
fn text_of(data: &Map<String, Value>) -> String {
    let beside = data.keys().any(|name| name != "text" && name != "title");
    if let (Some(text), false) = (data.get("text").and_then(Value::as_str), beside) {
        return text.to_owned();
    }
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    };
    data.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A document in the wire's form; `None` when it is no text.
pub(super) fn wire_document(part: &Part, number: usize) -> Option<Value> {
    if let Some(whole) = part.extra.value(DOCUMENT) {
        return Some(whole.clone());
    }
    let PartKind::Document(media) = &part.kind else { return None };
    let mut data = Map::new();
    data.insert("text".to_owned(), plain_text(media)?.into_owned().into());
    for (name, said) in [("title", &media.title), ("context", &media.context)] {
        if let Some(said) = said {
            data.insert(name.to_owned(), said.as_str().into());
        }
    }
    Some(json!({ "id": document_id(number), "data": data }))
}

fn plain_text(media: &Media) -> Option<Cow<'_, str>> {
    match &media.source {
        MediaSource::Text(text) => Some(Cow::Borrowed(text)),
        MediaSource::Base64(data) if media.mime.as_deref().is_some_and(|mime| mime.starts_with("text/")) => {
            let bytes = BASE64_STANDARD.decode(data).ok()?;
            String::from_utf8(bytes).ok().map(Cow::Owned)
        }
        MediaSource::Parts(parts) => {
            let text = |part: &Part| match &part.kind {
                PartKind::Text { text, .. } => Some(text.clone()),
                _ => None,
            };
            parts.iter().map(text).collect::<Option<Vec<_>>>().map(|texts| Cow::Owned(texts.join("\n")))
        }
        MediaSource::Base64(_) | MediaSource::Url(_) | MediaSource::FileId(_) => None,
    }
}

/// Writes a text block.
pub(super) fn text(list: &mut Array<'_>, text: &str) {
    list.object(|block| {
        block.text("type", "text");
        block.text("text", text);
    });
}

/// Writes a thought.
pub(super) fn thinking(list: &mut Array<'_>, text: &str) {
    list.object(|block| {
        block.text("type", "thinking");
        block.text("thinking", text);
    });
}

/// Whether a picture can be written.
pub(super) fn is_linked(media: &Media) -> bool {
    matches!(media.source, MediaSource::Url(_) | MediaSource::Base64(_))
}

/// Writes a picture by its URL or as one that holds it; nothing for one that is [neither](is_linked).
pub(super) fn picture_block(list: &mut Array<'_>, media: &Media) {
    let url = match &media.source {
        MediaSource::Url(url) => Cow::Borrowed(url),
        MediaSource::Base64(data) => {
            let mime = media.mime.as_deref().unwrap_or("image/png");
            Cow::Owned(format!("data:{mime};base64,{data}"))
        }
        MediaSource::FileId(_) | MediaSource::Text(_) | MediaSource::Parts(_) => return,
    };
    list.object(|block| {
        block.text("type", "image_url");
        block.object("image_url", |link| {
            link.text("url", &url);
            link.some("detail", media.detail.as_ref());
        });
    });
}

/// Writes a call of a tool. The vendor takes no arguments that are no JSON object: none are `{}`.
pub(super) fn call(list: &mut Array<'_>, call: &ToolCall) {
    let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
    list.object(|entry| {
        entry.text("id", &call.id);
        entry.text("type", "function");
        entry.object("function", |function: &mut Object<'_>| {
            function.text("name", &call.name);
            function.text("arguments", arguments);
        });
    });
}
