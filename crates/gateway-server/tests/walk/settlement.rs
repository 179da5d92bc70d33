//! What is booked: the provider's word where there is one, a flagged estimate where a call may have
//! worked, nothing where it did not; and spend, log and sums agree.

use gateway_db::SpendRow;
use serde_json::{Value, json};

use crate::support::{MASTER, Reply, Running, Upstream, anthropic, gateway, openai};

const NANOS: i64 = 1_000_000_000;

struct Stage {
    upstream: Upstream,
    gateway: Running,
    key: String,
}

fn stage(model: &str, reply: Reply) -> Stage {
    let upstream = Upstream::always(reply);
    let gateway = gateway().model("any", model, &upstream).start();
    let key = gateway.key(&json!({ "user_id": "u-1", "team_id": "t-1", "max_budget": 1000 }));
    Stage { upstream, gateway, key }
}

impl Stage {
    fn chat(&self, body: &Value) -> crate::support::Answer {
        self.gateway.post(openai::PATH).key(&self.key).json(body).send()
    }

    /// Checks that spend and the only row agree, and gives the row.
    #[track_caller]
    fn only_row(self) -> SpendRow {
        self.gateway.wait_for_rest();
        let spend = self.gateway.spend(&self.key);
        drop(self.upstream);
        let mut rows = self.gateway.booked();
        assert_eq!(rows.len(), 1, "{rows:#?}");
        let row = rows.remove(0);
        let cost = row.cost.expect("the model has a price");
        assert!((cost.as_usd() - spend).abs() < 1e-9, "{cost:?} booked, {spend} spent");
        row
    }
}

#[test]
fn a_whole_answer_costs_what_its_usage_says() {
    let stage = stage("openai/gpt-4o-mini", openai::reply());
    let mut asked = openai::request("any");
    asked["user"] = json!("end-user-1");
    asked["metadata"] = json!({ "tags": ["red", "blue"] });
    stage.chat(&asked).expect(200);
    let row = stage.only_row();
    assert_eq!(
        (row.outcome.as_str(), row.status, row.estimated, row.stream),
        ("completed", 200, false, false)
    );
    assert_eq!((row.input_tokens, row.output_tokens), (10, 20));
    assert_eq!(row.cost.expect("a price").0, NANOS / 20);
    assert_eq!((row.user_id.as_deref(), row.team_id.as_deref()), (Some("u-1"), Some("t-1")));
    assert_eq!(row.end_user.as_deref(), Some("end-user-1"));
    assert_eq!((row.model_group.as_str(), row.model.as_deref()), ("any", Some("gpt-4o-mini")));
    assert_eq!((row.provider.as_deref(), row.call_type.as_str()), (Some("openai"), "acompletion"));
    let tags: Value = serde_json::from_str(row.tags.as_deref().unwrap_or_default()).expect("tags are JSON");
    assert!(["red", "blue"].iter().all(|tag| tags.as_array().is_some_and(|all| all.contains(&json!(tag)))));
}

#[test]
fn a_stream_costs_what_its_usage_says() {
    let stage = stage("openai/gpt-4o-mini", openai::stream());
    stage.chat(&openai::streamed("any")).expect(200);
    let row = stage.only_row();
    assert_eq!((row.outcome.as_str(), row.estimated, row.stream), ("completed", false, true));
    assert_eq!((row.input_tokens, row.output_tokens), (10, 20));
    assert!(row.first_byte_us.is_some_and(|us| us <= row.duration_us));
}

#[test]
fn a_translated_stream_costs_what_its_usage_says() {
    let stage = stage("anthropic/claude-sonnet-4-5", anthropic::stream());
    stage.chat(&openai::streamed("any")).expect(200);
    let row = stage.only_row();
    assert_eq!((row.outcome.as_str(), row.estimated), ("completed", false));
    assert_eq!((row.input_tokens, row.output_tokens), (10, 20));
}

#[test]
fn a_stream_without_usage_is_estimated_and_says_so() {
    let long = "word ".repeat(100);
    let end =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let reply = Reply::stream().then(openai::piece(&long)).then(end);
    let stage = stage("openai/gpt-4o-mini", reply);
    stage.chat(&openai::streamed("any")).expect(200);
    let row = stage.only_row();
    assert_eq!((row.outcome.as_str(), row.estimated), ("completed", true));
    assert_eq!(row.output_tokens, 125, "a token for every four bytes of 500");
    assert!(row.input_tokens > 0);
}

#[test]
fn an_error_of_the_provider_costs_nothing() {
    for reply in [openai::error(400, "odd"), openai::error(500, "broken"), openai::error(429, "slow down")] {
        let stage = stage("openai/gpt-4o-mini", reply);
        let status = stage.chat(&openai::request("any")).status;
        let row = stage.only_row();
        assert_eq!((row.outcome.as_str(), row.status), ("failed", i64::from(status)));
        assert_eq!((row.cost.expect("a price").0, row.input_tokens, row.output_tokens), (0, 0, 0));
        assert!(row.error.is_some());
    }
}

#[test]
fn a_provider_that_cannot_be_reached_costs_nothing() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", gone.local_addr().expect("an address"));
    drop(gone);
    let gateway = gateway().model_at("any", "openai/gpt-4o-mini", &url, &json!({})).start();
    let answer = gateway.chat(&openai::request("any")).send();
    assert_eq!(answer.status, 500, "{}", answer.text());
    let rows = gateway.booked();
    assert_eq!(
        (rows.len(), rows[0].outcome.as_str(), rows[0].cost.map(|cost| cost.0)),
        (1, "failed", Some(0))
    );
}

#[test]
fn a_cut_stream_costs_what_had_come() {
    let text = "word ".repeat(80);
    let reply = Reply::stream().then(openai::piece(&text)).cut();
    let stage = stage("openai/gpt-4o-mini", reply);
    stage.chat(&openai::streamed("any")).expect(200);
    let row = stage.only_row();
    assert_eq!((row.outcome.as_str(), row.estimated, row.output_tokens), ("cut", true, 100));
    assert!(row.cost.expect("a price").0 > NANOS / 5, "{:?}", row.cost);
}

#[test]
fn a_cut_stream_that_began_with_usage_counts_the_answer_too() {
    // Anthropic states the prompt and one token of answer first; the answer that follows is not in it.
    let reply = Reply::stream().then(anthropic::start()).then(anthropic::piece(&"word ".repeat(80))).cut();
    let stage = stage("anthropic/claude-sonnet-4-5", reply);
    stage.chat(&openai::streamed("any")).expect(200);
    let row = stage.only_row();
    assert_eq!((row.outcome.as_str(), row.estimated), ("cut", true));
    assert_eq!((row.input_tokens, row.output_tokens), (10, 100));
}

#[test]
fn a_model_without_a_price_is_booked_as_such() {
    let upstream = Upstream::always(openai::reply());
    let params = json!({ "input_cost_per_token": null, "output_cost_per_token": null });
    let setup = gateway().model_at("odd", "openai/nobody-knows-me", &upstream.url(), &params);
    let gateway = setup.start();
    let answer = gateway.chat(&openai::request("odd")).send().expect(200);
    assert_eq!(answer.header("x-litellm-response-cost"), None);
    let rows = gateway.booked();
    assert!(rows[0].unpriced && rows[0].cost.is_none(), "{rows:#?}");
    assert_eq!((rows[0].input_tokens, rows[0].output_tokens), (10, 20));
}

#[test]
fn the_operators_calls_are_booked_too() {
    let stage = stage("openai/gpt-4o-mini", openai::reply());
    stage.gateway.post(openai::PATH).key(MASTER).json(&openai::request("any")).send().expect(200);
    let rows = stage.gateway.booked();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].cost.map(|cost| cost.0), Some(NANOS / 20));
}

#[test]
fn sums_are_exact_under_load() {
    let stage = stage("openai/gpt-4o-mini", openai::reply());
    let plain = stage.gateway.post(openai::PATH).key(&stage.key).json(&openai::request("any"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let call = plain.clone();
            scope.spawn(move || (0..25).for_each(|_| drop(call.send().expect(200))));
        }
    });
    assert_eq!(stage.gateway.spend(&stage.key), 10.0);
    let booked = stage.gateway.metric("litellm_spend_metric_total", "requested_model=\"any\"");
    assert!((booked - 10.0).abs() < 1e-9, "{booked}");
    let rows = stage.gateway.booked();
    assert_eq!(rows.len(), 200);
    assert_eq!(rows.iter().map(|row| row.cost.expect("a price").0).sum::<i64>(), 10 * NANOS);
}

#[test]
fn spend_survives_an_abrupt_end() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.start();
    let key = gateway.key(&json!({ "max_budget": 100 }));
    let call = |gateway: &Running, body: &Value| gateway.post(openai::PATH).key(&key).json(body).open();
    for _ in 0..5 {
        assert_eq!(call(&gateway, &openai::request("any")).rest().status, 200);
    }
    upstream.change(Reply::stream().then(openai::piece(&"word ".repeat(80))).hang());
    let mut flow = call(&gateway, &openai::streamed("any"));
    flow.until("word");
    let gateway = setup.start_in(gateway.crash());
    assert!(!flow.rest().whole);
    let spend = gateway.spend(&key);
    assert!(spend > 0.25 + 0.2, "five answers and the beginning of one: {spend}");
    let rows = gateway.booked();
    assert_eq!((rows.len(), rows[0].outcome == "completed", rows[0].estimated), (6, false, true));
    let booked: i64 = rows.iter().map(|row| row.cost.expect("a price").0).sum();
    assert!((spend * 1e9 - f64::from(i32::try_from(booked).expect("few dollars"))).abs() < 1.0);
}

#[test]
fn spend_survives_a_restart() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.start();
    let key = gateway.key(&json!({ "max_budget": 0.12 }));
    let ask = |gateway: &Running| gateway.post(openai::PATH).key(&key).json(&openai::request("any")).send();
    ask(&gateway).expect(200);
    ask(&gateway).expect(200);
    let gateway = setup.start_in(gateway.stop());
    assert_eq!(gateway.spend(&key), 0.1);
    assert_eq!(ask(&gateway).expect(200).must("x-litellm-key-spend"), "0.15");
    ask(&gateway).expect(422);
    assert_eq!(gateway.booked().len(), 3);
}
