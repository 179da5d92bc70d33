//! The built-in model that answers without a key.

use http::{HeaderMap, Method};
use llm_types::{HttpRequest, Timeouts};
use serde_json::{Value, json};

use super::answer::words;
use super::example::example;
use super::respond;

fn request(body: &Value) -> HttpRequest {
    HttpRequest {
        method: Method::POST,
        uri: "http://mock.invalid/v1/chat/completions".parse().unwrap(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        timeouts: Timeouts::default(),
    }
}

async fn ask(body: Value) -> (u16, Value) {
    let response = respond(&request(&body));
    let body = response.body.collect(1 << 20).await.unwrap();
    (response.status.as_u16(), serde_json::from_slice(&body).unwrap())
}

async fn chunks(body: Value) -> Vec<Value> {
    let body = respond(&request(&body)).body.collect(1 << 20).await.unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    let mut frames: Vec<&str> = text.split_terminator("\n\n").map(|frame| &frame[6..]).collect();
    assert_eq!(frames.pop(), Some("[DONE]"));
    frames.into_iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn user(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": text}]})
}

#[tokio::test]
async fn it_introduces_itself_and_repeats() {
    let (status, reply) = ask(user("hello", "what is two plus two?")).await;
    assert_eq!(status, 200);
    let text = reply["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("mock model") && text.contains("You said: what is two plus two?"), "{text}");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert_eq!(reply["model"], "hello");
    assert_eq!(reply["usage"]["prompt_tokens"], 5);
    assert_eq!(reply["usage"]["completion_tokens"], text.split_whitespace().count());
    let mut again = ask(user("hello", "what is two plus two?")).await.1;
    again["created"] = reply["created"].clone();
    assert_eq!(again, reply, "the same request gives the same reply");
}

#[tokio::test]
async fn a_stream_says_the_same_word_by_word() {
    let mut body = user("hello", "hi");
    let whole = ask(body.clone()).await.1;
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let chunks = chunks(body).await;
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, whole["choices"][0]["message"]["content"]);
    assert!(chunks.len() > 20);
    let last = chunks.last().unwrap();
    assert_eq!((&last["usage"], &last["choices"]), (&whole["usage"], &json!([])));
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn echo_limits_and_choices() {
    let mut body = user("echo", "one two  three four");
    assert_eq!(ask(body.clone()).await.1["choices"][0]["message"]["content"], "one two  three four");
    body["max_tokens"] = json!(2);
    body["n"] = json!(3);
    let reply = ask(body).await.1;
    assert_eq!(reply["choices"][2]["message"]["content"], "one two  ");
    assert_eq!(reply["choices"][2]["finish_reason"], "length");
    assert_eq!(reply["usage"], json!({"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}));
}

#[tokio::test]
async fn tools_are_called_when_they_must_be() {
    let mut body = user("hello", "weather?");
    body["tools"] = json!([
        {"type": "function", "function": {"name": "a"}},
        {"type": "function", "function": {"name": "b", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}}
        }}},
    ]);
    assert_eq!(ask(body.clone()).await.1["choices"][0]["finish_reason"], "stop");
    body["tool_choice"] = json!("required");
    assert_eq!(ask(body.clone()).await.1["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "a");
    body["tool_choice"] = json!({"type": "function", "function": {"name": "b"}});
    let reply = ask(body.clone()).await.1;
    let call = &reply["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], r#"{"city":"example","days":3}"#);
    assert_eq!(reply["choices"][0]["finish_reason"], "tool_calls");
    body["stream"] = json!(true);
    let arguments: String = chunks(body)
        .await
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, r#"{"city":"example","days":3}"#);
}

#[tokio::test]
async fn json_is_given_when_asked_for() {
    let mut body = user("hello", "a person");
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "p", "schema": {
        "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}
    }}});
    assert_eq!(ask(body.clone()).await.1["choices"][0]["message"]["content"], r#"{"name":"example"}"#);
    body["response_format"] = json!({"type": "json_object"});
    let reply = ask(body).await.1;
    let text = reply["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap()["you_said"], "a person");
}

#[tokio::test]
async fn failures_on_demand_and_on_nonsense() {
    assert_eq!(ask(user("error-429", "x")).await.0, 429);
    let (status, reply) = ask(user("error-503", "x")).await;
    assert_eq!((status, &reply["error"]["type"]), (503, &json!("server_error")));
    assert_eq!(ask(user("error-200", "x")).await.0, 200, "only errors are failures");
    assert_eq!(ask(json!({"model": "m"})).await.0, 400);
    let mut other = request(&user("m", "x"));
    other.uri = "http://mock.invalid/v1/nonsense".parse().unwrap();
    assert_eq!(respond(&other).status.as_u16(), 404);
    other.uri = "http://mock.invalid/v1/chat/completions".parse().unwrap();
    other.body = "{".into();
    assert_eq!(respond(&other).status.as_u16(), 400);
}

#[test]
fn words_are_the_text_again() {
    for (text, count) in [("", 0), ("  ", 0), ("one", 1), (" one\n\ntwo ", 2), ("ä ö\tü", 3)] {
        assert_eq!(words(text).count(), count, "{text:?}");
        if count > 0 {
            assert_eq!(words(text).collect::<String>(), text);
        }
    }
}

#[test]
fn examples_of_schemas() {
    let cases = [
        (json!({"type": ["string", "null"]}), json!("example")),
        (json!({"enum": ["b", "a"]}), json!("b")),
        (json!({"const": 7}), json!(7)),
        (json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]}), json!(true)),
        (json!({"type": "array", "items": {"type": "number"}, "minItems": 2}), json!([1, 1])),
        (json!({"$ref": "#/$defs/x", "$defs": {"x": {"type": "integer", "minimum": 4}}}), json!(4)),
        (json!(true), json!({})),
    ];
    for (schema, value) in cases {
        assert_eq!(example(&schema), value, "{schema}");
    }
    // A schema that refers to itself ends.
    let tree = json!({"type": "object", "properties": {"child": {"$ref": "#"}}});
    assert!(example(&tree)["child"]["child"].is_object());
}
