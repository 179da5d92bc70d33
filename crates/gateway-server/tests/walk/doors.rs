//! Settings of how calls are let in and kept out, of what lists show, and of what callers may ask of the router.

use serde_json::{Value, json};

use crate::support::{Flow, Gate, MASTER, Reply, Running, Setup, Upstream, gateway, openai, wait_until};

/// The setup with more members of `general_settings`.
fn general(setup: Setup, members: &Value) -> Setup {
    let members = members.as_object().expect("a mapping").clone();
    members.into_iter().fold(setup, |setup, (name, value)| setup.set("general_settings", &name, value))
}

fn names(gateway: &Running, path: &str, key: &str) -> Vec<String> {
    let told = gateway.get(path).key(key).send().expect(200).json();
    let name = |one: &Value| {
        let name = one["id"].as_str().or(one["model_name"].as_str()).or(one["model_group"].as_str());
        name.expect("a name").to_owned()
    };
    told["data"].as_array().expect("a list").iter().map(name).collect()
}

/// `max_in_flight_requests_per_worker` and its kin: one call at a time, one that waits, and no more.
#[test]
fn calls_wait_at_the_door() {
    let gate = Gate::default();
    let upstream = Upstream::in_turn([openai::reply().after(&gate), openai::reply()]);
    let bound = json!({
        "max_in_flight_requests_per_worker": 1,
        "max_queued_requests_per_worker": 1,
        "admission_queue_timeout_seconds": 60,
    });
    let gateway = general(gateway().model("any", "openai/gpt-4o", &upstream), &bound).start();
    let call = gateway.chat(&openai::request("any"));
    let first = call.begin();
    upstream.wait_for_requests(1);
    // Of two more one waits and the other is refused, whichever comes first.
    let (tell, told) = std::sync::mpsc::channel();
    let others = [(); 2].map(|()| {
        let (tell, call) = (tell.clone(), gateway.chat(&openai::request("any")));
        std::thread::spawn(move || tell.send(call.send()))
    });
    let refused = told.recv().expect("an answer").expect(503);
    assert!(refused.text().contains("max_in_flight_requests_per_worker"), "{}", refused.text());
    assert_eq!(refused.must("retry-after"), "1");
    gate.open();
    assert_eq!(Flow::read(first).rest().status, 200);
    told.recv().expect("an answer").expect(200);
    for other in others {
        other.join().expect("no panic").expect("it is listened to");
    }
    call.send().expect(200);
}

/// A stream keeps its turn until it ends, and one who waits too long is told so.
#[test]
fn a_stream_keeps_its_turn() {
    let gate = Gate::default();
    let held = Reply::stream().then(openai::piece("first")).hold(&gate).then(openai::finish());
    let upstream = Upstream::in_turn([held, openai::reply()]);
    let bound = json!({ "max_in_flight_requests_per_worker": 1, "admission_queue_timeout_seconds": 0.05 });
    let gateway = general(gateway().model("any", "openai/gpt-4o", &upstream), &bound).start();
    let mut flow = gateway.chat(&openai::streamed("any")).open();
    flow.until("first");
    let refused = gateway.chat(&openai::request("any")).send().expect(503);
    assert!(refused.text().contains("no call ended within 0.05 seconds"), "{}", refused.text());
    gate.open();
    assert!(flow.rest().whole);
    wait_until("the stream's turn to end", || gateway.chat(&openai::request("any")).send().status == 200);
}

/// `/health/drain`: not there unless wanted, for holders of the token, and answered when calls have ended.
#[test]
fn a_gateway_retires() {
    let gate = Gate::default();
    let upstream = Upstream::always(openai::reply().after(&gate));
    let setup = gateway().model("any", "openai/gpt-4o", &upstream);
    assert_eq!(setup.start().get("/health/drain").send().status, 404);
    let drain = json!({ "enable_drain_endpoint": true, "drain_endpoint_token": "let-it-go" });
    let gateway = general(setup, &drain).start();
    let wrong = gateway.get("/health/drain").header("x-drain-token", "something-else");
    assert_eq!((wrong.send().status, gateway.get("/health/drain").send().status), (401, 401));
    assert_eq!(gateway.get("/health/readiness").send().status, 200);
    let call = gateway.chat(&openai::request("any"));
    let calling = call.begin();
    upstream.wait_for_requests(1);
    let draining = gateway.get("/health/drain").header("x-drain-token", "let-it-go").begin();
    wait_until("readiness to say no", || gateway.get("/health/readiness").send().status == 503);
    let told = gateway.get("/health/readiness").send().json();
    assert_eq!(told["status"], "shutting_down", "{told}");
    assert_eq!(gateway.get("/health/liveliness").send().status, 200, "it lives while calls end");
    gate.open();
    assert_eq!(Flow::read(calling).rest().status, 200);
    let drained = Flow::read(draining).rest();
    assert_eq!(drained.status, 200);
    let drained = drained.json();
    assert_eq!((&drained["status"], &drained["drained_requests"]), (&json!("drained"), &json!(1)));
}

/// Anybody learns little of readiness, unless the operator says otherwise; LiteLLM's short form.
#[test]
fn readiness_tells_little() {
    let told = |setup: Setup| setup.start().get("/health/readiness").send().expect(200).json();
    let little = told(gateway());
    assert_eq!(little.as_object().expect("members").keys().collect::<Vec<_>>(), ["status", "db"]);
    let more = told(gateway().set("general_settings", "allow_public_health_readiness_details", true));
    assert!(more["litellm_version"].is_string() && more["ledger"].is_null(), "{more}");
}

/// Surface §6.3 [O]: failures on purpose are refused unless the operator allows them, and lead where true ones would.
#[test]
fn groups_fail_on_purpose() {
    let (own, other) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let (long, safe) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let setup = gateway().model("own", "openai/gpt-4o", &own).model("other", "openai/gpt-4o", &other);
    let setup = setup.model("long", "openai/gpt-4o", &long).model("safe", "openai/gpt-4o", &safe);
    let setup = setup.with(
        "router_settings",
        json!({
            "num_retries": 0,
            "fallbacks": [{ "own": ["other"] }],
            "context_window_fallbacks": [{ "own": ["long"] }],
            "content_policy_fallbacks": [{ "own": ["safe"] }],
        }),
    );
    let asked = |name: &str, value: Value| {
        let mut body = openai::request("own");
        body[name] = value;
        body
    };
    let closed = setup.start();
    for value in [json!(true), json!(false)] {
        let refused = closed.chat(&asked("mock_testing_fallbacks", value)).send().expect(400);
        assert!(
            refused.text().contains("dangerously_allow_mock_testing_request_params"),
            "{}",
            refused.text()
        );
    }
    drop(closed);
    let open = setup.set("general_settings", "dangerously_allow_mock_testing_request_params", true).start();
    for (name, group, served) in [
        ("mock_testing_fallbacks", "other", &other),
        ("mock_testing_rate_limit_error", "other", &other),
        ("mock_testing_context_fallbacks", "long", &long),
        ("mock_testing_content_policy_fallbacks", "safe", &safe),
    ] {
        let before = served.seen().len();
        let answer = open.chat(&asked(name, json!(true))).send().expect(200);
        let told = (answer.must("x-litellm-model-group"), answer.must("x-litellm-attempted-fallbacks"));
        assert_eq!(told, (group, "1"), "{name}");
        assert_eq!(served.seen().len(), before + 1, "{name}");
        assert_eq!(
            served.seen().last().expect("a request").json().get(name),
            None,
            "it is not the provider's"
        );
    }
    assert!(own.seen().is_empty());
    open.chat(&asked("mock_testing_fallbacks", json!(false))).send().expect(200);
    assert_eq!(own.seen().len(), 1);
}

/// `x-litellm-fallback-errors` needs both the operator's word and the caller's.
#[test]
fn what_groups_failed_with_is_told_where_both_want_it() {
    let (bad, good) = (Upstream::always(openai::error(429, "slow down")), Upstream::always(openai::reply()));
    let setup = gateway().model("bad", "openai/gpt-4o", &bad).model("good", "openai/gpt-4o", &good);
    let setup =
        setup.with("router_settings", json!({ "num_retries": 0, "fallbacks": [{ "bad": ["good"] }] }));
    let mut asks = openai::request("bad");
    asks["include_fallback_errors"] = json!(true);
    let told = |gateway: &Running, body: &Value| {
        let answer = gateway.chat(body).send().expect(200);
        answer.header("x-litellm-fallback-errors").map(str::to_owned)
    };
    assert_eq!(told(&setup.start(), &asks), None);
    let gateway = setup.set("general_settings", "expose_fallback_errors_to_caller", true).start();
    assert_eq!(told(&gateway, &openai::request("bad")), None);
    let told: Value = serde_json::from_str(&told(&gateway, &asks).expect("the header")).expect("JSON");
    let first = &told[0];
    assert_eq!(
        (&first["model"], &first["type"], &first["code"]),
        (&json!("bad"), &json!("RateLimitError"), &json!("429"))
    );
    assert!(first["message"].as_str().is_some_and(|words| words.contains("slow down")), "{told}");
}

/// Surface §7.4: callers name fallbacks plainly, with parameters, or by the group that failed.
#[test]
fn callers_name_fallbacks_in_three_forms() {
    let (bad, good) = (Upstream::always(openai::error(500, "no")), Upstream::always(openai::reply()));
    let setup = gateway().model("bad", "openai/gpt-4o", &bad).model("good", "openai/gpt-4o-mini", &good);
    let gateway = setup.set("router_settings", "num_retries", 0).start();
    for (fallbacks, status, temperature) in [
        (json!(["good"]), 200, None),
        (json!([{ "model": "good", "temperature": 0.25 }]), 200, Some(0.25)),
        (json!([{ "bad": ["good"] }]), 200, None),
        (json!([{ "bad": [{ "model": "good", "temperature": 0.5 }] }]), 200, Some(0.5)),
        (json!([{ "another": ["good"] }]), 500, None),
    ] {
        let mut body = openai::request("bad");
        body["fallbacks"] = fallbacks.clone();
        let answer = gateway.chat(&body).send();
        assert_eq!(answer.status, status, "{fallbacks}: {}", answer.text());
        if status == 200 {
            let sent = good.seen().last().expect("a request").json();
            assert_eq!(sent["temperature"].as_f64(), temperature, "{fallbacks}");
        }
    }
}

/// `model_group_settings`: callers' headers go to the providers of these groups. `provider_affinity_header`: the
/// session of a call goes to a provider that routes by it.
#[test]
fn headers_for_some_providers() {
    let upstream = Upstream::always(openai::reply());
    let settings = json!({ "forward_client_headers_to_llm_api": ["open"] });
    let session = json!({ "provider_affinity_header": "X-Conversation-Id" });
    let gateway = gateway()
        .model("open", "openai/gpt-4o", &upstream)
        .model("closed", "openai/gpt-4o", &upstream)
        .model_at("sticky", "openai/gpt-4o", &upstream.url(), &session)
        .set("litellm_settings", "model_group_settings", settings)
        .start();
    for (model, passed, told) in
        [("open", Some("7"), None), ("closed", None, None), ("sticky", None, Some("s-1"))]
    {
        let call = gateway.chat(&openai::request(model)).header("x-team-number", "7");
        call.header("x-litellm-session-id", "s-1").send().expect(200);
        let seen = upstream.seen();
        let seen = seen.last().expect("a request");
        assert_eq!(
            (seen.header("x-team-number"), seen.header("x-conversation-id")),
            (passed, told),
            "{model}"
        );
    }
    gateway.chat(&openai::request("sticky")).send().expect(200);
    assert_eq!(upstream.seen().last().expect("a request").header("x-conversation-id"), None);
}

/// `model_info.discoverable`: left out of lists for all but administrators, and callable by name.
#[test]
fn what_is_not_discoverable_can_be_called() {
    let upstream = Upstream::always(openai::reply());
    let hidden = json!({ "discoverable": false });
    let gateway = gateway()
        .model("shown", "openai/gpt-4o", &upstream)
        .model("hidden", "openai/gpt-4o", &upstream)
        .info(json!({ "id": "the-hidden-one", "discoverable": false }))
        .model("half", "openai/gpt-4o", &upstream)
        .info(hidden)
        .model("half", "openai/gpt-4o-mini", &upstream)
        .start();
    let key = gateway.key(&json!({}));
    for path in ["/v1/models", "/v1/model/info", "/model_group/info"] {
        let mut listed = names(&gateway, path, &key);
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(listed, ["half", "shown"], "{path}");
        assert!(names(&gateway, path, MASTER).contains(&"hidden".to_owned()), "{path}");
    }
    assert_eq!(names(&gateway, "/v1/model/info?litellm_model_id=the-hidden-one", &key), ["hidden"]);
    gateway.get("/v1/models/hidden").key(&key).send().expect(200);
    gateway.post(openai::PATH).key(&key).json(&openai::request("hidden")).send().expect(200);
}

/// `model_list_healthy_only` and `?healthy_only=true`: models that probes found ill are not listed; they can still be
/// called. `health_check_skip_disabled_background_models`: who is not probed in rounds is not probed at all.
#[test]
fn the_ill_are_not_listed() {
    let (ill, well) = (Upstream::always(openai::error(500, "no")), Upstream::always(openai::reply()));
    let setup = gateway()
        .model("ill", "openai/gpt-4o", &ill)
        .model("well", "openai/gpt-4o", &well)
        .model("spared", "openai/gpt-4o-mini", &ill)
        .info(json!({ "disable_background_health_check": true }))
        .set("router_settings", "num_retries", 0)
        .set("general_settings", "health_check_skip_disabled_background_models", true);
    let by_query = setup.start();
    by_query.get("/health").key(MASTER).send().expect(200);
    assert_eq!(names(&by_query, "/v1/models", MASTER), ["ill", "well", "spared"]);
    assert_eq!(names(&by_query, "/v1/models?healthy_only=true", MASTER), ["well", "spared"]);
    assert_eq!(names(&by_query, "/model/info?healthy_only=true", MASTER), ["well", "spared"]);
    drop(by_query);
    let by_setting = setup.set("general_settings", "model_list_healthy_only", true).start();
    assert_eq!(names(&by_setting, "/v1/models", MASTER), ["ill", "well", "spared"], "nothing is known yet");
    by_setting.get("/health").key(MASTER).send().expect(200);
    assert_eq!(names(&by_setting, "/v1/models", MASTER), ["well", "spared"]);
    by_setting.get("/v1/models/ill").key(MASTER).send().expect(404);
    let before = ill.seen().len();
    by_setting.chat(&openai::request("ill")).send().expect(500);
    assert_eq!(ill.seen().len(), before + 1, "it can still be called");
}
