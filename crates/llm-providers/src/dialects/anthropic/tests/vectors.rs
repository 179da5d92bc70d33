//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::{shared, target, without_nulls};
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::openai::chat::OpenaiChat;

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
    ("stop_five", "all five stop texts are sent"),
    ("system_mid", "the note before a late system message has our words"),
    ("tool_call_empty_args", "empty text beside a call is left out"),
    ("tool_result_no_tools", "the tools that were called are declared, not a made-up one"),
    ("video_url", "what cannot be said is refused, not left out in silence"),
];

fn lines(file: &str) -> Vec<Value> {
    let Some(folder) = shared("vectors") else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn cases() -> Value {
    let folder = shared("vectors").expect("checked by the caller");
    serde_json::from_slice(&std::fs::read(folder.join("_cases.json")).unwrap()).unwrap()
}

/// What no vendor can notice: text parts as a string, neighbours of one role joined.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    if body["stream"] == false {
        body.as_object_mut().unwrap().remove("stream");
    }
    body
}

fn ours(case: &Value, model: &str, drop: bool) -> llm_types::Result<Value> {
    let mut body = case.clone();
    body["model"] = json!(model);
    let request = OpenaiChat.decode_request(&serde_json::to_vec(&body).unwrap())?;
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
    let lines = lines(file);
    let Some(head) = lines.first() else { return };
    let cases = cases();
    let model = head["model"].as_str().unwrap().rsplit('/').next().unwrap();
    let (mut same, mut better, mut different) = (0, 0, Vec::new());
    for line in lines.iter().filter(|line| line.get("case").is_some()) {
        let name = line["case"].as_str().unwrap();
        if OURS_IS_BETTER.iter().any(|(case, _)| *case == name) {
            better += 1;
            continue;
        }
        let case = &cases[name];
        let fault = if let Some(sent) = line.get("sent") {
            match ours(case, model, false) {
                Ok(body) if body == recorded(sent) => None,
                other => Some(format!("{other:?}\n  want {}", recorded(sent))),
            }
        } else {
            let refused = ours(case, model, false);
            let dropped = line.get("dropped").map(|sent| (ours(case, model, true), recorded(sent)));
            match (refused, dropped) {
                (Ok(body), _) => Some(format!("not refused: {body}")),
                (Err(_), Some((Ok(body), want))) if body != want => Some(format!("{body}\n  want {want}")),
                (Err(_), Some((Err(error), _))) => Some(format!("refused although it may drop: {error}")),
                _ => None,
            }
        };
        match fault {
            None => same += 1,
            Some(fault) => different.push(format!("{name}: {fault}")),
        }
    }
    eprintln!("{file}: {same} the same, {better} better on purpose");
    assert!(different.is_empty(), "{file}: {} differ\n{}", different.len(), different.join("\n"));
    assert!(same > 40, "{file} holds its cases");
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
