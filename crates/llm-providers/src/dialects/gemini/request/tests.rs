//! What providers are sent, and what is refused.

use llm_types::{ErrorKind, Role};
use serde_json::{Value, json};

use crate::Target;
use crate::cloud::Cloud;
use crate::dialect::Dialect;
use crate::dialects::anthropic::Anthropic;
use crate::dialects::gemini::Gemini;
use crate::dialects::gemini::tests::target;
use crate::dialects::openai::chat::OpenaiChat;
use crate::dialects::tests::bench;

const FLASH: &str = "gemini-2.5-flash";
const THIRD: &str = "gemini-3-flash-preview";

fn encoded(dialect: &dyn Dialect, body: &Value, target: &Target) -> llm_types::Result<Value> {
    let mut body = body.clone();
    body["model"] = json!(target.model);
    let request = dialect.decode_request(&serde_json::to_vec(&body).unwrap())?;
    let encoded = Gemini.encode_request(&request, target)?;
    Ok(serde_json::from_slice(&encoded.body).unwrap())
}

fn openai(body: &Value, model: &str) -> llm_types::Result<Value> {
    encoded(&OpenaiChat, body, &target(model))
}

fn asked(more: &Value) -> Value {
    let mut body = json!({ "messages": [{ "role": "user", "content": "Hi" }] });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn penalties_of_the_third_generation_are_refused_where_the_record_says_so() {
    let vertex = |model: &str| {
        let mut target = bench::built_in("vertex_ai", model);
        target.cloud = Some(Cloud { project: Some("p".to_owned()), ..Cloud::default() });
        target.routed().for_model(|_| false)
    };
    let body = asked(&json!({ "presence_penalty": 0.5 }));
    let error = encoded(&OpenaiChat, &body, &vertex(THIRD)).unwrap_err();
    assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some("presence_penalty")));
    let sent = encoded(&OpenaiChat, &body, &vertex(FLASH)).unwrap();
    assert_eq!(sent["generationConfig"]["presencePenalty"], 0.5);
    assert_eq!(openai(&body, THIRD).unwrap()["generationConfig"].get("presencePenalty"), None, "left out");
}

#[test]
fn what_cannot_be_said_is_refused_or_dropped() {
    for (param, value) in [
        ("logit_bias", json!({ "1": 1 })),
        ("verbosity", json!("low")),
        ("store", json!(true)),
        ("prediction", json!({ "type": "content", "content": "x" })),
        ("audio", json!({ "voice": "Kore", "format": "pcm16" })),
        ("top_logprobs", json!(2)),
        ("reasoning_effort", json!("xhigh")),
    ] {
        let body = asked(&json!({ param: value }));
        let error = openai(&body, FLASH).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::Unsupported, Some(param)));
        let mut lenient = target(FLASH);
        lenient.policy.drop = true;
        let sent = encoded(&OpenaiChat, &body, &lenient).unwrap();
        assert_eq!(sent, json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] }), "{param}");
    }
}

#[test]
fn a_voice_is_sent_to_models_that_speak() {
    let body = asked(&json!({ "modalities": ["audio"], "audio": { "voice": "Kore", "format": "pcm16" } }));
    let sent = openai(&body, "gemini-2.5-flash-preview-tts").unwrap();
    let config = &sent["generationConfig"];
    assert_eq!(config["responseModalities"], json!(["AUDIO"]));
    assert_eq!(config["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"], "Kore");
}

#[test]
fn functions_beside_the_vendors_tools() {
    let tools = json!([{ "type": "function", "function": { "name": "f", "parameters": { "type": "object",
        "properties": { "a": { "type": "string" } } } } }, { "googleSearch": {} }]);
    let body = asked(&json!({ "tools": tools }));
    assert_eq!(openai(&body, FLASH).unwrap_err().param(), Some("tools"));
    let sent = openai(&body, THIRD).unwrap();
    assert_eq!(sent["tools"][1], json!({ "googleSearch": {} }));
    assert_eq!(sent["toolConfig"], json!({ "includeServerSideToolInvocations": true }));
}

#[test]
fn tools_of_others_become_the_vendors_where_they_say_the_same() {
    for (tool, expected) in [
        (json!({ "type": "web_search_20250305", "name": "web_search", "max_uses": 2 }), Some("googleSearch")),
        (json!({ "type": "web_search_preview" }), Some("googleSearch")),
        (json!({ "type": "code_execution_20250825", "name": "code_execution" }), Some("codeExecution")),
        (json!({ "google_search": {} }), Some("googleSearch")),
        (json!({ "type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.b"] }), None),
        (json!({ "type": "computer_use_preview" }), None),
    ] {
        let sent = openai(&asked(&json!({ "tools": [tool] })), FLASH);
        match expected {
            Some(name) => assert!(sent.unwrap()["tools"][0].get(name).is_some(), "{tool}"),
            None => assert_eq!(sent.unwrap_err().param(), Some("tools"), "{tool}"),
        }
    }
}

#[test]
fn only_allowed_functions_are_offered() {
    let function = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let allowed = |mode: &str| {
        let choice =
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": mode, "tools": [function("a")] } });
        openai(&asked(&json!({ "tools": [function("a"), function("b")], "tool_choice": choice })), FLASH)
            .unwrap()
    };
    let required = allowed("required");
    let calling = &required["toolConfig"]["functionCallingConfig"];
    assert_eq!(*calling, json!({ "mode": "ANY", "allowedFunctionNames": ["a"] }));
    let free = allowed("auto");
    assert_eq!(free["tools"][0]["functionDeclarations"], json!([{ "name": "a" }]));
    assert_eq!(free["toolConfig"]["functionCallingConfig"], json!({ "mode": "AUTO" }));
}

#[test]
fn parameters_go_where_the_vendor_takes_them() {
    let of = |schema: Value| {
        let tool = json!({ "type": "function", "function": { "name": "f", "parameters": schema } });
        openai(&asked(&json!({ "tools": [tool] })), FLASH).unwrap()["tools"][0]["functionDeclarations"][0]
            .clone()
    };
    let empty = json!({ "type": "object", "properties": {} });
    assert_eq!(of(empty.clone()), json!({ "name": "f", "parametersJsonSchema": empty }));
    let recursive =
        json!({ "$ref": "#/$defs/N", "$defs": { "N": { "properties": { "n": { "$ref": "#/$defs/N" } } } } });
    assert_eq!(of(recursive.clone())["parametersJsonSchema"], recursive);
}

#[test]
fn results_follow_their_calls_in_one_turn() {
    let call =
        |id: &str| json!({ "id": id, "type": "function", "function": { "name": "f", "arguments": "{}" } });
    let result = |id: &str, text: &str| json!({ "role": "tool", "tool_call_id": id, "content": text });
    let messages = json!([
        { "role": "user", "content": "Go" },
        { "role": "assistant", "content": "", "tool_calls": [call("a"), call("b")] },
        result("a", "1"), result("b", "{\"x\":2}"),
        { "role": "user", "content": "Well?" },
    ]);
    let sent = openai(&json!({ "messages": messages }), THIRD).unwrap();
    let contents = sent["contents"].as_array().unwrap();
    let roles: Vec<&Value> = contents.iter().map(|content| &content["role"]).collect();
    assert_eq!(roles, ["user", "model", "user", "user"]);
    let signatures: Vec<bool> = contents[1]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part.get("thoughtSignature").is_some())
        .collect();
    assert_eq!(signatures, [true, false], "the first call of a turn is signed");
    assert_eq!(
        contents[2]["parts"],
        json!([{ "functionResponse": { "id": "a", "name": "f", "response": { "content": "1" } } },
               { "functionResponse": { "id": "b", "name": "f", "response": { "x": 2 } } }])
    );
    let orphan = json!({ "messages": [{ "role": "user", "content": "Go" }, result("z", "1")] });
    assert_eq!(openai(&orphan, FLASH).unwrap_err().kind(), ErrorKind::BadRequest);
}

#[test]
fn signatures_come_back_with_the_id_or_beside_it() {
    let reply = br#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"c2ln"}]},
        "finishReason":"STOP"}],"responseId":"r"}"#;
    let reply = Gemini.decode_response(reply).unwrap();
    let llm_types::PartKind::ToolCall(call) = &reply.choices[0].message.parts[0].kind else {
        panic!("a call")
    };
    for callers in [&OpenaiChat as &dyn Dialect, &Anthropic] {
        let body = if callers.id() == crate::DialectId::Anthropic {
            json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": "Go" },
                { "role": "assistant", "content": [{ "type": "tool_use", "id": call.id, "name": "f", "input": {} }] },
                { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": call.id, "content": "1" }] }] })
        } else {
            json!({ "messages": [{ "role": "user", "content": "Go" },
                { "role": "assistant", "tool_calls": [{ "id": call.id, "type": "function",
                    "function": { "name": "f", "arguments": "{}" } }] },
                { "role": "tool", "tool_call_id": call.id, "content": "1" }] })
        };
        let sent = encoded(callers, &body, &target(THIRD)).unwrap();
        assert_eq!(sent["contents"][1]["parts"][0]["thoughtSignature"], "c2ln");
        let id = sent["contents"][1]["parts"][0]["functionCall"]["id"].as_str().unwrap();
        assert!(!id.contains("thought"), "{id}");
        assert_eq!(sent["contents"][2]["parts"][0]["functionResponse"]["id"], id);
    }
}

#[test]
fn other_vendors_get_ids_without_signatures() {
    let body = json!({ "messages": [{ "role": "assistant", "tool_calls": [{ "id": "call_1__thought__c2ln",
        "type": "function", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "call_1__thought__c2ln", "content": "1" }] });
    let mut request = OpenaiChat.decode_request(body.to_string().as_bytes()).unwrap();
    crate::dialects::gemini::take_signatures(&mut request);
    let text = serde_json::to_string(&request).unwrap();
    assert!(!text.contains("__thought__") && text.contains("c2ln"), "{text}");
}

#[test]
fn thinking_in_the_words_of_each_generation() {
    for (model, said, expected) in [
        (
            FLASH,
            json!({ "reasoning_effort": "low" }),
            json!({ "thinkingBudget": 1024, "includeThoughts": true }),
        ),
        (
            FLASH,
            json!({ "thinking": { "type": "disabled" } }),
            json!({ "thinkingBudget": 0, "includeThoughts": false }),
        ),
        (
            FLASH,
            json!({ "thinking": { "type": "adaptive" } }),
            json!({ "thinkingBudget": -1, "includeThoughts": true }),
        ),
        (
            "gemini-2.5-pro",
            json!({ "reasoning_effort": "none" }),
            json!({ "thinkingBudget": 128, "includeThoughts": false }),
        ),
        (
            THIRD,
            json!({ "reasoning_effort": "minimal" }),
            json!({ "thinkingLevel": "minimal", "includeThoughts": true }),
        ),
        (
            "gemini-3-pro-preview",
            json!({ "reasoning_effort": "minimal" }),
            json!({ "thinkingLevel": "low", "includeThoughts": true }),
        ),
    ] {
        let sent = openai(&asked(&said), model).unwrap();
        assert_eq!(sent["generationConfig"]["thinkingConfig"], expected, "{model} {said}");
    }
    let error = openai(&asked(&json!({ "reasoning_effort": "low" })), "gemini-2.0-flash").unwrap_err();
    assert_eq!(error.param(), Some("reasoning_effort"));
}

#[test]
fn models_without_system_instructions_are_told_by_the_user() {
    let body = json!({ "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hi" }] });
    let sent = openai(&body, "gemma-3-27b-it").unwrap();
    assert_eq!(
        sent,
        json!({ "contents": [{ "role": "user", "parts": [{ "text": "Be brief." }, { "text": "Hi" }] }] })
    );
    let sent = openai(&body, FLASH).unwrap();
    assert_eq!(sent["systemInstruction"], json!({ "parts": [{ "text": "Be brief." }] }));
}

#[test]
fn defaults_of_the_operator_fill_in_what_is_not_said() {
    let mut target = target(FLASH);
    target.defaults = json!({ "temperature": 0.1, "max_tokens": 9, "safety_settings": [{ "category": "C" }],
        "imageConfig": { "aspectRatio": "1:1" }, "cached_content": "cachedContents/x" })
    .as_object()
    .unwrap()
    .clone();
    target.policy.always_drop.push("top_p".to_owned());
    let sent = encoded(&OpenaiChat, &asked(&json!({ "temperature": 0.7, "top_p": 0.5 })), &target).unwrap();
    assert_eq!(
        sent["generationConfig"],
        json!({ "temperature": 0.7, "maxOutputTokens": 9, "imageConfig": { "aspectRatio": "1:1" } })
    );
    assert_eq!(sent["safetySettings"], json!([{ "category": "C" }]));
    assert_eq!(sent["cachedContent"], "cachedContents/x");
}

#[test]
fn results_without_ids_find_their_calls() {
    let call = |name: &str| json!({ "functionCall": { "name": name, "args": {} } });
    let result = |name: &str| json!({ "functionResponse": { "name": name, "response": { "output": name } } });
    let body = json!({ "contents": [
        { "role": "user", "parts": [{ "text": "Go" }] },
        { "role": "model", "parts": [call("a"), call("b"), call("a")] },
        { "role": "user", "parts": [result("b"), result("a"), result("a")] },
    ] });
    let request = Gemini.decode_request(body.to_string().as_bytes()).unwrap();
    let ids = |role: Role| -> Vec<&str> {
        let parts = request.messages.iter().filter(|message| message.role == role).flat_map(|m| &m.parts);
        parts
            .filter_map(|part| match &part.kind {
                llm_types::PartKind::ToolCall(call) => Some(call.id.as_str()),
                llm_types::PartKind::ToolResult(result) => Some(result.call_id.as_str()),
                _ => None,
            })
            .collect()
    };
    let calls = ids(Role::Assistant);
    assert_eq!(ids(Role::Tool), [calls[1], calls[0], calls[2]]);
}

#[test]
fn bad_requests_name_the_field() {
    for (body, param) in [
        (json!({}), "contents"),
        (json!({ "contents": [] }), "contents"),
        (json!({ "contents": [{ "role": "wizard", "parts": [] }] }), "contents[0].role"),
        (json!({ "contents": [{ "parts": [{ "text": 7 }] }] }), "contents[0].parts[0].text"),
        (
            json!({ "contents": [{ "parts": [{ "text": "" }] }], "generationConfig": { "topK": "x" } }),
            "generationConfig.topK",
        ),
        (
            json!({ "contents": [{ "parts": [] }], "toolConfig": { "functionCallingConfig": { "mode": "SOME" } } }),
            "toolConfig.functionCallingConfig.mode",
        ),
    ] {
        let error = Gemini.decode_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.param()), (ErrorKind::BadRequest, Some(param)), "{body}");
    }
}
