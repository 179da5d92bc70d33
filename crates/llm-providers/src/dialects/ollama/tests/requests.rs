//! Requests of other dialects' callers, and bad ones of this dialect's.

use bytes::Bytes;
use llm_types::{ErrorKind, PartKind};
use serde_json::{Value, json};

use super::{from_openai, target};
use crate::dialect::{Control, Dialect};
use crate::dialects::ollama::Ollama;
use crate::dialects::{ANTHROPIC, OPENAI_CHAT, OPENAI_TEXT};

fn ask(more: &Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_prompt_to_complete_is_sent_as_it_is() {
    let request =
        OPENAI_TEXT.decode_request(br####"{"model": "m", "prompt": "Say", "max_tokens": 10}"####).unwrap();
    let sent = Ollama.encode_request(&request, &target("ollama", "llama3.1")).unwrap();
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let expected =
        json!({"model": "llama3.1", "prompt": "Say", "options": {"num_predict": 10}, "stream": false});
    assert_eq!((&*sent.path, body), ("/api/generate", expected));
}

#[test]
fn what_cannot_be_said_is_refused_by_name_or_dropped() {
    let custom = json!([{ "type": "custom", "custom": { "name": "c" } }]);
    for (name, given) in [
        ("n", json!({ "n": 2 })),
        ("logit_bias", json!({ "logit_bias": { "5": 1 } })),
        ("logprobs", json!({ "logprobs": true })),
        ("parallel_tool_calls", json!({ "parallel_tool_calls": false })),
        ("presence_penalty", json!({ "presence_penalty": 0.5 })),
        ("thinking", json!({ "thinking": { "type": "enabled", "budget_tokens": 2000 } })),
        ("tool_choice", json!({ "tool_choice": "required" })),
        ("web_search_options", json!({ "web_search_options": {} })),
        ("tools", json!({ "tools": custom })),
        ("functions", json!({ "functions": [{ "name": "f" }] })),
    ] {
        let mut target = target("ollama_chat", "m");
        let error = from_openai(&ask(&given), &target).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(name)), "{given}");
        target.policy.drop = true;
        let (_, sent) = from_openai(&ask(&given), &target).unwrap();
        assert_eq!(sent["messages"], json!([{ "role": "user", "content": "Hi" }]));
        let rest: Vec<&String> = sent.as_object().unwrap().keys().collect();
        assert_eq!(rest, ["model", "messages", "options", "stream"], "{given}");
        assert_eq!(sent["options"], json!({}), "{given}");
    }
}

#[test]
fn what_the_record_does_not_serve_may_be_allowed() {
    let mut target = target("ollama_chat", "m");
    target.policy.allow = vec!["logprobs".to_owned(), "top_logprobs".to_owned(), "thinking".to_owned()];
    let given =
        json!({ "logprobs": true, "top_logprobs": 2, "thinking": { "type": "enabled", "budget_tokens": 9 } });
    let (_, sent) = from_openai(&ask(&given), &target).unwrap();
    assert_eq!(
        (&sent["logprobs"], &sent["top_logprobs"], &sent["think"]),
        (&json!(true), &json!(2), &json!(true))
    );
}

#[test]
fn anthropics_callers_may_ask_for_thought() {
    let body = json!({ "model": "m", "max_tokens": 5000, "thinking": { "type": "enabled", "budget_tokens": 2000 },
        "messages": [{ "role": "user", "content": "Hi" }] });
    let request = ANTHROPIC.decode_request(body.to_string().as_bytes()).unwrap();
    let sent = Ollama.encode_request(&request, &target("ollama_chat", "m")).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!((&sent["think"], &sent["options"]["num_predict"]), (&json!(true), &json!(5000)));
}

#[test]
fn settings_of_the_model_stand_in_options_and_others_beside_them() {
    let mut target = target("ollama_chat", "m");
    for (name, value) in [("num_ctx", json!(8192)), ("keep_alive", json!("5m")), ("num_predict", json!(7))] {
        target.defaults.insert(name.to_owned(), value);
    }
    let (_, sent) = from_openai(&ask(&json!({ "mirostat": 1, "max_tokens": 9 })), &target).unwrap();
    assert_eq!(sent["options"], json!({ "num_predict": 9, "mirostat": 1, "num_ctx": 8192 }));
    assert_eq!(sent["keep_alive"], "5m");

    let body = Bytes::from(ask(&json!({ "user": "u", "options": { "num_ctx": 1 } })).to_string());
    let glance = Ollama.glance(&body).unwrap();
    assert_eq!((glance.user.as_deref(), glance.controls[0].0), (Some("u"), Control::Other));
    let sent = Ollama.forward_request(&body, &glance, &target).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    let mut want = ask(&json!({ "options": { "num_ctx": 1, "num_predict": 7 } }));
    want["keep_alive"] = json!("5m");
    assert_eq!(sent, want);
}

#[test]
fn results_name_their_tools_where_several_are_called() {
    let call = |id: &str, name: &str| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": "{}" } });
    let answer = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": id });
    for (second, named) in [("a", false), ("b", true)] {
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" },
            { "role": "assistant", "tool_calls": [call("c1", "a"), call("c2", second)] }, answer("c2"), answer("c1")] });
        let (path, sent) = from_openai(&body, &target("ollama", "m")).unwrap();
        assert_eq!(path, "/api/chat", "tools are no matter for a prompt");
        let mut want = json!({ "role": "tool", "content": "c2", "tool_call_id": "c2" });
        if named {
            want["tool_name"] = json!(second);
        }
        assert_eq!(sent["messages"][2], want);
        assert_eq!(
            sent["messages"][1]["tool_calls"][0],
            json!({ "function": { "name": "a", "arguments": {} } })
        );
    }
}

#[test]
fn calls_without_ids_find_their_results() {
    let call = |name: &str| json!({ "function": { "name": name, "arguments": {} } });
    let body = json!({ "model": "m", "stream": false, "messages": [{ "role": "user", "content": "Hi" },
        { "role": "assistant", "content": "", "tool_calls": [call("a"), call("b")] },
        { "role": "tool", "tool_name": "b", "content": "2" }, { "role": "tool", "content": "1" }] });
    let request = Ollama.decode_request(body.to_string().as_bytes()).unwrap();
    let sent = OPENAI_CHAT.encode_request(&request, &{
        let mut target = target("ollama_chat", "m");
        target.spec = std::sync::Arc::clone(crate::Registry::built_in().provider("openai").unwrap());
        target
    });
    let sent: Value = serde_json::from_slice(&sent.unwrap().body).unwrap();
    let ids: Vec<&Value> =
        sent["messages"][1]["tool_calls"].as_array().unwrap().iter().map(|call| &call["id"]).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(&sent["messages"][2]["tool_call_id"], ids[1]);
    assert_eq!(&sent["messages"][3]["tool_call_id"], ids[0]);
}

#[test]
fn bad_requests_name_the_field() {
    for (body, param) in [
        (json!({ "messages": [] }), "model"),
        (json!({ "model": "m" }), "messages"),
        (json!({ "model": "m", "messages": [] }), "messages"),
        (ask(&json!({ "messages": [{ "role": "robot", "content": "" }] })), "messages[0].role"),
        (ask(&json!({ "messages": [{ "role": "user", "content": [] }] })), "messages[0].content"),
        (ask(&json!({ "format": "xml" })), "format"),
        (ask(&json!({ "think": "a lot" })), "think"),
        (ask(&json!({ "options": { "num_predict": "x" } })), "options.num_predict"),
        (ask(&json!({ "stream": "yes" })), "stream"),
    ] {
        let error = Ollama.decode_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::BadRequest, Some(param)), "{body}");
    }
    for body in ["[]", "{", r#"{"model":"m","model":"n"}"#, r#"{"options":[]}"#, r#"{"messages":{}}"#] {
        assert!(Ollama.glance(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn a_caller_streams_unless_it_says_no_and_pictures_say_what_they_are() {
    let body = ask(
        &json!({ "messages": [{ "role": "user", "content": "What?", "images": ["/9j/4AAQ", "iVBORw0K"] }],
        "options": { "num_predict": -1 } }),
    );
    let glance = Ollama.glance(body.to_string().as_bytes()).unwrap();
    assert_eq!((glance.stream, glance.max_tokens, glance.lacks), (true, None, None));
    let request = Ollama.decode_request(body.to_string().as_bytes()).unwrap();
    assert!(request.stream);
    let kinds = request.messages[0].parts.iter().filter_map(|part| match &part.kind {
        PartKind::Image(media) => media.mime.as_deref(),
        _ => None,
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["image/jpeg", "image/png"]);
    let sent = Ollama.encode_request(&request, &target("ollama_chat", "m")).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(sent["options"], json!({ "num_predict": -1 }), "an answer of any length stays one");
}
