//! `mock_response`: the gateway answers itself, in the caller's dialect, and books what LiteLLM books.

use serde_json::{Value, json};

use crate::support::{MASTER, anthropic, gateway, openai};

const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn a_fixed_text_is_answered_by_nobody() {
    let params = json!({ "mock_response": "Hi from the mock." });
    let gateway = gateway().model_at("mock", "openai/gpt-4o-mini", NOBODY, &params).start();
    let chat = gateway.chat(&openai::request("mock")).send().expect(200);
    assert_eq!(chat.json()["choices"][0]["message"]["content"], "Hi from the mock.");
    assert_eq!(chat.must("x-litellm-response-cost"), "0.05");
    let call = gateway.post(anthropic::PATH).header("x-api-key", MASTER);
    let message = call.clone().json(&anthropic::request("mock")).send().expect(200);
    assert_eq!(message.json()["content"][0]["text"], "Hi from the mock.");

    let streamed = gateway.chat(&openai::streamed("mock")).send().expect(200);
    let text = |frame: &String| serde_json::from_str::<Value>(frame).unwrap_or_default();
    let pieces = streamed.frames().iter().map(text).collect::<Vec<_>>();
    let whole: String =
        pieces.iter().filter_map(|one| one["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(whole, "Hi from the mock.");
    assert_eq!(streamed.frames().last().map(String::as_str), Some("[DONE]"));
    let streamed = call.json(&anthropic::streamed("mock")).send().expect(200);
    assert!(streamed.text().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));

    let rows = gateway.booked();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!((row.outcome.as_str(), row.estimated), ("completed", false));
        assert_eq!((row.input_tokens, row.output_tokens), (10, 20));
    }
}
