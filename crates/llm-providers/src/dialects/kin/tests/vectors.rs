//! The requests LiteLLM sends for OpenAI requests, recorded: ours say the same, or differ on purpose.

use serde_json::{Value, json};

use super::requests::sent;
use crate::dialects::tests::bench::{Vectors, built_in, without_nulls};

/// Cases that say nothing of a form, or are the same choice in all.
const EVERYWHERE: &[(&str, &str)] = &[
    ("extra_body", "members of `extra_body` are taken out of it by the walk"),
    ("thinking_disabled", "what does not think need not be told not to"),
    ("thinking_adaptive", "thinking without a budget is a medium effort where efforts are known"),
    ("max_completion_tokens", "both names of the cap mean the same"),
    ("max_tokens_both", "both names of the cap mean the same"),
];

/// What the provider cannot notice: ids of one request, empty lists, outer blanks.
fn normal(body: &Value) -> Value {
    let mut body = without_nulls(body);
    for place in ["/id", "/params/message/messageId"] {
        if let Some(id) = body.pointer_mut(place) {
            *id = "id".into();
        }
    }
    if let Some(message) = body.pointer_mut("/chatRequest/message") {
        *message = message.as_str().unwrap().trim().into();
    }
    for entry in
        body.pointer_mut("/chatRequest/chatHistory").and_then(Value::as_array_mut).into_iter().flatten()
    {
        if let Some(text) = entry.get_mut("message") {
            *text = text.as_str().unwrap().trim().into();
        }
    }
    let members = body.as_object_mut().unwrap();
    for name in ["compartmentId", "servingMode"] {
        members.shift_remove(name);
    }
    members.retain(|name, value| *value != json!(false) && (name != "functions" || *value != json!([])));
    for message in members.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        message.as_object_mut().unwrap().shift_remove("cache_control");
    }
    body
}

fn check(slug: &str, model: &str, file: &str, least: usize, ours_is_better: &[(&str, &str)]) {
    let better =
        |name: &str, _case: &Value| EVERYWHERE.iter().chain(ours_is_better).any(|(case, _)| *case == name);
    let ours = |case: &Value, _: &str, drop: bool| {
        let mut target = built_in(slug, model).routed();
        target.policy.drop = drop;
        let (_, mut body) = sent(case, &target)?;
        if slug == "oci" || slug == "langgraph" {
            body.as_object_mut().unwrap().shift_remove("model");
        }
        Ok(normal(&body))
    };
    let recorded = |sent: &Value| normal(&sent["body"]);
    Vectors { file, least, better: &better, ours: &ours, recorded: &recorded }.check();
}

#[test]
fn oracles_generic_chat() {
    check(
        "oci",
        "meta.llama-3.3-70b-instruct",
        "oci_generic.jsonl",
        30,
        &[
            ("stop_string", "one text to stop at is a list of one, not a crash"),
            ("stream_usage", "usage is told at the end of a stream; asking for it is no error"),
            ("thinking_history", "what an assistant said beside its calls stays"),
            ("tool_results_parallel", "what an assistant said beside its calls stays"),
            ("tool_result_parts", "texts of a tool's result are its result; pictures are shown by the user"),
            ("cache_control_tool_result", "texts of a tool's result are its result"),
            ("tools_refs", "references and types that may be null stay: parameters are a JSON schema"),
            ("google_search_tool", "refused by name, not a crash"),
            ("builtin_web_search_tool", "refused by name, not a crash"),
            ("extra_headers", "headers are the walk's"),
        ],
    );
}

#[test]
fn oracles_cohere_chat() {
    check(
        "oci",
        "cohere.command-a-03-2025",
        "oci_cohere.jsonl",
        30,
        &[
            ("stop_string", "one text to stop at is a list of one, not a crash"),
            ("stream_usage", "usage is told at the end of a stream; asking for it is no error"),
            ("builtin_web_search_tool", "refused by name, not sent as a tool without a name"),
            ("google_search_tool", "refused by name, not sent as a tool without a name"),
            ("image_base64", "pictures are refused, not left out in silence"),
            ("image_url", "pictures are refused, not left out in silence"),
            ("image_url_string", "pictures are refused, not left out in silence"),
            ("two_images", "pictures are refused, not left out in silence"),
            ("input_audio", "sound is refused, not left out in silence"),
            ("video_url", "films are refused, not left out in silence"),
            ("file_pdf_base64", "files are refused, not left out in silence"),
            ("file_pdf_url", "files are refused, not left out in silence"),
            ("tool_result_parts", "pictures in a tool's result are refused, not left out in silence"),
            ("tools_refs", "what a type cannot say is told in the description"),
            ("thinking_history", "what an assistant said beside its calls stays"),
        ],
    );
}

#[test]
fn gigachats_functions() {
    check(
        "gigachat",
        "GigaChat-2-Max",
        "gigachat.jsonl",
        30,
        &[
            ("cache_control_tool_result", "texts of a tool's result are its result"),
            ("tool_result_parts", "texts of a tool's result are its result, its picture is attached"),
            (
                "input_audio",
                "sounds are attached by the id they are left under before, not left out in silence",
            ),
            ("video_url", "films are refused, not left out in silence"),
            (
                "image_base64",
                "pictures are attached by the id they are left under before; LiteLLM's upload failed, and it says nothing of the picture",
            ),
            (
                "image_url",
                "pictures are attached by the id they are left under before; LiteLLM's upload failed, and it says nothing of the picture",
            ),
            (
                "image_url_string",
                "pictures are attached by the id they are left under before; LiteLLM's upload failed, and it says nothing of the picture",
            ),
            (
                "two_images",
                "pictures are attached by the id they are left under before; LiteLLM's upload failed, and it says nothing of the picture",
            ),
            (
                "file_pdf_base64",
                "files are attached by the id they are left under before, not left out in silence",
            ),
            (
                "file_pdf_url",
                "files are attached by the id they are left under before, not left out in silence",
            ),
            ("google_search_tool", "refused by name, not left out in silence"),
            ("builtin_web_search_tool", "refused by name, not left out in silence"),
            ("json_object", "refused, not left out in silence"),
            (
                "json_schema_strict",
                "the function that stands in for an answer is told from the caller's by its name",
            ),
            (
                "json_schema_refs",
                "the function that stands in for an answer is told from the caller's by its name",
            ),
            ("json_schema_with_tools", "the function that must be called is offered too"),
            (
                "stream_json_schema",
                "the function that stands in for an answer is told from the caller's by its name",
            ),
            ("kitchen_sink", "texts to stop at are refused, not left out in silence"),
            ("stop_five", "texts to stop at are refused, not left out in silence"),
            ("stop_list", "texts to stop at are refused, not left out in silence"),
            ("stop_string", "texts to stop at are refused, not left out in silence"),
            ("stop_whitespace", "texts to stop at are refused, not left out in silence"),
            ("top_k_extra", "refused, not left out in silence"),
            ("tool_results_parallel", "every call stays, not the first alone"),
        ],
    );
}

#[test]
fn agents() {
    check(
        "a2a",
        "agent",
        "a2a.jsonl",
        40,
        &[
            ("image_base64", "pictures are files of the message, not left out"),
            ("image_url", "pictures are files of the message, not left out"),
            ("image_url_string", "pictures are files of the message, not left out"),
            ("two_images", "pictures are files of the message, not left out"),
            ("video_url", "films are files of the message, not left out"),
            ("file_pdf_base64", "files are files of the message, not left out"),
            ("file_pdf_url", "files are files of the message, not left out"),
            ("input_audio", "sound is refused, not left out in silence"),
            ("tool_result_parts", "pictures are files of the message, not left out"),
        ],
    );
}

#[test]
fn graphs() {
    check(
        "langgraph",
        "agent",
        "langgraph.jsonl",
        40,
        &[
            ("cache_control_tool_result", "calls and results of tools stay what they are"),
            ("tool_call_empty_args", "calls and results of tools stay what they are"),
            ("tool_result", "calls and results of tools stay what they are"),
            ("tool_result_no_tools", "calls and results of tools stay what they are"),
            ("tool_result_parts", "calls and results of tools stay what they are"),
            ("tool_results_parallel", "calls and results of tools stay what they are"),
            ("thinking_history", "calls and results of tools stay what they are"),
            ("image_base64", "pictures stay"),
            ("image_url", "pictures stay"),
            ("image_url_string", "pictures stay"),
            ("two_images", "pictures stay"),
            ("video_url", "films stay"),
            ("input_audio", "sound stays"),
            ("file_pdf_base64", "files stay"),
            ("file_pdf_url", "files stay"),
        ],
    );
}

#[test]
fn flows() {
    check(
        "langflow",
        "flow-1",
        "langflow.jsonl",
        40,
        &[
            ("image_base64", "pictures are refused, not left out in silence"),
            ("image_url", "pictures are refused, not left out in silence"),
            ("image_url_string", "pictures are refused, not left out in silence"),
            ("two_images", "pictures are refused, not left out in silence"),
            ("video_url", "films are refused, not left out in silence"),
            ("input_audio", "sound is refused, not left out in silence"),
            ("file_pdf_base64", "files are refused, not left out in silence"),
            ("file_pdf_url", "files are refused, not left out in silence"),
        ],
    );
}

#[test]
fn lists_of_parts() {
    check(
        "bytez",
        "gpt-4o",
        "bytez.jsonl",
        30,
        &[
            ("stream", "its streams have no mark of their end: the answer is asked for whole"),
            ("stream_usage", "its streams have no mark of their end: the answer is asked for whole"),
            ("stream_tools", "its streams have no mark of their end: the answer is asked for whole"),
            ("stream_json_schema", "its streams have no mark of their end: the answer is asked for whole"),
            ("empty_user", "an empty text is a text, not a crash"),
            ("empty_assistant", "an empty text is a text, not a crash"),
            ("null_assistant", "an answer without a text is an empty list, not a crash"),
            ("image_url", "a picture is sent by its URL, not a crash"),
            ("image_url_string", "a picture is sent by its URL, not a crash"),
            ("image_base64", "a picture is sent by its URL, not a crash"),
            ("two_images", "pictures are sent by their URLs, not a crash"),
            ("video_url", "a film is sent by its URL, not a crash"),
            ("input_audio", "refused by name, not a crash"),
            ("file_pdf_base64", "refused by name, not a crash"),
            ("file_pdf_url", "refused by name, not a crash"),
            ("tool_call_empty_args", "calls may be left out, not a crash"),
            ("tool_result", "calls may be left out, not a crash"),
            ("tool_result_no_tools", "refused by name, not a crash"),
            ("tool_result_parts", "calls may be left out, not a crash"),
            ("tool_results_parallel", "calls may be left out, not a crash"),
            ("thinking_history", "calls may be left out, not a crash"),
            ("cache_control_tool_result", "calls may be left out, not a crash"),
        ],
    );
}
