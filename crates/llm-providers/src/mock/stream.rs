//! The mock model's stream: one word at a time.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{StatusCode, Version};
use llm_types::{Body, HttpResponse};
use serde_json::{Value, json};

use super::answer::{Content, words};
use super::{Reply, headers};

/// The time a word takes.
const PER_WORD: Duration = Duration::from_millis(10);

pub(super) fn respond(reply: &Reply, show_usage: bool) -> HttpResponse {
    let frames = frames(reply, show_usage);
    let body = stream::iter(frames.into_iter().enumerate()).then(|(number, frame)| async move {
        if number > 0 {
            tokio::time::sleep(PER_WORD).await;
        }
        Ok(frame)
    });
    let headers = headers("text/event-stream");
    HttpResponse {
        status: StatusCode::OK,
        headers,
        version: Version::HTTP_11,
        body: Body::Stream(Box::pin(body)),
    }
}

/// The stream, one piece a word; the first word comes with the role, the last with everything that ends
/// the stream.
fn frames(reply: &Reply, show_usage: bool) -> Vec<Bytes> {
    let mut frames: Vec<String> = Vec::new();
    let deltas = deltas(&reply.answer.content);
    for (number, delta) in deltas.iter().enumerate() {
        let mut frame = String::new();
        for index in 0..reply.answer.n {
            if number == 0 {
                frame.push_str(&chunk(
                    reply,
                    index,
                    &json!({"role": "assistant", "content": ""}),
                    None,
                    show_usage,
                ));
            }
            frame.push_str(&chunk(reply, index, delta, None, show_usage));
        }
        frames.push(frame);
    }
    let mut end = String::new();
    for index in 0..reply.answer.n {
        end.push_str(&chunk(reply, index, &json!({}), Some(reply.answer.finish()), show_usage));
    }
    if show_usage {
        let mut last = base(reply);
        last["choices"] = json!([]);
        last["usage"] = reply.answer.usage();
        end.push_str(&data(&last));
    }
    end.push_str("data: [DONE]\n\n");
    frames.push(end);
    frames.into_iter().map(Bytes::from).collect()
}

fn deltas(content: &Content) -> Vec<Value> {
    match content {
        Content::Text(text) => words(text).map(|word| json!({"content": word})).collect(),
        Content::Tool { id, name, arguments } => {
            let start = json!({"tool_calls": [
                {"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
            ]});
            let rest = json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]});
            vec![start, rest]
        }
    }
}

fn base(reply: &Reply) -> Value {
    json!({"id": reply.id, "object": "chat.completion.chunk", "created": reply.created, "model": reply.model})
}

fn chunk(reply: &Reply, index: u64, delta: &Value, finish: Option<&str>, show_usage: bool) -> String {
    let mut chunk = base(reply);
    chunk["choices"] = json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}]);
    if show_usage {
        chunk["usage"] = Value::Null;
    }
    data(&chunk)
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}
