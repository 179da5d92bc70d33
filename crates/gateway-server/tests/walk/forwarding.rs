//! Caller and provider speak one dialect: bytes in are bytes out, whole and streamed.

use serde_json::json;

use crate::support::{MASTER, Reply, Upstream, anthropic, gateway, openai};

/// Odd spacing, an unknown member, escapes and numbers that a JSON library would write another way.
const ODD_REQUEST: &str = "{ \"model\" :\"gpt-4o-mini\",\n\t\"messages\":[ {\"role\":\"user\",\
                           \"content\":\"h\\u00e9 \\/ \\ud83d\\ude00\"}],\"temperature\":1.0e0,\"x_vendor\":{\"b\":1,\"a\":2}}";

const ODD_ANSWER: &str = "{\"id\":\"chatcmpl-1\" ,\"object\":\"chat.completion\",\"created\":1,\
                          \"model\":\"gpt-4o-mini-2024\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\
                          \"content\":\"\\u0068i\\/\"},\"finish_reason\":\"stop\"}],\"x_vendor\":1.50,\
                          \"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20,\"total_tokens\":30}}\n";

#[test]
fn a_body_goes_to_the_provider_as_it_came() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("gpt-4o-mini", "openai/gpt-4o-mini", &upstream).start();
    gateway.post(openai::PATH).key(MASTER).body(ODD_REQUEST).send().expect(200);
    let seen = upstream.only();
    assert_eq!(String::from_utf8_lossy(&seen.body), ODD_REQUEST);
    assert_eq!(seen.path, "/chat/completions");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("authorization"), Some("Bearer sk-provider-secret-7a8b9c"));
}

#[test]
fn only_the_model_is_replaced() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let asked = ODD_REQUEST.replace("gpt-4o-mini", "fast");
    gateway.post(openai::PATH).key(MASTER).body(asked).send().expect(200);
    assert_eq!(String::from_utf8_lossy(&upstream.only().body), ODD_REQUEST);
}

#[test]
fn an_answer_comes_back_as_it_is() {
    let upstream = Upstream::always(Reply::body(200, "application/json", ODD_ANSWER));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let answer = gateway.chat(&openai::request("fast")).send().expect(200);
    assert_eq!(answer.text(), ODD_ANSWER);
    assert_eq!(answer.must("content-type"), "application/json");
    assert!(answer.whole);
}

#[test]
fn a_stream_comes_back_as_it_is() {
    let frames = [": ping\n\n".to_owned(), openai::piece("Hel"), openai::piece("lo"), openai::finish()];
    let upstream = Upstream::always(frames.iter().fold(Reply::stream(), |reply, f| reply.then(f.as_str())));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let mut asked = openai::streamed("fast");
    asked["stream_options"] = json!({ "include_usage": true });
    let answer = gateway.chat(&asked).send().expect(200);
    assert_eq!(answer.text(), frames.concat());
    assert!(answer.must("content-type").starts_with("text/event-stream"));
    assert!(answer.whole);
}

#[test]
fn usage_is_asked_for_and_withheld_from_callers_who_did_not_ask() {
    let upstream = Upstream::always(openai::stream());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let answer = gateway.chat(&openai::streamed("fast")).send().expect(200);
    assert_eq!(upstream.only().json()["stream_options"], json!({ "include_usage": true }));
    assert!(!answer.text().contains("prompt_tokens"), "{}", answer.text());
    assert_eq!(answer.frames().last().map(String::as_str), Some("[DONE]"));
}

#[test]
fn anthropic_bodies_and_streams_pass_as_they_are() {
    let upstream = Upstream::in_turn([anthropic::reply(), anthropic::stream()]);
    let gateway = gateway().model("claude", "anthropic/claude-sonnet-4-5", &upstream).start();
    let asked = anthropic::request("claude").to_string();
    let call = gateway.post(anthropic::PATH).header("x-api-key", MASTER);
    let answer = call.clone().body(asked.as_str()).send().expect(200);
    assert_eq!(answer.text(), anthropic::answer().to_string());
    let streamed = call.json(&anthropic::streamed("claude")).send().expect(200);
    let expected = [anthropic::start(), anthropic::piece("Hello"), anthropic::piece(" there.")].concat();
    assert_eq!(streamed.text(), expected + &anthropic::finish());

    let seen = &upstream.seen()[0];
    assert_eq!(String::from_utf8_lossy(&seen.body), asked.replace("\"claude\"", "\"claude-sonnet-4-5\""));
    assert_eq!(seen.path, "/v1/messages");
    assert_eq!(seen.header("x-api-key"), Some("sk-provider-secret-7a8b9c"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.header("authorization"), None);
}

#[test]
fn streamed_bytes_leave_when_they_arrive() {
    let gate = crate::support::Gate::default();
    let held = Reply::stream().then(openai::piece("first")).hold(&gate).then(openai::finish());
    let upstream = Upstream::always(held);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let mut flow = gateway.chat(&openai::streamed("fast")).open();
    flow.until("first");
    assert!(!flow.so_far().text().contains("[DONE]"));
    gate.open();
    assert!(flow.rest().text().ends_with("data: [DONE]\n\n"));
}

#[test]
fn anthropic_callers_keep_their_version_and_beta_features() {
    let upstream = Upstream::always(anthropic::reply());
    let more = json!({ "extra_headers": { "anthropic-beta": "operator-1" } });
    let setup = gateway().model_at("claude", "anthropic/claude-sonnet-4-5", &upstream.url(), &more);
    let gateway = setup.start();
    let call = gateway.post("/v1/messages?beta=true").header("x-api-key", MASTER);
    let call = call.header("anthropic-version", "2026-10-21").header("anthropic-beta", "files-1, skills-2");
    call.json(&anthropic::request("claude")).send().expect(200);
    let seen = upstream.only();
    assert_eq!(seen.header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(seen.header("anthropic-beta"), Some("operator-1,files-1,skills-2"));
}

#[test]
fn beta_features_reach_anthropic_from_chat_callers_and_nobody_else() {
    let (claude, other) = (Upstream::always(anthropic::reply()), Upstream::always(openai::reply()));
    let setup = gateway().model("claude", "anthropic/claude-sonnet-4-5", &claude);
    let gateway = setup.model("other", "openai/gpt-4o-mini", &other).start();
    for model in ["claude", "other"] {
        gateway.chat(&openai::request(model)).header("anthropic-beta", "context-1m").send().expect(200);
    }
    assert_eq!(claude.only().header("anthropic-beta"), Some("context-1m"));
    assert_eq!(other.only().header("anthropic-beta"), None);
}

#[test]
fn an_operators_sampling_stays_out_of_versions_that_refuse_it() {
    let upstream = Upstream::always(anthropic::reply());
    let more = json!({ "temperature": 0.5 });
    let setup = gateway().model_at("claude", "anthropic/claude-sonnet-4-5", &upstream.url(), &more);
    let gateway = setup.start();
    let call = gateway.post(anthropic::PATH).header("x-api-key", MASTER).json(&anthropic::request("claude"));
    call.clone().header("anthropic-version", "2023-06-01").send().expect(200);
    call.header("anthropic-version", "2026-10-21").send().expect(200);
    let sent = upstream.seen().iter().map(|seen| seen.json().get("temperature").cloned()).collect::<Vec<_>>();
    assert_eq!(sent, [Some(json!(0.5)), None]);
}

#[test]
fn callers_add_headers_and_members_but_never_a_key() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let mut asked = openai::request("fast");
    asked["extra_headers"] = json!({ "x-custom": "1" });
    asked["extra_body"] = json!({ "custom_field": { "a": 1 } });
    gateway.chat(&asked).send().expect(200);
    let seen = upstream.only();
    assert_eq!(seen.header("x-custom"), Some("1"));
    assert_eq!(seen.json()["custom_field"], json!({ "a": 1 }));
    assert!(seen.json().get("extra_body").is_none() && seen.json().get("extra_headers").is_none());
    for (member, given) in [
        ("extra_headers", json!({ "Authorization": "Bearer sk-other" })),
        ("extra_headers", json!({ "transfer-encoding": "chunked" })),
        ("extra_headers", json!({ "x-a": "1\r\nhost: evil" })),
        ("extra_body", json!({ "model": "gpt-5" })),
    ] {
        let mut asked = openai::request("fast");
        asked[member] = given.clone();
        let text = gateway.chat(&asked).send().expect(400).text();
        assert!(text.contains(member), "{given}: {text}");
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn a_family_of_models_gets_the_parameters_it_takes() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("deep", "openai/o3", &upstream).start();
    let mut asked = openai::request("deep");
    asked["max_tokens"] = json!(5);
    asked["temperature"] = json!(0.5);
    let refused = gateway.chat(&asked).send().expect(400).text();
    assert!(refused.contains("temperature"), "{refused}");
    asked["drop_params"] = json!(true);
    gateway.chat(&asked).send().expect(200);
    let sent = upstream.only().json();
    assert_eq!(sent["max_completion_tokens"], json!(5));
    assert!(sent.get("max_tokens").is_none() && sent.get("temperature").is_none(), "{sent}");
}
