//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::super::wire::camel;
use super::{shared, target, without_nulls};
use crate::dialect::Dialect;
use crate::dialects::gemini::Gemini;
use crate::dialects::openai::chat::OpenaiChat;

/// Cases where the recorded request is wrong or arbitrary; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("builtin_web_search_tool", "another vendor's web search is the vendor's own, not a made-up function"),
    ("file_pdf_url", "the provider fetches what is given by URL"),
    ("image_url", "the provider fetches what is given by URL"),
    ("image_url_string", "the provider fetches what is given by URL"),
    ("null_assistant", "the turns around an empty one are joined"),
    ("service_tier", "`auto` is what the vendor does unasked, not a dearer tier"),
    ("stop_five", "all five stop texts are sent"),
    ("thinking_adaptive", "who asks for thinking sees it"),
    ("thinking_disabled", "thinking is switched off"),
    ("tool_call_empty_args", "no arguments are an empty object, not `{\"type\":\"object\"}`"),
    ("tools_noparams", "an object without members is said in the field that takes it"),
    ("video_url", "films are sent, not left out in silence"),
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

/// What no vendor can notice: spelling of members, user turns apart or joined.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    camel(&mut body);
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

fn ours(case: &Value, model: &str, drop: bool) -> llm_types::Result<(String, Value)> {
    let mut body = case.clone();
    body["model"] = json!(model);
    let mut request = OpenaiChat.decode_request(&serde_json::to_vec(&body).unwrap())?;
    if let Some(Value::Object(members)) = case.get("extra_body") {
        // The gateway spreads them over the body.
        request.extra.0.extend(members.clone());
    }
    let mut target = target(model);
    target.policy.drop = drop;
    let encoded = Gemini.encode_request(&request, &target)?;
    Ok((encoded.path, normal(&serde_json::from_slice(&encoded.body).unwrap())))
}

fn recorded(sent: &Value) -> (String, Value) {
    let (_, path) = sent["url"].as_str().unwrap().split_once("/models/").unwrap();
    (format!("/models/{path}"), normal(&sent["body"]))
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
                Ok(said) if said == recorded(sent) => None,
                Ok((path, body)) => Some(format!("{path} {body}\n  want {}", recorded(sent).1)),
                Err(error) => Some(format!("{error}\n  want {}", recorded(sent).1)),
            }
        } else {
            let refused = ours(case, model, false);
            let dropped = line.get("dropped").map(|sent| (ours(case, model, true), recorded(sent)));
            match (refused, dropped) {
                (Ok((_, body)), _) => Some(format!("not refused: {body}")),
                (Err(_), Some((Ok(body), want))) if body != want => {
                    Some(format!("{}\n  want {}", body.1, want.1))
                }
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
    assert!(same > 25, "{file} holds its cases");
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
