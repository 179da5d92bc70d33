//! What an answer rests on: `groundingMetadata` and `citationMetadata` into citations, and back.
//!
//! Offsets of the wire are bytes of the answer's UTF-8 text, ours are characters.

use llm_types::Citation;
use serde_json::{Map, Value, json};

use super::super::wire::NATIVE;

/// The citations of a candidate whose answer is `text`.
pub(in super::super) fn citations(candidate: &Value, text: &str) -> Vec<Citation> {
    let mut found = Vec::new();
    if let Some(grounding) = candidate.get("groundingMetadata") {
        grounded(grounding, text, &mut found);
    }
    let cited = candidate.get("citationMetadata");
    let list = |name: &str| cited.and_then(|cited| cited.get(name)).and_then(Value::as_array);
    for source in list("citationSources").or_else(|| list("citations")).into_iter().flatten() {
        let Some(url) = word(source, "uri") else { continue };
        found.push(Citation {
            url: Some(url),
            title: word(source, "title"),
            span: span(source, text),
            dialect: Some(NATIVE.to_owned()),
            native: Some(source.clone()),
            ..Citation::default()
        });
    }
    found
}

/// One citation for each source of each passage; sources no passage names follow.
fn grounded(grounding: &Value, text: &str, found: &mut Vec<Citation>) {
    let empty = Vec::new();
    let list = |name: &str| grounding.get(name).and_then(Value::as_array).unwrap_or(&empty);
    let chunks = list("groundingChunks");
    let mut used = vec![false; chunks.len()];
    for support in list("groundingSupports") {
        let segment = support.get("segment").unwrap_or(&Value::Null);
        let sources = support.get("groundingChunkIndices").and_then(Value::as_array).into_iter().flatten();
        for index in sources.filter_map(Value::as_u64).filter_map(|index| usize::try_from(index).ok()) {
            let Some(chunk) = chunks.get(index) else { continue };
            used[index] = true;
            found.push(Citation { span: span(segment, text), ..source(chunk) });
        }
    }
    for (chunk, used) in chunks.iter().zip(used) {
        if !used {
            found.push(source(chunk));
        }
    }
}

/// A source: a page of the web, a place, or a document of the operator's.
fn source(chunk: &Value) -> Citation {
    let inner = ["web", "maps", "retrievedContext"].iter().find_map(|kind| chunk.get(*kind));
    let inner = inner.unwrap_or(&Value::Null);
    Citation {
        url: word(inner, "uri"),
        title: word(inner, "title"),
        cited_text: word(inner, "text"),
        dialect: Some(NATIVE.to_owned()),
        native: Some(chunk.clone()),
        ..Citation::default()
    }
}

fn word(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A passage in characters. Protocol buffers leave out a start of 0.
fn span(segment: &Value, text: &str) -> Option<(u64, u64)> {
    let end = segment.get("endIndex").and_then(Value::as_u64)?;
    let start = segment.get("startIndex").and_then(Value::as_u64).unwrap_or(0);
    Some((characters(text, start), characters(text, end)))
}

fn characters(text: &str, bytes: u64) -> u64 {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    text.char_indices().take_while(|(at, _)| *at < bytes).count() as u64
}

/// `groundingMetadata` that says what citations say; `None` when there are none.
pub(in super::super) fn grounding_json(cited: &[&Citation], text: &str) -> Option<Value> {
    let mut chunks: Vec<Value> = Vec::new();
    let mut supports: Vec<Value> = Vec::new();
    for citation in cited {
        let chunk = chunk(citation);
        let index = chunks.iter().position(|known| *known == chunk).unwrap_or_else(|| {
            chunks.push(chunk);
            chunks.len() - 1
        });
        if let Some((start, end)) = citation.span {
            let (from, to) = (offset(text, start), offset(text, end));
            let passage = text.get(from..to).unwrap_or_default();
            supports.push(json!({
                "segment": { "startIndex": from, "endIndex": to, "text": passage },
                "groundingChunkIndices": [index],
            }));
        }
    }
    if chunks.is_empty() {
        return None;
    }
    let mut out = Map::from_iter([("groundingChunks".to_owned(), Value::Array(chunks))]);
    if !supports.is_empty() {
        out.insert("groundingSupports".to_owned(), Value::Array(supports));
    }
    Some(Value::Object(out))
}

fn chunk(citation: &Citation) -> Value {
    if let (Some(NATIVE), Some(native)) = (citation.dialect.as_deref(), &citation.native)
        && (native.get("web").is_some() || native.get("retrievedContext").is_some())
    {
        return native.clone();
    }
    let mut inner = Map::new();
    let mut put = |name: &str, value: &Option<String>| {
        inner.extend(value.clone().map(|value| (name.to_owned(), Value::from(value))));
    };
    put("uri", &citation.url);
    put("title", &citation.title);
    if citation.url.is_some() {
        return json!({ "web": inner });
    }
    put("text", &citation.cited_text);
    json!({ "retrievedContext": inner })
}

fn offset(text: &str, characters: u64) -> usize {
    let characters = usize::try_from(characters).unwrap_or(usize::MAX);
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}
