//! Log-probabilities: four lists side by side here, a list of tokens in Chat Completions.

use serde_json::{Map, Value, json};

/// The lists as a chat's record; `None` when there are none.
pub(super) fn chat(lists: &Value) -> Option<Value> {
    let list = |name: &str| lists.get(name).and_then(Value::as_array);
    let tokens = list("tokens")?;
    let at = |name: &str, index: usize| list(name).and_then(|list| list.get(index));
    let alternative = |(token, logprob): (&String, &Value)| entry(&json!(token), logprob);
    let content: Vec<Value> = tokens
        .iter()
        .enumerate()
        .map(|(index, token)| {
            let mut entry = entry(token, at("token_logprobs", index).unwrap_or(&Value::Null));
            let others = at("top_logprobs", index).and_then(Value::as_object);
            entry["top_logprobs"] = others.into_iter().flatten().map(alternative).collect();
            entry
        })
        .collect();
    Some(json!({ "content": content }))
}

fn entry(token: &Value, logprob: &Value) -> Value {
    json!({ "token": token, "logprob": logprob, "bytes": token.as_str().map(str::as_bytes) })
}

/// A chat's record as lists; `before` counts the characters of text before it.
pub(super) fn lists(record: &Value, before: &mut usize) -> Value {
    let (mut tokens, mut figures, mut others, mut offsets) = (vec![], vec![], vec![], vec![]);
    for entry in record.get("content").and_then(Value::as_array).into_iter().flatten() {
        let token = entry.get("token").and_then(Value::as_str).unwrap_or_default();
        offsets.push(*before);
        *before += token.chars().count();
        tokens.push(token);
        figures.push(entry.get("logprob"));
        let listed = entry.get("top_logprobs").and_then(Value::as_array).into_iter().flatten();
        let pair = |one: &Value| Some((one.get("token")?.as_str()?.to_owned(), one.get("logprob")?.clone()));
        others.push(listed.filter_map(pair).collect::<Map<String, Value>>());
    }
    json!({ "tokens": tokens, "token_logprobs": figures, "top_logprobs": others, "text_offset": offsets })
}
