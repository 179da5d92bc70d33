//! Log-probabilities, between the wire's form (`{text, token_ids, logprobs}` per piece of text) and
//! OpenAI's (`{content: [{token, logprob, bytes, top_logprobs}]}`), in which they travel.

use serde_json::{Map, Value, json};

/// Pieces of the wire as OpenAI's record; `None` when there are none.
pub(super) fn canonical<'v>(pieces: impl IntoIterator<Item = &'v Value>) -> Option<Value> {
    let content: Vec<Value> = pieces.into_iter().filter(|piece| piece.is_object()).map(entry).collect();
    (!content.is_empty()).then(|| json!({ "content": content }))
}

/// One piece. The ids, and the figures where a piece is several tokens, stand beside OpenAI's members.
fn entry(piece: &Value) -> Value {
    let text = piece.get("text").and_then(Value::as_str).unwrap_or_default();
    let figures: Vec<f64> = piece
        .get("logprobs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .collect();
    let mut entry = Map::new();
    entry.insert("token".to_owned(), text.into());
    // The probability of the whole piece is the product of those of its tokens.
    let whole = if let [only] = *figures { only } else { figures.iter().sum() };
    entry.insert("logprob".to_owned(), whole.into());
    entry.insert("bytes".to_owned(), text.as_bytes().into());
    entry.insert("top_logprobs".to_owned(), Value::Array(Vec::new()));
    if let Some(ids) = piece.get("token_ids").filter(|ids| ids.is_array()) {
        entry.insert("token_ids".to_owned(), ids.clone());
    }
    if figures.len() > 1 {
        entry.insert("logprobs".to_owned(), figures.into());
    }
    Value::Object(entry)
}

/// OpenAI's record as pieces of the wire.
pub(super) fn pieces(record: &Value) -> Vec<Value> {
    let content = record.get("content").and_then(Value::as_array);
    content.into_iter().flatten().map(piece).collect()
}

fn piece(entry: &Value) -> Value {
    let figures = entry.get("logprobs").cloned();
    let figures =
        figures.unwrap_or_else(|| entry.get("logprob").map_or_else(|| json!([]), |one| json!([one])));
    json!({
        "text": entry.get("token").cloned().unwrap_or_default(),
        // Other vendors do not say the ids; the vendor's SDK demands the member.
        "token_ids": entry.get("token_ids").cloned().unwrap_or_else(|| json!([])),
        "logprobs": figures,
    })
}
