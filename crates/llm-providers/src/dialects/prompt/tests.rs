//! The requests LiteLLM sends, and recorded replies of Bedrock's families.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use llm_types::{Body, Event};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Prompt, Wire};
use crate::cloud::{measured, unframed};
use crate::dialect::{Dialect, Frame, Framing};
use crate::dialects::openai::chat::OpenaiChat;
use crate::framing::Frames;
use crate::{ParamPolicy, ProviderSpec, Target};

/// A target whose model has this name.
pub(super) fn target(model: &str) -> Target {
    let spec: ProviderSpec = serde_json::from_value(json!({
        "id": "bedrock", "name": "Amazon Bedrock", "docs": "", "auth": "bearer", "dialect": {"prompt": "llama"},
        "base_url": "https://bedrock-runtime.us-east-1.amazonaws.com"}))
    .unwrap();
    Target {
        spec: Arc::new(spec),
        model: model.to_owned(),
        base_url: "https://bedrock-runtime.us-east-1.amazonaws.com".to_owned(),
        key: None,
        headers: http::HeaderMap::new(),
        defaults: serde_json::Map::new(),
        policy: ParamPolicy::default(),
        timeouts: llm_types::Timeouts::default(),
        cloud: None,
    }
}

pub(super) fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GATEWAY_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded material at {}", folder.display());
    None
}

/// Cases where the recorded request is wrong or arbitrary; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("extra_body", "its members are merged into the body by the walk of a call"),
    ("cache_control_system", "parts are their texts, not Python's print of a list"),
    ("cache_control_user", "parts are their texts, not Python's print of a list"),
    ("file_pdf_base64", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("file_pdf_url", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("image_base64", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("image_url", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("image_url_string", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("input_audio", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("max_completion_tokens", "the wire has a limit: the newer name for it is not refused"),
    ("max_tokens_both", "the wire has a limit: the newer name for it is not refused"),
    ("stop_five", "all five stop texts are sent"),
    ("stop_string", "a single stop text is a list of one"),
    ("system_list", "parts are their texts, not Python's print of a list"),
    ("text_parts", "parts are their texts, not Python's print of a list"),
    ("thinking_enabled", "no limit is made up for a budget that is dropped"),
    ("thinking_history", "no limit is made up for a budget that is dropped"),
    ("tool_call_empty_args", "what a tool said is the tool's turn, not the model's"),
    ("tool_result", "what a tool said is a turn of its own, calls are left out on request only"),
    ("tool_result_no_tools", "calls are left out on request only"),
    ("tool_result_parts", "what a tool said is a turn of its own, calls are left out on request only"),
    (
        "cache_control_tool_result",
        "what a tool said is a turn of its own, calls are left out on request only",
    ),
    ("tool_results_parallel", "what a tool said is a turn of its own"),
    ("two_images", "what cannot be said is refused, not printed as Python or left out in silence"),
    ("video_url", "what cannot be said is refused, not printed as Python or left out in silence"),
];

fn lines(file: &str) -> Vec<Value> {
    let Some(folder) = shared("vectors") else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What no vendor can notice: empty objects, white space.
fn normal(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            // Of a stream most shells tell in the path.
            let says =
                |name: &str, value: &Value| !value.is_null() && *value != json!({}) && name != "stream";
            let members = members.iter().filter(|(name, value)| says(name, value));
            members.map(|(name, value)| (name.clone(), normal(value))).collect()
        }
        Value::String(text) => json!(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn ours(wire: Wire, model: &str, case: &Value, drop: bool) -> llm_types::Result<Value> {
    let mut body = case.clone();
    body["model"] = json!(model);
    // The shell says it in the path.
    body.as_object_mut().unwrap().shift_remove("stream");
    body.as_object_mut().unwrap().shift_remove("extra_headers");
    let request = OpenaiChat.decode_request(&serde_json::to_vec(&body).unwrap())?;
    let mut target = target(model);
    target.policy.drop = drop;
    let encoded = Prompt::on(wire).encode_request(&request, &target)?;
    Ok(normal(&serde_json::from_slice(&encoded.body).unwrap()))
}

fn fault(wire: Wire, model: &str, line: &Value, case: &Value) -> Option<String> {
    let same = |body: &Value, sent: &Value| {
        let (mut ours, mut theirs) = (body.clone(), normal(&sent["body"]));
        if wire == Wire::Complete {
            // LiteLLM prints the list of messages as Python has it; the vendor's API refuses such a prompt.
            for body in [&mut ours, &mut theirs] {
                body["prompt"].take();
            }
        }
        ours == theirs
    };
    if let Some(sent) = line.get("sent") {
        return match ours(wire, model, case, false) {
            Ok(body) if same(&body, sent) => None,
            other => Some(format!("{other:?}\n  want {}", sent["body"])),
        };
    }
    match (ours(wire, model, case, false), line.get("dropped")) {
        (Ok(body), _) if line["rejected"]["status"] == 400 => Some(format!("not refused: {body}")),
        (Err(_), Some(sent)) => match ours(wire, model, case, true) {
            Ok(body) if same(&body, sent) => None,
            other => Some(format!("{other:?}\n  want {}", sent["body"])),
        },
        _ => None,
    }
}

/// The same on the wire of predictions.
const PREDICTIONS_ARE_BETTER: &[(&str, &str)] = &[
    ("cache_control_tool", "tools are refused, not left out in silence"),
    ("google_search_tool", "tools are refused, not left out in silence"),
    (
        "kitchen_sink",
        "tools are refused, the seed is sent, and stop texts are one text, as the vendor's models want",
    ),
    ("stop_whitespace", "stop texts are one text, as the vendor's models want them"),
    ("stream_tools", "tools are refused, not left out in silence"),
    ("tools_refs", "tools are refused, not left out in silence"),
];

fn check(file: &str, wire: Wire, least: usize) {
    let lines = lines(file);
    let Some(head) = lines.first() else { return };
    let folder = shared("vectors").expect("its lines were read");
    let cases: Value = serde_json::from_slice(&std::fs::read(folder.join("_cases.json")).unwrap()).unwrap();
    let model = head["model"].as_str().unwrap().rsplit('/').next().unwrap();
    let (mut equal, mut better, mut different) = (0, 0, Vec::new());
    for line in lines.iter().filter(|line| line.get("case").is_some()) {
        let name = line["case"].as_str().unwrap();
        let of_wire = if wire == Wire::Prediction { PREDICTIONS_ARE_BETTER } else { &[] };
        if OURS_IS_BETTER.iter().chain(of_wire).any(|(case, _)| *case == name) {
            better += 1;
            continue;
        }
        match fault(wire, model, line, &cases[name]) {
            None => equal += 1,
            Some(fault) => different.push(format!("{name}: {fault}")),
        }
    }
    eprintln!("{file}: {equal} the same, {better} better on purpose");
    assert!(different.is_empty(), "{file}: {} differ\n{}", different.len(), different.join("\n"));
    assert!(equal >= least, "{file} holds its cases: {equal}");
}

#[test]
fn titan_gets_what_litellm_sends() {
    check("bedrock_invoke_titan.jsonl", Wire::Titan, 30);
}

#[test]
fn llama_gets_what_litellm_sends() {
    check("bedrock_invoke_llama.jsonl", Wire::Llama, 30);
}

#[test]
fn an_imported_llama_gets_what_litellm_sends() {
    check("bedrock_invoke_llama_arn.jsonl", Wire::OwnLlama, 25);
}

#[test]
fn mistral_gets_what_litellm_sends() {
    check("bedrock_invoke_mistral.jsonl", Wire::Mistral, 30);
}

#[test]
fn an_imported_deepseek_gets_what_litellm_sends() {
    check("bedrock_invoke_deepseek.jsonl", Wire::OwnDeepseek, 20);
}

#[test]
fn an_imported_qwen_gets_what_litellm_sends() {
    check("bedrock_invoke_qwen3.jsonl", Wire::OwnQwen, 30);
}

#[test]
fn servers_of_prompts_get_what_litellm_sends() {
    check("anthropic_text.jsonl", Wire::Complete, 30);
    check("nlp_cloud.jsonl", Wire::Generation, 30);
    check("predibase.jsonl", Wire::Lorax, 30);
    check("sagemaker.jsonl", Wire::TextGeneration, 30);
    check("triton.jsonl", Wire::Triton, 40);
    check("replicate.jsonl", Wire::Prediction, 25);
}

/// The wire of a recorded model.
fn wire_of(model: &str) -> Option<Wire> {
    let families = [
        ("amazon.titan-t", Wire::Titan),
        ("meta.llama", Wire::Llama),
        ("cohere.command", Wire::Command),
        ("ai21.j2", Wire::Jurassic),
    ];
    families.into_iter().find(|(name, _)| model.contains(name)).map(|(_, wire)| wire)
}

/// The events of a body in pieces of a size, taken out of its frames.
fn events(wire: Wire, body: &[u8], size: usize) -> Vec<Event> {
    let pieces: Vec<_> = body.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = unframed(Body::Stream(Box::pin(futures_util::stream::iter(pieces))));
    let whole = body.collect(1 << 24).now_or_never().unwrap().unwrap();
    let (mut frames, mut decoder) = (Frames::new(Framing::Sse), Prompt::on(wire).stream_decoder());
    let mut events = Vec::new();
    frames.push(whole);
    while let Some(frame) = frames.next_frame().unwrap() {
        decoder.push(&frame, &mut events).unwrap();
    }
    decoder.finish(&mut events);
    events
}

#[test]
fn recorded_replies_and_streams_are_read_to_their_end() {
    let Some(folder) = shared("traffic/bedrock") else { return };
    let (mut replies, mut streams) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let record: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let is_invoke = record["endpoint"].as_str().is_some_and(|endpoint| endpoint.starts_with("invoke"));
        let Some(wire) = wire_of(record["model"].as_str().unwrap_or_default()).filter(|_| is_invoke) else {
            continue;
        };
        let response = &record["response"];
        if response["status"] != 200 {
            continue;
        }
        if let Some(text) = response["body_base64"].as_str() {
            let body = BASE64_STANDARD.decode(text).unwrap();
            let whole = events(wire, &body, body.len());
            assert_eq!(events(wire, &body, 7), whole);
            assert_eq!(whole.last(), Some(&Event::Done), "{}", record["model"]);
            assert!(
                whole.iter().any(|event| matches!(event, Event::Usage(usage) if usage.output_tokens > 0))
            );
            streams += 1;
        } else {
            let mut headers = http::HeaderMap::new();
            for (name, value) in response["headers"].as_object().unwrap() {
                let name: http::HeaderName = name.parse().unwrap();
                headers.insert(name, value.as_str().unwrap().parse().unwrap());
            }
            let body = measured(Body::Full(response["body"].to_string().into()), &headers);
            let body = body.collect(1 << 24).now_or_never().unwrap().unwrap();
            let reply = Prompt::on(wire).decode_response(&body).unwrap();
            assert!(!reply.choices[0].message.text().is_empty(), "{}", record["model"]);
            assert!(reply.usage.unwrap().input_tokens > 0, "{}", record["model"]);
            replies += 1;
        }
    }
    eprintln!("{replies} replies, {streams} streams");
    assert!(replies >= 5 && streams >= 4, "{replies} {streams}");
}

/// Replies and frames that are nearly right: a member of the wires with some value.
fn nearly() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "generation",
        "outputs",
        "results",
        "generations",
        "completions",
        "text",
        "outputText",
        "stop_reason",
        "is_finished",
        "error",
        "message",
        "prompt_token_count",
        "amazon-bedrock-invocationMetrics",
        "token",
        "generated_text",
        "details",
        "output",
        "status",
        "completion",
    ]);
    let value = prop::sample::select(vec![
        "null",
        "1",
        "-1.5",
        "1e300",
        "true",
        "\"</think>a\"",
        "[]",
        "[1]",
        "[{}]",
        "{}",
        r#"[{"text":"a"}]"#,
        r#"{"inputTokenCount":1.0}"#,
    ]);
    let members = prop::collection::vec((name, value), 0..4);
    members.prop_map(|members| {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(frames in prop::collection::vec(prop_oneof![nearly(), ".{0,40}"], 0..6)) {
        for wire in [Wire::Titan, Wire::Llama, Wire::OwnDeepseek, Wire::OwnQwen, Wire::Complete, Wire::TextGeneration, Wire::Triton] {
            let (mut decoder, mut events) = (Prompt::on(wire).stream_decoder(), Vec::new());
            for frame in &frames {
                let _reply = Prompt::on(wire).decode_response(frame.as_bytes());
                let frame = Frame { event: Bytes::new(), data: Bytes::copy_from_slice(frame.as_bytes()) };
                if decoder.push(&frame, &mut events).is_err() {
                    break;
                }
            }
            decoder.finish(&mut events);
            let done = events.iter().filter(|event| matches!(event, Event::Done)).count();
            let failed = events.iter().any(|event| matches!(event, Event::Error(_)));
            prop_assert!(done + usize::from(failed) <= 1, "{events:?}");
        }
    }
}
