//! Many calls at once, on both cores: limits are never exceeded, not by one.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use serde_json::json;

use crate::support::{Upstream, gateway, openai};

/// Sends `count` calls from eight threads and counts those that were answered.
fn storm(call: &crate::support::Call, count: usize, refused: u16) -> u32 {
    let answered = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..count / 8 {
                    let status = call.send().status;
                    assert!(status == 200 || status == refused, "{status}");
                    answered.fetch_add(u32::from(status == 200), Relaxed);
                }
            });
        }
    });
    answered.into_inner()
}

#[test]
fn requests_a_minute_are_exact() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "rpm_limit": 33 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    assert_eq!(storm(&call, 80, 429), 33);
    assert_eq!(upstream.seen().len(), 33);
}

#[test]
fn a_budget_is_never_overspent_by_calls_that_state_their_size() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_budget": 1 }));
    let mut asked = openai::request("fast");
    asked["max_tokens"] = json!(20);
    let call = gateway.post(openai::PATH).key(&key).json(&asked);
    let answered = storm(&call, 80, 422);
    let spend = gateway.spend(&key);
    assert!((spend - f64::from(answered) * 0.05).abs() < 1e-9, "{answered} calls cost {spend}");
    assert!(spend <= 1.0 + 1e-9, "{spend}");
    assert!(spend > 0.9, "the budget was used: {spend}");
    assert_eq!(upstream.seen().len(), usize::try_from(answered).expect("few calls"));
}

#[test]
fn places_are_exact() {
    let gate = crate::support::Gate::default();
    let upstream = Upstream::always(openai::reply().after(&gate));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    places(&gateway, &upstream, &gate, &json!({ "max_parallel_requests": 5 }));
}

#[test]
fn places_of_the_instance_are_exact() {
    let gate = crate::support::Gate::default();
    let upstream = Upstream::always(openai::reply().after(&gate));
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.set("general_settings", "global_max_parallel_requests", 5).start();
    places(&gateway, &upstream, &gate, &json!({}));
    assert_eq!(gateway.in_flight(), 0.0);
}

/// Of sixteen calls at once five find a place.
fn places(
    gateway: &crate::support::Running,
    upstream: &Upstream,
    gate: &crate::support::Gate,
    key: &serde_json::Value,
) {
    let key = gateway.key(key);
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    let waiting: Vec<_> = (0..16).map(|_| call.begin()).collect();
    upstream.wait_for_requests(5);
    // The eleven others were refused at once.
    crate::support::wait_until("the refusals", || {
        gateway.metric("gateway_refused_requests_total", "429") == 11.0
    });
    gate.open();
    let statuses: Vec<_> =
        waiting.into_iter().map(|one| crate::support::Flow::read(one).rest().status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5, "{statuses:?}");
    assert_eq!(upstream.seen().len(), 5);
}
