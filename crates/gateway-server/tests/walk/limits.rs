//! Limits of keys: reserved before the call, refused in LiteLLM's words, given back afterwards.

use serde_json::json;

use crate::support::{Answer, Gate, Upstream, anthropic, gateway, openai};

#[track_caller]
fn denied(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let error = answer.json()["error"].clone();
    assert_eq!((&error["type"], &error["code"]), (&json!("throttling_error"), &json!("429")), "{error}");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(&format!("Limit type: {what}")), "{message}");
    assert_eq!(answer.must("retry-after"), "60");
    assert_eq!(answer.must("rate_limit_type"), what);
    answer.must("reset_at").parse::<i64>().expect("seconds");
}

#[test]
fn requests_a_minute() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "rpm_limit": 2 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    assert_eq!(call.send().expect(200).must("x-ratelimit-api_key-remaining-requests"), "1");
    assert_eq!(call.send().expect(200).must("x-ratelimit-api_key-remaining-requests"), "0");
    denied(&call.send(), "requests");
    let messages = gateway.post(anthropic::PATH).key(&key).json(&anthropic::request("fast")).send();
    assert_eq!(messages.expect(429).json()["error"]["type"], "rate_limit_error");
    assert_eq!(upstream.seen().len(), 2);
}

#[test]
fn tokens_a_minute() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "tpm_limit": 50 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    // 30 tokens each: two pass, because a reservation shrinks to what is left.
    call.send().expect(200);
    call.send().expect(200);
    denied(&call.send(), "tokens");
}

#[test]
fn calls_at_once() {
    let gate = Gate::default();
    let upstream = Upstream::in_turn([openai::reply().after(&gate), openai::reply()]);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_parallel_requests": 1 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    let first = call.begin();
    upstream.wait_for_requests(1);
    denied(&call.send(), "max_parallel_requests");
    gate.open();
    assert_eq!(crate::support::Flow::read(first).rest().status, 200);
    call.send().expect(200);
}

#[test]
fn a_place_is_given_back_on_every_path() {
    let upstream = Upstream::in_turn([
        openai::error(500, "broken"),
        openai::error(400, "odd"),
        crate::support::Reply::raw("nonsense\r\n\r\n"),
        crate::support::Reply::stream().then(openai::piece("half")).cut(),
        openai::stream(),
        openai::reply(),
    ]);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_parallel_requests": 1 }));
    let call = |body| gateway.post(openai::PATH).key(&key).json(&body).send().status;
    let refused = gateway.post(openai::PATH).key(&key).body("{").send();
    assert_eq!(refused.status, 400);
    let plain = [openai::request("fast"), openai::request("fast"), openai::request("fast")].map(call);
    assert!(plain.iter().all(|status| (400..=504).contains(status) && *status != 429), "{plain:?}");
    let streamed = [openai::streamed("fast"), openai::streamed("fast"), openai::request("fast")].map(call);
    assert_eq!(streamed, [200; 3]);
    assert_eq!(gateway.in_flight(), 0.0);
}

#[test]
fn a_budget_ends_where_it_ends() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.start();
    let key = gateway.key(&json!({ "max_budget": 0.12 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    for spent in ["0.05", "0.1", "0.15"] {
        assert_eq!(call.send().expect(200).must("x-litellm-key-spend"), spent);
    }
    let refused = call.send().expect(422);
    let error = refused.json()["error"].clone();
    assert_eq!((&error["type"], &error["code"]), (&json!("budget_exceeded"), &json!("422")), "{error}");
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("Budget has been exceeded!") && message.contains("Max budget: 0.12"),
        "{message}"
    );
    assert!(!message.contains(&key), "{message}");
    assert_eq!(upstream.seen().len(), 3);
    gateway.reload(&setup.set("litellm_settings", "budget_exceeded_status_code", 400));
    call.send().expect(400);
    gateway.manage("/key/update", &json!({ "key": key, "max_budget": 1 })).expect(200);
    call.send().expect(200);
}

#[test]
fn calls_at_once_do_not_share_one_rest_of_a_budget() {
    let gate = Gate::default();
    let upstream = Upstream::always(openai::reply().after(&gate));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_budget": 0.12 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    // The worst case of one call is more than the budget: it takes all of it.
    let first = call.begin();
    upstream.wait_for_requests(1);
    for _ in 0..5 {
        call.send().expect(422);
    }
    gate.open();
    assert_eq!(crate::support::Flow::read(first).rest().status, 200);
    assert_eq!(upstream.seen().len(), 1);
    assert_eq!(gateway.spend(&key), 0.05);
    call.send().expect(200);
}

#[test]
fn a_denied_call_is_logged_once_and_never_as_a_hang_up() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "rpm_limit": 0 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    call.header("x-litellm-call-id", "denied-1").send().expect(429);
    assert_eq!(gateway.metric("gateway_refused_requests_total", "429"), 1.0);
    assert_eq!(gateway.in_flight(), 0.0);
    let log = gateway.whole_log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("denied-1")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("\"status\":429"), "{lines:?}");
}

#[test]
fn a_dynamic_rate_holds_only_while_the_model_fails() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let setup =
        setup.model("other", "openai/gpt-4o-mini", &upstream).set("router_settings", "num_retries", 0);
    let gateway = setup.set("router_settings", "disable_cooldowns", true).start();
    let key = gateway.key(&json!({ "rpm_limit": 1, "rpm_limit_type": "dynamic" }));
    let fixed = gateway.key(&json!({ "rpm_limit": 1 }));
    let ask =
        |key: &str, model: &str| gateway.post(openai::PATH).key(key).json(&openai::request(model)).send();
    for _ in 0..4 {
        ask(&key, "fast").expect(200);
    }
    ask(&fixed, "fast").expect(200);
    ask(&fixed, "fast").expect(429);
    upstream.change(openai::error(500, "out of order"));
    ask(&key, "fast").expect(500);
    upstream.change(openai::reply());
    // The model has failed: now the rate holds, and what was asked before counts.
    ask(&key, "fast").expect(429);
    // What another model does is nothing to it.
    ask(&key, "other").expect(200);
}
