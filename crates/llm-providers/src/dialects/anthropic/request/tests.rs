//! Requests: what callers may say, and what providers get for it.

use http::HeaderMap;
use llm_types::{
    ChatRequest, ErrorKind, Message, Part, PartKind, Reasoning, ReasoningEffort, ResponseFormat, Role, Tool,
    ToolCall, ToolChoice, ToolKind, ToolResult,
};
use serde_json::{Value, json};

use super::super::tests::target;
use super::{decode, encode};

fn hello() -> ChatRequest {
    ChatRequest::new("m", [Message::user("Hello")])
}

fn sent_to(request: &ChatRequest, model: &str) -> Value {
    serde_json::from_slice(&encode(request, &target(model)).unwrap().body).unwrap()
}

fn sent(request: &ChatRequest) -> Value {
    sent_to(request, "claude-sonnet-4-5")
}

fn headers(request: &ChatRequest) -> HeaderMap {
    encode(request, &target("claude-sonnet-4-5")).unwrap().headers
}

fn refused(request: &ChatRequest, model: &str) -> (ErrorKind, String) {
    let error = encode(request, &target(model)).unwrap_err();
    (error.kind(), error.param().unwrap_or_default().to_owned())
}

#[test]
fn the_dialect_demands_a_limit() {
    assert_eq!(sent(&hello())["max_tokens"], 64000);
    assert_eq!(sent_to(&hello(), "claude-opus-5")["max_tokens"], 128_000);
    assert_eq!(sent_to(&hello(), "somebody-elses")["max_tokens"], 4096);
    let mut request = hello();
    request.options.max_tokens = Some(9);
    assert_eq!(sent(&request)["max_tokens"], 9);
}

#[test]
fn turns_alternate_and_results_come_first() {
    let call = |id: &str| {
        let call =
            ToolCall { id: id.to_owned(), name: "t".to_owned(), arguments: "{}".to_owned(), custom: false };
        Part::new(PartKind::ToolCall(call))
    };
    let result = |id: &str| {
        let result =
            ToolResult { call_id: id.to_owned(), parts: vec![Part::text("ok")], ..ToolResult::default() };
        Message::new(Role::Tool, vec![Part::new(PartKind::ToolResult(result))])
    };
    let request = ChatRequest::new(
        "m",
        [
            Message::system("One."),
            Message::new(Role::Developer, vec![Part::text("Two."), Part::text("")]),
            Message::user("a"),
            Message::user("b"),
            Message::new(Role::Assistant, vec![call("1"), call("2")]),
            Message::user("while you wait"),
            result("1"),
            result("2"),
            Message::assistant(""),
            Message::user("c"),
            Message::assistant("d  \n"),
        ],
    );
    let text = |text: &str| json!({ "type": "text", "text": text });
    let use_of = |id: &str| json!({ "type": "tool_use", "id": id, "name": "t", "input": {} });
    let result_of = |id: &str| json!({ "type": "tool_result", "tool_use_id": id, "content": "ok" });
    let body = sent(&request);
    assert_eq!(body["system"], json!([text("One."), text("Two.")]));
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": [text("a"), text("b")] },
            { "role": "assistant", "content": [use_of("1"), use_of("2")] },
            { "role": "user", "content": [result_of("1"), result_of("2"), text("while you wait"), text("c")] },
            { "role": "assistant", "content": [text("d")] },
        ])
    );
    // A conversation with calls must declare tools: those called, and none may be called again.
    assert_eq!(body["tools"][0]["name"], "t");
    assert_eq!(body["tool_choice"], json!({ "type": "none" }));
}

#[test]
fn late_system_messages_go_where_the_model_takes_them() {
    let request = ChatRequest::new(
        "m",
        [Message::user("a"), Message::assistant("b"), Message::system("Now be rude."), Message::user("c")],
    );
    let roles = |model: &str| {
        let body = sent_to(&request, model);
        let messages = body["messages"].as_array().unwrap();
        messages.iter().map(|message| message["role"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(roles("claude-sonnet-5"), ["user", "assistant", "user", "system"]);
    assert_eq!(roles("claude-sonnet-4-5"), ["user", "assistant", "user"]);
    let body = sent(&request);
    let said: Vec<_> =
        body["messages"][2]["content"].as_array().unwrap().iter().map(|part| &part["text"]).collect();
    assert_eq!(said[1..], [&json!("Now be rude."), &json!("c")]);
}

#[test]
fn only_system_messages_are_no_conversation() {
    let request = ChatRequest::new("m", [Message::system("Be brief.")]);
    assert_eq!(refused(&request, "claude-sonnet-4-5"), (ErrorKind::BadRequest, "messages".to_owned()));
    let request = ChatRequest::new("m", [Message::user("")]);
    assert_eq!(
        sent(&request)["messages"],
        json!([{ "role": "user", "content": [{ "type": "text", "text": "" }] }])
    );
}

fn thinking(reasoning: Reasoning, max_tokens: Option<u64>, model: &str) -> Value {
    let mut request = hello();
    request.options.reasoning = Some(reasoning);
    request.options.max_tokens = max_tokens;
    let body = sent_to(&request, model);
    json!([body["thinking"], body["output_config"]["effort"], body["max_tokens"]])
}

fn effort(effort: ReasoningEffort) -> Reasoning {
    Reasoning { effort: Some(effort), ..Reasoning::default() }
}

fn budget(tokens: u64) -> Reasoning {
    Reasoning { enabled: Some(true), budget_tokens: Some(tokens), ..Reasoning::default() }
}

#[test]
fn thinking_is_asked_for_as_the_model_takes_it() {
    let (old, both, new) = ("claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-4-7");
    let enabled = |tokens: u64| json!({ "type": "enabled", "budget_tokens": tokens });
    let summarized = json!({ "type": "adaptive", "display": "summarized" });
    let adaptive = Reasoning { adaptive: true, ..Reasoning::default() };
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    assert_eq!(thinking(effort(ReasoningEffort::High), None, old), json!([enabled(4096), null, 8192]));
    assert_eq!(thinking(effort(ReasoningEffort::High), None, both), json!([summarized, "high", 128_000]));
    assert_eq!(thinking(effort(ReasoningEffort::Minimal), None, new), json!([summarized, "low", 128_000]));
    assert_eq!(thinking(effort(ReasoningEffort::XHigh), None, both), json!([summarized, "high", 128_000]));
    assert_eq!(thinking(budget(2048), Some(4096), old), json!([enabled(2048), null, 4096]));
    assert_eq!(thinking(budget(2048), Some(4096), both), json!([enabled(2048), null, 4096]));
    assert_eq!(thinking(budget(2048), Some(4096), new), json!([{ "type": "adaptive" }, "medium", 4096]));
    assert_eq!(thinking(adaptive.clone(), None, new), json!([{ "type": "adaptive" }, null, 128_000]));
    assert_eq!(thinking(adaptive, None, old), json!([enabled(2048), null, 6144]));
    assert_eq!(thinking(off.clone(), None, old), json!([{ "type": "disabled" }, null, 64000]));
    assert_eq!(thinking(off, None, "claude-opus-5-5"), json!([null, null, 128_000]));
    assert_eq!(thinking(effort(ReasoningEffort::None), None, old), json!([null, null, 64000]));
}

#[test]
fn the_limit_stays_above_the_budget() {
    let old = "claude-sonnet-4-5";
    let check = |asked: u64, limit: u64, written: u64, max: u64| {
        let wire = json!({ "type": "enabled", "budget_tokens": written });
        assert_eq!(thinking(budget(asked), Some(limit), old), json!([wire, null, max]));
    };
    check(2000, 2001, 2000, 2001);
    check(4000, 4000, 2000, 4000);
    check(4000, 1500, 1024, 1500);
    check(4000, 100, 1024, 1124);
    check(4000, 0, 1024, 1025);
    check(10, 5000, 1024, 5000);
}

#[test]
fn models_without_thinking_refuse_it() {
    let mut request = hello();
    request.options.reasoning = Some(effort(ReasoningEffort::Low));
    assert_eq!(
        refused(&request, "claude-3-5-sonnet-20241022"),
        (ErrorKind::Unsupported, "reasoning_effort".to_owned())
    );
}

#[test]
fn a_schema_for_the_answer() {
    let mut request = hello();
    request.options.response_format = Some(ResponseFormat::JsonSchema {
        name: None,
        description: None,
        schema: json!({ "type": "object", "properties": { "age": { "type": "integer", "minimum": 1, "description": "Years." } } }),
        strict: None,
    });
    let exact = json!({ "type": "object", "additionalProperties": false,
        "properties": { "age": { "type": "integer", "description": "Years. Note: minimum value: 1." } } });
    assert_eq!(sent(&request)["output_format"], json!({ "type": "json_schema", "schema": exact }));
    assert_eq!(headers(&request)["anthropic-beta"], "structured-outputs-2025-11-13");

    let body = sent_to(&request, "claude-3-5-sonnet-20241022");
    assert_eq!(body["tools"][0]["name"], "json_tool_call");
    assert_eq!(body["tool_choice"], json!({ "type": "tool", "name": "json_tool_call" }));
}

#[test]
fn schemas_keep_their_meaning() {
    let check = |schema: Value, expect: Value| assert_eq!(super::schema::exact(&schema), expect);
    check(
        json!({ "oneOf": [{ "type": "string", "pattern": "^a" }, { "$ref": "#/$defs/N" }],
            "$defs": { "N": { "type": "number", "exclusiveMinimum": 0 } }, "$schema": "x" }),
        json!({ "anyOf": [{ "type": "string", "description": "Note: pattern: ^a." },
            { "type": "number", "description": "Note: above: 0." }] }),
    );
    // A property may be called like a keyword, and an example may hold one.
    check(
        json!({ "type": "object", "properties": { "minimum": { "type": "string", "enum": ["minimum"] } } }),
        json!({ "type": "object", "properties": { "minimum": { "type": "string", "enum": ["minimum"] } },
            "additionalProperties": false }),
    );
    // A definition that refers to itself cannot be written out.
    let tree = json!({ "type": "object", "properties": { "child": { "$ref": "#/$defs/T" } }, "additionalProperties": false });
    let whole = super::schema::exact(&json!({ "$ref": "#/$defs/T", "$defs": { "T": tree } }));
    assert_eq!(whole["properties"]["child"], json!({ "$ref": "#/$defs/T" }));
}

fn tool(name: &str) -> Tool {
    let kind = ToolKind::Function { parameters: None };
    let extra = llm_types::Extra::default();
    Tool { name: name.to_owned(), description: None, kind, strict: Some(true), cache: None, extra }
}

#[test]
fn tools_and_the_choice_among_them() {
    let mut request = hello();
    request.tools = vec![tool("a"), tool("b")];
    let body = sent(&request);
    let schema = json!({ "type": "object", "properties": {} });
    assert_eq!(body["tools"][0], json!({ "name": "a", "input_schema": schema, "type": "custom" }));
    assert!(body.get("tool_choice").is_none());

    let choose = |choice: Option<ToolChoice>, parallel: Option<bool>| {
        let mut request = request.clone();
        request.options.tool_choice = choice;
        request.options.parallel_tool_calls = parallel;
        sent(&request)["tool_choice"].clone()
    };
    assert_eq!(choose(Some(ToolChoice::Auto), None), json!({ "type": "auto" }));
    assert_eq!(choose(Some(ToolChoice::Required), None), json!({ "type": "any" }));
    assert_eq!(choose(Some(ToolChoice::None), Some(false)), json!({ "type": "none" }));
    let named = ToolChoice::Tool("b".to_owned());
    assert_eq!(
        choose(Some(named.clone()), Some(false)),
        json!({ "type": "tool", "name": "b", "disable_parallel_tool_use": true })
    );
    assert_eq!(choose(None, Some(false)), json!({ "type": "auto", "disable_parallel_tool_use": true }));

    request.options.tool_choice = Some(ToolChoice::Among { tools: vec!["b".to_owned()], required: true });
    let body = sent(&request);
    assert_eq!((body["tools"].as_array().unwrap().len(), &body["tools"][0]["name"]), (1, &json!("b")));
    assert_eq!(body["tool_choice"], json!({ "type": "any" }));

    request.options.tool_choice = Some(named);
    assert_eq!(refused(&request, "claude-sonnet-5-5"), (ErrorKind::Unsupported, "tool_choice".to_owned()));
    let mut target = target("claude-sonnet-5-5");
    target.policy.drop = true;
    let body: Value = serde_json::from_slice(&encode(&request, &target).unwrap().body).unwrap();
    assert_eq!(body["tool_choice"], json!({ "type": "auto" }));
}

#[test]
fn what_the_dialect_lacks_is_refused_dropped_or_passed() {
    let mut request = hello();
    request.options.seed = Some(7);
    request.options.n = Some(1);
    request.options.presence_penalty = Some(0.0);
    assert_eq!(refused(&request, "claude-sonnet-4-5"), (ErrorKind::Unsupported, "seed".to_owned()));
    let with = |change: &dyn Fn(&mut crate::ParamPolicy)| {
        let mut target = target("claude-sonnet-4-5");
        change(&mut target.policy);
        let body: Value = serde_json::from_slice(&encode(&request, &target).unwrap().body).unwrap();
        body.get("seed").cloned()
    };
    assert_eq!(with(&|policy| policy.drop = true), None);
    assert_eq!(with(&|policy| policy.always_drop = vec!["seed".to_owned()]), None);
    assert_eq!(with(&|policy| policy.allow = vec!["seed".to_owned()]), Some(json!(7)));
}

#[test]
fn defaults_fill_what_the_caller_left_open() {
    let mut request = hello();
    request.options.temperature = Some(0.1);
    request.extra.keep("extra_body", json!({ "a": 1 }));
    request.extra.keep("extra_headers", json!({ "x-custom": "1", "x-api-key": "stolen" }));
    let mut target = target("claude-sonnet-4-5");
    for (name, value) in [
        ("temperature", json!(0.9)),
        ("max_tokens", json!(77)),
        ("a", json!(2)),
        ("b", json!(3)),
        ("stop", json!("X")),
    ] {
        target.defaults.insert(name.to_owned(), value);
    }
    let encoded = encode(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.1), &json!(77)));
    assert_eq!((&body["a"], &body["b"], &body["stop_sequences"]), (&json!(1), &json!(3), &json!(["X"])));
    assert_eq!(encoded.headers["x-custom"], "1");
    assert!(encoded.headers.get("x-api-key").is_none());
}

#[test]
fn personal_data_is_no_user_id() {
    let user = |user: &str| {
        let mut request = hello();
        request.options.user = Some(user.to_owned());
        sent(&request).get("metadata").cloned()
    };
    assert_eq!(user("u-123"), Some(json!({ "user_id": "u-123" })));
    assert_eq!(user("12345678"), Some(json!({ "user_id": "12345678" })));
    assert_eq!(user("bo@example.org"), None);
    assert_eq!(user("+49 170 1234567"), None);
}

#[test]
fn features_are_named() {
    let beta = |body: Value| {
        let mut whole =
            json!({ "model": "m", "max_tokens": 1, "messages": [{ "role": "user", "content": "Hi" }] });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let request = decode(whole.to_string().as_bytes()).unwrap();
        headers(&request).get("anthropic-beta").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(beta(json!({})), None);
    assert_eq!(
        beta(json!({ "tools": [{ "type": "web_fetch_20250910", "name": "web_fetch" }, { "type": "memory_20250818", "name": "memory" }] })).as_deref(),
        Some("context-management-2025-06-27,web-fetch-2025-09-10")
    );
    assert_eq!(beta(json!({ "mcp_servers": [] })).as_deref(), Some("mcp-client-2025-11-20"));
    let file = json!([{ "type": "document", "source": { "type": "file", "file_id": "f" } }]);
    assert_eq!(
        beta(json!({ "messages": [{ "role": "user", "content": file }] })).as_deref(),
        Some("files-api-2025-04-14")
    );
}

#[test]
fn faults_of_callers_name_their_place() {
    let check = |body: Value, param: &str, message: &str| {
        let error = decode(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(
            (error.kind(), error.param(), error.message()),
            (ErrorKind::BadRequest, Some(param), message)
        );
    };
    let with = |name: &str, value: Value| {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
        body[name] = value;
        body
    };
    check(json!({}), "model", "missing required parameter `model`: expected a string");
    check(
        json!({ "model": "m" }),
        "messages",
        "missing required parameter `messages`: expected an array of messages",
    );
    check(with("messages", json!([])), "messages", "`messages`: expected at least one message, found none");
    check(
        with("messages", json!([{ "role": "tool", "content": "x" }])),
        "messages[0].role",
        "`messages[0].role`: expected `user`, `assistant` or `system`, found the string `tool`",
    );
    check(
        with("messages", json!([{ "role": "user" }])),
        "messages[0].content",
        "missing required parameter `messages[0].content`: expected a string or an array of content blocks",
    );
    check(
        with("temperature", json!("hot")),
        "temperature",
        "`temperature`: expected a number, found the string `hot`",
    );
    check(
        with("tool_choice", json!({ "type": "some" })),
        "tool_choice.type",
        "`tool_choice.type`: expected `auto`, `any`, `tool` or `none`, found the string `some`",
    );
    check(
        with("tools", json!([{ "description": "d" }])),
        "tools[0].name",
        "missing required parameter `tools[0].name`: expected a string",
    );
    check(
        with("output_config", json!({ "effort": "huge" })),
        "output_config.effort",
        "`output_config.effort`: expected `low`, `medium`, `high`, `xhigh` or `max`, found the string `huge`",
    );
    assert!(decode(b"{").unwrap_err().message().starts_with("the body is not valid JSON"));
}

#[test]
fn content_the_dialect_lacks_is_named() {
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": [
        { "type": "text", "text": "Hear" },
        { "type": "input_audio", "input_audio": { "data": "AAAA", "format": "wav" } },
    ] }] });
    let openai = crate::dialects::dialect(crate::DialectId::OpenaiChat);
    let request = openai.decode_request(body.to_string().as_bytes()).unwrap();
    let error = encode(&request, &target("claude-sonnet-4-5")).unwrap_err();
    assert_eq!(
        error.message(),
        "audio input in `messages` is not supported by this model's provider; leave it out or set `drop_params`"
    );
    let mut target = target("claude-sonnet-4-5");
    target.policy.drop = true;
    let body: Value = serde_json::from_slice(&encode(&request, &target).unwrap().body).unwrap();
    assert_eq!(body["messages"][0]["content"], json!([{ "type": "text", "text": "Hear" }]));
}

#[test]
fn a_vendor_takes_fewer_parameters_and_functions_without_a_type() {
    let quirks = crate::Quirks {
        unsupported: vec!["response_format".into(), "stop".into(), "user".into()].into(),
        untyped_tools: true,
        ..crate::Quirks::NONE
    };
    let at = |drop: bool| {
        let mut target = target("claude-3-5-sonnet");
        target.spec =
            std::sync::Arc::new(crate::ProviderSpec { quirks: quirks.clone(), ..(*target.spec).clone() });
        target.policy.drop = drop;
        target
    };
    let mut request = hello();
    request.tools = vec![tool("a")];
    request.options.user = Some("u".into());
    let body: Value = serde_json::from_slice(&encode(&request, &at(false)).unwrap().body).unwrap();
    let schema = json!({ "type": "object", "properties": {} });
    assert_eq!(body["tools"][0], json!({ "name": "a", "input_schema": schema }));
    assert!(body.get("metadata").is_none(), "the end user is left out without a word: {body}");

    request.options.stop = vec!["X".into()];
    let error = encode(&request, &at(false)).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("stop")));
    let dropped: Value = serde_json::from_slice(&encode(&request, &at(true)).unwrap().body).unwrap();
    assert!(dropped.get("stop_sequences").is_none(), "{dropped}");
}
