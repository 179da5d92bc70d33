//! Settings of the operator's file do what they say: each test has the call that passes without the
//! setting, or the setting's other side.

use serde_json::{Value, json};

use crate::support::{Call, Flow, Gate, MASTER, Upstream, anthropic, gateway, openai};

fn words(call: &Call, status: u16) -> String {
    call.send().expect(status).json()["error"]["message"].as_str().expect("a message").to_owned()
}

#[test]
fn other_names_and_a_usual_model() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let setup = setup.set("litellm_settings", "model_alias_map", json!({ "quick": "fast" }));
    let gateway = setup.set("general_settings", "completion_model", "fast").start();
    gateway.chat(&openai::request("quick")).send().expect(200);
    let mut nameless = openai::request("fast");
    nameless.as_object_mut().expect("an object").remove("model");
    gateway.chat(&nameless).send().expect(200);
    assert!(upstream.seen().iter().all(|seen| seen.json()["model"] == "gpt-4o-mini"));
}

#[test]
fn errors_may_carry_the_call() {
    let upstream = Upstream::always(openai::error(400, "odd"));
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("general_settings", "include_call_id_in_error_body", true).start();
    for body in [openai::request("fast"), openai::request("nope")] {
        let answer = gateway.chat(&body).header("x-litellm-call-id", "mine-9").send().expect(400);
        assert_eq!(answer.json()["error"]["litellm_call_id"], "mine-9", "{}", answer.text());
    }
}

#[test]
fn the_instance_and_keys_without_a_limit_have_one() {
    for (name, words) in
        [("global_max_parallel_requests", "for this instance"), ("max_parallel_requests", "Limit type")]
    {
        let gate = Gate::default();
        let upstream = Upstream::in_turn([openai::reply().after(&gate), openai::reply()]);
        let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
        let gateway = setup.set("general_settings", name, 1).start();
        let key = gateway.key(&json!({}));
        let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
        let first = call.begin();
        upstream.wait_for_requests(1);
        assert!(self::words(&call, 429).contains(words), "{name}");
        gate.open();
        assert_eq!(Flow::read(first).rest().status, 200);
        call.send().expect(200);
    }
}

#[test]
fn an_instance_that_books_nothing_still_limits() {
    for books_nothing in [false, true] {
        let upstream = Upstream::always(openai::reply());
        let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
        let setup = setup.set("general_settings", "disable_spend_updates", books_nothing);
        let gateway = setup.start();
        let key = gateway.key(&json!({ "rpm_limit": 1 }));
        let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
        call.send().expect(200);
        call.send().expect(429);
        let after = setup.start_in(gateway.stop());
        assert_eq!(after.spend(&key) == 0.0, books_nothing, "what the next process finds");
    }
}

#[test]
fn addresses_that_are_not_listed_stay_out() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let listed = |ips: Value| setup.clone().set("general_settings", "allowed_ips", ips);
    listed(json!(["127.0.0.1"])).start().chat(&openai::request("fast")).send().expect(200);
    let closed = listed(json!(["10.0.0.1"])).start();
    assert!(words(&closed.chat(&openai::request("fast")), 403).contains("IP address not allowed"));
    // The header is believed only where the operator says so.
    closed.chat(&openai::request("fast")).header("x-forwarded-for", "10.0.0.1").send().expect(403);
    let behind = listed(json!(["10.0.0.1"])).set("general_settings", "use_x_forwarded_for", true).start();
    let call = behind.chat(&openai::request("fast"));
    call.clone().header("x-forwarded-for", "10.0.0.1, 192.168.0.1").send().expect(200);
    call.clone().header("x-forwarded-for", "10.0.0.2").send().expect(403);
    call.header("x-forwarded-for", "nonsense").send().expect(403);
}

#[test]
fn routes_may_be_kept_for_operators() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("general_settings", "allowed_routes", json!(["/v1/messages"])).start();
    let key = gateway.key(&json!({}));
    gateway.post(openai::PATH).key(&key).json(&openai::request("fast")).send().expect(403);
    gateway.post(anthropic::PATH).key(&key).json(&anthropic::request("fast")).send().expect(200);
    gateway.chat(&openai::request("fast")).send().expect(200);
}

#[test]
fn new_keys_take_defaults_and_keep_to_ceilings() {
    let setup = gateway().set("litellm_settings", "default_key_generate_params", json!({ "rpm_limit": 5 }));
    let ceilings = json!({ "max_budget": 100, "duration": "30d" });
    let gateway = setup.set("litellm_settings", "upperbound_key_generate_params", ceilings).start();
    let info = gateway.info(&gateway.key(&json!({})));
    assert_eq!((&info["rpm_limit"], &info["max_budget"]), (&json!(5), &json!(100.0)));
    assert!(info["expires"].is_string());
    assert_eq!(gateway.info(&gateway.key(&json!({ "rpm_limit": 9 })))["rpm_limit"], 9);
    let above = gateway.manage("/key/generate", &json!({ "max_budget": 101 })).expect(400);
    assert!(above.text().contains("max_budget is over max limit"), "{}", above.text());
    gateway.manage("/key/generate", &json!({ "duration": "31d" })).expect(400);
}

#[test]
fn models_without_a_price_may_be_refused() {
    let upstream = Upstream::always(openai::reply());
    let free = json!({ "input_cost_per_token": null, "output_cost_per_token": null });
    let setup = gateway().model_at("odd", "openai/nobody-knows-me", &upstream.url(), &free);
    let setup = setup.set("litellm_settings", "block_requests_for_models_without_pricing", true);
    let gateway = setup.model("fast", "openai/gpt-4o-mini", &upstream).start();
    gateway.chat(&openai::request("fast")).send().expect(200);
    assert!(words(&gateway.chat(&openai::request("odd")), 403).contains("odd"));
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn metrics_may_be_open() {
    let setup = gateway().set("litellm_settings", "require_auth_for_metrics_endpoint", false);
    let text = setup.start().get("/metrics").send().expect(200).text();
    assert!(text.contains("gateway_in_flight_requests 0"), "{text}");
}

#[test]
fn calls_may_have_to_name_a_user() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("general_settings", "enforce_user_param", true).start();
    let mut asked = openai::request("fast");
    assert!(words(&gateway.chat(&asked), 401).contains("param=user"));
    asked["user"] = json!("u-1");
    gateway.chat(&asked).send().expect(200);
    asked.as_object_mut().expect("an object").remove("user");
    gateway.chat(&asked).header("x-litellm-end-user-id", "u-2").send().expect(200);
    let users: Vec<_> = gateway.booked().into_iter().filter_map(|row| row.end_user).collect();
    assert_eq!(users, ["u-2", "u-1"]);
}

#[test]
fn parameters_a_provider_cannot_express_are_refused_by_name_or_dropped() {
    let upstream = Upstream::always(anthropic::reply());
    let gateway = gateway().model("claude", "anthropic/claude-sonnet-4-5", &upstream).start();
    let mut asked = openai::request("claude");
    asked["logit_bias"] = json!({ "50256": -100 });
    assert!(words(&gateway.chat(&asked), 400).contains("logit_bias"));
    assert!(upstream.seen().is_empty());
    asked["drop_params"] = json!(true);
    gateway.post(openai::PATH).key(MASTER).json(&asked).send().expect(200);
    let sent = upstream.only().json();
    assert_eq!((sent.get("logit_bias"), sent.get("drop_params")), (None, None));
}
