//! Auto routers: models that decide, what they learn, what they cost, where fallbacks lead to one.

use serde_json::{Value, json};

use crate::support::{Answer, MASTER, Reply, Running, Setup, Upstream, gateway, openai};

/// An auto router of a kind.
fn router(setup: Setup, name: &str, kind: &str, params: &Value) -> Setup {
    setup.model_at(name, &format!("auto_router/{kind}"), "http://nowhere.invalid", params)
}

/// `smart` over the groups `small` and `large`, with more of its configuration.
fn complexity(small: &Upstream, large: &Upstream, more: &Value) -> Setup {
    let mut config = json!({ "tiers": { "SIMPLE": "small", "REASONING": "large" } });
    for (name, value) in more.as_object().expect("options") {
        config[name] = value.clone();
    }
    let setup = gateway().model("small", "openai/gpt-4o-mini", small).model("large", "openai/gpt-4o", large);
    router(setup, "smart", "complexity_router", &json!({ "complexity_router_config": config }))
}

/// A model that answers with this text, at 0.05 USD.
fn saying(text: &str) -> Reply {
    let mut answer = openai::answer();
    answer["choices"][0]["message"]["content"] = json!(text);
    Reply::json(200, &answer)
}

fn model(answer: &Answer) -> (&str, &str) {
    (answer.must("x-litellm-complexity-router-model"), answer.must("x-litellm-complexity-router-cause"))
}

/// Surface §7.8, `classifier_type: llm`: the model is asked once, as a call of its own that the caller pays for.
#[test]
fn a_model_decides() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let judge = Upstream::always(saying(r#"{"tier": "REASONING"}"#));
    let config = json!({ "classifier_type": "llm", "classifier_llm_config": { "model": "judge" } });
    let gateway = complexity(&small, &large, &config).model("judge", "openai/gpt-4o-mini", &judge).start();
    let key = gateway.key(&json!({ "models": ["smart"], "max_budget": 100 }));
    let mut asked = openai::request("smart");
    asked["messages"] = json!([
        { "role": "system", "content": "Be brief." }, { "role": "user", "content": "We spoke of roofs." },
        { "role": "assistant", "content": "Yes." }, { "role": "user", "content": "hi" },
    ]);
    let answer = gateway.post(openai::PATH).key(&key).json(&asked).send().expect(200);
    assert_eq!(model(&answer), ("large", "llm_classifier"));
    assert_eq!(answer.must("x-litellm-classifier-cost"), "0.05");
    let sent = judge.only().json();
    let material: Value = serde_json::from_str(sent["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(material["newest_request"], "hi");
    assert_eq!(
        (&material["system_prompt"], &material["earlier_turns"]),
        (&json!("Be brief."), &json!("user: We spoke of roofs."))
    );
    assert_eq!(
        sent["response_format"]["json_schema"]["schema"]["properties"]["tier"]["enum"][3],
        "REASONING"
    );
    assert!((gateway.spend(&key) - 0.1).abs() < 1e-9, "both calls");
    judge.change(saying("I cannot say."));
    let answer = gateway.post(openai::PATH).key(&key).json(&asked).send().expect(200);
    assert_eq!(model(&answer), ("small", "heuristic_fallback"));
}

/// A model that does not answer in time leaves the decision to the words, and is not asked again for a while.
#[test]
fn a_slow_model_is_left_alone() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let judge = Upstream::always(Reply::silence());
    let config = json!({
        "classifier_type": "llm", "classifier_llm_config": { "model": "judge", "timeout_ms": 100 },
    });
    let gateway = complexity(&small, &large, &config).model("judge", "openai/gpt-4o-mini", &judge).start();
    for _ in 0..3 {
        let answer = gateway.chat(&openai::request("smart")).send().expect(200);
        assert_eq!(model(&answer), ("small", "heuristic_fallback"));
    }
    assert_eq!(judge.seen().len(), 1, "thirty seconds of rest");
    judge.wait_for_hang_up();
    gateway.wait_for_rest();
}

/// `heuristic_first`: what the words place cheaply costs no question.
#[test]
fn words_come_first() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let judge = Upstream::always(saying(r#"{"tier": "REASONING"}"#));
    let config = json!({
        "classifier_type": "heuristic_first", "heuristic_first_max_tier": "SIMPLE",
        "classifier_llm_config": { "model": "judge" },
    });
    let gateway = complexity(&small, &large, &config).model("judge", "openai/gpt-4o-mini", &judge).start();
    let ask = |text: &str| {
        let mut asked = openai::request("smart");
        asked["messages"][0]["content"] = json!(text);
        gateway.chat(&asked).send().expect(200)
    };
    assert_eq!(model(&ask("hi")), ("small", "heuristic_first_short_circuit"));
    let vague =
        "I wonder whether the weather in the mountains will stay as nice as it has been all of this week";
    assert_eq!(model(&ask(vague)), ("large", "llm_classifier"));
    assert_eq!(judge.seen().len(), 1);
}

/// A fallback may lead to an auto router: it names the group by what the caller said.
#[test]
fn a_fallback_leads_to_an_auto_router() {
    let broken = Upstream::always(openai::error(500, "broken"));
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let setup = complexity(&small, &large, &json!({})).model("first", "openai/gpt-4o", &broken);
    let gateway = setup.set("router_settings", "fallbacks", json!([{ "first": ["smart"] }])).start();
    let answer = gateway.chat(&openai::request("first")).send().expect(200);
    assert_eq!((answer.must("x-litellm-attempted-fallbacks"), small.seen().len()), ("1", 1));
    let mut hard = openai::request("first");
    hard["messages"][0]["content"] = json!(
        "Think through this step by step and tell me what you would do about the leaking roof of my house"
    );
    gateway.chat(&hard).send().expect(200);
    assert_eq!((small.seen().len(), large.seen().len()), (1, 1));
}

/// Budgets of a key for one model hold for the group that serves and for the router's own name.
#[test]
fn budgets_of_models_hold_behind_a_router() {
    for limited in ["small", "smart"] {
        let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
        let gateway = complexity(&small, &large, &json!({})).start();
        let budget = json!({ limited: { "budget_limit": 0.04, "time_period": "1d" } });
        let key = gateway.key(&json!({ "model_max_budget": budget }));
        let ask = || gateway.post(openai::PATH).key(&key).json(&openai::request("smart")).send();
        ask().expect(200);
        gateway.wait_for_rest();
        let refused = ask();
        assert!(refused.status != 200 && refused.text().contains("udget"), "{limited}: {}", refused.text());
        assert_eq!(small.seen().len(), 1, "{limited}");
    }
}

fn learning(upstream: &Upstream) -> Setup {
    let setup = gateway().model("a", "openai/gpt-4o-mini", upstream).model("b", "openai/gpt-4o", upstream);
    let config = json!({ "available_models": ["a", "b"], "exploration_rate": 0 });
    router(setup, "learns", "adaptive_router", &json!({ "adaptive_router_config": config }))
        .info(json!({ "id": "the-learner" }))
}

/// Praise and blame of `draft an email`, as `GET /adaptive_router/state` tells it.
fn samples(gateway: &Running) -> f64 {
    let told = gateway.get("/adaptive_router/state").key(MASTER).send().expect(200).json();
    assert_eq!(told["routers"][0]["router_name"], "learns");
    let cells = told["routers"][0]["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 14, "two models, seven kinds");
    cells.iter().map(|cell| cell["samples"].as_f64().expect("a number")).sum()
}

/// What an adaptive router has learnt outlives the process.
#[test]
fn lessons_survive_a_restart() {
    let upstream = Upstream::always(openai::reply());
    let setup = learning(&upstream);
    let gateway = setup.start();
    let first = json!({ "role": "user", "content": "draft an email to my team" });
    let said = |words: &[&str]| {
        let mut messages = vec![first.clone()];
        for word in words {
            messages.push(json!({ "role": "assistant", "content": "Hello there." }));
            messages.push(json!({ "role": "user", "content": word }));
        }
        json!({ "model": "learns", "messages": messages })
    };
    gateway.chat(&said(&[])).send().expect(200);
    gateway.chat(&said(&["shorter please"])).send().expect(200);
    gateway.chat(&said(&["shorter please", "perfect, thanks"])).send().expect(200);
    let before = samples(&gateway);
    assert!(before > 0.0, "praise counts");
    let gateway = setup.start_in(gateway.stop());
    crate::support::wait_until("what was learnt to be read", || (samples(&gateway) - before).abs() < 1e-9);
}

/// `/auto_router/validate_complexity_router_config` and `/auto_router/test_routing`.
#[test]
fn configurations_are_tried_out() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("small", "openai/gpt-4o-mini", &upstream).start();
    let check = |config: Value| {
        let body = json!({ "complexity_router_config": config });
        gateway.manage("/auto_router/validate_complexity_router_config", &body).expect(200).json()
    };
    assert_eq!(check(json!({ "tiers": { "SIMPLE": "small" } })), json!({ "valid": true, "error": null }));
    let wrong = check(json!({ "tiers": { "SIMPLE": "small" }, "classifier_type": "hybrid" }));
    assert_eq!(wrong["valid"], false);
    assert!(wrong["error"].as_str().expect("words").contains("classifier_llm_config"), "{wrong}");
    let body = json!({
        "prompt": "hi", "router_name": "smart",
        "complexity_router_config": { "tiers": { "SIMPLE": "small", "REASONING": "gone" } },
    });
    let told = gateway.manage("/auto_router/test_routing", &body).expect(200).json();
    assert_eq!((&told["routed_model"], &told["routed_model_configured"]), (&json!("small"), &json!(true)));
    assert_eq!(
        (&told["routing_decision"]["tier"], &told["routing_decision"]["score"]),
        (&json!("SIMPLE"), &json!(-0.15))
    );
    assert_eq!(upstream.seen().len(), 0, "nothing is sent");
    let key = gateway.key(&json!({}));
    gateway.post("/auto_router/test_routing").key(&key).json(&body).send().expect(401);
    gateway.get("/adaptive_router/state").key(MASTER).send().expect(404);
}

/// `/auto_router/availability`: LiteLLM's licence counts routers, here nothing is counted. And
/// `/auto_router/classifier/default_prompt`: what is shown is what would be sent.
#[test]
fn what_may_be_used_and_what_models_are_told() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let judge = Upstream::always(saying(r#"{"tier": "SIMPLE"}"#));
    let config = json!({ "classifier_type": "llm", "classifier_llm_config": { "model": "judge" } });
    let gateway = complexity(&small, &large, &config).model("judge", "openai/gpt-4o-mini", &judge).start();
    let told = gateway.manage("/auto_router/availability", &json!({})).expect(200).json();
    assert_eq!(told["error"], Value::Null);
    let allowances = told["allowances"].as_array().expect("a list");
    assert_eq!(allowances.len(), 5);
    assert!(allowances.iter().all(|one| one["limit"].is_null() && one["available"] == true), "{told}");
    gateway.manage("/auto_router/availability", &json!({ "saved_model_id": "nobody" })).expect(404);

    let path = "/auto_router/classifier/default_prompt";
    let shown = gateway.get(path).key(MASTER).send().expect(200).json();
    gateway.chat(&openai::request("smart")).send().expect(200);
    assert_eq!(shown["system_prompt"], judge.only().json()["messages"][0]["content"]);
    let own = gateway.manage(path, &json!({ "classification_prompt": "Sort these." })).expect(200).json();
    let own = own["system_prompt"].as_str().expect("text");
    assert!(own.starts_with("Sort these.\n\nTiers:\n- SIMPLE"), "{own}");
    let tiers = json!({ "tier_definitions": [{ "name": "TINY" }] });
    let refused = gateway.manage(path, &tiers).expect(400).json();
    assert!(refused.to_string().contains("tier_definitions"), "{refused}");
    let key = gateway.key(&json!({}));
    gateway.get(path).key(&key).send().expect(401);
}

/// `heuristic_v2`: nobody is asked, and the model's kind of request and likelihoods are part of the decision.
#[test]
fn likelihoods_decide() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let gateway = complexity(&small, &large, &json!({ "classifier_type": "heuristic_v2" })).start();
    let mut asked = openai::request("smart");
    asked["messages"][0]["content"] = json!("hi");
    assert_eq!(model(&gateway.chat(&asked).send().expect(200)), ("small", "heuristic_v2"));
    // Of the medium tier, which has no model here: the next harder one serves.
    asked["messages"][0]["content"] = json!("Solve this equation: x + 2 = 4");
    let answer = gateway.chat(&asked).send().expect(200);
    assert_eq!(model(&answer), ("large", "heuristic_v2"));
    assert_eq!(answer.must("x-litellm-complexity-router-tier"), "MEDIUM");
}

/// What a coding agent puts beside its user's words does not make them harder; that it plans is found there.
#[test]
fn reminders_are_not_what_was_said() {
    let (small, large) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let gateway = complexity(&small, &large, &json!({ "plan_mode_min_tier": "REASONING" })).start();
    let hard = "think through this step by step: debug the distributed database architecture";
    let reminder = |text: &str| format!("<system-reminder>{text}</system-reminder>");
    let ask = |messages: Value| {
        let mut asked = openai::request("smart");
        asked["messages"] = messages;
        gateway.chat(&asked).send().expect(200)
    };
    let said = |text: String| json!({ "role": "user", "content": text });
    assert_eq!(model(&ask(json!([said(hard.into())]))).0, "large");
    assert_eq!(model(&ask(json!([said(reminder(hard) + "hi")]))).0, "small");
    // A message that is nothing else leaves what was asked before.
    assert_eq!(model(&ask(json!([said(hard.into()), said(reminder("hi"))]))).0, "large");
    let plans = ask(json!([said(reminder("Plan mode is active") + "hi")]));
    assert_eq!(model(&plans), ("large", "heuristic_scorer"));
}
