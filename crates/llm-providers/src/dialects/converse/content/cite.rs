//! Citations between the wire's form and ours.

use std::borrow::Cow;

use llm_types::Citation;
use serde_json::{Map, Value, json};

use super::NATIVE;

/// Reads a citation; what we do not name stays in its native form.
pub(in super::super) fn citation(native: Value) -> Citation {
    let word = |name: &str| native.get(name).and_then(Value::as_str).map(str::to_owned);
    let at = |pointer: &str| native.pointer(pointer).and_then(Value::as_u64);
    let web = native.pointer("/location/web/url").and_then(Value::as_str).map(str::to_owned);
    let is_web = |source: &String| source.starts_with("https://") || source.starts_with("http://");
    let document = ["documentChar", "documentPage", "documentChunk"]
        .iter()
        .find_map(|kind| at(&format!("/location/{kind}/documentIndex")));
    Citation {
        url: web.or_else(|| word("source").filter(is_web)),
        title: word("title"),
        cited_text: cited_text(&native),
        document,
        span: None,
        dialect: Some(NATIVE.to_owned()),
        native: Some(native),
    }
}

/// The words cited: a list of texts, in whole replies and in streams.
fn cited_text(native: &Value) -> Option<String> {
    let parts = native.get("sourceContent")?.as_array()?;
    let text: String = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
    (!text.is_empty()).then_some(text)
}

/// A citation in the wire's form: its own, or the nearest form that says what is known.
pub(in super::super) fn citation_json(citation: &Citation) -> Cow<'_, Value> {
    if let (Some(NATIVE), Some(native)) = (citation.dialect.as_deref(), &citation.native) {
        return Cow::Borrowed(native);
    }
    let mut out = Map::new();
    if let Some(title) = &citation.title {
        out.insert("title".to_owned(), Value::from(title.as_str()));
    }
    if let Some(cited) = &citation.cited_text {
        out.insert("sourceContent".to_owned(), json!([{ "text": cited }]));
    }
    let native = citation.native.as_ref();
    let number = |name: &str| native.and_then(|native| native.get(name)).and_then(Value::as_u64);
    let location = match (&citation.url, citation.document) {
        (Some(url), _) => Some(json!({ "web": { "url": url } })),
        (None, Some(index)) => {
            // Anthropic's own names of the same places.
            let places = [
                ("documentChar", "start_char_index", "end_char_index"),
                ("documentPage", "start_page_number", "end_page_number"),
                ("documentChunk", "start_block_index", "end_block_index"),
            ];
            places.into_iter().find_map(|(kind, start, end)| {
                let (start, end) = (number(start)?, number(end)?);
                Some(json!({ kind: { "documentIndex": index, "start": start, "end": end } }))
            })
        }
        (None, None) => None,
    };
    if let Some(location) = location {
        out.insert("location".to_owned(), location);
    }
    Cow::Owned(Value::Object(out))
}
