//! The requests LiteLLM sends to vendors of completions for OpenAI requests, recorded: ours say the same, or
//! differ on purpose.

use serde_json::{Value, json};

use super::{OPENAI_CHAT, OpenaiText, target};
use crate::dialect::Dialect;

/// Cases where the recorded request is wrong; what becomes of ours is said behind them.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("file_pdf_base64", "what is no text is refused, not left out in silence"),
    ("image_base64", "what is no text is refused, not left out in silence"),
    ("image_url", "what is no text is refused, not left out in silence"),
    ("image_url_string", "what is no text is refused, not left out in silence"),
    ("input_audio", "what is no text is refused, not left out in silence"),
    ("two_images", "what is no text is refused, not left out in silence"),
    ("tool_result_no_tools", "calls and their results are no text: refused"),
    ("video_url", "what is no text is refused, not left out in silence"),
    ("extra_body", "members of `extra_body` are spread over the body by the server"),
    ("max_completion_tokens", "a cap is a cap under either name"),
    ("max_tokens_both", "a cap is a cap under either name; of two the newer counts"),
    ("tools_parallel_false", "without tools the switch says nothing; with them `tools` is refused"),
];

/// LiteLLM makes a list of the messages, and to the vendor a list is several prompts: each message would be
/// completed by itself and the first completion shown as the answer. Ours is one prompt.
fn as_one_prompt(mut body: Value) -> Value {
    if let Value::Array(texts) = &body["prompt"] {
        let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
        body["prompt"] = json!(texts.join("\n"));
    }
    body
}

fn normal(mut body: Value) -> Value {
    let members = body.as_object_mut().unwrap();
    members.retain(|name, value| !(value.is_null() || name == "stream" && value == &json!(false)));
    // Without it a stream states no usage; the gateway asks for it always and shows it on request.
    members.shift_remove("stream_options");
    if let Some(heat) = members.get("temperature").and_then(Value::as_f64) {
        members.insert("temperature".to_owned(), json!(heat));
    }
    body
}

fn ours(case: &Value, slug: &str, model: &str, drop: bool) -> llm_types::Result<Value> {
    let mut body = case.clone();
    body["model"] = json!("m");
    let mut target = target(slug);
    target.model = model.to_owned();
    target.policy.drop = drop;
    let request = OPENAI_CHAT.decode_request(&serde_json::to_vec(&body).unwrap())?;
    let written = OpenaiText.encode_request(&request, &target)?;
    Ok(normal(serde_json::from_slice(&written.body).unwrap()))
}

/// Cases where what is recorded for vendors that fill in the middle is wrong.
const THERE_TOO: &[(&str, &str)] = &[
    ("stop_five", "all that are taken are sent"),
    ("stream", "LiteLLM asks for a stream without saying so"),
    ("stream_json_schema", "LiteLLM asks for a stream without saying so"),
    ("stream_tools", "LiteLLM asks for a stream without saying so"),
    ("tool_call_empty_args", "calls are no text: what is left of them is an empty line"),
    ("tool_result", "calls and their results are no text; LiteLLM fails"),
    ("tool_result_parts", "calls and their results are no text: pictures among them are left out"),
];

/// As [`check`], for vendors that fill in the middle: between messages white space is as good as a line break.
fn check_fim(file: &str, slug: &str) {
    compare(
        file,
        slug,
        &|body| {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            let prompt = body["prompt"].as_str().map(words);
            if let Some(prompt) = prompt {
                body["prompt"] = prompt.into();
            }
        },
        THERE_TOO,
    );
}

fn check(file: &str, slug: &str) {
    compare(file, slug, &|_| {}, &[]);
}

fn compare(file: &str, slug: &str, level: &dyn Fn(&mut Value), more: &[(&str, &str)]) {
    let Some(folder) = shared() else { return };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let cases: Value = serde_json::from_slice(&std::fs::read(folder.join("_cases.json")).unwrap()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let model = lines[0]["model"].as_str().unwrap().rsplit('/').next().unwrap();
    let (mut same, mut better, mut different) = (0, 0, Vec::new());
    for line in lines.iter().filter(|line| line.get("case").is_some()) {
        let name = line["case"].as_str().unwrap();
        if OURS_IS_BETTER.iter().chain(more).any(|(case, _)| *case == name) {
            better += 1;
            continue;
        }
        let want = |sent: &Value| {
            let mut body = as_one_prompt(normal(sent["body"].clone()));
            level(&mut body);
            body
        };
        let ours = |case: &Value, drop: bool| {
            ours(case, slug, model, drop).map(|mut body| {
                level(&mut body);
                body
            })
        };
        let fault = match (line.get("sent"), line.get("dropped")) {
            (Some(sent), _) => same_as(&ours(&cases[name], false), &want(sent)),
            (None, Some(sent)) => match ours(&cases[name], false) {
                Ok(body) => Some(format!("not refused: {body}")),
                Err(_) => same_as(&ours(&cases[name], true), &want(sent)),
            },
            // There it crashes: a refusal or any request will do.
            (None, None) => None,
        };
        match fault {
            None => same += 1,
            Some(fault) => different.push(format!("{name}: {fault}")),
        }
    }
    eprintln!("{file}: {same} the same, {better} better on purpose");
    assert!(different.is_empty(), "{file}: {} differ\n{}", different.len(), different.join("\n"));
    assert!(same > 30, "{file} holds its cases");
}

fn same_as(ours: &llm_types::Result<Value>, want: &Value) -> Option<String> {
    let same = ours.as_ref().is_ok_and(|body| body == want);
    (!same).then(|| format!("{ours:?}\n  want {want}"))
}

fn shared() -> Option<std::path::PathBuf> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = std::env::var("GATEWAY_SHARED").unwrap_or_else(|_| own.to_owned());
    let folder = std::path::Path::new(&root).join("vectors");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no shared data at {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn openai() {
    check("text_completion_openai.jsonl", "text-completion-openai");
}

#[test]
fn azure() {
    check("azure_text.jsonl", "azure_text");
}

#[test]
fn fill_in_the_middle() {
    check_fim("text_completion_codestral.jsonl", "text-completion-codestral");
    check_fim("text_completion_inception.jsonl", "text-completion-inception");
}
