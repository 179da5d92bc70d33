//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::Value;

use super::{from_openai, target, without_nulls};
use crate::dialects::tests::bench::Vectors;

/// Cases where the recorded request is wrong or loses something; ours is checked elsewhere.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("builtin_web_search_tool", "another vendor's tool is refused by name, not sent as it is"),
    ("cache_control_message", "a cache mark means nothing to this vendor and is left out"),
    ("cache_control_system", "a cache mark means nothing to this vendor and is left out"),
    ("cache_control_tool", "a cache mark means nothing to this vendor and is left out"),
    ("cache_control_tool_result", "a cache mark means nothing to this vendor and is left out"),
    ("cache_control_user", "a cache mark means nothing to this vendor and is left out"),
    ("developer_role", "the vendor calls the role `system`"),
    ("empty_assistant", "what is said is an empty text"),
    ("extra_body", "members of `extra_body` are spread over the body"),
    ("file_pdf_base64", "a file that is no text is refused by name"),
    ("file_pdf_url", "a file that is no text is refused by name"),
    ("functions_legacy", "functions are left out by policy, not sent as tools of another shape"),
    ("google_search_tool", "another vendor's tool is refused by name, not sent as it is"),
    ("image_url_string", "a picture is an object with a `url`"),
    ("input_audio", "sound is refused by name"),
    ("json_object", "the vendor knows the form; LiteLLM refuses it"),
    ("json_schema_refs", "the vendor takes schemas; LiteLLM refuses them"),
    ("json_schema_strict", "the vendor takes schemas; LiteLLM refuses them"),
    ("json_schema_with_tools", "the vendor takes schemas; LiteLLM refuses them"),
    ("kitchen_sink", "the vendor knows the form and `REQUIRED`; LiteLLM refuses or drops them"),
    ("logprobs", "the vendor gives log-probabilities; LiteLLM refuses them"),
    ("n_two", "`num_generations` is of version 1: the vendor gives one answer, which is said by name"),
    ("null_assistant", "what is said is an empty text"),
    ("reasoning_content_history", "thoughts of the past are told in the vendor's form"),
    ("response_format_text", "free text is what is given without asking; LiteLLM refuses to say so"),
    ("stop_five", "LiteLLM loses the fifth stop text in silence; the vendor takes it"),
    ("stop_string", "LiteLLM sends a text; the vendor takes a list alone"),
    ("stream_json_schema", "the vendor takes schemas; LiteLLM refuses them"),
    ("thinking_disabled", "what does not think need not be told not to"),
    ("thinking_history", "thoughts of the past are told in the vendor's form"),
    ("tool_call_empty_args", "no arguments are an empty object"),
    ("tool_result_parts", "a picture a tool gave back is shown by the user, with a word that says so"),
    ("tools_auto", "the tool's `strict` is kept as `strict_tools`"),
    ("tools_named", "the named tool alone is offered and `REQUIRED`; LiteLLM drops the choice in silence"),
    ("tools_none", "`NONE` is said; LiteLLM drops the choice in silence"),
    ("tools_noparams", "LiteLLM leaves `parameters` out, which the vendor demands"),
    ("tools_parallel_true", "several calls are what the vendor makes anyhow; LiteLLM refuses to say so"),
    ("tools_required", "`REQUIRED` is said; LiteLLM drops the choice in silence"),
    ("top_k_extra", "LiteLLM sends `top_k`; the vendor calls it `k`"),
    ("user_name", "the wire has no names of speakers"),
    ("video_url", "films are refused by name"),
];

/// What the vendor cannot notice: a text alone as a string, an empty one beside calls.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        let only = match message["content"].as_array().map(Vec::as_slice) {
            Some([only]) if only["type"] == "text" => Some(only["text"].clone()),
            _ => None,
        };
        if let Some(text) = only {
            message["content"] = text;
        }
        if message.get("tool_calls").is_some() && message["content"] == "" {
            message.as_object_mut().unwrap().shift_remove("content");
        }
    }
    body.as_object_mut().unwrap().retain(|name, value| !(name == "stream" && *value == false));
    body
}

fn check(file: &str) {
    let better = |name: &str, _: &Value| OURS_IS_BETTER.iter().any(|(case, _)| *case == name);
    let ours = |case: &Value, model: &str, drop: bool| {
        let mut target = target(model);
        target.policy.drop = drop;
        from_openai(case, &target).map(|body| normal(&body))
    };
    let recorded = |sent: &Value| normal(&sent["body"]);
    Vectors { file, least: 25, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn cohere() {
    check("cohere.jsonl");
}

#[test]
fn cohere_chat() {
    check("cohere_v2.jsonl");
}
