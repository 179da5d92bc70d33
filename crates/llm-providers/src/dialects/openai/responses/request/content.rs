//! Parts of messages and of tools' results, both ways.

use llm_types::{CacheMark, CacheTtl, Citation, Media, MediaSource, Part, PartKind, Result};
use serde_json::{Value, json};

use super::super::wire::DIALECT;
use crate::dialects::openai::chat::{audio_mime, data_uri, media_url};
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Marks a part that only this API has and that stood within a message, not beside it as an item.
const WITHIN: &str = "within_message";

/// Whether a part that only this API has is an item of its own.
pub(super) fn is_item(part: &Part) -> bool {
    let own = matches!(&part.kind, PartKind::Native { dialect, .. } if dialect == DIALECT);
    own && part.extra.value(WITHIN).is_none()
}

/// A member that is a string or an array of parts; absent and null are no parts.
pub(super) fn decode(fields: &mut Fields<'_, '_>, name: &str) -> Result<Vec<Part>> {
    let parent = *fields.path();
    let path = parent.member(name);
    match fields.take(name) {
        None => Err(path.missing("a string or an array of parts")),
        Some(Json::String(text)) => Ok(vec![Part::text(text.into_owned())]),
        Some(Json::Array(listed)) => {
            let read = |(index, value)| part(value, path.element(index));
            listed.into_iter().enumerate().map(read).collect()
        }
        Some(other) => Err(path.wrong(other, "a string or an array of parts")),
    }
}

fn part(value: Json<'_>, path: Path<'_>) -> Result<Part> {
    let kind = value.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
    let known = ["input_text", "output_text", "text", "refusal", "input_image", "input_file", "input_audio"];
    if !kind.is_empty() && !known.contains(&kind.as_str()) {
        let value = value.into_value();
        let mut part = Part::new(PartKind::Native { dialect: DIALECT.to_owned(), value });
        part.extra.0.insert(WITHIN.to_owned(), Value::Bool(true));
        return Ok(part);
    }
    let mut fields = Fields::of(value, path)?;
    let kind = fields.required_text("type")?;
    let cache = cache_mark(&mut fields)?;
    let mut part = match kind.as_str() {
        "refusal" => Part::new(PartKind::Refusal { text: fields.required_text("refusal")? }),
        "input_image" => Part::new(PartKind::Image(image(&mut fields)?)),
        "input_file" => Part::new(PartKind::Document(file(&mut fields)?)),
        "input_audio" => Part::new(PartKind::Audio(audio(&mut fields)?)),
        _ => {
            let text = fields.required_text("text")?;
            let listed = fields.array("annotations")?.unwrap_or_default();
            let citations = listed.into_iter().map(|listed| annotation_of(listed.into_value())).collect();
            Part::new(PartKind::Text { text, citations })
        }
    };
    part.cache = cache;
    Ok(part)
}

/// `prompt_cache_breakpoint`; some callers send Anthropic's `cache_control`, as on LiteLLM's routes.
fn cache_mark(fields: &mut Fields<'_, '_>) -> Result<Option<CacheMark>> {
    let named = fields.object("prompt_cache_breakpoint", |_| Ok(CacheMark::default()))?;
    let control = fields.object("cache_control", |control| {
        let ttl = match control.text("ttl")?.as_deref() {
            Some("1h") => Some(CacheTtl::OneHour),
            Some("5m") => Some(CacheTtl::FiveMinutes),
            _ => None,
        };
        Ok(CacheMark { ttl })
    })?;
    Ok(control.or(named))
}

/// An annotation of a text.
pub(in super::super) fn annotation_of(value: Value) -> Citation {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| value.get(name).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        cited_text: None,
        document: None,
        span: number("start_index").zip(number("end_index")),
        dialect: Some(DIALECT.to_owned()),
        native: Some(value),
    }
}

/// Media behind a URL; a `data:` URL holds them itself.
fn located(url: String) -> Media {
    match data_uri(&url) {
        Some((mime, data)) => Media::new(MediaSource::Base64(data.to_owned()), mime.map(str::to_owned)),
        None => Media::new(MediaSource::Url(url), None),
    }
}

fn image(fields: &mut Fields<'_, '_>) -> Result<Media> {
    let id = fields.text("file_id")?;
    let url = match fields.peek("image_url") {
        // Chat Completions' form, which clients carry over.
        Some(Json::Object(_)) => fields.object("image_url", |link| link.required_text("url"))?,
        _ => fields.text("image_url")?,
    };
    let mut media = match (url, id) {
        (Some(url), _) => located(url),
        (None, Some(id)) => Media::new(MediaSource::FileId(id), None),
        (None, None) => return Err(fields.path().member("image_url").missing("a string, or `file_id`")),
    };
    media.detail = fields.text("detail")?;
    Ok(media)
}

fn file(fields: &mut Fields<'_, '_>) -> Result<Media> {
    let (data, url, id) = (fields.text("file_data")?, fields.text("file_url")?, fields.text("file_id")?);
    let mut media = match (data, url, id) {
        (Some(data), _, _) if data_uri(&data).is_some() => located(data),
        (Some(data), _, _) => Media::new(MediaSource::Base64(data), None),
        (None, Some(url), _) => located(url),
        (None, None, Some(id)) => Media::new(MediaSource::FileId(id), None),
        (None, None, None) => {
            return Err(fields.path().member("file_id").missing("a string, or `file_data` or `file_url`"));
        }
    };
    media.title = fields.text("filename")?;
    Ok(media)
}

fn audio(fields: &mut Fields<'_, '_>) -> Result<Media> {
    fields.required_object("input_audio", |audio| {
        let data = audio.required_text("data")?;
        let mime = audio.text("format")?.map(|format| audio_mime(&format));
        Ok(Media::new(MediaSource::Base64(data), mime))
    })
}

/// A part for a provider, or the noun of what this API has no part for.
pub(super) fn written(part: &Part, by_model: bool) -> Result<Value, &'static str> {
    Ok(match &part.kind {
        PartKind::Text { text, .. } if by_model => {
            json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
        }
        PartKind::Refusal { text } if by_model => json!({"type": "refusal", "refusal": text}),
        PartKind::Text { text, .. } | PartKind::Refusal { text } => {
            json!({"type": "input_text", "text": text})
        }
        PartKind::Image(media) => written_image(media).ok_or("this image source")?,
        PartKind::Document(media) => written_file(media).ok_or("this document source")?,
        PartKind::Audio(_) => return Err("audio"),
        PartKind::Native { dialect, value } if dialect == DIALECT => value.clone(),
        PartKind::Native { .. } => return Err("another dialect's native block"),
        PartKind::Video(_) => return Err("video"),
        PartKind::Reasoning { .. } | PartKind::RedactedReasoning { .. } => return Err("reasoning here"),
        PartKind::ToolCall(_) => return Err("a tool call here"),
        PartKind::ToolResult(_) => return Err("a tool result here"),
    })
}

fn written_image(media: &Media) -> Option<Value> {
    let detail = media.detail.as_deref().unwrap_or("auto");
    if let MediaSource::FileId(id) = &media.source {
        return Some(json!({"type": "input_image", "file_id": id, "detail": detail}));
    }
    let url = media_url(media, "image/png")?;
    Some(json!({"type": "input_image", "image_url": url, "detail": detail}))
}

/// Documents are files; a text document is a text.
fn written_file(media: &Media) -> Option<Value> {
    let mut file = json!({"type": "input_file"});
    match &media.source {
        MediaSource::Text(text) => return Some(json!({"type": "input_text", "text": text})),
        MediaSource::FileId(id) if !id.contains("://") => file["file_id"] = json!(id),
        MediaSource::FileId(url) | MediaSource::Url(url) => file["file_url"] = json!(url),
        MediaSource::Base64(_) => {
            file["file_data"] = json!(media_url(media, "application/pdf")?);
            // OpenAI refuses file data without a name.
            file["filename"] = json!(media.title.as_deref().unwrap_or("document.pdf"));
        }
        MediaSource::Parts(_) => return None,
    }
    Some(file)
}
