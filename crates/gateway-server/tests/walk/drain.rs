//! The end: no new connections, streams in flight finish within the deadline, everything is booked.

use std::time::{Duration, Instant};

use crate::support::{Gate, Reply, Upstream, gateway, openai};

#[test]
fn a_stream_in_flight_finishes() {
    let gate = Gate::default();
    let held = Reply::stream().then(openai::piece("first")).hold(&gate).then(openai::finish());
    let upstream = Upstream::always(held);
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    let call = gateway.chat(&openai::streamed("any"));
    let mut flow = call.open();
    flow.until("first");
    let stopping = std::thread::spawn(move || gateway.booked());
    crate::support::wait_until("the door to close", || call.is_refused());
    gate.open();
    let answer = flow.rest();
    assert!(answer.whole && answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    let rows = stopping.join().expect("the gateway stops");
    assert_eq!((rows.len(), rows[0].outcome.as_str()), (1, "completed"));
    assert_eq!((rows[0].input_tokens, rows[0].output_tokens), (10, 20));
}

#[test]
fn idle_and_silent_connections_are_not_waited_for() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream).drain(Duration::from_secs(60));
    let gateway = setup.start();
    let call = gateway.chat(&openai::request("any"));
    let (answer, _idle) = call.open().rest_and_connection();
    assert_eq!(answer.status, 200);
    let _silent: Vec<_> = (0..4).map(|_| call.connect()).collect();
    call.send().expect(200);
    let began = Instant::now();
    gateway.stop();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn a_stream_beyond_the_deadline_is_cut_and_booked() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece(&"word ".repeat(80))).hang());
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream).drain(Duration::from_millis(200));
    let gateway = setup.start();
    let mut flow = gateway.chat(&openai::streamed("any")).open();
    flow.until("word");
    let rows = gateway.booked();
    assert_eq!((rows.len(), rows[0].estimated, rows[0].output_tokens), (1, true, 100));
    assert_ne!(rows[0].outcome, "completed");
    let answer = flow.rest();
    assert!(!answer.whole && !answer.text().contains("[DONE]"), "{}", answer.text());
    upstream.wait_for_hang_up();
}

#[test]
fn the_last_call_before_the_end_is_booked() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("any", "openai/gpt-4o-mini", &upstream).start();
    for _ in 0..3 {
        gateway.chat(&openai::request("any")).send().expect(200);
    }
    assert_eq!(gateway.booked().len(), 3);
}

#[test]
fn a_gateway_that_is_dropped_lets_go_of_its_connections() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece("first")).hang());
    let setup = gateway().model("any", "openai/gpt-4o-mini", &upstream).drain(Duration::from_secs(600));
    let gateway = setup.start();
    let mut flow = gateway.chat(&openai::streamed("any")).open();
    flow.until("first");
    drop(gateway);
    assert!(!flow.rest().whole);
    upstream.wait_for_hang_up();
}
