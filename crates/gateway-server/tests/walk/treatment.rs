//! What an entry of `model_list` says of how its calls are treated: marks for caches, thoughts as text, and the
//! protocol and the way they take.

use serde_json::{Value, json};

use crate::support::{Flow, Reply, Upstream, anthropic, gateway, openai};

const POINTS: &str = "cache_control_injection_points";

fn points() -> Value {
    json!({ POINTS: [{ "location": "message", "role": "system" }, { "location": "message", "index": -1 }] })
}

#[test]
fn prompts_are_marked_for_the_providers_cache() {
    let upstream = Upstream::always(anthropic::reply());
    let setup = gateway().model_at("c", "anthropic/claude-sonnet-4-5", &upstream.url(), &points());
    let gateway = setup.start();
    let mut request = openai::request("c");
    let system = json!({ "role": "system", "content": "Long rules" });
    request["messages"].as_array_mut().expect("a list").insert(0, system);
    gateway.chat(&request).send().expect(200);
    let mut own = anthropic::request("c");
    own["system"] = json!("Long rules");
    gateway.post(anthropic::PATH).key(crate::support::MASTER).json(&own).send().expect(200);
    for seen in upstream.seen() {
        let sent = seen.json();
        let mark = json!({ "type": "ephemeral" });
        assert_eq!(sent["system"][0]["cache_control"], mark, "{sent}");
        let last = sent["messages"].as_array().expect("a list").last().expect("a message");
        assert_eq!(last["content"][0]["cache_control"], mark, "{sent}");
        assert!(sent.get(POINTS).is_none(), "{sent}");
    }
}

#[test]
fn providers_without_such_marks_get_none() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model_at("c", "openai/gpt-4o-mini", &upstream.url(), &points()).start();
    gateway.chat(&openai::request("c")).send().expect(200);
    let sent = upstream.only().json();
    assert_eq!(sent["messages"], openai::request("c")["messages"]);
    assert!(sent.get(POINTS).is_none(), "{sent}");
}

fn thought(text: &str) -> String {
    let delta = json!({ "reasoning_content": text });
    let choices = json!([{ "index": 0, "delta": delta, "finish_reason": null }]);
    openai::frame(&json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
                           "model": "deepseek-reasoner", "choices": choices }))
}

/// The texts and thoughts of a stream of chats.
fn told(body: &str) -> (String, String) {
    let (mut text, mut thoughts) = (String::new(), String::new());
    for data in body.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
        let frame: Value = serde_json::from_str(data).expect("a frame of JSON");
        let delta = &frame["choices"][0]["delta"];
        text.push_str(delta["content"].as_str().unwrap_or_default());
        thoughts.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
    }
    (text, thoughts)
}

#[test]
fn thoughts_are_told_as_text_where_the_operator_wants_it() {
    let stream = Reply::stream().then(thought("Let me ")).then(thought("see")).then(openai::piece("Four"));
    let upstream = Upstream::always(stream.then(openai::finish()));
    for (wanted, expected) in [(true, ("<think>Let me see</think>Four", "")), (false, ("Four", "Let me see"))]
    {
        let more = json!({ "merge_reasoning_content_in_choices": wanted });
        let setup = gateway().model_at("r", "deepseek/deepseek-reasoner", &upstream.url(), &more);
        let gateway = setup.start();
        let answer = Flow::read(gateway.chat(&openai::streamed("r")).begin()).rest();
        assert_eq!(answer.status, 200);
        let body = answer.text();
        let (text, thoughts) = told(&body);
        assert_eq!((&*text, &*thoughts), expected, "{body}");
        assert!(body.ends_with("data: [DONE]\n\n"), "{body}");
    }
}

#[test]
fn responses_are_made_of_chats_where_the_operator_wants_it() {
    let upstream = Upstream::always(openai::reply());
    let more = json!({ "use_chat_completions_api": true });
    let gateway = gateway().model_at("m", "openai/gpt-4o-mini", &upstream.url(), &more).start();
    let request = json!({ "model": "m", "input": "Say hello." });
    let call = gateway.post("/v1/responses").key(crate::support::MASTER).json(&request);
    let answer = call.send().expect(200).json();
    assert_eq!(answer["output"][0]["content"][0]["text"], "Hello there.", "{answer}");
    assert!(upstream.only().path.ends_with("/chat/completions"), "{}", upstream.only().path);
}

#[test]
fn a_further_gateway_is_told_the_whole_name() {
    let upstream = Upstream::always(openai::reply());
    let more = json!({ "use_litellm_proxy": true });
    let setup = gateway().model_at("m", "bedrock/amazon.nova-pro-v1:0", &upstream.url(), &more);
    let named = json!({ "use_litellm_proxy": true, "custom_llm_provider": "vertex_ai" });
    let gateway = setup.model_at("n", "gemini-2.5-pro", &upstream.url(), &named).start();
    for (model, sent) in [("m", "bedrock/amazon.nova-pro-v1:0"), ("n", "vertex_ai/gemini-2.5-pro")] {
        gateway.chat(&openai::request(model)).send().expect(200);
        let seen = upstream.seen().pop().expect("a request");
        assert_eq!(seen.json()["model"], sent);
        assert!(seen.path.ends_with("/chat/completions"), "{}", seen.path);
    }
}
