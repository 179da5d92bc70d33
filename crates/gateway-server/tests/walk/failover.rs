//! Retries, fallbacks, cooldown and time limits, as callers and providers see them.

use serde_json::json;

use crate::support::{MASTER, Reply, Upstream, anthropic, gateway, openai, wait_until};

#[test]
fn a_failed_attempt_is_retried_and_counted() {
    let upstream =
        Upstream::in_turn([openai::error(500, "broken"), openai::error(503, "full"), openai::reply()]);
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("router_settings", "num_retries", 2).start();
    let key = gateway.key(&json!({ "max_budget": 100 }));
    let answer = gateway.post(openai::PATH).key(&key).json(&openai::request("any")).send().expect(200);
    assert_eq!(answer.must("x-litellm-attempted-retries"), "2");
    assert_eq!(answer.must("x-litellm-max-retries"), "2");
    assert_eq!(upstream.seen().len(), 3);
    assert_eq!(gateway.spend(&key), 0.05, "one answer, one charge");
    let rows = gateway.booked();
    assert_eq!((rows.len(), rows[0].retries), (1, 2));
}

#[test]
fn what_fails_everywhere_is_not_retried() {
    let upstream = Upstream::always(openai::error(400, "odd"));
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("router_settings", "num_retries", 3).start();
    let answer = gateway.chat(&openai::request("any")).send().expect(400);
    assert!(answer.text().contains("odd"), "{}", answer.text());
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn another_group_answers_when_one_fails() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let works = Upstream::always(openai::reply());
    let setup =
        gateway().model("first", "openai/gpt-4o", &broken).model("second", "openai/gpt-4o-mini", &works);
    let gateway = setup.set("router_settings", "fallbacks", json!([{ "first": ["second"] }])).start();
    let answer = gateway.chat(&openai::request("first")).send().expect(200);
    assert_eq!(answer.must("x-litellm-attempted-fallbacks"), "1");
    assert_eq!(answer.must("x-litellm-model-group"), "second");
    assert_eq!(works.only().json()["model"], "gpt-4o-mini");
    let mut without = openai::request("first");
    without["disable_fallbacks"] = json!(true);
    gateway.chat(&without).send().expect(500);
    let rows = gateway.booked();
    assert_eq!((rows[1].model_group.as_str(), rows[1].model.as_deref()), ("first", Some("gpt-4o-mini")));
    assert_eq!(rows[1].fallbacks, 1);
}

#[test]
fn a_caller_may_name_its_own_fallback_and_retries() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let works = Upstream::always(openai::reply());
    let setup =
        gateway().model("first", "openai/gpt-4o", &broken).model("second", "openai/gpt-4o-mini", &works);
    let gateway = setup.start();
    let mut asked = openai::request("first");
    asked["fallbacks"] = json!(["second"]);
    asked["num_retries"] = json!(1);
    let answer = gateway.chat(&asked).send().expect(200);
    assert_eq!(answer.must("x-litellm-attempted-fallbacks"), "1");
    assert_eq!(broken.seen().len(), 2);
    let sent = works.only().json();
    assert_eq!((sent.get("fallbacks"), sent.get("num_retries")), (None, None));
}

#[test]
fn operators_fallbacks_are_for_every_key_callers_only_for_those_that_may() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let works = Upstream::always(openai::reply());
    let setup =
        gateway().model("first", "openai/gpt-4o", &broken).model("second", "openai/gpt-4o-mini", &works);
    let key = json!({ "models": ["first"] });
    let configured =
        setup.clone().set("router_settings", "fallbacks", json!([{ "first": ["second"] }])).start();
    let call = configured.post(openai::PATH).key(&configured.key(&key)).json(&openai::request("first"));
    assert_eq!(call.send().expect(200).must("x-litellm-model-group"), "second");

    let plain = setup.start();
    let mut asked = openai::request("first");
    asked["fallbacks"] = json!([{ "model": "second", "temperature": 0 }]);
    let refused = plain.post(openai::PATH).key(&plain.key(&key)).json(&asked).send().expect(403);
    assert_eq!(refused.json()["error"]["type"], "key_model_access_denied", "{}", refused.text());
    assert!(refused.text().contains("'second'"), "{}", refused.text());
}

#[test]
fn headers_set_retries_and_time_limits() {
    let upstream = Upstream::in_turn([openai::error(500, "broken"), openai::reply(), Reply::silence()]);
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    let call = gateway.chat(&openai::request("any"));
    let retried = call.clone().header("x-litellm-num-retries", "1").send().expect(200);
    assert_eq!(retried.must("x-litellm-attempted-retries"), "1");
    call.header("x-litellm-timeout", "0.2").send().expect(408);
    upstream.wait_for_hang_up();
}

#[test]
fn a_deployments_place_is_held_to_the_end_of_its_stream() {
    let upstream = Upstream::in_turn([Reply::stream().then(openai::piece("first")).hang(), openai::reply()]);
    let params = json!({ "max_parallel_requests": 1 });
    let gateway = gateway().model_at("any", "openai/gpt-4o-mini", &upstream.url(), &params).start();
    let mut flow = gateway.chat(&openai::streamed("any")).open();
    flow.until("first");
    let full = gateway.chat(&openai::request("any")).header("x-litellm-timeout", "0.3").send();
    assert!(matches!(full.status, 408 | 429), "{} {}", full.status, full.text());
    assert_eq!(upstream.seen().len(), 1);
    drop(flow);
    gateway.wait_for_rest();
    gateway.chat(&openai::request("any")).send().expect(200);
}

#[test]
fn a_stream_that_fails_before_its_first_byte_is_retried() {
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":503}}\n\n";
    let upstream = Upstream::in_turn([Reply::stream().then(error), Reply::stream().cut(), openai::stream()]);
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("router_settings", "num_retries", 2).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert_eq!(answer.must("x-litellm-attempted-retries"), "2");
    assert!(!answer.text().contains("overloaded"), "{}", answer.text());
    assert!(answer.text().ends_with("data: [DONE]\n\n"));
}

/// LiteLLM #6957: Anthropic answers 200 and then, as the first event, that it is overloaded; streams did not fall back.
#[test]
fn a_stream_that_begins_with_an_error_falls_back() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    for opening in ["", "event: ping\ndata: {\"type\":\"ping\"}\n\n"] {
        let broken = Upstream::always(Reply::stream().then(format!("{opening}{error}")));
        let works = Upstream::always(openai::stream());
        let setup = gateway().model("first", "anthropic/claude-sonnet-4-5", &broken);
        let setup = setup.model("spare", "openai/gpt-4o-mini", &works);
        let gateway = setup.set("router_settings", "fallbacks", json!([{ "first": ["spare"] }])).start();
        let answer = gateway.chat(&openai::streamed("first")).send().expect(200);
        assert_eq!(answer.must("x-litellm-attempted-fallbacks"), "1", "{opening}");
        assert!(!answer.text().contains("verloaded") && answer.text().ends_with("data: [DONE]\n\n"));
    }
}

#[test]
fn a_stream_that_has_begun_is_not_retried() {
    let half = Reply::stream().then(openai::piece("half")).cut();
    let upstream = Upstream::in_turn([half, openai::stream()]);
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("router_settings", "num_retries", 2).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert_eq!(upstream.seen().len(), 1);
    assert!(answer.text().contains("half") && !answer.text().contains("[DONE]"), "{}", answer.text());
}

#[test]
fn a_deployment_that_fails_rests() {
    let upstream = Upstream::always(openai::error(429, "slow down"));
    let setup =
        gateway().model("any", "openai/gpt-4o", &upstream).model("any", "openai/gpt-4o-mini", &upstream);
    let setup = setup.set("router_settings", "disable_cooldowns", false);
    let gateway = setup.set("router_settings", "cooldown_time", 600).start();
    for _ in 0..2 {
        gateway.chat(&openai::request("any")).send().expect(429);
    }
    let resting = || gateway.get("/health").key(MASTER).send().expect(200).json()["unhealthy_count"].clone();
    wait_until("both deployments to rest", || resting() == 2);
    let asked = upstream.seen().len();
    let answer = gateway.chat(&openai::request("any")).send().expect(429);
    assert!(answer.text().contains("No deployments available"), "{}", answer.text());
    assert_eq!(upstream.seen().len(), asked, "nobody was asked");
}

#[test]
fn a_provider_that_hangs_is_given_up() {
    let upstream = Upstream::always(Reply::silence());
    let params = json!({ "timeout": 0.2 });
    let gateway = gateway().model_at("any", "openai/gpt-4o-mini", &upstream.url(), &params).start();
    let answer = gateway.chat(&openai::request("any")).send().expect(408);
    assert!(answer.text().contains("0.2"), "the message says how long: {}", answer.text());
    upstream.wait_for_hang_up();
    assert_eq!(gateway.in_flight(), 0.0);
}

#[test]
fn a_stream_that_hangs_after_it_began_ends_as_an_error() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece("half")).hang());
    let params = json!({ "timeout": 0.3 });
    let gateway = gateway().model_at("any", "openai/gpt-4o-mini", &upstream.url(), &params).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert!(answer.text().contains("\"error\"") && !answer.text().contains("[DONE]"), "{}", answer.text());
    upstream.wait_for_hang_up();
    assert_eq!(gateway.in_flight(), 0.0);
    assert_eq!(gateway.booked()[0].outcome, "cut");
}

#[test]
fn a_fallback_may_set_parameters() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let works = Upstream::always(openai::reply());
    let claude = Upstream::always(anthropic::reply());
    let setup = gateway()
        .model("first", "openai/gpt-4o", &broken)
        .model("second", "openai/gpt-4o-mini", &works)
        .model("third", "anthropic/claude-sonnet-4-5", &claude);
    let gateway = setup.start();
    let mut asked = openai::request("first");
    asked["temperature"] = json!(1);
    for model in ["second", "third"] {
        asked["fallbacks"] =
            json!([{ "model": model, "temperature": 0.25, "max_tokens": 9, "stream": true }]);
        let answer = gateway.chat(&asked).send().expect(200);
        assert_eq!(answer.must("x-litellm-model-group"), model);
    }
    for (upstream, model) in [(works, "gpt-4o-mini"), (claude, "claude-sonnet-4-5")] {
        let sent = upstream.only().json();
        assert_eq!((&sent["temperature"], &sent["max_tokens"]), (&json!(0.25), &json!(9)));
        assert_eq!((&sent["model"], sent.get("stream")), (&json!(model), None));
        assert_eq!(sent.get("fallbacks"), None);
    }
}
