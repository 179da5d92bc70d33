//! Clients that leave: the provider's connection is closed, the reservation given back, and what the
//! provider had done by then is charged and flagged.

use serde_json::json;

use crate::support::{Gate, Reply, Upstream, anthropic, gateway, openai, wait_until};

#[test]
fn before_the_first_byte() {
    let upstream = Upstream::always(Reply::silence());
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_budget": 100, "max_parallel_requests": 1 }));
    let call = gateway.post(openai::PATH).key(&key);
    for body in [openai::request("any"), openai::streamed("any")] {
        let before = upstream.seen().len();
        let client = call.clone().json(&body).begin();
        upstream.wait_for_requests(before + 1);
        assert_eq!(gateway.in_flight(), 1.0);
        drop(client);
        upstream.wait_for_hang_up();
        gateway.wait_for_rest();
    }
    assert!(gateway.spend(&key) > 0.0, "the prompt was sent, and may have been worked on");
    assert_eq!(gateway.metric("gateway_hung_up_requests_total", ""), 2.0);
    let rows = gateway.booked();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!((row.outcome.as_str(), row.status, row.estimated), ("hung_up", 499, true));
        assert!(row.input_tokens > 0);
        assert_eq!(row.output_tokens, 0);
    }
}

#[test]
fn in_the_middle_of_a_stream() {
    for (model, path, body, frames) in [
        ("openai/gpt-4o-mini", openai::PATH, openai::streamed("any"), openai::piece(&"word ".repeat(80))),
        (
            "anthropic/claude-sonnet-4-5",
            anthropic::PATH,
            anthropic::streamed("any"),
            anthropic::start() + &anthropic::piece(&"word ".repeat(80)),
        ),
        (
            "anthropic/claude-sonnet-4-5",
            openai::PATH,
            openai::streamed("any"),
            anthropic::start() + &anthropic::piece(&"word ".repeat(80)),
        ),
    ] {
        let upstream = Upstream::always(Reply::stream().then(frames).hang());
        let gateway = gateway().model("any", model, &upstream).start();
        let key = gateway.key(&json!({ "max_budget": 100 }));
        let mut flow = gateway.post(path).key(&key).json(&body).open();
        flow.until("word word");
        assert_eq!(gateway.in_flight(), 1.0);
        drop(flow);
        upstream.wait_for_hang_up();
        gateway.wait_for_rest();
        wait_until("connections to close", || upstream.open() == 0);
        let spend = gateway.spend(&key);
        let row = gateway.booked().remove(0);
        assert_eq!((row.outcome.as_str(), row.status, row.estimated), ("hung_up", 499, true));
        assert_eq!(row.output_tokens, 100, "the answer so far");
        assert!((row.cost.expect("a price").as_usd() - spend).abs() < 1e-9);
    }
}

#[test]
fn while_the_provider_goes_on_sending() {
    // The client does not read: what the gateway holds stays small, and leaving ends it all the same.
    let gate = Gate::default();
    let mut reply = Reply::stream().then(openai::piece("first")).hold(&gate);
    let piece = openai::piece(&"x".repeat(64 * 1024));
    for _ in 0..200 {
        reply = reply.then(piece.as_str());
    }
    let upstream = Upstream::always(reply.hang());
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    let mut flow = gateway.chat(&openai::streamed("any")).open();
    flow.until("first");
    gate.open();
    drop(flow);
    upstream.wait_for_hang_up();
    gateway.wait_for_rest();
    assert_eq!(gateway.booked()[0].outcome, "hung_up");
}

#[test]
fn many_at_once_leave_nothing_behind() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece("first")).hang());
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_parallel_requests": 20 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::streamed("any"));
    let mut flows: Vec<_> = (0..20).map(|_| call.open()).collect();
    flows.iter_mut().for_each(|flow| flow.until("first"));
    assert_eq!(gateway.in_flight(), 20.0);
    call.send().expect(429);
    drop(flows);
    gateway.wait_for_rest();
    wait_until("connections to close", || upstream.open() == 0);
    upstream.change(openai::stream());
    call.send().expect(200);
    assert_eq!(gateway.booked().iter().filter(|row| row.outcome == "hung_up").count(), 20);
}
