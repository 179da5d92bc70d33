//! Log-probabilities: `logprobsResult` and OpenAI's `logprobs`, the canonical form.

use serde_json::{Map, Value, json};

/// `logprobsResult` in OpenAI's form; `None` when it lists no tokens.
pub(in super::super) fn to_openai(result: &Value) -> Option<Value> {
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let top = result.get("topCandidates").and_then(Value::as_array);
    let mut content = Vec::with_capacity(chosen.len());
    for (index, token) in chosen.iter().enumerate() {
        let others = top.and_then(|top| top.get(index)).and_then(|top| top.get("candidates"));
        let others = others.and_then(Value::as_array).into_iter().flatten();
        let mut entry = record(token);
        entry.insert("top_logprobs".to_owned(), others.map(|other| Value::Object(record(other))).collect());
        content.push(Value::Object(entry));
    }
    Some(json!({ "content": content }))
}

fn record(token: &Value) -> Map<String, Value> {
    let text = token.get("token").and_then(Value::as_str).unwrap_or_default();
    Map::from_iter([
        ("token".to_owned(), Value::from(text)),
        ("logprob".to_owned(), token.get("logProbability").cloned().unwrap_or(json!(0.0))),
        ("bytes".to_owned(), Value::from(text.as_bytes())),
    ])
}

/// OpenAI's form as `logprobsResult`; `None` when it lists no tokens.
pub(in super::super) fn from_openai(logprobs: &Value) -> Option<Value> {
    let content = logprobs.get("content")?.as_array()?;
    let token = |entry: &Value| {
        json!({
            "token": entry.get("token").cloned().unwrap_or_default(),
            "logProbability": entry.get("logprob").cloned().unwrap_or_default(),
        })
    };
    let others = |entry: &Value| {
        let listed = entry.get("top_logprobs").and_then(Value::as_array).into_iter().flatten();
        json!({ "candidates": listed.map(token).collect::<Vec<_>>() })
    };
    Some(json!({
        "chosenCandidates": content.iter().map(token).collect::<Vec<_>>(),
        "topCandidates": content.iter().map(others).collect::<Vec<_>>(),
    }))
}
