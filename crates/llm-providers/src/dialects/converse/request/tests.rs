//! Requests for providers, from canonical ones.

use llm_types::{
    ChatRequest, ErrorKind, Message, NativeFields, Options, Part, PartKind, Reasoning, ReasoningEffort,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use serde_json::{Value, json};

use super::super::tests::{CLAUDE, target};
use super::{decode, encode};
use crate::Target;

const NOVA: &str = "us.amazon.nova-pro-v1:0";
const LLAMA: &str = "us.meta.llama3-3-70b-instruct-v1:0";
const GPT_OSS: &str = "openai.gpt-oss-120b-1:0";

fn asking(options: Options) -> ChatRequest {
    ChatRequest { options, ..ChatRequest::new("m", [Message::user("Hi")]) }
}

fn tool(name: &str) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        kind: ToolKind::Function {
            parameters: Some(json!({ "type": "object", "additionalProperties": false })),
        },
        strict: Some(true),
        cache: None,
        extra: llm_types::Extra::default(),
    }
}

fn with_tools(options: Options) -> ChatRequest {
    ChatRequest { tools: vec![tool("get")], ..asking(options) }
}

fn body_for(request: &ChatRequest, target: &Target) -> Value {
    serde_json::from_slice(&encode(request, target).unwrap().body).unwrap()
}

fn body(request: &ChatRequest, model: &str) -> Value {
    body_for(request, &target(model))
}

/// The parameter an error names.
fn refused(request: &ChatRequest, model: &str) -> String {
    let error = encode(request, &target(model)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    error.param().unwrap().to_owned()
}

#[test]
fn parameters_go_where_each_family_has_them() {
    let options = Options { top_k: Some(9), ..Options::default() };
    let request = asking(options);
    assert_eq!(body(&request, CLAUDE)["additionalModelRequestFields"], json!({ "top_k": 9 }));
    let cohere = body(&request, "cohere.command-r-plus-v1:0");
    assert_eq!(cohere["additionalModelRequestFields"], json!({ "k": 9 }));
    assert_eq!(
        body(&request, NOVA)["additionalModelRequestFields"],
        json!({ "inferenceConfig": { "topK": 9 } })
    );
    assert_eq!(refused(&request, LLAMA), "top_k");
}

#[test]
fn reasoning_is_asked_for_in_the_makers_words() {
    let asked = |reasoning| asking(Options { reasoning: Some(reasoning), ..Options::default() });
    let effort = asked(Reasoning { effort: Some(ReasoningEffort::Medium), ..Reasoning::default() });
    let claude = body(&effort, CLAUDE);
    assert_eq!(
        claude["additionalModelRequestFields"]["thinking"],
        json!({ "type": "enabled", "budget_tokens": 2048 })
    );
    assert_eq!(claude["inferenceConfig"]["maxTokens"], 6144);
    assert_eq!(claude["additionalModelResponseFieldPaths"], json!(["/usage/output_tokens_details"]));
    assert_eq!(
        body(&effort, GPT_OSS)["additionalModelRequestFields"],
        json!({ "reasoning_effort": "medium" })
    );
    assert_eq!(
        body(&effort, "us.amazon.nova-2-lite-v1:0")["additionalModelRequestFields"],
        json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "medium" } })
    );
    assert_eq!(refused(&effort, LLAMA), "reasoning_effort");
    let arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x";
    assert_eq!(body(&effort, arn)["additionalModelRequestFields"], json!({ "reasoning_effort": "medium" }));
    let off = asked(Reasoning { enabled: Some(false), ..Reasoning::default() });
    assert!(body(&off, LLAMA).get("additionalModelRequestFields").is_none());
}

#[test]
fn the_makers_name_of_a_model_decides_where_its_own_is_an_arn() {
    let mut target = target("arn:aws:bedrock:us-east-1:1:application-inference-profile/x");
    let cloud = crate::cloud::Cloud { base_model: Some(NOVA.into()), ..Default::default() };
    target.cloud = Some(cloud);
    let request = asking(Options { top_k: Some(9), ..Options::default() });
    let added = &body_for(&request, &target)["additionalModelRequestFields"];
    assert_eq!(*added, json!({ "inferenceConfig": { "topK": 9 } }));
}

#[test]
fn a_choice_is_said_where_the_model_takes_it() {
    let choosing = |choice| with_tools(Options { tool_choice: Some(choice), ..Options::default() });
    let named = choosing(ToolChoice::Tool("get".into()));
    assert_eq!(body(&named, NOVA)["toolConfig"]["toolChoice"], json!({ "tool": { "name": "get" } }));
    assert_eq!(refused(&named, LLAMA), "tool_choice");
    assert_eq!(refused(&named, "mistral.mistral-large-2402-v1:0"), "tool_choice");
    let any = choosing(ToolChoice::Required);
    assert_eq!(
        body(&any, "mistral.mistral-large-2402-v1:0")["toolConfig"]["toolChoice"],
        json!({ "any": {} })
    );
    assert!(body(&choosing(ToolChoice::Auto), LLAMA)["toolConfig"].get("toolChoice").is_none());
    assert_eq!(refused(&choosing(ToolChoice::None), CLAUDE), "tool_choice");
    assert_eq!(refused(&with_tools(Options::default()), "us.deepseek.r1-v1:0"), "tools");
}

#[test]
fn one_call_at_a_time_is_claudes_own_setting() {
    let request = with_tools(Options {
        parallel_tool_calls: Some(false),
        tool_choice: Some(ToolChoice::Tool("get".into())),
        ..Options::default()
    });
    let expected = json!({ "type": "tool", "name": "get", "disable_parallel_tool_use": true });
    assert_eq!(body(&request, CLAUDE)["additionalModelRequestFields"]["tool_choice"], expected);
    assert_eq!(refused(&request, NOVA), "parallel_tool_calls");
}

#[test]
fn a_schema_is_native_or_a_forced_tool() {
    let schema = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/A" } }, "additionalProperties": false,
        "$defs": { "A": { "type": "integer", "minimum": 1 } } });
    let format =
        ResponseFormat::JsonSchema { name: Some("n".into()), description: None, schema, strict: None };
    let request = asking(Options { response_format: Some(format), ..Options::default() });
    let json_schema = &body(&request, CLAUDE)["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
    assert_eq!(json_schema["name"], "n");
    let schema: Value = serde_json::from_str(json_schema["schema"].as_str().unwrap()).unwrap();
    assert_eq!(schema["properties"]["a"]["description"], "Note: minimum value: 1.");

    let nova = body(&request, NOVA);
    let spec = &nova["toolConfig"]["tools"][0]["toolSpec"];
    assert_eq!(spec["name"], "json_tool_call");
    assert_eq!(
        spec["inputSchema"]["json"],
        json!({ "type": "object", "properties": { "a": { "type": "integer", "minimum": 1 } } })
    );
    assert_eq!(nova["toolConfig"]["toolChoice"], json!({ "tool": { "name": "json_tool_call" } }));
}

#[test]
fn a_thinking_budget_leaves_the_choice_to_the_model() {
    let request = with_tools(Options {
        reasoning: Some(Reasoning { budget_tokens: Some(2000), ..Reasoning::default() }),
        tool_choice: Some(ToolChoice::Required),
        ..Options::default()
    });
    assert_eq!(body(&request, CLAUDE)["toolConfig"]["toolChoice"], json!({ "auto": {} }));
}

#[test]
fn tools_of_the_past_are_told_in_words_where_none_is_declared() {
    let call = ToolCall { id: "c".into(), name: "get".into(), arguments: "{\"a\": 1}".into(), custom: false };
    let image = llm_types::Media::new(llm_types::MediaSource::Base64("AA".into()), Some("image/png".into()));
    let result = ToolResult {
        call_id: "c".into(),
        parts: vec![Part::text("20"), Part::new(PartKind::Image(image))],
        ..ToolResult::default()
    };
    let messages = vec![
        Message::user("Hi"),
        Message::new(Role::Assistant, vec![Part::text("ok"), Part::new(PartKind::ToolCall(call))]),
        Message::new(Role::Tool, vec![Part::new(PartKind::ToolResult(result))]),
    ];
    let mut request = ChatRequest { messages, ..ChatRequest::default() };
    let told = body(&request, CLAUDE);
    assert_eq!(told["messages"][1]["content"], json!([{ "text": "ok\n[tool call c: get({\"a\": 1})]" }]));
    assert_eq!(told["messages"][2]["content"][0], json!({ "text": "[tool result for c: 20]" }));
    assert_eq!(told["messages"][2]["content"][1]["image"]["format"], "png");
    request.tools.push(tool("get"));
    let blocks = body(&request, CLAUDE);
    assert_eq!(blocks["messages"][2]["content"][0]["toolResult"]["content"][0], json!({ "text": "20" }));
    assert_eq!(blocks["messages"][1]["content"][1]["toolUse"]["input"], json!({ "a": 1 }));
}

#[test]
fn what_is_not_in_the_dialect_is_refused_or_dropped() {
    let request = asking(Options { seed: Some(1), n: Some(2), ..Options::default() });
    assert_eq!(refused(&request, CLAUDE), "n");
    let mut dropping = target(CLAUDE);
    dropping.policy.drop = true;
    assert_eq!(body_for(&request, &dropping)["inferenceConfig"], json!({}));
    let mut allowing = target(CLAUDE);
    allowing.policy.allow = vec!["seed".into(), "n".into()];
    assert_eq!(body_for(&request, &allowing)["additionalModelRequestFields"], json!({ "n": 2, "seed": 1 }));
}

#[test]
fn beta_features_of_a_header_are_named_in_the_body() {
    let mut request = asking(Options::default());
    let asked = json!({ "anthropic-beta": "context-1m-2025-08-07, unknown-2020-01-01", "x-own": "1" });
    request.extra.keep("extra_headers", asked);
    request.extra.keep("anthropic_beta", json!(["mine"]));
    let encoded = encode(&request, &target(CLAUDE)).unwrap();
    assert_eq!(encoded.headers.len(), 1);
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(
        body["additionalModelRequestFields"]["anthropic_beta"],
        json!(["mine", "context-1m-2025-08-07"])
    );
    let other = encode(&request, &target(NOVA)).unwrap();
    let body: Value = serde_json::from_slice(&other.body).unwrap();
    assert_eq!(body["additionalModelRequestFields"]["anthropic_beta"], json!(["mine"]));
}

#[test]
fn claudes_own_tools_go_to_claude_in_its_own_form() {
    let value = json!({ "type": "computer_20250124", "name": "computer", "display_width_px": 10 });
    let kind = ToolKind::Native { dialect: "anthropic".into(), value: value.clone() };
    let request =
        ChatRequest { tools: vec![Tool { kind, ..tool("computer") }], ..asking(Options::default()) };
    let body = body(&request, CLAUDE);
    assert_eq!(body["additionalModelRequestFields"]["tools"], json!([value]));
    assert_eq!(body["additionalModelRequestFields"]["anthropic_beta"], json!(["computer-use-2025-01-24"]));
    assert_eq!(refused(&request, NOVA), "tools");
}

#[test]
fn titles_are_shown_where_the_caller_meant_them_for_the_model() {
    let mut media = llm_types::Media::new(llm_types::MediaSource::Text("t".into()), None);
    media.title = Some("Title".into());
    let mut request =
        ChatRequest::new("m", [Message::new(Role::User, vec![Part::new(PartKind::Document(media))])]);
    let name = |request: &ChatRequest| {
        body(request, CLAUDE)["messages"][0]["content"][0]["document"]["name"].clone()
    };
    assert!(name(&request).as_str().unwrap().starts_with("DocumentPDFmessages_"));
    request.native = Some(NativeFields { dialect: "anthropic".into(), ..NativeFields::default() });
    assert_eq!(name(&request), "Title");
}

#[test]
fn faults_of_a_request_are_named() {
    let cases = [
        (json!({}), "missing required parameter `messages`: expected an array of messages"),
        (json!({ "messages": [] }), "`messages`: expected at least one message, found none"),
        (
            json!({ "messages": [{ "role": "tool", "content": [] }] }),
            "`messages[0].role`: expected `user`, `assistant` or `system`, found the string `tool`",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": "x" }] }),
            "`messages[0].content`: expected an array, found the string `x`",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": [] }], "toolConfig": { "tools": [7] } }),
            "`toolConfig.tools[0]`: expected a tool, found the number `7`",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": [] }], "additionalModelRequestFields": { "top_k": "x" } }),
            "`additionalModelRequestFields.top_k`: expected a whole number from 0, found the string `x`",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(decode(body.to_string().as_bytes()).unwrap_err().message(), expected);
    }
    let silent = ChatRequest::new("m", [Message::system("a")]);
    assert_eq!(encode(&silent, &target(CLAUDE)).unwrap_err().param(), Some("messages"));
    let blank = body(&ChatRequest::new("m", [Message::user(" ")]), CLAUDE);
    assert_eq!(blank["messages"], json!([{ "role": "user", "content": [{ "text": "" }] }]));
}

#[test]
fn the_models_own_members_become_options() {
    let body = json!({
        "messages": [{ "role": "user", "content": [{ "text": "a" }] }],
        "additionalModelRequestFields": {
            "thinking": { "type": "adaptive" }, "output_config": { "effort": "low" }, "top_k": 3,
            "tool_choice": { "type": "auto", "disable_parallel_tool_use": true }, "other": 1,
        },
    });
    let request = decode(body.to_string().as_bytes()).unwrap();
    let reasoning = request.options.reasoning.unwrap();
    assert!(reasoning.adaptive && reasoning.effort == Some(ReasoningEffort::Low));
    assert_eq!((request.options.top_k, request.options.parallel_tool_calls), (Some(3), Some(false)));
    let native = request.native.unwrap().fields;
    assert_eq!(native.value("additionalModelRequestFields"), Some(&json!({ "other": 1 })));
}

#[test]
fn models_that_stream_no_tools_are_asked_for_whole_replies() {
    let path = |request: &ChatRequest, model: &str| {
        let request = ChatRequest { stream: true, ..request.clone() };
        encode(&request, &target(model)).unwrap().path
    };
    let plain = asking(Options::default());
    let schema = json!({ "type": "object", "properties": {} });
    let answer =
        ResponseFormat::JsonSchema { name: Some("a".into()), description: None, schema, strict: None };
    let shaped = asking(Options { response_format: Some(answer), ..Options::default() });
    let tools = with_tools(Options::default());
    for model in [LLAMA, "mistral.mistral-large-2407-v1:0", "us.writer.palmyra-x5-v1:0"] {
        assert!(path(&tools, model).ends_with("/converse"), "{model}");
        assert!(path(&plain, model).ends_with("/converse-stream"), "{model}");
    }
    assert!(path(&shaped, "us.deepseek.r1-v1:0").ends_with("/converse"), "the answer comes as a call");
    for model in [CLAUDE, NOVA, GPT_OSS, "cohere.command-r-plus-v1:0", "ai21.jamba-1-5-large-v1:0"] {
        assert!(path(&tools, model).ends_with("/converse-stream"), "{model}");
    }
}

#[test]
fn models_that_always_reason_cannot_be_told_not_to() {
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let request = asking(Options { reasoning: Some(off), ..Options::default() });
    for model in [GPT_OSS, "us.deepseek.r1-v1:0"] {
        assert_eq!(refused(&request, model), "thinking", "{model}");
    }
    assert!(body(&request, LLAMA).get("additionalModelRequestFields").is_none(), "it does not reason anyhow");
}
