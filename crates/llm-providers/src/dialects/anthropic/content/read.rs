//! Blocks into parts. Unknown kinds are kept whole as native parts; nothing is lost.

use llm_types::{
    CacheMark, CacheTtl, Citation, Error, Media, MediaSource, Part, PartKind, Result, ToolCall, ToolResult,
};
use serde_json::Value;

use super::NATIVE;
use crate::fields::{Fields, Path};
use crate::json::Json;

/// Reads `content`: a string or an array of blocks.
pub(in super::super) fn blocks(value: Json<'_>, path: &Path<'_>) -> Result<Vec<Part>> {
    match value {
        Json::String(text) => Ok(vec![Part::text(text.into_owned())]),
        Json::Array(blocks) => {
            let read = |(index, value)| block(value, path.element(index));
            blocks.into_iter().enumerate().map(read).collect()
        }
        other => Err(path.wrong(other, "a string or an array of content blocks")),
    }
}

/// Reads one block.
pub(in super::super) fn block(value: Json<'_>, path: Path<'_>) -> Result<Part> {
    let kind = match &value {
        Json::Object(members) => members.get("type").and_then(Json::as_str).map(str::to_owned),
        _ => return Err(path.wrong(value, "a content block")),
    };
    let Some(kind) = kind else {
        return Err(path.member("type").missing("the kind of the content block, such as `text`"));
    };
    let known_source = |value: &Json<'_>| {
        let source = value.at(&["source", "type"]).and_then(Json::as_str);
        matches!(source, Some("base64" | "url" | "file" | "text" | "content") | None)
    };
    match kind.as_str() {
        "text" => text(Fields::of(value, path)?),
        "image" | "document" if known_source(&value) => media(Fields::of(value, path)?, kind == "document"),
        "tool_use" => tool_use(Fields::of(value, path)?),
        "tool_result" => tool_result(Fields::of(value, path)?),
        "thinking" => thinking(Fields::of(value, path)?),
        "redacted_thinking" => redacted(Fields::of(value, path)?),
        _ => Ok(Part::new(PartKind::Native { dialect: NATIVE.to_owned(), value: value.into_value() })),
    }
}

/// Gives a part the marks of its block and keeps what nobody has read.
fn finish(kind: PartKind, mut fields: Fields<'_, '_>) -> Result<Part> {
    let cache = cache_mark(&mut fields)?;
    let mut extra = fields.rest();
    extra.take("type");
    extra.0.retain(|_, value| !value.is_null());
    Ok(Part { cache, extra, ..Part::new(kind) })
}

/// Reads `cache_control`.
pub(in super::super) fn cache_mark(fields: &mut Fields<'_, '_>) -> Result<Option<CacheMark>> {
    fields.object("cache_control", |mark| {
        let ttl = match mark.text("ttl")?.as_deref() {
            None => None,
            Some("5m") => Some(CacheTtl::FiveMinutes),
            Some("1h") => Some(CacheTtl::OneHour),
            Some(other) => {
                let path = mark.path().member("ttl");
                return Err(path.wrong(other, "`5m` or `1h`"));
            }
        };
        Ok(CacheMark { ttl })
    })
}

fn text(mut fields: Fields<'_, '_>) -> Result<Part> {
    let text = fields.required_text("text")?;
    let cited = fields.array("citations")?.unwrap_or_default().into_iter();
    let citations = cited.map(|native| citation(native.into_value())).collect();
    finish(PartKind::Text { text, citations }, fields)
}

/// Reads a citation; what we do not name stays in its native form.
pub(in super::super) fn citation(native: Value) -> Citation {
    let word = |name: &str| native.get(name).and_then(Value::as_str).map(str::to_owned);
    Citation {
        url: word("url").or_else(|| word("source")),
        title: word("title").or_else(|| word("document_title")),
        cited_text: word("cited_text"),
        document: native.get("document_index").and_then(Value::as_u64),
        span: None,
        dialect: Some(NATIVE.to_owned()),
        native: Some(native),
    }
}

fn media(mut fields: Fields<'_, '_>, is_document: bool) -> Result<Part> {
    let (source, mime) = fields.required_object("source", source)?;
    let mut media = Media::new(source, mime);
    if is_document {
        media.title = fields.text("title")?;
        media.context = fields.text("context")?;
        media.cite = fields.object("citations", |citations| citations.flag("enabled"))?.flatten();
        return finish(PartKind::Document(media), fields);
    }
    finish(PartKind::Image(media), fields)
}

fn source(fields: &mut Fields<'_, '_>) -> Result<(MediaSource, Option<String>)> {
    let kind = fields.required_text("type")?;
    let mime = fields.text("media_type")?;
    let source = match kind.as_str() {
        "base64" => MediaSource::Base64(fields.required_text("data")?),
        "text" => MediaSource::Text(fields.required_text("data")?),
        "url" => MediaSource::Url(fields.required_text("url")?),
        "file" => MediaSource::FileId(fields.required_text("file_id")?),
        "content" => {
            let content = fields.take("content").unwrap_or_default();
            MediaSource::Parts(blocks(content, &fields.path().member("content"))?)
        }
        other => return Err(fields.path().member("type").wrong(other, "a known source")),
    };
    Ok((source, mime))
}

fn tool_use(mut fields: Fields<'_, '_>) -> Result<Part> {
    let id = fields.required_text("id")?;
    let name = fields.required_text("name")?;
    let input = fields.any("input").unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let call = ToolCall { id, name, arguments: input.to_string(), custom: false };
    finish(PartKind::ToolCall(call), fields)
}

fn tool_result(mut fields: Fields<'_, '_>) -> Result<Part> {
    let call_id = fields.required_text("tool_use_id")?;
    let is_error = fields.flag("is_error")?;
    let parts = match fields.take("content") {
        Some(content) => blocks(content, &fields.path().member("content"))?,
        None => Vec::new(),
    };
    finish(PartKind::ToolResult(ToolResult { call_id, name: None, parts, is_error }), fields)
}

fn thinking(mut fields: Fields<'_, '_>) -> Result<Part> {
    let text = fields.required_text("thinking")?;
    let signature = fields.text("signature")?.filter(|signature| !signature.is_empty());
    let part = finish(PartKind::Reasoning { text, summary: false }, fields)?;
    Ok(Part { signature, ..part })
}

fn redacted(mut fields: Fields<'_, '_>) -> Result<Part> {
    let data = fields.required_text("data")?;
    finish(PartKind::RedactedReasoning { data }, fields)
}

/// The error of a provider's reply that is not this dialect: says what was wrong with it.
pub(in super::super) fn bad_reply(error: &Error) -> Error {
    Error::new(llm_types::ErrorKind::BadUpstream, format!("provider reply is not a message: {error}"))
}
