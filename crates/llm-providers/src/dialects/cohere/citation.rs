//! Citations: the wire's, which say what of the answer rests on which sources, and the canonical ones.
//!
//! Vendor's page: `v2/docs/rag-citations`.

use std::borrow::Cow;

use llm_types::Citation;
use serde_json::{Value, json};

use super::wire::NATIVE;

/// What the gateway calls a document that its caller gave no id, before its number.
const DOCUMENT_ID: &str = "doc_";

/// The id of a document without one.
pub(super) fn document_id(number: usize) -> String {
    format!("{DOCUMENT_ID}{number}")
}

/// Reads a citation; its native form keeps all of it.
pub(super) fn read(native: Value) -> Citation {
    let number = |name: &str| native.get(name).and_then(Value::as_u64);
    let sources = native.get("sources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let shown = sources.iter().find(|source| word(source, &["url"]).is_some()).or(sources.first());
    let say = |names: &[&str]| shown.and_then(|source| word(source, names)).map(str::to_owned);
    let id = shown.and_then(|source| source.get("id")).and_then(Value::as_str).unwrap_or_default();
    Citation {
        url: say(&["url"]).or_else(|| is_web(id).then(|| id.to_owned())),
        title: say(&["title"]),
        cited_text: say(&["snippet", "text", "content"]),
        document: id.strip_prefix(DOCUMENT_ID).and_then(|number| number.parse().ok()),
        span: number("start").zip(number("end")),
        dialect: Some(NATIVE.to_owned()),
        native: Some(native),
    }
}

fn is_web(id: &str) -> bool {
    id.starts_with("https://") || id.starts_with("http://")
}

/// The first of some members of what a source quotes: a document of the request or a tool's output.
fn word<'v>(source: &'v Value, names: &[&str]) -> Option<&'v str> {
    let quoted = source.get("document").or_else(|| source.get("tool_output"))?;
    names.iter().find_map(|name| quoted.get(*name)?.as_str())
}

/// A citation in the wire's form: its own, or one that says what is known. `answer` is the text that
/// the span counts in.
pub(super) fn wire<'c>(citation: &'c Citation, answer: &str) -> Cow<'c, Value> {
    if let (Some(NATIVE), Some(native)) = (citation.dialect.as_deref(), &citation.native) {
        return Cow::Borrowed(native);
    }
    let (start, end) = citation.span.unwrap_or_default();
    let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let text: String = answer.chars().skip(at(start)).take(at(end.saturating_sub(start))).collect();
    let id = match (citation.document, &citation.url) {
        (Some(number), _) => document_id(at(number)),
        (None, Some(url)) => url.clone(),
        (None, None) => document_id(0),
    };
    let mut document = serde_json::Map::new();
    let quoted = [("title", &citation.title), ("url", &citation.url), ("snippet", &citation.cited_text)];
    for (name, said) in quoted {
        if let Some(said) = said {
            document.insert(name.to_owned(), said.as_str().into());
        }
    }
    let source = json!({ "type": "document", "id": id, "document": document });
    Cow::Owned(
        json!({ "start": start, "end": end, "text": text, "sources": [source], "type": "TEXT_CONTENT" }),
    )
}
