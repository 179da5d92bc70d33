//! Replies and frames of the wires. They differ in the names of a few members; no name means two things.

use llm_types::{ChatResponse, Choice, Error, ErrorKind, Finish, Message, Part, Result, Role, Usage};
use serde_json::Value;

use super::prediction::output;
use super::think::{Piece, Splitter, Thinks};

/// What Bedrock says of a call, at the end of a stream; our transport puts the same into whole replies.
pub(crate) const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Where answers stand: the list, and inside it the text and the reason for its end (JSON pointers).
const LISTS: &[(&str, &str, &str)] = &[
    ("results", "/outputText", "/completionReason"),
    ("results", "/generated_text", "/stop_reason"),
    ("outputs", "/text", "/stop_reason"),
    ("generations", "/text", "/finish_reason"),
    ("completions", "/data/text", "/finishReason/reason"),
];
/// The same for replies that hold one answer: the member with the text, and where the reason stands.
const SINGLE: &[(&str, &str)] = &[
    ("generation", "/stop_reason"),
    ("outputText", "/completionReason"),
    ("completion", "/stop_reason"),
    ("generated_text", "/details/finish_reason"),
    ("text_output", "/finish_reason"),
    ("text", "/finish_reason"),
];

/// One answer, or a piece of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) finish: Option<Finish>,
}

/// The answers a reply or a frame holds; `None` when it is of none of the wires.
pub(super) fn answers(value: &Value) -> Option<Vec<Answer>> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    for (list, at, end) in LISTS {
        let ours = |item: &&Value| item.pointer(at).is_some() || item.pointer(end).is_some();
        let list = value.get(list).and_then(Value::as_array);
        if let Some(list) = list.filter(|list| list.iter().all(|item| ours(&item))) {
            let answer =
                |item: &Value| Answer { text: text(item.pointer(at)), finish: finish(item.pointer(end)) };
            return Some(list.iter().map(answer).collect());
        }
    }
    if let Value::Array(items) = value {
        return items.iter().map(answers).collect::<Option<Vec<_>>>().map(|all| all.concat());
    }
    if let Some(token) = value.get("token") {
        return Some(vec![piece(token, value)]);
    }
    if value.get("status").is_some_and(|status| status == "succeeded") {
        return output(value).map(|text| vec![Answer { text, finish: Some(Finish::Stop) }]);
    }
    // A frame may hold the reason alone.
    let has_text = |(name, _): &&(&str, &str)| value.get(name).is_some();
    let has_end = |(_, end): &&(&str, &str)| value.pointer(end).is_some();
    let (name, end) = SINGLE.iter().find(has_text).or_else(|| SINGLE.iter().find(has_end))?;
    let answer = Answer { text: text(value.get(name)), finish: finish(value.pointer(end)) };
    Some(std::iter::once(answer).chain(others(value)).collect())
}

/// One token of a stream; special ones are no text.
fn piece(token: &Value, frame: &Value) -> Answer {
    let is_special = token.get("special").and_then(Value::as_bool) == Some(true);
    let text = token.get("text").and_then(Value::as_str).filter(|_| !is_special).unwrap_or_default();
    Answer { text: text.to_owned(), finish: finish(frame.pointer("/details/finish_reason")) }
}

/// The further answers of one request, where the details of the first tell them.
fn others(value: &Value) -> impl Iterator<Item = Answer> {
    let all = value.pointer("/details/best_of_sequences").and_then(Value::as_array);
    let answer = |item: &Value| {
        let text = item.get("generated_text").and_then(Value::as_str)?;
        Some(Answer { text: text.to_owned(), finish: finish(item.get("finish_reason")) })
    };
    all.into_iter().flatten().filter_map(answer).collect::<Vec<_>>().into_iter()
}

/// What a word for the end of an answer means.
fn finish(word: Option<&Value>) -> Option<Finish> {
    let word = word?.as_str()?;
    Some(match word.to_ascii_lowercase().as_str() {
        "" | "not_finished" => return None,
        "stop" | "finish" | "complete" | "endoftext" | "end_turn" | "eos" | "eos_token" => Finish::Stop,
        "stop_criteria_met" | "stop_sequence" => Finish::StopSequence(None),
        "length" | "max_tokens" | "token_limit" => Finish::Length,
        "content_filtered" | "rag_query_when_rag_disabled" | "error_toxic" => Finish::ContentFilter,
        _ => Finish::Other(word.to_owned()),
    })
}

/// What a reply or a frame says the call consumed.
pub(super) fn usage(value: &Value) -> Option<Usage> {
    let metrics = value.get(METRICS);
    let count = |value: Option<&Value>| value.and_then(whole);
    let of = |name: &str| count(metrics.and_then(|metrics| metrics.get(name)));
    let results = value.get("results").and_then(Value::as_array);
    let sum = |name: &str| {
        let counts: Vec<u64> = results?.iter().filter_map(|item| count(item.get(name))).collect();
        (!counts.is_empty()).then(|| counts.iter().sum())
    };
    let counted = results.map(|list| list.iter().filter_map(|item| count(item.get("tokenCount"))).sum());
    let counted = sum("generated_token_count").or(counted);
    let input = of("inputTokenCount")
        .or_else(|| count(value.get("prompt_token_count")))
        .or_else(|| count(value.get("inputTextTokenCount")))
        .or_else(|| count(value.pointer("/details/prompt_tokens")))
        .or_else(|| count(value.pointer("/metrics/input_token_count")))
        .or_else(|| count(value.get("nb_input_tokens")))
        .or_else(|| sum("input_token_count"));
    let output = of("outputTokenCount")
        .or_else(|| count(value.get("generation_token_count")))
        .or_else(|| count(value.get("totalOutputTextTokenCount")))
        .or_else(|| count(value.pointer("/details/generated_tokens")))
        .or_else(|| count(value.pointer("/metrics/output_token_count")))
        .or_else(|| count(value.get("nb_generated_tokens")))
        .or(counted);
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Usage {
        input_tokens: input.unwrap_or_default(),
        output_tokens: output.unwrap_or_default(),
        cache_read_tokens: of("cacheReadInputTokenCount"),
        cache_write_tokens: of("cacheWriteInputTokenCount"),
        ..Usage::default()
    })
}

/// A count; some hosts write it as a float.
fn whole(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number from zero"
    )]
    let of_float =
        |float: f64| (float >= 0.0 && float.fract() == 0.0 && float < 1e15).then_some(float as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(of_float))
}

/// Reads a whole reply.
pub(super) fn decode(body: &[u8], thinks: Thinks) -> Result<ChatResponse> {
    let value: Value = serde_json::from_slice(body).map_err(|fault| {
        Error::new(ErrorKind::BadUpstream, format!("provider reply is not JSON: {fault}")).with_source(fault)
    })?;
    if let Some(error) = stated(&value) {
        return Err(error);
    }
    let answers = answers(&value).filter(|answers| !answers.is_empty()).ok_or_else(|| {
        Error::new(ErrorKind::BadUpstream, "provider reply holds no completion of a prompt")
    })?;
    let id = match value.get("id") {
        Some(Value::String(id)) => id.clone(),
        _ => String::new(),
    };
    let choices = (0..).zip(answers).map(|(index, answer)| choice(index, answer, thinks)).collect();
    Ok(ChatResponse { id, choices, usage: usage(&value), ..ChatResponse::default() })
}

fn choice(index: u32, answer: Answer, thinks: Thinks) -> Choice {
    let mut splitter = Splitter::new(thinks);
    let mut pieces = splitter.push(clean(&answer.text, thinks));
    pieces.extend(splitter.finish());
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces {
        parts.push(match piece {
            Piece::Thought(text) => Part::reasoning(text.trim_end(), None),
            Piece::Text(text) => Part::text(text),
        });
    }
    let message = Message::new(Role::Assistant, parts);
    let finish = answer.finish.or(Some(Finish::Stop));
    Choice { index, message, finish, logprobs: None, extra: llm_types::Extra::default() }
}

/// An answer without the marks of its end that imported models may leave in it.
fn clean(text: &str, thinks: Thinks) -> &str {
    match thinks {
        Thinks::No => text,
        Thinks::First | Thinks::Marked => {
            text.trim_end_matches("<|im_end|>").trim_end_matches("<｜end▁of▁sentence｜>")
        }
    }
}

/// The error a body with a success status states, if it does.
pub(super) fn stated(value: &Value) -> Option<Error> {
    if let Some(words) = value.get("error").and_then(Value::as_str).filter(|words| !words.is_empty()) {
        return Some(Error::new(ErrorKind::BadUpstream, words));
    }
    if let Some(status) = value.get("status").and_then(Value::as_str).filter(|status| *status != "succeeded")
    {
        return Some(Error::new(ErrorKind::BadUpstream, format!("provider says the prediction is {status}")));
    }
    let message = value.get("message").or_else(|| value.get("Message"))?.as_str()?;
    answers(value).is_none().then(|| Error::new(ErrorKind::BadUpstream, message))
}

#[cfg(test)]
mod tests;
