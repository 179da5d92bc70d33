//! Requests, replies and streams of both dialects, small and whole.
//!
//! Every reply states 10 tokens of prompt and 20 of answer, which at the prices of
//! [`super::Setup::model`] are 0.05 USD.

/// OpenAI Chat Completions.
pub(crate) mod openai {
    use serde_json::{Value, json};

    use crate::support::Reply;

    pub(crate) const PATH: &str = "/v1/chat/completions";

    pub(crate) fn request(model: &str) -> Value {
        json!({ "model": model, "messages": [{ "role": "user", "content": "Say hello." }] })
    }

    pub(crate) fn streamed(model: &str) -> Value {
        let mut request = request(model);
        request["stream"] = json!(true);
        request
    }

    pub(crate) fn answer() -> Value {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-4o-mini",
            "choices": [{
                "index": 0, "message": { "role": "assistant", "content": "Hello there." },
                "finish_reason": "stop", "logprobs": null,
            }],
            "usage": { "prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30 },
        })
    }

    pub(crate) fn reply() -> Reply {
        Reply::json(200, &answer())
    }

    pub(crate) fn error(status: u16, message: &str) -> Reply {
        let error = json!({ "message": message, "type": "scripted_error", "param": null, "code": null });
        Reply::json(status, &json!({ "error": error }))
    }

    pub(crate) fn frame(value: &Value) -> String {
        format!("data: {value}\n\n")
    }

    fn chunk(choices: &Value) -> Value {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "gpt-4o-mini", "choices": choices,
        })
    }

    /// A frame with a piece of text.
    pub(crate) fn piece(text: &str) -> String {
        frame(&chunk(&json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }])))
    }

    /// The frames after the text: the reason, the usage, the end.
    pub(crate) fn finish() -> String {
        let stop = chunk(&json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]));
        let mut usage = chunk(&json!([]));
        usage["usage"] = answer()["usage"].clone();
        format!("{}{}data: [DONE]\n\n", frame(&stop), frame(&usage))
    }

    pub(crate) fn stream() -> Reply {
        Reply::stream().then(piece("Hello")).then(piece(" there.")).then(finish())
    }
}

/// Anthropic Messages.
pub(crate) mod anthropic {
    use serde_json::{Value, json};

    use crate::support::Reply;

    pub(crate) const PATH: &str = "/v1/messages";

    pub(crate) fn request(model: &str) -> Value {
        json!({ "model": model, "max_tokens": 64, "messages": [{ "role": "user", "content": "Say hello." }] })
    }

    pub(crate) fn streamed(model: &str) -> Value {
        let mut request = request(model);
        request["stream"] = json!(true);
        request
    }

    pub(crate) fn answer() -> Value {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": [{ "type": "text", "text": "Hello there." }],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": { "input_tokens": 10, "output_tokens": 20 },
        })
    }

    pub(crate) fn reply() -> Reply {
        Reply::json(200, &answer())
    }

    pub(crate) fn frame(value: &Value) -> String {
        format!("event: {}\ndata: {value}\n\n", value["type"].as_str().expect("events have a type"))
    }

    /// The frames before the text; usage says 10 tokens of prompt and 1 of answer.
    pub(crate) fn start() -> String {
        let message = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 10, "output_tokens": 1 },
        });
        let block = json!({ "type": "text", "text": "" });
        let start = frame(&json!({ "type": "message_start", "message": message }));
        start + &frame(&json!({ "type": "content_block_start", "index": 0, "content_block": block }))
    }

    pub(crate) fn piece(text: &str) -> String {
        let delta = json!({ "type": "text_delta", "text": text });
        frame(&json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
    }

    pub(crate) fn finish() -> String {
        let delta = json!({ "stop_reason": "end_turn", "stop_sequence": null });
        let usage = json!({ "output_tokens": 20 });
        [
            json!({ "type": "content_block_stop", "index": 0 }),
            json!({ "type": "message_delta", "delta": delta, "usage": usage }),
            json!({ "type": "message_stop" }),
        ]
        .iter()
        .map(frame)
        .collect()
    }

    pub(crate) fn stream() -> Reply {
        Reply::stream().then(start()).then(piece("Hello")).then(piece(" there.")).then(finish())
    }
}
