//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::{from_openai, target, without_nulls};
use crate::dialects::tests::bench::Vectors;

/// Cases where the recorded request is wrong or loses something; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("builtin_web_search_tool", "another vendor's tool is refused by name, not sent as it is"),
    ("cache_control_tool", "a cache mark means nothing to this vendor and is left out"),
    ("file_pdf_base64", "a file that is no text is refused, not left out in silence"),
    ("file_pdf_url", "a file that is no text is refused, not left out in silence"),
    ("google_search_tool", "another vendor's tool is refused by name, not sent as it is"),
    ("functions_legacy", "functions are left out by policy, not sent as tools of another shape"),
    ("image_url", "the server takes no address of a picture; LiteLLM sends the address as if it were base64"),
    ("image_url_string", "the server takes no address of a picture"),
    ("input_audio", "sound is refused, not left out in silence"),
    ("kitchen_sink", "`frequency_penalty` is no `repeat_penalty`, whose neutral value is 1"),
    ("penalties", "`frequency_penalty` is no `repeat_penalty`, whose neutral value is 1"),
    ("reasoning_effort_max", "the most effort is no switching off"),
    ("reasoning_effort_tools", "a choice that cannot be said is refused, not left out in silence"),
    ("reasoning_effort_xhigh", "the most effort is no switching off"),
    ("stop_five", "all five stop texts are sent"),
    ("stop_string", "the server takes a list alone (`option \"stop\" must be of type array`)"),
    ("tool_call_empty_args", "no arguments are an empty object, not a crash"),
    ("tools_named", "a choice that cannot be said is refused, not left out in silence"),
    ("tools_none", "no tool may be called: none is offered"),
    ("tools_noparams", "the specification demands `parameters`"),
    ("tools_required", "a choice that cannot be said is refused, not left out in silence"),
    ("two_images_url", "the server takes no address of a picture"),
    ("user_name", "the wire has no names of speakers"),
    ("video_url", "films are refused, not left out in silence"),
];

/// `gpt-oss` takes `low`, `medium` and `high` alone.
const LEVELS: &[&str] = &["reasoning_effort_minimal", "reasoning_effort_none"];

/// What the server cannot notice: empty lists and options, a schema whose member is a text.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    let members = body.as_object_mut().unwrap();
    members.retain(|_, value| !(value.is_null() || *value == json!([]) || *value == json!({})));
    for message in members.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        message.as_object_mut().unwrap().retain(|_, value| *value != json!([]));
    }
    if let Some(prompt) = members.get_mut("prompt") {
        *prompt = prompt.as_str().unwrap().trim_end().into();
    }
    body
}

/// Whether LiteLLM writes tools into a prompt, where we use the chat that has them.
fn tells_tools(case: &Value) -> bool {
    let messages = case["messages"].as_array().unwrap();
    case.get("tools").is_some() || messages.iter().any(|message| message["role"] == "tool")
}

fn check(slug: &str, file: &str) {
    let better = |name: &str, case: &Value| {
        let known = OURS_IS_BETTER.iter().any(|(case, _)| *case == name);
        let levels = file.contains("gpt_oss") && LEVELS.contains(&name);
        known || levels || (slug == "ollama" && tells_tools(case))
    };
    let ours = |case: &Value, model: &str, drop: bool| {
        let mut target = target(slug, model);
        target.policy.drop = drop;
        from_openai(case, &target).map(|(path, body)| json!([path, normal(&body)]))
    };
    let recorded = |sent: &Value| {
        let (_, path) = sent["url"].as_str().unwrap().split_once("11434").unwrap();
        json!([path, normal(&sent["body"])])
    };
    Vectors { file, least: 25, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn chats() {
    check("ollama_chat", "ollama_chat.jsonl");
}

#[test]
fn chats_of_a_model_with_levels_of_thought() {
    check("ollama_chat", "ollama_chat_gpt_oss.jsonl");
}

#[test]
fn prompts() {
    check("ollama", "ollama.jsonl");
}
