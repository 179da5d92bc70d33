//! Replies of other vendors for callers of this dialect, and the vendor's for others.

use llm_types::{ErrorKind, Finish};
use serde_json::{Value, json};

use crate::ReplyContext;
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::gemini::Gemini;
use crate::dialects::openai::chat::OpenaiChat;

fn shown(from: &dyn Dialect, to: &dyn Dialect, body: &Value) -> Value {
    let reply = from.decode_response(body.to_string().as_bytes()).unwrap();
    let (id, model) = ("id".to_owned(), "asked".to_owned());
    let cx = ReplyContext { id, model, now: 1, ..ReplyContext::default() };
    serde_json::from_slice(&to.encode_response(&reply, &cx).unwrap()).unwrap()
}

#[test]
fn an_anthropic_answer_with_all_it_has() {
    let reply = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use",
        "content": [
            { "type": "thinking", "thinking": "hm", "signature": "c2ln" },
            { "type": "redacted_thinking", "data": "opaque" },
            { "type": "text", "text": "Bern.", "citations": [{ "type": "web_search_result_location",
                "url": "https://e.org", "title": "E", "cited_text": "x", "encrypted_index": "y" }] },
            { "type": "tool_use", "id": "toolu_1", "name": "f", "input": { "a": 1 } } ],
        "usage": { "input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 4 },
    });
    let shown = shown(&Anthropic, &Gemini, &reply);
    let candidate = &shown["candidates"][0];
    let parts = candidate["content"]["parts"].as_array().unwrap();
    assert_eq!(parts[0], json!({ "thought": true, "text": "hm", "thoughtSignature": "c2ln" }));
    assert_eq!(parts[2], json!({ "text": "Bern." }));
    assert_eq!(parts[3], json!({ "functionCall": { "id": "toolu_1", "name": "f", "args": { "a": 1 } } }));
    assert_eq!(candidate["finishReason"], "STOP");
    assert_eq!(candidate["groundingMetadata"]["groundingChunks"][0]["web"]["uri"], "https://e.org");
    assert_eq!(shown["usageMetadata"]["promptTokenCount"], 14);
    assert_eq!(shown["usageMetadata"]["cachedContentTokenCount"], 4);
    // What its caller sends back is what the vendor said.
    let history = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Go" }] }, candidate["content"],
        { "role": "user", "parts": [{ "functionResponse": { "id": "toolu_1", "name": "f", "response": { "output": "1" } } }] }] });
    let request = Gemini.decode_request(history.to_string().as_bytes()).unwrap();
    let target = crate::dialects::gemini::tests::target("claude-sonnet-4-5");
    let sent = Anthropic.encode_request(&request, &target).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    let blocks = sent["messages"][1]["content"].as_array().unwrap();
    assert_eq!(blocks[0], json!({ "type": "thinking", "thinking": "hm", "signature": "c2ln" }));
    assert_eq!(blocks[1], json!({ "type": "redacted_thinking", "data": "opaque" }));
    assert_eq!(blocks[3]["id"], "toolu_1");
}

#[test]
fn speech_passes_both_ways() {
    let reply = json!({ "candidates": [{ "content": { "parts": [{ "inlineData": { "mimeType": "audio/L16;rate=24000",
        "data": "aGk=" } }] }, "finishReason": "STOP" }] });
    assert_eq!(shown(&Gemini, &OpenaiChat, &reply)["choices"][0]["message"]["audio"]["data"], "aGk=");
    let reply = json!({ "id": "x", "object": "chat.completion", "choices": [{ "index": 0, "finish_reason": "stop",
        "message": { "role": "assistant", "content": null, "audio": { "id": "a", "data": "aGk=", "transcript": "Hi" } } }] });
    let parts = shown(&OpenaiChat, &Gemini, &reply)["candidates"][0]["content"]["parts"].clone();
    assert_eq!(
        parts,
        json!([{ "text": "Hi" }, { "inlineData": { "mimeType": "audio/wav", "data": "aGk=" } }])
    );
}

#[test]
fn sources_are_annotations_with_places_in_characters() {
    let reply = json!({ "candidates": [{ "content": { "parts": [{ "text": "Grüezi Bern." }] }, "finishReason": "STOP",
        "groundingMetadata": { "groundingChunks": [{ "web": { "uri": "https://e.org", "title": "E" } }],
            "groundingSupports": [{ "segment": { "startIndex": 8, "endIndex": 13 }, "groundingChunkIndices": [0] }] } }] });
    let message = shown(&Gemini, &OpenaiChat, &reply)["choices"][0]["message"].clone();
    assert_eq!(
        message["annotations"][0]["url_citation"],
        json!({ "start_index": 7, "end_index": 12, "url": "https://e.org", "title": "E" })
    );
}

#[test]
fn logprobs_pass_both_ways() {
    let result = json!({ "chosenCandidates": [{ "token": "Hi", "logProbability": -0.5 }],
        "topCandidates": [{ "candidates": [{ "token": "Ho", "logProbability": -2.0 }] }] });
    let reply = json!({ "candidates": [{ "content": { "parts": [{ "text": "Hi" }] }, "finishReason": "STOP",
        "logprobsResult": result }] });
    let logprobs = shown(&Gemini, &OpenaiChat, &reply)["choices"][0]["logprobs"].clone();
    assert_eq!(logprobs["content"][0]["logprob"], -0.5);
    assert_eq!(logprobs["content"][0]["top_logprobs"][0]["token"], "Ho");
    assert_eq!(shown(&Gemini, &Gemini, &reply)["candidates"][0]["logprobsResult"], result);
}

#[test]
fn a_reply_without_answers_is_no_success() {
    let read = |body: Value| Gemini.decode_response(body.to_string().as_bytes());
    let empty = read(json!({ "usageMetadata": { "promptTokenCount": 4 } })).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::BadUpstream);
    let blocked = read(json!({ "promptFeedback": { "blockReason": "SAFETY" } })).unwrap();
    assert_eq!(blocked.choices[0].finish, Some(Finish::ContentFilter));
    let stated =
        read(json!([{ "error": { "code": 404, "message": "no", "status": "NOT_FOUND" } }])).unwrap_err();
    assert_eq!(stated.kind(), ErrorKind::NotFound);
    let odd = read(json!({ "candidates": [{ "content": { "parts": [{ "text": 7 }] } }] })).unwrap_err();
    assert_eq!(odd.kind(), ErrorKind::BadUpstream);
}
