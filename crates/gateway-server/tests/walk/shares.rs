//! Several deployments at work for one call: each share is paid at its own deployment's and provider's budget.

use serde_json::json;

use crate::support::{
    Flow, Gate, Reply, Running, Setup, Upstream, gateway, logged, openai, part_spend, wait_until,
};

const BUDGET: f64 = 100.0;

/// A deployment `id` of the group `any` that goes on with what was begun, with a budget of its own; it costs 0.001
/// a prompt token and `answer` an answer token.
fn member(setup: Setup, id: &str, upstream: &Upstream, order: i64, answer: f64) -> Setup {
    let params = json!({
        "order": order, "max_budget": BUDGET, "budget_duration": "30d", "output_cost_per_token": answer,
    });
    let info = json!({ "id": id, "supports_assistant_prefill": true });
    setup.model_at("any", "openai/gpt-4o", &upstream.url(), &params).info(info)
}

fn failing_over() -> Setup {
    gateway()
        .set("router_settings", "mid_stream_failover", true)
        .set("litellm_settings", "provider_budget_config", json!({}))
        .set(
            "router_settings",
            "provider_budget_config",
            json!({ "openai": { "budget_limit": 100, "time_period": "1d" } }),
        )
}

fn spends(gateway: Running, owners: &[(&str, &str)]) -> Vec<f64> {
    let dir = gateway.stop();
    owners.iter().map(|(owner, period)| part_spend(dir.path(), owner, period)).collect()
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

/// The first dies after 8 letters (2 tokens by the length), the second ends the answer with usage of its own: each
/// deployment pays its share, their provider the sum, the key the same sum once.
#[test]
fn a_stream_that_went_on_is_paid_by_both() {
    let dying = Reply::stream().then(openai::piece("Hell")).then(openai::piece("o my")).cut();
    let (first, second) = (Upstream::always(dying), Upstream::always(openai::stream()));
    let setup = member(failing_over(), "first", &first, 1, 0.01);
    let gateway = member(setup, "second", &second, 2, 0.002).start();
    let key = gateway.key(&json!({ "max_budget": BUDGET }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::streamed("any"));
    let answer = call.send().expect(200);
    assert!(
        answer.text().contains("Hell") && answer.text().ends_with("data: [DONE]\n\n"),
        "{}",
        answer.text()
    );
    gateway.wait_for_rest();
    let spent = gateway.spend(&key);
    assert_eq!(gateway.metric("gateway_stream_failovers_total", ""), 1.0);
    let owners = [("deployment:first", "30d"), ("deployment:second", "30d"), ("provider:openai", "1d")];
    let paid = spends(gateway, &owners);
    // The second states 10 and 20 tokens.
    assert!(near(paid[1], 0.05), "{paid:?}");
    assert!(paid[0] >= 0.02 && paid[0] < 0.05, "an estimate of its prompt and its two tokens: {paid:?}");
    assert!(near(paid[2], paid[0] + paid[1]) && near(spent, paid[2]), "{paid:?}, the key {spent}");
}

/// A stream that goes on twice is one stream, and three deployments pay.
#[test]
fn a_stream_that_went_on_twice() {
    let dying = |text: &str| Upstream::always(Reply::stream().then(openai::piece(text)).cut());
    let (first, second, third) = (dying("One "), dying("two "), Upstream::always(openai::stream()));
    let setup = member(failing_over(), "first", &first, 1, 0.01);
    let setup = member(setup, "second", &second, 2, 0.01);
    let gateway = member(setup, "third", &third, 3, 0.002).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{} {}", answer.text(), logged());
    gateway.wait_for_rest();
    assert_eq!(
        gateway.metric("gateway_stream_failovers_total", ""),
        1.0,
        "streams are counted, not attempts"
    );
    let owners = ["first", "second", "third"].map(|id| format!("deployment:{id}"));
    let owners: Vec<(&str, &str)> = owners.iter().map(|owner| (owner.as_str(), "30d")).collect();
    let paid = spends(gateway, &owners);
    assert!(paid[0] > 0.0 && paid[1] > 0.0 && near(paid[2], 0.05), "{paid:?}");
}

/// Where the budget of the one that would go on is used up, it is not asked.
#[test]
fn who_has_no_money_does_not_go_on() {
    let dying = Reply::stream().then(openai::piece("Hell")).cut();
    let (first, second) = (Upstream::always(dying), Upstream::always(openai::stream()));
    let setup = member(failing_over(), "first", &first, 1, 0.01);
    let params = json!({ "order": 2, "max_budget": 0.01, "budget_duration": "30d" });
    let info = json!({ "id": "poor", "supports_assistant_prefill": true });
    let setup = setup.model_at("any", "openai/gpt-4o", &second.url(), &params).info(info);
    let gateway = setup.start();
    let call = gateway.chat(&openai::streamed("any"));
    assert!(call.send().expect(200).text().ends_with("data: [DONE]\n\n"), "its money was not used up before");
    gateway.wait_for_rest();
    let answer = call.send().expect(200);
    assert!(answer.text().contains("\"error\"") && !answer.text().contains("[DONE]"), "{}", answer.text());
    assert_eq!(second.seen().len(), 1);
    gateway.wait_for_rest();
    let paid = spends(gateway, &[("deployment:first", "30d"), ("deployment:poor", "30d")]);
    assert!(paid[0] > 0.0 && near(paid[1], 0.05), "{paid:?}");
}

/// A try that failed has used nothing: its deployment's money is free while the next one answers.
#[test]
fn a_failed_try_gives_its_money_back() {
    let (broken, works) = (Upstream::always(openai::error(500, "broken")), Upstream::always(openai::reply()));
    let setup = member(failing_over().set("router_settings", "num_retries", 2), "first", &broken, 1, 0.01);
    let gateway = member(setup, "second", &works, 2, 0.002).start();
    gateway.chat(&openai::request("any")).send().expect(200);
    gateway.wait_for_rest();
    let owners = [("deployment:first", "30d"), ("deployment:second", "30d"), ("provider:openai", "1d")];
    let paid = spends(gateway, &owners);
    assert!(paid[0] == 0.0 && near(paid[1], 0.05) && near(paid[2], 0.05), "{paid:?}");
}

/// A call that the end of the process cuts off is booked at the deployment that was asked and at its provider too.
#[test]
fn a_call_killed_in_flight_is_booked_at_its_deployment() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece("first")).hang());
    let setup = member(failing_over(), "only", &upstream, 1, 0.01);
    let gateway = setup.start();
    let key = gateway.key(&json!({ "max_budget": BUDGET }));
    let mut asked = openai::streamed("any");
    asked["max_tokens"] = json!(100);
    let mut flow = gateway.post(openai::PATH).key(&key).json(&asked).open();
    flow.until("first");
    let dir = gateway.crash();
    drop(flow);
    let gateway = setup.start_in(dir);
    let spent = gateway.spend(&key);
    assert!(spent > 0.0, "the prompt at least");
    let paid = spends(gateway, &[("deployment:only", "30d"), ("provider:openai", "1d")]);
    assert!(near(paid[0], spent) && near(paid[1], spent), "{paid:?}, the key {spent}");
}

/// A hedged loser that said what it used before it was cancelled pays that, not an estimate, at its own budget.
#[test]
fn a_hedged_loser_that_stated_its_usage() {
    let (slow, quick) = (Upstream::always(openai::stream()), Upstream::always(openai::stream()));
    let member = |setup: Setup, id: &str, upstream: &Upstream, weight: u32| {
        let params = json!({ "weight": weight, "max_budget": BUDGET, "budget_duration": "30d" });
        setup.model_at("any", "openai/gpt-4o", &upstream.url(), &params).info(json!({ "id": id }))
    };
    let setup = gateway().set("router_settings", "hedging", json!({ "percentile": 100, "budget": 1 }));
    let gateway = member(member(setup, "slow", &slow, 1), "quick", &quick, 0).start();
    let key = gateway.key(&json!({ "max_budget": BUDGET }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::streamed("any"));
    while slow.seen().len() < 21 {
        call.send().expect(200);
    }
    gateway.wait_for_rest();
    let (before, sent, asked) = (gateway.spend(&key), slow.sent(), quick.seen().len());
    // It says how long the prompt is, 10 tokens, and not a word more; the other one waits until that is told.
    let gate = Gate::default();
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10 });
    let told = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [],
        "usage": usage,
    });
    slow.change(Reply::stream().then(openai::frame(&told)).hang());
    quick.change(openai::stream().after(&gate));
    let flow = call.begin();
    quick.wait_for_requests(asked + 1);
    wait_until("the slow one to tell its usage", || slow.sent() > sent);
    gate.open();
    assert!(Flow::read(flow).rest().text().ends_with("data: [DONE]\n\n"));
    slow.wait_for_hang_up();
    gateway.wait_for_rest();
    let spent = gateway.spend(&key) - before;
    assert!(near(spent, 0.01 + 0.05), "ten tokens of prompt, and the whole answer of the other: {spent}");
    let dir = gateway.stop();
    let paid = ["deployment:slow", "deployment:quick"].map(|owner| part_spend(dir.path(), owner, "30d"));
    assert!(near(paid[0] + paid[1], before + spent), "{paid:?}, the key {}", before + spent);
}

/// Surface §7.7, budgets of single deployments: one that is spent is not asked for the rest of an answer, and the next goes on.
#[test]
fn a_stream_does_not_go_on_where_the_budget_is_spent() {
    let dying = Upstream::always(Reply::stream().then(openai::piece("Hell")).cut());
    let (poor, rich) = (Upstream::always(openai::stream()), Upstream::always(openai::stream()));
    let setup = member(failing_over(), "first", &dying, 1, 0.01);
    let small =
        json!({ "order": 2, "max_budget": 0.005, "budget_duration": "30d", "output_cost_per_token": 0.002 });
    let setup = setup.model_at("any", "openai/gpt-4o", &poor.url(), &small);
    let setup = setup.info(json!({ "id": "poor", "supports_assistant_prefill": true }));
    let gateway = member(setup, "rich", &rich, 3, 0.002).start();
    // A budget lets one call in while nothing is spent, as in LiteLLM: this one spends it.
    gateway.chat(&openai::streamed("poor")).send().expect(200);
    gateway.wait_for_rest();
    let key = gateway.key(&json!({ "max_budget": BUDGET }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::streamed("any"));
    let answer = call.send().expect(200);
    assert!(
        answer.text().contains("Hell") && answer.text().ends_with("data: [DONE]\n\n"),
        "{}",
        answer.text()
    );
    gateway.wait_for_rest();
    assert_eq!((poor.seen().len(), rich.seen().len()), (1, 1));
    let paid = spends(gateway, &[("deployment:poor", "30d"), ("deployment:rich", "30d")]);
    assert!(near(paid[0], 0.05) && near(paid[1], 0.05), "{paid:?}");
}

/// The same of fallbacks: the one whose deployment has no money left is passed over, and where no other is there, its
/// budget is told.
#[test]
fn a_fallback_whose_deployment_is_broke_is_passed_over() {
    let (broken, poor, rich) = (
        Upstream::always(openai::error(500, "no")),
        Upstream::always(openai::reply()),
        Upstream::always(openai::reply()),
    );
    let small = json!({ "max_budget": 0.05, "budget_duration": "30d", "output_cost_per_token": 0.002 });
    let setup = gateway()
        .model("any", "openai/gpt-4o", &broken)
        .model_at("poor", "openai/gpt-4o", &poor.url(), &small)
        .info(json!({ "id": "poor" }))
        .model("rich", "openai/gpt-4o", &rich)
        .set("router_settings", "num_retries", 0)
        .set("router_settings", "fallbacks", json!([{ "any": ["poor", "rich"] }]));
    let gateway = setup.start();
    let mut asked = openai::request("poor");
    asked["max_tokens"] = json!(5);
    gateway.chat(&asked).send().expect(200);
    gateway.wait_for_rest();
    asked["model"] = json!("any");
    let answer = gateway.chat(&asked).send().expect(200);
    assert_eq!((answer.must("x-litellm-model-group"), poor.seen().len(), rich.seen().len()), ("rich", 1, 1));
    asked["fallbacks"] = json!(["poor"]);
    gateway.chat(&asked).send().expect(500);
    asked["model"] = json!("poor");
    let refused = gateway.chat(&asked).send().expect(429);
    assert!(
        refused.text().contains("crossed budget") && refused.text().contains("poor"),
        "{}",
        refused.text()
    );
    assert_eq!(poor.seen().len(), 1);
    let paid = spends(gateway, &[("deployment:poor", "30d")]);
    assert!(near(paid[0], 0.05), "{paid:?}");
}
