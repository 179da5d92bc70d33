//! What Converse says in Nova's own form, there and back.

use llm_types::{Event, Finish};
use serde_json::{Value, json};

use super::super::tests::target;
use super::Nova;
use crate::dialect::{Dialect, Frame};
use crate::dialects::openai::chat::OpenaiChat;

fn sent(body: &Value) -> (http::HeaderMap, Value) {
    let request = OpenaiChat.decode_request(body.to_string().as_bytes()).unwrap();
    let encoded = Nova.encode_request(&request, &target("us.amazon.nova-pro-v1:0")).unwrap();
    (encoded.headers, serde_json::from_slice(&encoded.body).unwrap())
}

#[test]
fn own_parameters_stand_in_the_body_and_bedrocks_in_headers() {
    let (headers, body) = sent(&json!({
        "model": "m", "temperature": 0.5, "top_k": 40, "stream": true, "metadata": {"a": "b"},
        "service_tier": "priority", "messages": [{"role": "user", "content": "Hi"}],
    }));
    assert_eq!(
        body,
        json!({
            "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
            "inferenceConfig": {"temperature": 0.5, "topK": 40}, "stream": true,
        })
    );
    assert_eq!(headers["x-amzn-bedrock-service-tier"], "priority");
}

#[test]
fn cache_points_stand_inside_their_block() {
    let marked = json!({"type": "text", "text": "Long", "cache_control": {"type": "ephemeral"}});
    let (_, body) = sent(&json!({"model": "m", "messages": [
        {"role": "system", "content": [marked]}, {"role": "user", "content": [marked, {"type": "text", "text": "Q"}]},
    ]}));
    let block = json!({"text": "Long", "cachePoint": {"type": "default"}});
    assert_eq!(body["system"], json!([block]));
    assert_eq!(body["messages"][0]["content"], json!([block, {"text": "Q"}]));
}

fn events(frames: &[(&str, Value)]) -> Vec<Event> {
    let (mut decoder, mut events) = (Nova.stream_decoder(), Vec::new());
    for (name, data) in frames {
        let frame = Frame { event: (*name).to_owned().into(), data: data.to_string().into() };
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

#[test]
fn frames_hold_converses_events_by_name() {
    let events = events(&[
        ("", json!({"messageStart": {"role": "assistant"}, "p": "abc"})),
        ("", json!({"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}})),
        ("", json!({"contentBlockStop": {"contentBlockIndex": 0}})),
        ("", json!({"messageStop": {"stopReason": "end_turn"}})),
        (
            "",
            json!({"metadata": {"usage": {"inputTokens": 30, "outputTokens": 5}, "metrics": {}},
                   "amazon-bedrock-invocationMetrics": {"inputTokenCount": 30, "outputTokenCount": 5}}),
        ),
    ]);
    assert!(events.contains(&Event::Text { choice: 0, text: "Hi".into() }));
    assert!(events.contains(&Event::Finish { choice: 0, reason: Finish::Stop }));
    let usage =
        events.iter().find_map(|event| if let Event::Usage(usage) = event { Some(usage) } else { None });
    assert_eq!(usage.map(|usage| (usage.input_tokens, usage.output_tokens)), Some((30, 5)));
    assert_eq!(events.last(), Some(&Event::Done));
}

#[test]
fn a_failed_or_cut_stream_is_not_done() {
    let failure = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}});
    let failed = events(&[("", json!({"messageStart": {"role": "assistant"}})), ("error", failure)]);
    assert!(
        matches!(failed.last(), Some(Event::Error(error)) if error.message().contains("slow down")),
        "{failed:?}"
    );
    let cut =
        events(&[("", json!({"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}}))]);
    assert!(!cut.contains(&Event::Done), "{cut:?}");
}
