//! The four pairs of dialects, plain and streamed: the caller sees its own, the provider sees its own.

use serde_json::{Value, json};

use crate::support::{Answer, MASTER, Reply, Running, Upstream, anthropic, gateway, openai};

const OPENAI: &str = "openai/gpt-4o-mini";
const ANTHROPIC: &str = "anthropic/claude-sonnet-4-5";

fn stage(model: &str, reply: Reply) -> (Upstream, Running) {
    let upstream = Upstream::always(reply);
    let gateway = gateway().model("any", model, &upstream).start();
    (upstream, gateway)
}

fn chat(gateway: &Running, body: &Value) -> Answer {
    gateway.chat(body).send().expect(200)
}

fn messages(gateway: &Running, body: &Value) -> Answer {
    gateway.post(anthropic::PATH).header("x-api-key", MASTER).json(body).send().expect(200)
}

/// The text of a chat stream, its reason, and whether it ended as the dialect says.
fn read_chat(answer: &Answer) -> (String, Option<String>, bool) {
    let (mut text, mut reason) = (String::new(), None);
    for frame in answer.frames().iter().filter(|frame| *frame != "[DONE]") {
        let chunk: Value = serde_json::from_str(frame).expect("a frame is JSON");
        text.push_str(chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
        reason = chunk["choices"][0]["finish_reason"].as_str().map(str::to_owned).or(reason);
    }
    (text, reason, answer.frames().last().is_some_and(|last| last == "[DONE]"))
}

/// The same of a stream of messages, and its usage.
fn read_messages(answer: &Answer) -> (String, Value, Value, Vec<String>) {
    let (mut text, mut reason, mut usage, mut kinds) = (String::new(), Value::Null, Value::Null, Vec::new());
    for frame in answer.frames() {
        let event: Value = serde_json::from_str(&frame).expect("a frame is JSON");
        kinds.push(event["type"].as_str().expect("an event has a type").to_owned());
        text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        if event["type"] == "message_delta" {
            (reason, usage) = (event["delta"]["stop_reason"].clone(), event["usage"].clone());
        }
    }
    (text, reason, usage, kinds)
}

#[test]
fn openai_to_openai() {
    let (upstream, gateway) = stage(OPENAI, openai::reply());
    let answer = chat(&gateway, &openai::request("any"));
    assert_eq!(answer.json(), openai::answer());
    upstream.change(openai::stream());
    let streamed = chat(&gateway, &openai::streamed("any"));
    assert_eq!(read_chat(&streamed), ("Hello there.".to_owned(), Some("stop".to_owned()), true));
}

#[test]
fn anthropic_to_anthropic() {
    let (upstream, gateway) = stage(ANTHROPIC, anthropic::reply());
    let answer = messages(&gateway, &anthropic::request("any"));
    assert_eq!(answer.json(), anthropic::answer());
    upstream.change(anthropic::stream());
    let streamed = messages(&gateway, &anthropic::streamed("any"));
    let (text, reason, usage, kinds) = read_messages(&streamed);
    assert_eq!((text.as_str(), reason), ("Hello there.", json!("end_turn")));
    assert_eq!(usage["output_tokens"], 20);
    assert_eq!(kinds.last().map(String::as_str), Some("message_stop"));
}

#[test]
fn openai_caller_anthropic_provider() {
    let (upstream, gateway) = stage(ANTHROPIC, anthropic::reply());
    let mut asked = openai::request("any");
    asked["messages"] =
        json!([{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hi" }]);
    asked["max_tokens"] = json!(64);
    let answer = chat(&gateway, &asked).json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["content"], "Hello there.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = &answer["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(10), &json!(20)));

    let seen = upstream.only();
    assert_eq!(seen.path, "/v1/messages");
    assert_eq!(seen.header("x-api-key"), Some("sk-provider-secret-7a8b9c"));
    let sent = seen.json();
    assert_eq!((&sent["model"], &sent["max_tokens"]), (&json!("claude-sonnet-4-5"), &json!(64)));
    assert!(sent["system"].to_string().contains("Be brief."), "{sent}");
    assert_eq!(sent["messages"].as_array().map(Vec::len), Some(1), "{sent}");

    upstream.change(anthropic::stream());
    let mut asked = openai::streamed("any");
    asked["stream_options"] = json!({ "include_usage": true });
    let streamed = chat(&gateway, &asked);
    assert_eq!(read_chat(&streamed), ("Hello there.".to_owned(), Some("stop".to_owned()), true));
    assert!(streamed.text().contains("\"completion_tokens\":20"), "{}", streamed.text());
}

#[test]
fn anthropic_caller_openai_provider() {
    let (upstream, gateway) = stage(OPENAI, openai::reply());
    let mut asked = anthropic::request("any");
    asked["system"] = json!("Be brief.");
    let answer = messages(&gateway, &asked).json();
    assert_eq!((&answer["type"], &answer["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!(answer["content"][0], json!({ "type": "text", "text": "Hello there." }));
    assert_eq!(answer["stop_reason"], "end_turn");
    assert_eq!(
        (&answer["usage"]["input_tokens"], &answer["usage"]["output_tokens"]),
        (&json!(10), &json!(20))
    );

    let seen = upstream.only();
    assert_eq!(seen.path, "/chat/completions");
    assert_eq!(seen.header("authorization"), Some("Bearer sk-provider-secret-7a8b9c"));
    assert_eq!(seen.header("x-api-key"), None, "the caller's key stays here");
    assert_eq!(seen.json()["messages"][0], json!({ "role": "system", "content": "Be brief." }));

    upstream.change(openai::stream());
    let streamed = messages(&gateway, &anthropic::streamed("any"));
    let (text, reason, usage, kinds) = read_messages(&streamed);
    assert_eq!((text.as_str(), reason), ("Hello there.", json!("end_turn")));
    assert_eq!(usage["output_tokens"], 20, "{}", streamed.text());
    assert_eq!(kinds.first().map(String::as_str), Some("message_start"));
    assert_eq!(kinds.last().map(String::as_str), Some("message_stop"));
}

#[test]
fn errors_of_a_provider_are_told_in_the_callers_dialect() {
    let (upstream, gateway) = stage(
        ANTHROPIC,
        Reply::json(
            400,
            &json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "too odd" } }),
        ),
    );
    let answer = gateway.chat(&openai::request("any")).send().expect(400);
    assert_eq!(answer.json()["error"]["code"], "400");
    assert!(answer.text().contains("too odd"), "{}", answer.text());
    drop(upstream);

    let (_upstream, gateway) = stage(OPENAI, openai::error(429, "slow down"));
    let call = gateway.post(anthropic::PATH).header("x-api-key", MASTER);
    let answer = call.json(&anthropic::request("any")).send().expect(429);
    assert_eq!(answer.json()["type"], "error");
    assert_eq!(answer.json()["error"]["type"], "rate_limit_error");
    assert!(answer.text().contains("slow down"), "{}", answer.text());
}

#[test]
fn callers_say_what_may_be_dropped_and_passed() {
    let (upstream, gateway) = stage(ANTHROPIC, anthropic::reply());
    let mut asked = openai::request("any");
    asked["seed"] = json!(7);
    let refusal = gateway.chat(&asked).send().expect(400);
    assert!(refusal.text().contains("`seed`"), "{}", refusal.text());
    asked["drop_params"] = json!(true);
    chat(&gateway, &asked);
    asked["drop_params"] = json!(false);
    asked["additional_drop_params"] = json!(["seed"]);
    chat(&gateway, &asked);
    for seen in upstream.seen() {
        let sent = seen.json();
        let members = ["seed", "drop_params", "additional_drop_params"].map(|name| sent.get(name).cloned());
        assert_eq!(members, [None, None, None], "{sent}");
    }
    asked["additional_drop_params"] = json!(null);
    asked["allowed_openai_params"] = json!(["seed"]);
    chat(&gateway, &asked);
    assert_eq!(upstream.seen()[2].json()["seed"], 7);
    asked["drop_params"] = json!("yes");
    let refusal = gateway.chat(&asked).send().expect(400);
    assert!(refusal.text().contains("`drop_params`"), "{}", refusal.text());
}

/// What only the caller's own API can say and what changes the answer is never left out in silence.
#[test]
fn what_another_api_cannot_say_is_refused_by_name_or_dropped_on_request() {
    let (upstream, gateway) = stage(OPENAI, openai::reply());
    let words = json!([{ "role": "user", "content": "hi" }]);
    let parts = json!([{ "role": "user", "content": [{ "text": "hi" }] }]);
    let contents = json!([{ "role": "user", "parts": [{ "text": "hi" }] }]);
    for (path, mut body, name, value) in [
        ("/v2/chat", json!({ "model": "any", "messages": words }), "safety_mode", json!("STRICT")),
        (
            "/v2/chat",
            json!({ "model": "any", "messages": words }),
            "citation_options",
            json!({ "mode": "FAST" }),
        ),
        (
            "/model/any/converse",
            json!({ "messages": parts }),
            "guardrailConfig",
            json!({ "guardrailIdentifier": "g-1", "guardrailVersion": "1" }),
        ),
        (
            "/v1beta/models/any:generateContent",
            json!({ "contents": contents }),
            "cachedContent",
            json!("c/1"),
        ),
        (
            anthropic::PATH,
            anthropic::request("any"),
            "mcp_servers",
            json!([{ "type": "url", "url": "https://mcp.example", "name": "m" }]),
        ),
    ] {
        let ask = |body: &Value| gateway.post(path).key(MASTER).json(body).send();
        ask(&body).expect(200);
        let before = upstream.seen().len();
        body[name] = value;
        let refused = ask(&body).expect(400).text();
        assert!(refused.contains(&format!("`{name}`")), "{path}: {refused}");
        assert_eq!(upstream.seen().len(), before, "{path}: a refused call reaches no provider");
        body["drop_params"] = json!(true);
        ask(&body).expect(200);
        let sent = upstream.seen().pop().expect("a request").json();
        assert!(sent.get(name).is_none(), "{path}: {sent}");
    }
}

/// A stream whose provider answers whole, as some models do where tools are offered.
#[test]
fn a_whole_reply_to_a_streamed_call_is_told_as_a_stream() {
    let call =
        json!({"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"at\":1}"}});
    let mut whole = openai::answer();
    whole["choices"][0]["message"]["tool_calls"] = json!([call]);
    whole["choices"][0]["finish_reason"] = json!("tool_calls");
    let (upstream, gateway) = stage(OPENAI, Reply::json(200, &whole));
    let (text, reason, usage, kinds) = read_messages(&messages(&gateway, &anthropic::streamed("any")));
    assert_eq!((text.as_str(), reason), ("Hello there.", json!("tool_use")));
    assert_eq!(usage["output_tokens"], whole["usage"]["completion_tokens"]);
    let starts = kinds.iter().filter(|kind| *kind == "content_block_start").count();
    assert_eq!((starts, kinds.last().map(String::as_str)), (2, Some("message_stop")));
    let (text, reason, ended) = read_chat(&chat(&gateway, &openai::streamed("any")));
    assert_eq!((text.as_str(), reason.as_deref(), ended), ("Hello there.", Some("tool_calls"), true));
    upstream.change(Reply::json(200, &json!({"status": "fine"})));
    let refused = gateway.chat(&openai::streamed("any")).send().expect(500).json();
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("not a chat completion"), "{message}");
}
