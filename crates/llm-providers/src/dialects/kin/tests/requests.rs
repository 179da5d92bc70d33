//! What each form sends.

use llm_types::Result;
use serde_json::{Value, json};

use crate::Target;
use crate::dialects::tests::bench::built_in;
use crate::dialects::{OPENAI_CHAT, dialect};

/// Path and body of what is sent for an OpenAI request.
pub(super) fn sent(case: &Value, target: &Target) -> Result<(String, Value)> {
    let request = OPENAI_CHAT.decode_request(case.to_string().as_bytes())?;
    let encoded = dialect(target.spec.dialect).encode_request(&request, target)?;
    Ok((encoded.path, serde_json::from_slice(&encoded.body).unwrap()))
}

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "look", "description": "d", "parameters": {"type": "object",
        "properties": {"city": {"type": "string", "enum": ["a", "b"]}, "n": {"type": "integer", "minimum": 1}}, "required": ["city"]}}}])
}

fn conversation() -> Value {
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": "{\"city\":\"a\"}"}});
    json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Two?"},
        {"role": "assistant", "content": "Looking.", "tool_calls": [call("c1"), call("c2")]},
        {"role": "tool", "tool_call_id": "c2", "content": "sun"},
        {"role": "tool", "tool_call_id": "c1", "content": "{\"t\":1}"},
        {"role": "user", "content": "And now?"},
    ])
}

#[test]
fn oracle_says_how_closely_to_look_in_capitals() {
    let part =
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,UE5H", "detail": "low"}});
    let case = json!({"model": "m", "messages": [{"role": "user", "content": [part]}]});
    let (_, body) = sent(&case, &built_in("oci", "meta.llama-4-maverick")).unwrap();
    let image = body.pointer("/chatRequest/messages/0/content/0/imageUrl").unwrap();
    assert_eq!(image["detail"], "LOW", "{body}");
}

#[test]
fn functions_are_called_one_by_one_each_before_its_result() {
    let case = json!({"model": "m", "messages": conversation(), "tools": tools(), "tool_choice": "required"});
    let (path, body) = sent(&case, &built_in("gigachat", "m")).unwrap();
    assert_eq!(path, "/chat/completions");
    let call = json!({"name": "look", "arguments": {"city": "a"}});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Two?"},
            {"role": "assistant", "content": "Looking.", "function_call": call},
            {"role": "function", "tool_call_id": "c1", "content": "{\"t\":1}"},
            {"role": "assistant", "content": "", "function_call": call},
            {"role": "function", "tool_call_id": "c2", "content": "\"sun\""},
            {"role": "user", "content": "And now?"},
        ])
    );
    assert_eq!((&body["function_call"], body.get("tools")), (&json!("auto"), None));
    assert_eq!(body["functions"][0]["name"], "look");
}

#[test]
fn a_flow_is_told_the_last_that_a_user_said_or_what_else_there_is() {
    let told = |messages: Value| {
        let mut flow = built_in("langflow", "flow-1");
        flow.base_url = "https://flows.example".to_owned();
        sent(&json!({"model": "m", "messages": messages}), &flow).unwrap().1["input_value"].clone()
    };
    assert_eq!(told(conversation()), "And now?");
    assert_eq!(told(json!([{"role": "system", "content": "Be brief."}])), "Be brief.");
}

#[test]
fn oracles_cohere_has_the_last_words_apart() {
    let case = json!({"model": "m", "messages": conversation(), "tools": tools(), "max_tokens": 9});
    let target = Target {
        spec: built_in("oci", "cohere.command-a").routed().spec,
        ..built_in("oci", "cohere.command-a")
    };
    let (path, body) = sent(&case, &target).unwrap();
    assert_eq!(path, "/20231130/actions/chat");
    let chat = &body["chatRequest"];
    let call = json!({"name": "look", "parameters": {"city": "a"}});
    assert_eq!(
        (&chat["message"], &chat["preambleOverride"], &chat["maxTokens"]),
        (&json!("And now?"), &json!("Be brief."), &json!(9))
    );
    assert_eq!(
        chat["chatHistory"],
        json!([
            {"role": "USER", "message": "Two?"},
            {"role": "CHATBOT", "message": "Looking.", "toolCalls": [call, call]},
            {"role": "TOOL", "toolResults": [{"call": call, "outputs": [{"output": "sun"}]}]},
            {"role": "TOOL", "toolResults": [{"call": call, "outputs": [{"output": "{\"t\":1}"}]}]},
        ])
    );
    let definitions = &chat["tools"][0]["parameterDefinitions"];
    assert_eq!(
        definitions["city"],
        json!({"description": "Allowed values: ['a', 'b']", "type": "str", "isRequired": true})
    );
    assert!(
        definitions["n"]["description"].as_str().unwrap().contains("\"minimum\":1"),
        "what a type cannot say is told"
    );
}

#[test]
fn what_a_form_cannot_say_is_refused_by_name_or_dropped() {
    let picture = json!([{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]);
    let with_picture = json!({"model": "m", "messages": [{"role": "user", "content": picture}]});
    let search = json!({"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": [{"type": "web_search_20250305", "name": "web_search"}]});
    let cohere = Target { spec: built_in("oci", "cohere.x").routed().spec, ..built_in("oci", "cohere.x") };
    for (target, case, param) in [
        (cohere.clone(), &with_picture, "messages"),
        (built_in("langflow", "m"), &with_picture, "messages"),
        (built_in("oci", "m").routed(), &search, "tools"),
        (cohere, &search, "tools"),
        (built_in("gigachat", "m"), &search, "tools"),
    ] {
        let slug = target.spec.id.clone();
        let error = sent(case, &target).unwrap_err();
        assert!(error.message().contains(&format!("`{param}`")), "{slug}: {error}");
        let mut dropping = target;
        dropping.policy.drop = true;
        sent(case, &dropping).unwrap_or_else(|error| panic!("{slug}: {error}"));
    }
}

#[test]
fn files_are_left_with_gigachat_before_the_call() {
    let target = built_in("gigachat", "m");
    let content = json!([
        {"type": "text", "text": "Which"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,UE5H"}},
        {"type": "file", "file": {"file_id": "6f0b"}},
        {"type": "text", "text": "one?"},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,UERG", "filename": "b.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "V0FW", "format": "wav"}},
    ]);
    let case = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
    let request = OPENAI_CHAT.decode_request(case.to_string().as_bytes()).unwrap();
    let encoded = dialect(target.spec.dialect).encode_request(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let message =
        json!({"role": "user", "content": "Which\none?", "attachments": [null, "6f0b", null, null]});
    assert_eq!(body["messages"], json!([message]), "ids come later, one is known");
    let left = encoded.beforehand.unwrap();
    let places: Vec<&str> = left.iter().map(|deposit| &*deposit.place).collect();
    let wanted = [0, 2, 3].map(|number| format!("/messages/0/attachments/{number}"));
    assert_eq!(places, wanted);
    let files = [
        "filename=\"file.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n",
        "filename=\"b.pdf\"\r\nContent-Type: application/pdf\r\n\r\nPDF\r\n",
        "filename=\"file.wav\"\r\nContent-Type: audio/wav\r\n\r\nWAV\r\n",
    ];
    for (deposit, file) in left.iter().zip(files) {
        let sent = deposit.leaving();
        let form = String::from_utf8_lossy(&sent.body).into_owned();
        assert_eq!(sent.path, "/files");
        assert!(form.contains(file) && form.contains("\r\n\r\ngeneral\r\n"), "{form:?}");
    }
}

#[test]
fn a_file_whose_bytes_are_not_there_is_refused_by_name() {
    for (url, found) in [
        ("https://example.com/a.png", "such as a URL"),
        ("data:image/png;base64,?", "not base64"),
        ("data:image/png,PNG", "without `;base64`"),
    ] {
        let part = json!({"type": "image_url", "image_url": {"url": url}});
        let case = json!({"model": "m", "messages": [{"role": "user", "content": [part]}]});
        let error = sent(&case, &built_in("gigachat", "m")).unwrap_err();
        assert_eq!(error.param(), Some("messages"), "{error}");
        assert!(error.message().contains(found), "{error}");
    }
}

#[test]
fn pictures_go_to_agents_as_files() {
    let picture = json!([{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]);
    let case = json!({"model": "m", "messages": [{"role": "user", "content": picture}], "temperature": 0.5});
    let (path, body) = sent(&case, &built_in("a2a", "m")).unwrap();
    assert_eq!(path, "", "an agent is at the base URL");
    let parts = &body["params"]["message"]["parts"];
    assert_eq!(parts[0], json!({"kind": "text", "text": "user: What?"}));
    assert_eq!(parts[1], json!({"kind": "file", "file": {"bytes": "AA==", "mimeType": "image/png"}}));
    let (_, again) = sent(&case, &built_in("a2a", "m")).unwrap();
    assert_ne!(body["id"], again["id"], "ids are of one request");
}

#[test]
fn agents_of_clouds_are_where_their_clouds_have_them() {
    let case = json!({"model": "m", "messages": conversation(), "temperature": 0.5});
    let arn = "agentcore/arn:aws:bedrock-agentcore:eu-west-1:1:runtime/hosted-1";
    let agentcore = built_in("bedrock", arn).routed();
    let (path, body) = sent(&case, &agentcore).unwrap();
    assert_eq!((path.as_str(), &body), ("/invocations", &json!({"prompt": "And now?"})));
    assert_eq!(agentcore.region(), "eu-west-1");
    assert_eq!(agentcore.base_url, "https://bedrock-agentcore.{region}.amazonaws.com");
    assert_eq!(agentcore.spec.cloud.identity, crate::cloud::Identity::Aws("bedrock-agentcore".into()));
    let (path, body) = sent(&case, &built_in("bedrock", "agent/A1/B2").routed()).unwrap();
    assert!(path.starts_with("/agents/A1/agentAliases/B2/sessions/") && path.ends_with("/text"), "{path}");
    assert_eq!(body["inputText"], "And now?");
    let error = sent(&case, &built_in("bedrock", "agent/A1").routed()).unwrap_err();
    assert!(error.message().contains("<alias id>"), "{error}");
    let (path, body) = sent(&case, &built_in("azure_ai", "agents/asst_1").routed()).unwrap();
    assert_eq!(
        (path.as_str(), &body["assistant_id"], &body["stream"]),
        ("/threads/runs", &json!("asst_1"), &json!(true))
    );
    assert_eq!(body["additional_instructions"], "Be brief.");
    assert_eq!(body["thread"]["messages"][0], json!({"role": "user", "content": "Two?"}));
}

#[test]
fn an_engine_is_given_the_last_words_at_its_place() {
    let case = json!({"model": "m", "user": "u-1", "messages": conversation()});
    for (model, want) in [
        (
            "agent_engine/42",
            "/v1/projects/proj-1/locations/us-central1/reasoningEngines/42:streamQuery?alt=sse",
        ),
        (
            "agent_engine/projects/p/locations/l/reasoningEngines/9",
            "/v1/projects/p/locations/l/reasoningEngines/9:streamQuery?alt=sse",
        ),
    ] {
        let mut target = built_in("vertex_ai", model);
        target.base_url = target.spec.full_base_url(None);
        target.cloud = Some(crate::Cloud { project: Some("proj-1".to_owned()), ..crate::Cloud::default() });
        target.key = Some(llm_types::Secret::new("k".to_owned()));
        let target = target.routed();
        let request = OPENAI_CHAT.decode_request(case.to_string().as_bytes()).unwrap();
        let encoded = dialect(target.spec.dialect).encode_request(&request, &target).unwrap();
        let request = crate::PreparedTarget::new(std::sync::Arc::new(target)).request(encoded).unwrap();
        assert_eq!(request.uri.path_and_query().unwrap(), want);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["input"], json!({"message": "And now?", "user_id": "u-1"}));
    }
}
