//! Requests of other dialects written for this one, and what callers may get wrong.

use llm_types::{
    ChatRequest, Error, ErrorKind, Message, Options, Part, PartKind, Reasoning, ReasoningEffort, Role, Tool,
    ToolCall, ToolKind, ToolResult,
};
use serde_json::{Value, json};

use super::super::tests::{DIALECT, target};
use crate::dialect::Dialect;
use crate::{ParamPolicy, Quirks, Target};

fn written_for(request: &ChatRequest, target: &Target) -> Value {
    serde_json::from_slice(&DIALECT.encode_request(request, target).unwrap().body).unwrap()
}

fn written(request: &ChatRequest) -> Value {
    written_for(request, &target("m", Quirks::NONE))
}

fn asked(options: Options) -> ChatRequest {
    ChatRequest { options, ..ChatRequest::new("x", [Message::user("hi")]) }
}

fn fault(body: &Value) -> Error {
    let body = serde_json::to_vec(body).unwrap();
    DIALECT.glance(&body).and_then(|_| DIALECT.decode_request(&body).map(drop)).unwrap_err()
}

#[test]
fn a_chat_becomes_items_and_is_not_stored() {
    let call = ToolCall { id: "call_1".into(), name: "see".into(), arguments: String::new(), custom: false };
    let result =
        ToolResult { call_id: "call_1".into(), parts: vec![Part::text("ok")], ..ToolResult::default() };
    let request = ChatRequest::new(
        "x",
        [
            Message::system("Be brief."),
            Message::user("hi"),
            Message::new(Role::Assistant, vec![Part::text("I look."), Part::new(PartKind::ToolCall(call))]),
            Message::new(Role::Tool, vec![Part::new(PartKind::ToolResult(result))]),
        ],
    );
    assert_eq!(
        written(&request),
        json!({
            "model": "m",
            "instructions": "Be brief.",
            "input": [
                {"type": "message", "role": "user", "content": "hi"},
                {"type": "message", "role": "assistant", "content": "I look."},
                {"type": "function_call", "call_id": "call_1", "name": "see", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "ok"},
            ],
            "store": false,
        })
    );
}

#[test]
fn what_the_api_cannot_say_is_refused_by_name_or_dropped() {
    let cases = [
        ("stop", Options { stop: vec!["x".into()], ..Options::default() }),
        ("seed", Options { seed: Some(1), ..Options::default() }),
        ("top_k", Options { top_k: Some(1), ..Options::default() }),
        ("n", Options { n: Some(2), ..Options::default() }),
        ("frequency_penalty", Options { frequency_penalty: Some(0.5), ..Options::default() }),
        ("audio", Options { audio: Some(json!({})), ..Options::default() }),
    ];
    for (name, options) in cases {
        let request = asked(options);
        let error = DIALECT.encode_request(&request, &target("m", Quirks::NONE)).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(name)));
        let policy = ParamPolicy { drop: true, ..ParamPolicy::default() };
        let sent = written_for(&request, &Target { policy, ..target("m", Quirks::NONE) });
        assert!(sent.get(name).is_none(), "{sent}");
    }
    let harmless = Options {
        n: Some(1),
        presence_penalty: Some(0.0),
        modalities: Some(vec!["text".into()]),
        ..Options::default()
    };
    assert_eq!(written(&asked(harmless))["input"][0]["content"], "hi");
}

#[test]
fn a_cap_below_the_least_is_raised_to_it() {
    assert_eq!(
        written(&asked(Options { max_tokens: Some(5), ..Options::default() }))["max_output_tokens"],
        16
    );
    assert_eq!(
        written(&asked(Options { max_tokens: Some(50), ..Options::default() }))["max_output_tokens"],
        50
    );
}

#[test]
fn reasoning_is_asked_for_in_a_form_that_can_come_back() {
    let reasoning = |reasoning| asked(Options { reasoning: Some(reasoning), ..Options::default() });
    let sent = written(&reasoning(Reasoning { effort: Some(ReasoningEffort::High), ..Reasoning::default() }));
    assert_eq!(sent["reasoning"], json!({"effort": "high"}));
    assert_eq!(sent["include"], json!(["reasoning.encrypted_content"]));
    let thinking = Reasoning { enabled: Some(true), budget_tokens: Some(6000), ..Reasoning::default() };
    assert_eq!(written(&reasoning(thinking))["reasoning"], json!({"effort": "medium", "summary": "auto"}));
}

#[test]
fn models_of_openai_have_their_rules() {
    let quirks = Quirks { openai_families: true, ..Quirks::NONE };
    let request = asked(Options { temperature: Some(0.2), ..Options::default() });
    let error = DIALECT.encode_request(&request, &target("gpt-5", quirks.clone())).unwrap_err();
    assert_eq!(error.param(), Some("temperature"));
    let sent = written_for(&request, &target("gpt-4.1", quirks));
    assert_eq!(sent["temperature"], 0.2);
    assert!(sent.get("include").is_none(), "a model that does not reason has no reasoning to give back");
}

#[test]
fn another_vendors_tool_is_refused_by_its_place() {
    let tool = Tool {
        name: "computer".into(),
        description: None,
        kind: ToolKind::Native { dialect: "anthropic".into(), value: json!({"type": "computer_20250124"}) },
        strict: None,
        cache: None,
        extra: llm_types::Extra::default(),
    };
    let request = ChatRequest { tools: vec![tool], ..ChatRequest::new("x", [Message::user("hi")]) };
    let error = DIALECT.encode_request(&request, &target("m", Quirks::NONE)).unwrap_err();
    assert_eq!(error.message(), "`tools[0]`: OpenAI Responses has no tool like `computer`");
}

#[test]
fn faults_name_the_field() {
    for (body, message) in [
        (json!({"model": "m"}), "Missing required parameter: 'input'."),
        (json!({"model": "m", "input": 7}), "`input`: expected a string or an array of items, found `7`"),
        (
            json!({"model": "m", "input": [3]}),
            "`input[0]`: expected an item, which is an object, found the number `3`",
        ),
        (
            json!({"model": "m", "input": [{"role": "judge", "content": "x"}]}),
            "`input[0].role`: expected one of `user`, `assistant`, `system`, `developer`, found the string `judge`",
        ),
        (
            json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_image"}]}]}),
            "missing required parameter `input[0].content[0].image_url`: expected a string, or `file_id`",
        ),
        (
            json!({"model": "m", "input": "x", "text": {"format": {"type": "xml"}}}),
            "`text.format.type`: expected `text`, `json_object` or `json_schema`, found the string `xml`",
        ),
        (
            json!({"model": "m", "input": "x", "stream": "yes"}),
            "`stream`: expected a boolean, found a string",
        ),
    ] {
        assert_eq!(fault(&body).message(), message);
    }
}

#[test]
fn what_changes_the_answer_is_told_to_other_dialects() {
    let body = json!({"model": "m", "input": "x", "conversation": "c", "include": ["a"], "truncation": "disabled",
        "stream_options": {"include_obfuscation": false}, "max_tool_calls": 2, "background": true});
    let request = DIALECT.decode_request(&serde_json::to_vec(&body).unwrap()).unwrap();
    let mut needed = request.native.unwrap().needed;
    needed.sort();
    assert_eq!(needed, ["background", "conversation", "max_tool_calls"]);
}

#[test]
fn a_forwarded_body_is_patched_in_few_places() {
    let body = bytes::Bytes::from_static(
        br#"{ "model":"shown","input":"x", "litellm_metadata":{"a":1}, "metadata":{"b":"c"},"temperature":0.2 }"#,
    );
    let glance = DIALECT.glance(&body).unwrap();
    let mut target = target("gpt-5", Quirks { openai_families: true, ..Quirks::NONE });
    let sent = |target: &Target| {
        String::from_utf8(DIALECT.forward_request(&body, &glance, target).unwrap().body.to_vec()).unwrap()
    };
    assert_eq!(sent(&target), r#"{ "model":"gpt-5","input":"x", "metadata":{"b":"c"},"temperature":0.2 }"#);
    target.policy.drop = true;
    target.defaults.insert("max_tokens".into(), json!(9));
    assert_eq!(
        sent(&target),
        r#"{ "model":"gpt-5","input":"x", "metadata":{"b":"c"},"max_output_tokens":9}"#
    );
}

#[test]
fn marks_of_other_vendors_are_taken_out_of_a_forwarded_body() {
    let body = bytes::Bytes::from_static(
        br#"{"model":"m","input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"sig1|x"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}","provider_specific_fields":{"thought_signature":"s"}}]}"#,
    );
    let glance = DIALECT.glance(&body).unwrap();
    let sent = DIALECT.forward_request(&body, &glance, &target("m", Quirks::NONE)).unwrap();
    let sent: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        sent["input"],
        json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}])
    );
}
