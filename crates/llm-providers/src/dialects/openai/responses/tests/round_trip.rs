//! What a caller says goes through the canonical form and comes out as the same request.

use serde_json::{Value, json};

use super::{DIALECT, target};
use crate::Quirks;
use crate::dialect::Dialect;

fn round(body: &Value) -> Value {
    let request = DIALECT.decode_request(&serde_json::to_vec(body).unwrap()).unwrap();
    let encoded = DIALECT.encode_request(&request, &target("m", Quirks::NONE)).unwrap();
    assert_eq!(encoded.path, "/responses");
    serde_json::from_slice(&encoded.body).unwrap()
}

#[test]
fn a_rich_request_keeps_everything() {
    let body = json!({
        "model": "m",
        "instructions": "Be brief.",
        "input": [
            {"type": "message", "role": "developer", "content": "Use metric units."},
            {"type": "message", "role": "user", "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": "https://x.example/a.png", "detail": "high"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"},
                {"type": "input_file", "file_url": "https://x.example/b.pdf"},
                {"type": "input_file", "file_id": "file-1"},
            ]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gAAA"},
            {"type": "message", "role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "call_1", "name": "see", "arguments": "{\"a\":1}"},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "sh", "input": "ls"},
            {"type": "function_call", "call_id": "call_3", "name": "find", "arguments": "{}", "namespace": "crm"},
            {"type": "function_call_output", "call_id": "call_1", "output": [
                {"type": "input_text", "text": "seen"},
                {"type": "input_image", "image_url": "https://x.example/c.png", "detail": "auto"},
            ]},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "a.txt"},
            {"type": "item_reference", "id": "msg_9"},
            {"type": "message", "role": "user", "content": "And now?"},
        ],
        "tools": [
            {"type": "function", "name": "see", "parameters": {"type": "object"}, "strict": true, "description": "Sees."},
            {"type": "custom", "name": "sh", "format": {"type": "grammar", "definition": "x", "syntax": "lark"}},
            {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [
                {"type": "function", "name": "find", "parameters": {"type": "object"}, "strict": false},
                {"type": "custom", "name": "ask"},
            ]},
            {"type": "mcp", "server_label": "s", "server_url": "https://mcp.example"},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "see"}, {"type": "mcp", "server_label": "s"}]},
        "parallel_tool_calls": false,
        "max_output_tokens": 300,
        "temperature": 0.5,
        "top_p": 0.9,
        "service_tier": "flex",
        "user": "u",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "store": true,
        "metadata": {"a": "b"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}, "verbosity": "low"},
        "reasoning": {"effort": "high", "summary": "auto", "context": "all_turns"},
        "truncation": "auto",
        "include": ["web_search_call.action.sources"],
        "max_tool_calls": 3,
        "stream": true,
    });
    let sent = round(&body);
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(sent.get(name), Some(value), "`{name}`");
    }
    assert_eq!(sent.as_object().unwrap().len(), body.as_object().unwrap().len());
}

#[test]
fn forms_that_mean_the_same_come_out_in_one() {
    let sent = round(&json!({
        "model": "m", "store": false,
        "input": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "ho", "annotations": []}], "id": "msg_1", "status": "completed"},
        ],
        "tools": [{"type": "web_search", "search_context_size": "low", "user_location": {"type": "approximate", "country": "CH"}}],
    }));
    assert_eq!(
        sent["input"],
        json!([
            {"type": "message", "role": "user", "content": "hi"},
            {"type": "message", "role": "assistant", "content": "ho"},
        ])
    );
    assert_eq!(
        sent["tools"],
        json!([{"type": "web_search", "search_context_size": "low", "user_location": {"country": "CH", "type": "approximate"}}])
    );
}

#[test]
fn a_part_within_a_message_stays_there() {
    let parts = json!([{"type": "reasoning_text", "text": "hm"}, {"type": "function_call", "name": "n"}]);
    let item = json!({"type": "item_reference", "id": "i"});
    let message = json!({"role": "assistant", "content": parts});
    let sent = round(&json!({"model": "m", "store": false, "input": [message, item]}));
    assert_eq!((&sent["input"][0]["content"], &sent["input"][1]), (&parts, &item));
    assert_eq!(sent["input"].as_array().unwrap().len(), 2);
}

#[test]
fn another_vendors_reasoning_comes_back_to_it_and_goes_to_no_other() {
    use llm_types::{Message, Part, PartKind, Role};
    let parts = vec![
        Part::reasoning("thought", Some("sig".into())),
        Part::new(PartKind::RedactedReasoning { data: "blob".into() }),
    ];
    let reply = llm_types::ChatResponse {
        choices: vec![llm_types::Choice {
            index: 0,
            message: Message::new(Role::Assistant, parts.clone()),
            finish: None,
            logprobs: None,
            extra: llm_types::Extra::default(),
        }],
        ..llm_types::ChatResponse::default()
    };
    let shown: Value =
        serde_json::from_slice(&DIALECT.encode_response(&reply, &super::cx()).unwrap()).unwrap();
    let body = json!({"model": "m", "input": shown["output"]});
    let request = DIALECT.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
    let back = &request.messages[0].parts;
    assert_eq!(back[0].signature.as_deref(), Some("sig"));
    assert_eq!(back[1].kind, parts[1].kind);
    let sent = DIALECT.encode_request(&request, &target("m", Quirks::NONE)).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(sent["input"], json!([]), "OpenAI could not read it");
}
