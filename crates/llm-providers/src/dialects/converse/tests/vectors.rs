//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::{target, without_nulls};
use crate::dialect::Dialect;
use crate::dialects::converse::Converse;
use crate::dialects::openai::chat::OpenaiChat;
use crate::dialects::tests::bench::Vectors;

/// Cases where the recorded request is wrong or arbitrary; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("builtin_web_search_tool", "a tool the model does not have is refused, not left out in silence"),
    ("empty_user", "a conversation that says nothing keeps its blank turn: the vendor refuses it"),
    ("extra_body", "members of `extra_body` go to the model, not a member of that name"),
    ("file_pdf_url", "the dialect takes bytes: fetching them is the server's part"),
    ("google_search_tool", "another vendor's tool is refused, not left out in silence"),
    ("image_url", "the dialect takes bytes: fetching them is the server's part"),
    ("image_url_string", "the dialect takes bytes: fetching them is the server's part"),
    ("input_audio", "what cannot be said is refused, not left out in silence"),
    ("stop_five", "LiteLLM loses the fifth stop text in silence; the vendor takes it"),
    ("system_mid", "what the operator says arrives alike; the note before it has our own words"),
    ("tool_call_empty_args", "no empty list of required members is made up"),
    ("tools_noparams", "no empty list of required members is made up"),
    ("video_url", "what cannot be said is refused, not left out in silence"),
];

/// Where a tool stands in for the answer's schema, LiteLLM asks for a whole reply and cuts it up.
const WHOLE: &str = "the answer is streamed as it is made";

/// The same for the models of one file.
const HERE: &[(&str, &str, &str)] = &[
    ("claude3", "stream_json_schema", WHOLE),
    ("cohere", "stream_json_schema", WHOLE),
    ("gpt_oss", "stream_json_schema", WHOLE),
    ("nova", "stream_json_schema", WHOLE),
    ("opus47", "stream_json_schema", WHOLE),
    (
        "claude",
        "tools_parallel_true",
        "LiteLLM sends a `tool_choice` without the `type` that Anthropic demands",
    ),
    (
        "claude3",
        "json_schema_refs",
        "LiteLLM leaves the answer's tool to chance: Claude 3 takes `toolChoice`",
    ),
    (
        "claude3",
        "json_schema_strict",
        "LiteLLM leaves the answer's tool to chance: Claude 3 takes `toolChoice`",
    ),
    (
        "claude3",
        "json_schema_with_tools",
        "LiteLLM leaves the answer's tool to chance: Claude 3 takes `toolChoice`",
    ),
    ("claude3", "kitchen_sink", "LiteLLM's price list does not know that Claude 3 takes `toolChoice`"),
    ("claude3", "reasoning_effort_none", "LiteLLM refuses what is so anyhow: the model does not reason"),
    (
        "claude3",
        "reasoning_effort_tools",
        "LiteLLM's price list does not know that Claude 3 takes `toolChoice`",
    ),
    ("claude3", "tools_auto", "LiteLLM's price list does not know that Claude 3 takes `toolChoice`"),
    ("claude3", "tools_named", "LiteLLM's price list does not know that Claude 3 takes `toolChoice`"),
    (
        "cohere",
        "tools_parallel_false",
        "LiteLLM loses it in silence; the model has no such switch, which is said",
    ),
    ("cohere", "top_k_extra", "LiteLLM loses it in silence; the model calls it `k`"),
    (
        "deepseek",
        "top_k_extra",
        "LiteLLM loses it in silence; the model has no such parameter, which is said",
    ),
    (
        "gpt_oss",
        "reasoning_effort_tools",
        "LiteLLM loses the choice; a call can be forced, there is no budget",
    ),
    (
        "gpt_oss",
        "tools_parallel_false",
        "LiteLLM loses it in silence; the model has no such switch, which is said",
    ),
    ("gpt_oss", "top_k_extra", "LiteLLM loses it in silence; the model has no such parameter, which is said"),
    ("llama", "tools_auto", "LiteLLM refuses what is so anyhow: the model chooses itself"),
    ("llama", "tools_parallel_true", "LiteLLM refuses what is so anyhow: the model chooses itself"),
    ("llama", "top_k_extra", "LiteLLM loses it in silence; the model has no such parameter, which is said"),
    (
        "mistral",
        "stream_tools",
        "LiteLLM streams where the vendor streams no calls (its table of model features)",
    ),
    ("mistral", "thinking_disabled", "LiteLLM refuses what is so anyhow: the model does not think"),
    ("mistral", "tools_auto", "LiteLLM refuses what is so anyhow: the model chooses itself"),
    ("mistral", "top_k_extra", "LiteLLM loses it in silence; the model has no such parameter, which is said"),
    ("opus47", "tools_auto", "LiteLLM's price list does not know this name, and `strict` is lost in silence"),
    (
        "opus47",
        "tools_named",
        "LiteLLM's price list does not know this name, and `strict` is lost in silence",
    ),
    ("opus47", "tools_parallel_false", "LiteLLM's price list does not know this name: lost in silence"),
    ("opus47", "tools_refs", "LiteLLM's price list does not know this name, and the closed schema is opened"),
];

/// What no vendor can notice: empty objects, the spelling of a schema, white space around a text.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    let map = body.as_object_mut().unwrap();
    map.retain(|_, value| *value != json!({}));
    if let Some(schema) = map
        .get_mut("outputConfig")
        .and_then(|config| config.pointer_mut("/textFormat/structure/jsonSchema/schema"))
    {
        *schema = serde_json::from_str(schema.as_str().unwrap()).unwrap();
    }
    for message in map["messages"].as_array_mut().unwrap() {
        for block in message["content"].as_array_mut().unwrap() {
            if let Some(text) = block["text"].as_str() {
                block["text"] = json!(text.trim());
            }
            block.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        }
    }
    without_nulls(&body)
}

fn ours(case: &Value, model: &str, drop: bool) -> llm_types::Result<Value> {
    let request = OpenaiChat.decode_request(&serde_json::to_vec(case).unwrap())?;
    let mut target = target(model);
    target.policy.drop = drop;
    let encoded = Converse.encode_request(&request, &target)?;
    Ok(json!([call(&encoded.path), normal(&serde_json::from_slice(&encoded.body).unwrap())]))
}

/// What is called: `converse` or `converse-stream`.
fn call(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn check(family: &str) {
    check_file(family, &format!("bedrock_converse_{family}.jsonl"));
}

fn check_file(family: &str, file: &str) {
    let better = |name: &str, _: &Value| {
        let here = HERE.iter().any(|(of, case, _)| *of == family && *case == name);
        here || OURS_IS_BETTER.iter().any(|(case, _)| *case == name)
    };
    let recorded = |sent: &Value| json!([call(sent["url"].as_str().unwrap()), normal(&sent["body"])]);
    Vectors { file, least: 30, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn claude() {
    check("claude");
}

#[test]
fn claude_with_a_bearer_token() {
    check_file("claude", "bedrock_bearer.jsonl");
}

#[test]
fn claude_3() {
    check("claude3");
}

#[test]
fn opus_4_7() {
    check("opus47");
}

#[test]
fn nova() {
    check("nova");
}

#[test]
fn llama() {
    check("llama");
}

#[test]
fn mistral() {
    check("mistral");
}

#[test]
fn cohere() {
    check("cohere");
}

#[test]
fn deepseek() {
    check("deepseek");
}

#[test]
fn gpt_oss() {
    check("gpt_oss");
}
