//! A new configuration under load: no call fails, those in flight end under the one they began with.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use serde_json::json;

use crate::support::{Gate, Reply, Upstream, gateway, openai};

#[test]
fn no_call_fails_while_the_configuration_changes() {
    let (one, two) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let first = gateway().model("any", "openai/gpt-4o", &one);
    let second = gateway().model("any", "openai/gpt-4o-mini", &two).model("more", "openai/gpt-4o", &one);
    let gateway = first.start();
    let key = gateway.key(&json!({ "max_budget": 100_000 }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("any"));
    let (over, answered) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    call.send().expect(200);
                    answered.fetch_add(1, Relaxed);
                }
            });
        }
        for turn in 0..20 {
            let before = answered.load(Relaxed);
            gateway.reload(if turn % 2 == 0 { &second } else { &first });
            crate::support::wait_until("calls under the new configuration", || {
                answered.load(Relaxed) > before + 4
            });
        }
        over.store(true, Relaxed);
    });
    assert!(!one.seen().is_empty() && !two.seen().is_empty());
    let answered = answered.load(Relaxed);
    assert!((gateway.spend(&key) - f64::from(answered) * 0.05).abs() < 1e-6);
    assert_eq!(gateway.booked().len(), usize::try_from(answered).expect("few calls"));
}

#[test]
fn a_stream_in_flight_ends_under_the_configuration_it_began_with() {
    let gate = Gate::default();
    let held = Reply::stream().then(openai::piece("first")).hold(&gate).then(openai::finish());
    let upstream = Upstream::always(held);
    let old = gateway().model("old", "openai/gpt-4o-mini", &upstream);
    let gateway = old.start();
    let key = gateway.key(&json!({}));
    let mut flow = gateway.post(openai::PATH).key(&key).json(&openai::streamed("old")).open();
    flow.until("first");
    gateway.reload(&crate::support::gateway().model("new", "openai/gpt-4o", &upstream));
    gateway.chat(&openai::request("old")).send().expect(400);
    gate.open();
    assert!(flow.rest().text().ends_with("data: [DONE]\n\n"));
    assert_eq!(gateway.spend(&key), 0.05, "at the old price");
}

#[test]
fn the_operators_key_may_change() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.start();
    let (answer, mut connection) = gateway.chat(&openai::request("any")).open().rest_and_connection();
    assert_eq!(answer.status, 200);
    gateway.reload(&setup.set("general_settings", "master_key", "sk-another-operator-key-77"));
    let old = gateway.chat(&openai::request("any"));
    std::io::Write::write_all(&mut connection, &old.bytes()).expect("the connection is open");
    assert_eq!(crate::support::Flow::read(connection).rest().status, 401);
    let new = gateway.post(openai::PATH).key("sk-another-operator-key-77").json(&openai::request("any"));
    new.send().expect(200);
}

#[test]
fn what_is_known_of_a_deployment_survives() {
    let upstream = Upstream::always(openai::error(429, "slow down"));
    let setup =
        gateway().model("any", "openai/gpt-4o", &upstream).model("any", "openai/gpt-4o-mini", &upstream);
    let setup = setup.set("router_settings", "disable_cooldowns", false);
    let setup = setup.set("router_settings", "cooldown_time", 600);
    let gateway = setup.start();
    for _ in 0..2 {
        gateway.chat(&openai::request("any")).send().expect(429);
    }
    let asked = upstream.seen().len();
    gateway.reload(&setup);
    gateway.chat(&openai::request("any")).send().expect(429);
    assert_eq!(upstream.seen().len(), asked, "both still rest");
}
