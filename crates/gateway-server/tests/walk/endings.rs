//! How answers end and what is said where there is none: bodies that stay open, content before an error,
//! prompts that are missing, models that are configured and not served.

use serde_json::{Value, json};

use crate::support::{MASTER, Reply, Upstream, anthropic, gateway, openai};

const CHUNK: &str = "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hello there, caller.\"},\"finish_reason\":null}]}\n\n";
const STOP: &str = "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";
const FAILED: &str = "data: {\"error\":{\"message\":\"it broke\",\"type\":\"server_error\"}}\n\n";

/// The provider has said its last word and closes nothing: the caller's answer ends all the same.
#[test]
fn a_body_that_stays_open_holds_nobody() {
    let of_anthropic = || {
        let told = [
            (
                "message_start",
                json!({ "message": { "id": "m", "model": "c", "content": [], "usage": { "input_tokens": 3, "output_tokens": 1 } } }),
            ),
            ("content_block_start", json!({ "index": 0, "content_block": { "type": "text", "text": "" } })),
            ("content_block_delta", json!({ "index": 0, "delta": { "type": "text_delta", "text": "Hi" } })),
            ("content_block_stop", json!({ "index": 0 })),
            (
                "message_delta",
                json!({ "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 2 } }),
            ),
            ("message_stop", json!({})),
        ];
        told.into_iter().fold(Reply::stream(), |reply, (kind, mut data)| {
            data["type"] = json!(kind);
            reply.then(format!("event: {kind}\ndata: {data}\n\n"))
        })
    };
    let of_openai = || Reply::stream().then(CHUNK).then(STOP).then(DONE);
    for (model, reply) in
        [("openai/gpt-4o-mini", of_openai()), ("anthropic/claude-sonnet-4-5", of_anthropic())]
    {
        let upstream = Upstream::always(reply.hang());
        let gateway = gateway().model("any", model, &upstream).start();
        for path in [openai::PATH, anthropic::PATH] {
            let body = anthropic::streamed("any");
            let answer = gateway.post(path).header("x-api-key", MASTER).json(&body).send().expect(200);
            let last = if path == openai::PATH { "[DONE]" } else { "message_stop" };
            assert!(
                answer.whole && answer.frames().last().is_some_and(|end| end.contains(last)),
                "{model} {path}"
            );
        }
        gateway.wait_for_rest();
        let rows = gateway.booked();
        assert!(rows.iter().all(|row| row.outcome == "completed"), "{rows:#?}");
    }
}

/// What came with an error in one piece is shown and paid for.
#[test]
fn content_before_an_error_is_paid_for() {
    let upstream = Upstream::always(Reply::stream().then(format!("{CHUNK}{FAILED}")));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    for path in [openai::PATH, anthropic::PATH] {
        let body = anthropic::streamed("fast");
        let answer = gateway.post(path).header("x-api-key", MASTER).json(&body).send().expect(200);
        let text = answer.text();
        assert!(text.contains("Hello there, caller.") && text.contains("it broke"), "{text}");
        assert!(!text.contains("[DONE]") && !text.contains("message_stop"), "{text}");
    }
    gateway.wait_for_rest();
    for row in gateway.booked() {
        assert_eq!(row.outcome, "cut");
        assert!(row.output_tokens >= 5, "{row:#?}");
    }
}

/// An error alone is one that may be tried elsewhere, and is no stream.
#[test]
fn an_error_alone_is_the_answer() {
    let upstream = Upstream::always(Reply::stream().then(FAILED));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let answer = gateway.chat(&openai::streamed("fast")).send();
    assert!(answer.status >= 500, "{}", answer.text());
}

#[test]
fn a_prompt_that_is_missing_is_named() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    for (path, body, name) in [
        (openai::PATH, json!({ "model": "any", "tools": [] }), "messages"),
        (anthropic::PATH, json!({ "model": "any", "max_tokens": 5, "system": "Be brief." }), "messages"),
        ("/v2/chat", json!({ "model": "any", "documents": ["x"] }), "messages"),
        ("/v1/completions", json!({ "model": "any", "suffix": "x" }), "prompt"),
    ] {
        let answer = gateway.post(path).key(MASTER).json(&body).send().expect(400);
        assert!(answer.text().contains(&format!("'{name}'")), "{path}: {}", answer.text());
    }
    assert!(upstream.seen().is_empty());
}

#[test]
fn errors_of_anthropics_door_have_the_sdks_request_id() {
    let upstream = Upstream::always(openai::error(400, "odd"));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    for model in ["fast", "nope"] {
        let body = anthropic::request(model);
        let call = gateway.post(anthropic::PATH).header("x-api-key", MASTER).json(&body);
        let answer = call.header("x-litellm-call-id", "mine-9").send();
        assert!(answer.status >= 400);
        assert_eq!(answer.must("request-id"), "mine-9", "{model}");
    }
}

/// Fallbacks of the operator to models a key may not use, with and without the switch.
#[test]
fn fallbacks_may_be_held_to_a_keys_models() {
    let broken = Upstream::always(openai::error(500, "down"));
    let works = Upstream::always(openai::reply());
    let setup = gateway().model("first", "openai/gpt-4o-mini", &broken);
    let setup = setup.model("second", "openai/gpt-4o-mini", &works);
    let setup = setup.set("router_settings", "fallbacks", json!([{ "first": ["second"] }]));
    for (enforced, status) in [(false, 200), (true, 500)] {
        let gateway =
            setup.clone().set("general_settings", "enforce_fallback_model_access", enforced).start();
        let key = gateway.key(&json!({ "models": ["first"] }));
        let call = gateway.post(openai::PATH).key(&key).json(&openai::request("first"));
        call.send().expect(status);
        let both = gateway.key(&json!({ "models": ["first", "second"] }));
        gateway.post(openai::PATH).key(&both).json(&openai::request("first")).send().expect(200);
    }
}

#[test]
fn a_model_that_is_not_served_says_why() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let setup = setup.model_at("old", "palm/chat-bison", &upstream.url(), &json!({}));
    let gateway = setup.start();
    let answer = gateway.chat(&openai::request("old")).send();
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("`old` is configured but cannot be called") && message.contains("palm"),
        "{message}"
    );
    let other: Value = gateway.chat(&openai::request("nope")).send().json();
    assert!(!other.to_string().contains("configured but"), "{other}");
}
