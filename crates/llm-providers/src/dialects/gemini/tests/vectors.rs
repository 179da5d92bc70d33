//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::super::wire::camel_value;
use super::{target, without_nulls};
use crate::Target;
use crate::dialect::Dialect;
use crate::dialects::gemini::Gemini;
use crate::dialects::openai::chat::OpenaiChat;
use crate::dialects::tests::bench::{Vectors, built_in};

/// Cases where the recorded request is wrong or arbitrary; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("builtin_web_search_tool", "another vendor's web search is the vendor's own, not a made-up function"),
    ("file_pdf_url", "the provider fetches what is given by URL"),
    ("image_url", "the provider fetches what is given by URL"),
    ("image_url_string", "the provider fetches what is given by URL"),
    ("null_assistant", "the turns around an empty one are joined"),
    ("service_tier", "`auto` is what the vendor does unasked, not a dearer tier"),
    ("stop_five", "LiteLLM loses the fifth stop text in silence; the vendor takes five"),
    ("thinking_adaptive", "who asks for thinking sees it; LiteLLM knows `enabled` only and hides it"),
    ("thinking_disabled", "thinking is switched off"),
    ("tool_call_empty_args", "no arguments are an empty object, not `{\"type\":\"object\"}`"),
    ("tools_noparams", "an object without members is said in the field that takes it"),
    ("video_url", "films are sent, not left out in silence"),
];

/// What no vendor can notice: spelling of members, user turns apart or joined.
fn normal(body: &Value) -> Value {
    let mut body = camel_value(without_nulls(body));
    let contents = body["contents"].take();
    let mut joined: Vec<Value> = Vec::new();
    for mut content in contents.as_array().cloned().unwrap_or_default() {
        let same = joined.last().is_some_and(|last| last["role"] == content["role"]);
        match joined.last_mut().filter(|_| same) {
            Some(last) => {
                let parts = content["parts"].as_array_mut().unwrap();
                last["parts"].as_array_mut().unwrap().append(parts);
            }
            None => joined.push(content),
        }
    }
    body["contents"] = Value::Array(joined);
    body
}

fn ours(case: &Value, mut target: Target, drop: bool) -> llm_types::Result<Value> {
    let mut request = OpenaiChat.decode_request(&serde_json::to_vec(case).unwrap())?;
    if let Some(Value::Object(members)) = case.get("extra_body") {
        // The gateway spreads them over the body.
        request.extra.0.extend(members.clone());
    }
    target.policy.drop = drop;
    let encoded = Gemini.encode_request(&request, &target)?;
    Ok(json!([encoded.path, normal(&serde_json::from_slice(&encoded.body).unwrap())]))
}

fn recorded(sent: &Value) -> Value {
    let (_, path) = sent["url"].as_str().unwrap().split_once("/models/").unwrap();
    json!([format!("/models/{path}"), normal(&sent["body"])])
}

fn check(file: &str) {
    check_for(file, &target);
}

fn check_for(file: &str, target: &dyn Fn(&str) -> Target) {
    let ours = |case: &Value, model: &str, drop: bool| ours(case, target(model), drop);
    let better = |name: &str, _: &Value| OURS_IS_BETTER.iter().any(|(case, _)| *case == name);
    Vectors { file, least: 25, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn gemini_2_5_flash() {
    check("gemini.jsonl");
}

#[test]
fn gemini_3_pro() {
    check("gemini3.jsonl");
}

#[test]
fn gemini_2_0_flash() {
    check("gemini_2_0.jsonl");
}

fn on_vertex(model: &str) -> Target {
    built_in("vertex_ai", model).routed()
}

#[test]
fn gemini_2_5_flash_on_vertex() {
    check_for("vertex_ai_gemini.jsonl", &on_vertex);
}

#[test]
fn gemini_3_pro_on_vertex() {
    check_for("vertex_ai_gemini_global.jsonl", &on_vertex);
}
