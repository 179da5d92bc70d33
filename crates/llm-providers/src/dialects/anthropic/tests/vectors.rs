//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::{target, without_nulls};
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::openai::chat::OpenaiChat;
use crate::dialects::tests::bench::Vectors;

/// Cases where the recorded request is wrong or arbitrary; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("empty_assistant", "empty turns are left out, no text is made up"),
    ("empty_user", "no text is made up"),
    ("extra_body", "members of `extra_body` are spread over the body"),
    ("file_pdf_url", "a URL is a URL, not the id of a file"),
    ("google_search_tool", "another vendor's tool is refused, by a crash there"),
    ("input_audio", "what cannot be said is refused, not left out in silence"),
    ("null_assistant", "the turns around a dropped one are joined"),
    ("reasoning_effort_none", "thinking is switched off in so many words where it may be on"),
    ("stop_five", "LiteLLM loses the fifth stop text in silence; the vendor takes it"),
    ("system_mid", "what the operator says arrives alike; the note before it has our own words"),
    ("tool_call_empty_args", "empty text beside a call is left out"),
    ("tool_result_no_tools", "the tools that were called are declared, not a made-up one"),
    ("video_url", "what cannot be said is refused, not left out in silence"),
];

/// What no vendor can notice: text parts as a string, neighbours of one role joined.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    if body["stream"] == false {
        body.as_object_mut().unwrap().remove("stream");
    }
    body
}

fn ours(case: &Value, model: &str, drop: bool) -> llm_types::Result<Value> {
    let request = OpenaiChat.decode_request(&serde_json::to_vec(case).unwrap())?;
    let mut target = target(model);
    target.policy.drop = drop;
    let encoded = Anthropic.encode_request(&request, &target)?;
    let mut written: Value = serde_json::from_slice(&encoded.body).unwrap();
    if let Some(beta) = encoded.headers.get("anthropic-beta") {
        written["(beta)"] = json!(beta.to_str().unwrap());
    }
    Ok(normal(&written))
}

fn recorded(sent: &Value) -> Value {
    let mut body = normal(&sent["body"]);
    if let Some(beta) = sent["headers"].get("anthropic-beta") {
        body["(beta)"] = beta.clone();
    }
    body
}

fn check(file: &str) {
    let better = |name: &str, _: &Value| OURS_IS_BETTER.iter().any(|(case, _)| *case == name);
    Vectors { file, least: 40, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn sonnet_4_5() {
    check("anthropic.jsonl");
}

#[test]
fn sonnet_5_5() {
    check("anthropic_adaptive.jsonl");
}

#[test]
fn sonnet_3_5() {
    check("anthropic_claude3.jsonl");
}

#[test]
fn opus_4_7() {
    check("anthropic_opus.jsonl");
}
