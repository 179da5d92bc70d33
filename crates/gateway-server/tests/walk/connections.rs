//! Connections: kept and used again on both sides, and none left behind.

use std::io::Write;

use serde_json::json;

use crate::support::{Flow, MASTER, Reply, Upstream, gateway, openai, wait_until};

#[test]
fn connections_to_a_provider_are_used_again() {
    let upstream =
        Upstream::in_turn([openai::reply(), openai::stream(), openai::error(500, "x"), openai::reply()]);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let call = gateway.chat(&openai::request("fast"));
    let streamed = gateway.chat(&openai::streamed("fast"));
    let mut connection = call.connect();
    for turn in 0..20 {
        // One client connection is one core, and one core keeps its own connections.
        let bytes = if turn == 1 { streamed.bytes() } else { call.bytes() };
        connection.write_all(&bytes).expect("the connection is open");
        let (answer, back) = Flow::read(connection).rest_and_connection();
        assert_eq!(answer.status, if turn == 2 { 500 } else { 200 });
        connection = back;
    }
    assert_eq!(upstream.seen().len(), 20);
    assert_eq!(upstream.open(), 1);
}

#[test]
fn a_connection_that_the_provider_closed_is_no_error() {
    let upstream = Upstream::always(openai::reply().header("connection", "close"));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    for _ in 0..5 {
        gateway.chat(&openai::request("fast")).send().expect(200);
    }
}

#[test]
fn failures_leave_no_connection_open() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece("half")).cut());
    let params = json!({ "timeout": 0.2 });
    let gateway = gateway().model_at("fast", "openai/gpt-4o-mini", &upstream.url(), &params).start();
    for reply in [
        Reply::stream().then(openai::piece("half")).cut(),
        Reply::raw("nonsense\r\n\r\n"),
        Reply::silence(),
        Reply::stream().then(openai::piece("half")).hang(),
        Reply::body(200, "application/json", "{").header("content-length", "100").hang(),
    ] {
        upstream.change(reply);
        for body in [openai::request("fast"), openai::streamed("fast")] {
            gateway.chat(&body).send();
        }
        wait_until("connections to close", || upstream.open() == 0);
        assert_eq!(gateway.in_flight(), 0.0);
    }
}

#[test]
fn a_slow_reader_holds_its_provider_back_and_loses_nothing() {
    const PIECES: usize = 80;
    let piece = openai::piece(&"x".repeat(1024 * 1024));
    let reply = (0..PIECES).fold(Reply::stream(), |reply, _| reply.then(piece.as_str()));
    let upstream = Upstream::in_turn([reply.then(openai::finish()), openai::reply()]);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let flow = gateway.chat(&openai::streamed("fast")).open();
    for _ in 0..50 {
        gateway.chat(&openai::request("fast")).send().expect(200);
    }
    // The sockets of two hops hold some megabytes, and the gateway next to nothing.
    let sent = upstream.sent();
    assert!(sent < PIECES * piece.len() / 2, "{sent} bytes were taken for a client that does not read");
    let answer = flow.rest();
    assert!(answer.whole && answer.body.ends_with(b"data: [DONE]\n\n"));
    assert!(answer.body.len() > PIECES * piece.len(), "{}", answer.body.len());
}

#[test]
fn requests_sent_in_one_go_are_answered_in_order() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let call = |id: &str| gateway.chat(&openai::request("fast")).header("x-litellm-call-id", id).bytes();
    let mut connection = gateway.get("/").connect();
    connection.write_all(&[call("one"), call("two"), call("three")].concat()).expect("it is open");
    let last = gateway.get("/test").header("connection", "close").bytes();
    connection.write_all(&last).expect("it is open");
    let mut all = String::new();
    std::io::Read::read_to_string(&mut connection, &mut all).expect("answers and the end");
    let at: Vec<_> =
        ["call-id: one", "call-id: two", "call-id: three", "/test"].map(|text| all.find(text)).into();
    assert!(at.iter().all(Option::is_some) && at.is_sorted(), "{at:?} {all}");
}

#[test]
fn a_client_that_waits_for_leave_to_send_gets_it() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let call = gateway.chat(&openai::request("fast")).header("expect", "100-continue");
    let bytes = call.bytes();
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let mut connection = call.connect();
    connection.write_all(&bytes[..head]).expect("it is open");
    let mut leave = [0; 25];
    std::io::Read::read_exact(&mut connection, &mut leave).expect("leave to send");
    assert_eq!(leave.as_slice(), b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(&bytes[head..]).expect("it is open");
    assert_eq!(Flow::read(connection).rest().status, 200);
}

#[test]
fn head_asks_for_no_body() {
    let gateway = gateway().start();
    let mut connection = gateway.get("/").connect();
    let probe = b"HEAD /health/liveliness HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    connection.write_all(probe).expect("it is open");
    let mut all = String::new();
    std::io::Read::read_to_string(&mut connection, &mut all).expect("an answer and the end");
    assert!(all.starts_with("HTTP/1.1 200") && all.ends_with("\r\n\r\n"), "{all}");
    gateway.get("/health").key(MASTER).send().expect(200);
}
