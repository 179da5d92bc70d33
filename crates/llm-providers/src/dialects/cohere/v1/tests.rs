//! Requests written, and recorded replies and streams read.

use bytes::Bytes;
use llm_types::{ErrorKind, Event, Finish, PartKind};
use serde_json::{Value, json};

use super::super::tests::{shared, target};
use super::CohereV1;
use crate::dialect::{Dialect, Frame};
use crate::dialects::OPENAI_CHAT;

fn sent(body: &Value, drop: bool) -> llm_types::Result<Value> {
    let request = OPENAI_CHAT.decode_request(body.to_string().as_bytes())?;
    let mut target = target("command-r-08-2024");
    target.policy.drop = drop;
    let sent = CohereV1.encode_request(&request, &target)?;
    assert_eq!(sent.path, "/v1/chat");
    Ok(serde_json::from_slice(&sent.body).unwrap())
}

#[test]
fn the_last_words_stand_apart_from_what_was_said_before() {
    let tool = json!({ "type": "function", "function": { "name": "weather", "description": "d", "parameters": {
        "type": "object", "required": ["city"], "properties": {
            "city": { "type": "string", "description": "Where" }, "unit": { "type": "string", "enum": ["c"] } } } } });
    let call = json!({ "id": "1", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":\"Paris\"}" } });
    let mut messages = vec![
        json!({ "role": "system", "content": "Be brief." }),
        json!({ "role": "user", "content": "Hi" }),
        json!({ "role": "assistant", "content": "Yes?" }),
        json!({ "role": "user", "content": "Weather?" }),
    ];
    let body = |messages: &[Value]| json!({ "model": "m", "messages": messages, "tools": [tool], "top_p": 0.5, "stop": "x", "stream": true });
    let history = json!([{ "role": "USER", "message": "Hi" }, { "role": "CHATBOT", "message": "Yes?" }]);
    let first = sent(&body(&messages), false).unwrap();
    let want = json!({ "model": "command-r-08-2024", "message": "Weather?", "preamble": "Be brief.",
        "chat_history": history, "tools": [{ "name": "weather", "description": "d", "parameter_definitions": {
            "city": { "description": "Where", "type": "string", "required": true },
            "unit": { "description": "JSON schema: {\"type\":\"string\",\"enum\":[\"c\"]}", "type": "string", "required": false } } }],
        "p": 0.5, "stop_sequences": ["x"], "stream": true });
    assert_eq!(first, want);

    messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [call] }));
    messages.push(json!({ "role": "tool", "tool_call_id": "1", "content": "20" }));
    let second = sent(&body(&messages), false).unwrap();
    let asked = json!({ "name": "weather", "parameters": { "city": "Paris" } });
    assert_eq!(second["message"], "");
    assert_eq!(second["tool_results"], json!([{ "call": asked, "outputs": [{ "output": 20 }] }]));
    assert_eq!(second["chat_history"][2], json!({ "role": "USER", "message": "Weather?" }));
    assert_eq!(second["chat_history"][3], json!({ "role": "CHATBOT", "message": "", "tool_calls": [asked] }));
}

#[test]
fn what_cannot_be_said_is_refused_by_name_or_dropped() {
    let picture = json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "https://e.org/a.png" } }, { "type": "text", "text": "Hi" }] }]);
    for (name, given) in [
        ("reasoning_effort", json!({ "reasoning_effort": "low" })),
        ("thinking", json!({ "thinking": { "type": "enabled", "budget_tokens": 2000 } })),
        ("logprobs", json!({ "logprobs": true })),
        ("n", json!({ "n": 2 })),
        ("tool_choice", json!({ "tool_choice": "required" })),
        ("messages", json!({ "messages": picture })),
    ] {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
        body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        let error = sent(&body, false).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(name)), "{given}");
        let dropped = sent(&body, true).unwrap();
        assert_eq!(dropped, json!({ "model": "command-r-08-2024", "message": "Hi" }), "{given}");
    }
}

#[test]
fn recorded_replies_and_streams_are_read() {
    let Some(folder) = shared("traffic/cohere") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let record: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        if record["endpoint"] != "v1/chat" {
            continue;
        }
        seen += 1;
        if let Some(body) = record["response"]["ndjson"].as_str() {
            let (mut decoder, mut events) = (CohereV1.stream_decoder(), Vec::new());
            for line in body.lines() {
                let frame = Frame { event: Bytes::new(), data: Bytes::copy_from_slice(line.as_bytes()) };
                decoder.push(&frame, &mut events).unwrap();
            }
            let end = [Event::Finish { choice: 0, reason: Finish::Stop }, Event::Done];
            assert_eq!(events[events.len() - 2..], end);
            assert!(
                events.iter().any(|event| matches!(event, Event::Usage(usage) if usage.input_tokens == 69))
            );
            continue;
        }
        let body = &record["response"]["body"];
        let reply = CohereV1.decode_response(body.to_string().as_bytes()).unwrap();
        assert_eq!(Some(reply.choices[0].message.text().as_str()), body["text"].as_str());
        assert_eq!(
            Some(reply.usage.unwrap().input_tokens),
            body["meta"]["tokens"]["input_tokens"].as_f64().map(|n| n as u64)
        );
    }
    assert!(seen > 2, "the folder holds the recordings");
}

#[test]
fn calls_get_ids_and_errors_are_errors() {
    let body = json!({ "text": "I look.", "generation_id": "g", "finish_reason": "COMPLETE",
        "tool_calls": [{ "name": "a", "parameters": { "b": 1 } }, { "name": "a", "parameters": { "b": 1 } }] });
    let reply = CohereV1.decode_response(body.to_string().as_bytes()).unwrap();
    assert_eq!(reply.choices[0].finish, Some(Finish::ToolCalls));
    let ids: Vec<&str> = reply.choices[0]
        .message
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some(call.id.as_str()),
            _ => None,
        })
        .collect();
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids[0].starts_with("call_"), "{ids:?}");
    for body in ["[]", "{\"message\":\"no\"}", "{}", "{\"text\":\"x\",\"finish_reason\":\"ERROR\"}"] {
        assert!(CohereV1.decode_response(body.as_bytes()).is_err(), "{body}");
    }
}

/// Cases where the recorded request is wrong or loses more than the conversation; ours is checked above.
const OURS_IS_BETTER: &[(&str, &str)] = &[
    ("consecutive_user", "`force_single_step` belongs to results of tools"),
    ("empty_assistant", "`force_single_step` belongs to results of tools"),
    ("extra_body", "its members are merged into the body by the walk of a call"),
    ("json_object", "the vendor knows the form; LiteLLM refuses it"),
    ("json_schema_refs", "the vendor takes schemas; LiteLLM refuses them"),
    ("json_schema_strict", "the vendor takes schemas; LiteLLM refuses them"),
    ("json_schema_with_tools", "the vendor takes schemas; LiteLLM refuses them"),
    ("kitchen_sink", "the vendor knows the form; LiteLLM refuses it"),
    ("n_two", "`num_generations` is of another endpoint: it is refused by name"),
    ("response_format_text", "free text is what is given without asking; LiteLLM refuses to say so"),
    ("stop_five", "all five stop texts are sent"),
    ("stop_string", "the vendor takes a list alone"),
    ("stream_json_schema", "the vendor takes schemas; LiteLLM refuses them"),
    ("system_only", "a system prompt is the preamble, not the message"),
    ("thinking_disabled", "what does not think need not be told not to"),
    ("thinking_history", "results answer the calls in the history, which LiteLLM loses"),
    ("tool_result", "results answer the calls in the history, which LiteLLM loses"),
    ("tool_result_no_tools", "results answer the calls in the history, which LiteLLM loses"),
    ("tool_result_parts", "results answer the calls in the history, which LiteLLM loses"),
    ("tools_auto", "a parameter's schema is told in words where a type does not say it"),
    ("tools_named", "a choice that cannot be said is refused by name, not lost"),
    ("tools_none", "no tools are offered where none may be called"),
    ("tools_required", "a choice that cannot be said is refused by name, not lost"),
    ("tools_noparams", "a function without parameters is one without definitions; LiteLLM fails"),
    ("tools_parallel_true", "several calls are what the vendor makes anyhow; LiteLLM refuses to say so"),
    ("top_k_extra", "the vendor calls it `k`"),
];

#[test]
fn litellm_says_the_same_but_loses_the_model_and_what_was_said_before() {
    let said = |body: &Value| {
        let mut body = body.clone();
        let members = body.as_object_mut().unwrap();
        // LiteLLM sends the last message alone, and to whichever model the vendor takes then.
        for name in ["model", "chat_history", "preamble", "documents"] {
            members.shift_remove(name);
        }
        for tool in members.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
            for definition in tool["parameter_definitions"].as_object_mut().unwrap().values_mut() {
                // LiteLLM loses what a type does not say: `enum`, for one.
                definition["description"].take();
            }
        }
        if let Some(heat) = members.get("temperature").and_then(Value::as_f64) {
            members.insert("temperature".to_owned(), heat.into());
        }
        members.retain(|name, value| !(value.is_null() || (name == "stream" && *value == false)));
        body
    };
    let better = |name: &str, _: &Value| {
        let files = name.starts_with("file_")
            || name.starts_with("image_")
            || name.ends_with("_audio")
            || name == "video_url";
        files || name == "two_images" || OURS_IS_BETTER.iter().any(|(case, _)| *case == name)
    };
    let ours = |case: &Value, model: &str, drop: bool| {
        let mut body = case.clone();
        body["model"] = model.into();
        sent(&body, drop).map(|body| said(&body))
    };
    let recorded = |sent: &Value| said(&sent["body"]);
    let file = "cohere_v1.jsonl";
    crate::dialects::tests::bench::Vectors {
        file,
        least: 25,
        better: &better,
        ours: &ours,
        recorded: &recorded,
    }
    .check();
}
