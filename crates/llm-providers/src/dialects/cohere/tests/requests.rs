//! Requests of other dialects' callers, and bad ones of this dialect's.

use bytes::Bytes;
use llm_types::{ErrorKind, PartKind, Role};
use serde_json::{Value, json};

use super::{from_openai, target};
use crate::dialect::{Control, Dialect};
use crate::dialects::cohere::Cohere;
use crate::dialects::{ANTHROPIC, OPENAI_CHAT};

const PLAIN: &str = "command-a-03-2025";
const THINKER: &str = "command-a-reasoning-08-2025";

fn ask(more: &Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// What OpenAI's parameters become.
#[test]
fn parameters_have_the_vendors_names() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    for (given, model, want) in [
        (json!({ "top_p": 0.5, "top_k": 9 }), PLAIN, json!({ "p": 0.5, "k": 9 })),
        (json!({ "stop": "END" }), PLAIN, json!({ "stop_sequences": ["END"] })),
        (json!({ "max_completion_tokens": 7 }), PLAIN, json!({ "max_tokens": 7 })),
        (json!({ "logprobs": true }), PLAIN, json!({ "logprobs": true })),
        (json!({ "user": "u", "n": 1 }), PLAIN, json!({})),
        (
            json!({ "stream": true, "stream_options": { "include_usage": true } }),
            PLAIN,
            json!({ "stream": true }),
        ),
        (
            json!({ "response_format": { "type": "json_object" } }),
            PLAIN,
            json!({ "response_format": { "type": "json_object" } }),
        ),
        (
            json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": schema } } }),
            PLAIN,
            json!({ "response_format": { "type": "json_object", "json_schema": schema } }),
        ),
        (
            json!({ "reasoning_effort": "medium" }),
            THINKER,
            json!({ "thinking": { "type": "enabled", "token_budget": 2048 } }),
        ),
        (json!({ "reasoning_effort": "none" }), THINKER, json!({ "thinking": { "type": "disabled" } })),
        (
            json!({ "thinking": { "type": "enabled", "budget_tokens": 99 } }),
            THINKER,
            json!({ "thinking": { "type": "enabled", "token_budget": 99 } }),
        ),
        (json!({ "thinking": { "type": "disabled" } }), PLAIN, json!({})),
        (json!({ "safety_mode": "OFF" }), PLAIN, json!({ "safety_mode": "OFF" })),
    ] {
        let mut sent = from_openai(&ask(&given), &target(model)).unwrap();
        let rest = sent.as_object_mut().unwrap();
        assert_eq!(rest.shift_remove("model"), Some(json!(model)));
        assert_eq!(rest.shift_remove("messages"), Some(json!([{ "role": "user", "content": "Hi" }])));
        assert_eq!(sent, want, "{given}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_by_name_or_dropped() {
    let custom = json!([{ "type": "custom", "custom": { "name": "c" } }]);
    for (name, given) in [
        ("n", json!({ "n": 2 })),
        ("top_logprobs", json!({ "logprobs": true, "top_logprobs": 3 })),
        ("logit_bias", json!({ "logit_bias": { "5": 1 } })),
        ("parallel_tool_calls", json!({ "parallel_tool_calls": false })),
        ("audio", json!({ "audio": { "voice": "a" } })),
        ("prediction", json!({ "prediction": { "type": "content", "content": "x" } })),
        ("service_tier", json!({ "service_tier": "flex" })),
        ("web_search_options", json!({ "web_search_options": {} })),
        ("reasoning_effort", json!({ "reasoning_effort": "low" })),
        ("thinking", json!({ "thinking": { "type": "enabled", "budget_tokens": 2000 } })),
        ("tools", json!({ "tools": custom })),
        ("functions", json!({ "functions": [{ "name": "f" }] })),
    ] {
        let mut target = target(PLAIN);
        let error = from_openai(&ask(&given), &target).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(name)), "{error}");
        assert!(error.message().contains(name), "{error}");
        target.policy.drop = true;
        let sent = from_openai(&ask(&given), &target).unwrap();
        assert!(sent.get(name).is_none_or(|value| *value == json!([])), "{sent}");
    }
}

fn tool(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } })
}

#[test]
fn tools_and_the_choice_among_them() {
    let named = json!({ "type": "function", "function": { "name": "b" } });
    for (choice, names, word) in [
        (json!("auto"), vec!["a", "b"], None),
        (json!("none"), vec!["a", "b"], Some("NONE")),
        (json!("required"), vec!["a", "b"], Some("REQUIRED")),
        // One tool cannot be named: it alone is offered.
        (named, vec!["b"], Some("REQUIRED")),
    ] {
        let body = ask(&json!({ "tools": [tool("a"), tool("b")], "tool_choice": choice }));
        let sent = from_openai(&body, &target(PLAIN)).unwrap();
        let sent_names: Vec<_> =
            sent["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect();
        assert_eq!(sent_names, names, "{choice}");
        assert_eq!(sent.get("tool_choice").and_then(Value::as_str), word, "{choice}");
    }
    let body = ask(
        &json!({ "tools": [tool("a")], "tool_choice": { "type": "function", "function": { "name": "z" } } }),
    );
    let error = from_openai(&body, &target(PLAIN)).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::BadRequest, Some("tool_choice")));

    let mut strict = tool("a");
    strict["function"]["strict"] = json!(true);
    strict["function"].as_object_mut().unwrap().remove("parameters");
    let sent = from_openai(&ask(&json!({ "tools": [strict] })), &target(PLAIN)).unwrap();
    assert_eq!(sent["strict_tools"], json!(true));
    assert_eq!(sent["tools"][0]["function"]["parameters"], json!({ "type": "object", "properties": {} }));
}

#[test]
fn a_conversation_with_tools_keeps_its_order_and_its_pictures() {
    let messages = json!([
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "Look" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA", "detail": "low" } }] },
        { "role": "assistant", "content": null, "reasoning_content": "I will look.", "tool_calls": [
            { "id": "c1", "type": "function", "function": { "name": "look", "arguments": "" } },
            { "id": "c2", "type": "function", "function": { "name": "look", "arguments": "{\"a\":1}" } }] },
        { "role": "tool", "tool_call_id": "c1", "content": [{ "type": "text", "text": "red" },
            { "type": "image_url", "image_url": { "url": "https://e.org/a.png" } }] },
        { "role": "tool", "tool_call_id": "c2", "content": "blue" },
        { "role": "user", "content": "So?" },
    ]);
    let body = json!({ "model": "m", "messages": messages });
    let sent = from_openai(&body, &target(PLAIN)).unwrap();
    let call = |id: &str, arguments: &str| json!({ "id": id, "type": "function", "function": { "name": "look", "arguments": arguments } });
    let want = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "Look" },
            { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA", "detail": "low" } }] },
        { "role": "assistant", "tool_plan": "I will look.", "tool_calls": [call("c1", "{}"), call("c2", "{\"a\":1}")] },
        { "role": "tool", "tool_call_id": "c1", "content": "red" },
        { "role": "tool", "tool_call_id": "c2", "content": "blue" },
        { "role": "user", "content": [
            { "type": "text", "text": crate::dialects::openai::chat::SHOWN_BY_TOOLS },
            { "type": "image_url", "image_url": { "url": "https://e.org/a.png" } }] },
        { "role": "user", "content": "So?" },
    ]);
    assert_eq!(sent["messages"], want);

    // A model that thinks gets its thoughts back as thoughts.
    let sent = from_openai(&body, &target(THINKER)).unwrap();
    assert_eq!(sent["messages"][2]["content"], json!([{ "type": "thinking", "thinking": "I will look." }]));
}

#[test]
fn documents_stand_beside_the_messages() {
    let block = |text: &str| json!({ "type": "document", "title": "t", "source": { "type": "text", "media_type": "text/plain", "data": text } });
    let body = json!({ "model": "m", "max_tokens": 5, "messages": [{ "role": "user", "content": [
        block("one"), block("two"), { "type": "text", "text": "Who?" }] }] });
    let request = ANTHROPIC.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
    let sent = Cohere.encode_request(&request, &target(PLAIN)).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(sent["messages"], json!([{ "role": "user", "content": "Who?" }]));
    assert_eq!(
        sent["documents"],
        json!([{ "id": "doc_0", "data": { "text": "one", "title": "t" } },
            { "id": "doc_1", "data": { "text": "two", "title": "t" } }])
    );

    // A caller's documents are before the question of whoever else answers.
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Who?" }],
        "documents": ["plain", { "id": "7", "data": { "text": "T", "year": 1999 } }] });
    let request = Cohere.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
    let spec = crate::Registry::built_in();
    let openai = spec.all().into_iter().find(|spec| spec.id.as_str() == "openai").unwrap();
    let mut elsewhere = target("gpt-4o");
    elsewhere.spec = std::sync::Arc::clone(openai);
    let sent = OPENAI_CHAT.encode_request(&request, &elsewhere).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    let text = sent["messages"][0]["content"].to_string();
    assert!(text.contains("plain") && text.contains("year: 1999") && text.contains("Who?"), "{text}");
}

#[test]
fn what_a_message_cannot_hold_is_refused() {
    for part in [
        json!({ "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } }),
        json!({ "type": "file", "file": { "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf" } }),
        json!({ "type": "video_url", "video_url": { "url": "https://e.org/a.mp4" } }),
    ] {
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": [{ "type": "text", "text": "x" }, part] }] });
        let mut target = target(PLAIN);
        let error = from_openai(&body, &target).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("messages")), "{error}");
        target.policy.drop = true;
        let sent = from_openai(&body, &target).unwrap();
        assert_eq!(sent["messages"], json!([{ "role": "user", "content": "x" }]));
    }
}

/// Bad bodies: the error names the field.
#[test]
fn a_wrong_field_is_named() {
    for (body, param) in [
        (json!({ "messages": [] }), "model"),
        (json!({ "model": "m" }), "messages"),
        (json!({ "model": "m", "messages": [] }), "messages"),
        (json!({ "model": "m", "messages": [{ "role": "owner", "content": "x" }] }), "messages[0].role"),
        (json!({ "model": "m", "messages": [{ "role": "user" }] }), "messages[0].content"),
        (
            json!({ "model": "m", "messages": [{ "role": "tool", "content": "x" }] }),
            "messages[0].tool_call_id",
        ),
        (ask(&json!({ "p": "much" })), "p"),
        (ask(&json!({ "tool_choice": "MAYBE" })), "tool_choice"),
        (ask(&json!({ "thinking": { "type": "some" } })), "thinking.type"),
        (ask(&json!({ "documents": [{ "id": "1" }] })), "documents[0].data"),
        (ask(&json!({ "response_format": { "type": "json_schema" } })), "response_format.json_schema"),
        (ask(&json!({ "tools": [{ "type": "function", "function": {} }] })), "tools[0].function.name"),
    ] {
        let error = Cohere.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::BadRequest, Some(param)), "{body}: {error}");
    }
}

#[test]
fn the_glance_sees_what_rooms_need() {
    let body = br#"{"model":"m","messages":[],"documents":["abc"],"stream":true,"max_tokens":5,"priority":3,"user":"u","num_retries":2}"#;
    let glance = Cohere.glance(body).unwrap();
    assert_eq!((glance.model.as_str(), glance.stream, glance.max_tokens), ("m", true, Some(5)));
    assert_eq!((glance.user.as_deref(), glance.lacks), (Some("u"), None));
    assert_eq!(glance.prompt_bytes, 9);
    let controls: Vec<Control> = glance.controls.iter().map(|(control, _)| *control).collect();
    assert_eq!(controls, [Control::Other, Control::NumRetries], "`priority` is the vendor's own");
    assert_eq!(Cohere.glance(br#"{"model":"m"}"#).unwrap().lacks, Some("messages"));
    let twice = Cohere.glance(br#"{"model":"m","model":"n"}"#).unwrap_err();
    assert_eq!(twice.param(), Some("model"));
}

#[test]
fn a_forwarded_body_is_patched_where_it_must_be() {
    let body = Bytes::from_static(
        br#"{ "model": "asked", "p": 0.5, "messages": [{"role":"user","content":"x"}], "num_retries": 1, "safety_mode": "OFF" }"#,
    );
    let glance = Cohere.glance(&body).unwrap();
    let mut target = target("sent");
    target.defaults = serde_json::from_value(json!({ "top_k": 3, "p": 0.1 })).unwrap();
    target.policy.always_drop = vec!["safety_mode".to_owned()];
    let sent = Cohere.forward_request(&body, &glance, &target).unwrap();
    assert_eq!(sent.path, "/v2/chat");
    assert_eq!(
        sent.body,
        br#"{ "model": "sent", "p": 0.5, "messages": [{"role":"user","content":"x"}],"k":3}"#.as_slice()
    );
}

#[test]
fn an_operators_defaults_have_the_vendors_names() {
    let mut target = target(PLAIN);
    target.defaults =
        serde_json::from_value(json!({ "p": 0.1, "top_k": 4, "safety_mode": "STRICT" })).unwrap();
    let sent = from_openai(&ask(&json!({})), &target).unwrap();
    assert_eq!((&sent["p"], &sent["k"], &sent["safety_mode"]), (&json!(0.1), &json!(4), &json!("STRICT")));
    let sent = from_openai(&ask(&json!({ "top_p": 0.9 })), &target).unwrap();
    assert_eq!(sent["p"], json!(0.9), "the caller's word counts");
}

#[test]
fn a_document_of_the_caller_keeps_its_form() {
    let body = ask(&json!({ "documents": [{ "id": "7", "data": { "text": "T", "year": 1999 } }] }));
    let request = Cohere.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
    assert_eq!(request.messages[0].role, Role::User);
    assert!(matches!(request.messages[0].parts[0].kind, PartKind::Document(_)));
    let sent = Cohere.encode_request(&request, &target(PLAIN)).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(sent["documents"], body["documents"]);
}
