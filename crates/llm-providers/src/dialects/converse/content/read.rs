//! Blocks into parts. Unknown kinds are kept whole as native parts; nothing is lost.

use llm_types::{
    CacheMark, CacheTtl, Error, ErrorKind, Extra, Media, MediaSource, Part, PartKind, Result, ToolCall,
    ToolResult,
};
use serde_json::{Map, Value};

use super::media::{Shape, mime_of};
use super::{NATIVE, citation};
use crate::fields::{Fields, Path};
use crate::json::{Json, Members};

/// Reads a list of blocks. A cache point marks the part before it.
pub(in super::super) fn blocks(list: Vec<Json<'_>>, path: &Path<'_>) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::with_capacity(list.len());
    for (index, value) in list.into_iter().enumerate() {
        let path = path.element(index);
        if let Some(mark) = cache_mark(&value, &path)?
            && let Some(last) = parts.last_mut().filter(|last| last.cache.is_none())
        {
            last.cache = Some(mark);
            continue;
        }
        block_into(value, path, &mut parts)?;
    }
    Ok(parts)
}

/// The mark a `cachePoint` block stands for; `None` for other blocks.
pub(in super::super) fn cache_mark(value: &Json<'_>, path: &Path<'_>) -> Result<Option<CacheMark>> {
    let Some(point) = value.get("cachePoint") else { return Ok(None) };
    let path = path.member("cachePoint");
    let mut fields = Fields::of(point.clone(), path)?;
    let ttl = match fields.text("ttl")?.as_deref() {
        None => None,
        Some("5m") => Some(CacheTtl::FiveMinutes),
        Some("1h") => Some(CacheTtl::OneHour),
        Some(other) => return Err(path.member("ttl").wrong(other, "`5m` or `1h`")),
    };
    Ok(Some(CacheMark { ttl }))
}

fn block_into(value: Json<'_>, path: Path<'_>, parts: &mut Vec<Part>) -> Result<()> {
    let Json::Object(members) = &value else { return Err(path.wrong(value, "a content block")) };
    let Some(name) = only_name(members) else {
        return Err(path.wrong(value, "a content block with one member, such as `text`"));
    };
    match name.as_str() {
        "text" => parts.push(Part::text(Fields::of(value, path)?.required_text("text")?)),
        "image" => parts.push(media(value, &path, Shape::Image)?),
        "document" => parts.push(media(value, &path, Shape::Document)?),
        "video" => parts.push(media(value, &path, Shape::Video)?),
        "audio" => parts.push(media(value, &path, Shape::Audio)?),
        "toolUse" => parts.push(tool_use(value, &path)?),
        "toolResult" => parts.push(tool_result(value, &path)?),
        "reasoningContent" => parts.push(reasoning(value, &path)?),
        "citationsContent" => parts.push(cited(value, &path)?),
        _ => parts.push(native(value)),
    }
    Ok(())
}

/// The name of the one member that says something.
fn only_name(members: &Members<'_>) -> Option<String> {
    let mut names = members.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name);
    let name = names.next().map(str::to_owned);
    name.filter(|_| names.next().is_none())
}

fn native(value: Json<'_>) -> Part {
    Part::new(PartKind::Native { dialect: NATIVE.to_owned(), value: value.into_value() })
}

/// Reads a picture, document, film or sound. Sources we do not name make it a native part.
fn media(value: Json<'_>, path: &Path<'_>, shape: Shape) -> Result<Part> {
    let name = shape.name();
    let known = value.at(&[name, "source"]).and_then(Json::as_object).is_some_and(|source| {
        source.keys().all(|key| matches!(key, "bytes" | "s3Location" | "text" | "content"))
    });
    if !known || value.get(name).is_some_and(|block| block.get("error").is_some()) {
        return Ok(native(value));
    }
    let mut extra = Extra::default();
    let mut outer = Fields::of(value, *path)?;
    let media = outer.required_object(name, |fields| {
        let format = fields.text("format")?;
        let source = fields.required_object("source", |source| read_source(source, &mut extra))?;
        let mut media = Media::new(source, format.map(|format| mime_of(shape, &format)));
        media.title = fields.text("name")?;
        media.context = fields.text("context")?;
        media.cite = fields.object("citations", |citations| citations.flag("enabled"))?.flatten();
        Ok(media)
    })?;
    let kind = match shape {
        Shape::Image => PartKind::Image(media),
        Shape::Document => PartKind::Document(media),
        Shape::Video => PartKind::Video(media),
        Shape::Audio => PartKind::Audio(media),
    };
    Ok(Part { extra, ..Part::new(kind) })
}

fn read_source(source: &mut Fields<'_, '_>, extra: &mut Extra) -> Result<MediaSource> {
    if let Some(data) = source.text("bytes")? {
        return Ok(MediaSource::Base64(data));
    }
    if let Some(text) = source.text("text")? {
        return Ok(MediaSource::Text(text));
    }
    if let Some(list) = source.array("content")? {
        return Ok(MediaSource::Parts(blocks(list, &source.path().member("content"))?));
    }
    source.required_object("s3Location", |place| {
        if let Some(owner) = place.text("bucketOwner")? {
            extra.keep("bucketOwner", Value::from(owner));
        }
        Ok(MediaSource::Url(place.required_text("uri")?))
    })
}

/// Whether a `toolUse` or `toolResult` of this `type` is of a tool the provider runs itself.
pub(in super::super) fn is_server_tool(kind: &str) -> bool {
    !matches!(kind, "tool_use" | "tool_result")
}

fn tool_use(value: Json<'_>, path: &Path<'_>) -> Result<Part> {
    if value.get("toolUse").and_then(|block| block.get("type")?.as_str()).is_some_and(is_server_tool) {
        return Ok(native(value));
    }
    Fields::of(value, *path)?.required_object("toolUse", |fields| {
        let id = fields.required_text("toolUseId")?;
        let name = fields.required_text("name")?;
        let input = fields.any("input").unwrap_or_else(|| Value::Object(Map::new()));
        let call = ToolCall { id, name, arguments: input.to_string(), custom: false };
        Ok(Part::new(PartKind::ToolCall(call)))
    })
}

fn tool_result(value: Json<'_>, path: &Path<'_>) -> Result<Part> {
    if value.get("toolResult").and_then(|block| block.get("type")?.as_str()).is_some_and(is_server_tool) {
        return Ok(native(value));
    }
    Fields::of(value, *path)?.required_object("toolResult", |fields| {
        let call_id = fields.required_text("toolUseId")?;
        let is_error = match fields.text("status")?.as_deref() {
            None => None,
            Some("success") => Some(false),
            Some("error") => Some(true),
            Some(other) => {
                return Err(fields.path().member("status").wrong(other, "`success` or `error`"));
            }
        };
        let list = fields.array("content")?.unwrap_or_default();
        let list = list.into_iter().map(|block| json_as_text(block.into_value()).into()).collect();
        let parts = blocks(list, &fields.path().member("content"))?;
        Ok(Part::new(PartKind::ToolResult(ToolResult { call_id, name: None, parts, is_error })))
    })
}

/// A result given as a document is its text elsewhere.
fn json_as_text(mut value: Value) -> Value {
    match value.as_object_mut().filter(|map| map.len() == 1).and_then(|map| map.shift_remove("json")) {
        Some(Value::String(text)) => serde_json::json!({ "text": text }),
        Some(json) => serde_json::json!({ "text": json.to_string() }),
        None => value,
    }
}

fn reasoning(value: Json<'_>, path: &Path<'_>) -> Result<Part> {
    let kept = value.clone();
    let part = Fields::of(value, *path)?.required_object("reasoningContent", |fields| {
        if let Some(data) = fields.text("redactedContent")? {
            return Ok(Some(Part::new(PartKind::RedactedReasoning { data })));
        }
        fields.object("reasoningText", |text| {
            let signature = text.text("signature")?.filter(|signature| !signature.is_empty());
            Ok(Part::reasoning(text.text("text")?.unwrap_or_default(), signature))
        })
    })?;
    Ok(part.unwrap_or_else(|| native(kept)))
}

fn cited(value: Json<'_>, path: &Path<'_>) -> Result<Part> {
    Fields::of(value, *path)?.required_object("citationsContent", |fields| {
        let content = fields.array("content")?.unwrap_or_default();
        let text = content.iter().filter_map(|part| part.get("text")?.as_str()).collect();
        let citations = fields.array("citations")?.unwrap_or_default().into_iter();
        let citations = citations.map(|native| citation(native.into_value())).collect();
        Ok(Part::new(PartKind::Text { text, citations }))
    })
}

/// The error of a provider's reply that is not this dialect: says what was wrong with it.
pub(in super::super) fn bad_reply(error: &Error) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("provider reply is not Converse: {error}"))
}
