//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::{target, without_nulls};
use crate::Target;
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::openai::chat::OpenaiChat;
use crate::dialects::tests::bench::{Vectors, built_in};

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
    ours_for(case, target(model), drop)
}

fn ours_for(case: &Value, mut target: Target, drop: bool) -> llm_types::Result<Value> {
    let request = OpenaiChat.decode_request(&serde_json::to_vec(case).unwrap())?;
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

/// Cases of Claude behind clouds where the recorded request is wrong or arbitrary, by the files' names.
const IN_CLOUDS: &[(&str, &str, &str)] = &[
    ("bedrock_invoke_claude", "image_url", "the server fetches it before the dialect writes"),
    ("bedrock_mantle_claude", "json_schema_refs", "LiteLLM breaks the references: `/$defs` is none"),
    (
        "bedrock_mantle_claude",
        "kitchen_sink",
        "the model takes no sampling parameters, as LiteLLM knows elsewhere",
    ),
];

/// Without what clouds say elsewhere: the model and the version in the address, beta features by names of
/// their own, a schema where the feature stands; and without the limit of answers, which LiteLLM guesses for
/// models it does not know.
fn bare(mut body: Value) -> Value {
    let members = body.as_object_mut().unwrap();
    for name in ["model", "anthropic_version", "anthropic_beta", "(beta)", "stream", "max_tokens"] {
        members.remove(name);
    }
    if let Some(format) = members.remove("output_format") {
        members.insert("output_config".to_owned(), json!({ "format": format }));
    }
    body
}

fn check_cloud(file: &str, vendor: &str) {
    let better = |name: &str, _: &Value| {
        let here = IN_CLOUDS.iter().any(|(of, case, _)| *of == file && *case == name);
        here || OURS_IS_BETTER.iter().any(|(case, _)| *case == name)
    };
    let ours = |case: &Value, model: &str, drop: bool| {
        let (slug, route) = vendor.split_once('/').unwrap();
        let target = built_in(slug, &format!("{route}{model}")).routed();
        ours_for(case, target, drop).map(bare)
    };
    let recorded = |sent: &Value| bare(recorded(sent));
    let file = &format!("{file}.jsonl");
    Vectors { file, least: 40, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn behind_azure() {
    check_cloud("azure_ai_claude", "azure_ai/");
}

#[test]
fn behind_bedrocks_invoke() {
    check_cloud("bedrock_invoke_claude", "bedrock/invoke/");
}

#[test]
fn behind_bedrocks_own_address() {
    check_cloud("bedrock_mantle_claude", "bedrock_mantle/");
}

#[test]
fn behind_vertex() {
    check_cloud("vertex_ai_anthropic", "vertex_ai/");
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
