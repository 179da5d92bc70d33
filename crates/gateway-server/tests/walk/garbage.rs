//! Providers that answer nonsense: callers get a well-formed error that says whose fault it is, and a
//! stream that fails never looks like one that ended.

use serde_json::Value;

use crate::support::{Answer, Gate, MASTER, Reply, Running, Upstream, anthropic, gateway, openai};

const MODELS: [&str; 2] = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"];

/// Asks through both doors, for a provider of each dialect.
fn everywhere(reply: &Reply, streamed: bool, check: impl Fn(&str, &Answer)) {
    for model in MODELS {
        let upstream = Upstream::always(reply.clone());
        let gateway = gateway().model("any", model, &upstream).start();
        for path in [openai::PATH, anthropic::PATH] {
            let mut body = anthropic::request("any");
            body["stream"] = Value::Bool(streamed);
            let answer = gateway.post(path).header("x-api-key", MASTER).json(&body).send();
            check(&format!("{path} to {model}"), &answer);
        }
        all_settled(gateway);
    }
}

#[track_caller]
fn all_settled(gateway: Running) {
    gateway.wait_for_rest();
    let rows = gateway.booked();
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert!(matches!(&*row.outcome, "failed" | "cut"), "{row:#?}");
        assert!(row.error.is_some(), "{row:#?}");
    }
}

fn is_server_error(place: &str, answer: &Answer) {
    // 529 is how Anthropic says that it is overloaded.
    assert!(matches!(answer.status, 500..=504 | 529), "{place}: {} {}", answer.status, answer.text());
    assert!(answer.whole, "{place}");
    assert_eq!(answer.must("content-type"), "application/json", "{place}");
    let error = &answer.json()["error"];
    assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{place}: {error}");
    let anthropic = place.starts_with(anthropic::PATH);
    assert_eq!(answer.json()["type"] == "error", anthropic, "{place}: {}", answer.text());
}

/// A stream that says its failure in the caller's dialect, or was refused before it began.
fn is_failed_stream(place: &str, answer: &Answer) {
    if answer.status != 200 {
        return is_server_error(place, answer);
    }
    let text = answer.text();
    assert!(answer.whole, "{place}");
    for stop in ["[DONE]", "message_stop", "\"finish_reason\":\"stop\"", "end_turn"] {
        assert!(!text.contains(stop), "{place} says `{stop}`: {text}");
    }
    let last: Value = serde_json::from_str(answer.frames().last().expect("a frame")).expect("JSON");
    assert!(last["error"]["message"].is_string(), "{place}: {text}");
    if place.starts_with(anthropic::PATH) {
        assert_eq!(last["type"], "error", "{place}: {text}");
    }
}

#[test]
fn answers_that_are_no_answers() {
    for (kind, body) in [
        ("application/json", "{\"choices\":[{\"index\":0,"),
        ("application/json", ""),
        ("application/json", "null"),
        ("application/json", "[1,2,3]"),
        ("application/json", "{\"hello\":\"world\"}"),
        ("text/html", "<html><body>It works!</body></html>"),
        ("text/plain", "ok"),
        ("application/octet-stream", "\u{0}\u{1}\u{2}"),
    ] {
        let reply = Reply::body(200, kind, body);
        everywhere(&reply, false, |place, answer| {
            is_server_error(&format!("{place}, {kind} {body}"), answer)
        });
    }
}

#[test]
fn bytes_that_are_no_http() {
    for raw in ["", "HELLO\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
        everywhere(&Reply::raw(raw), false, is_server_error);
    }
}

#[test]
fn an_answer_that_is_cut() {
    let body = openai::answer().to_string();
    let reply = Reply::body(200, "application/json", &body[..body.len() / 2]);
    let reply = reply.header("content-length", &body.len().to_string()).cut();
    everywhere(&reply, false, is_server_error);
}

#[test]
fn errors_in_odd_forms() {
    for (status, kind, body, words) in [
        (500, "text/html", "<h1>oops</h1>", ""),
        (502, "text/plain", "bad gateway", ""),
        (503, "application/json", "{\"error\":\"plain words\"}", "plain words"),
        (500, "application/json", "{\"error\":{\"message\":\"deep words\"}}", "deep words"),
        (500, "application/json", "{", ""),
        (500, "application/json", "", ""),
        (
            200,
            "application/json",
            "{\"error\":{\"message\":\"hidden words\",\"type\":\"api_error\"}}",
            "hidden words",
        ),
    ] {
        everywhere(&Reply::body(status, kind, body), false, |place, answer| {
            is_server_error(&format!("{place}, {status} {body}"), answer);
            assert!(answer.text().contains(words), "{place}: {}", answer.text());
        });
    }
}

#[test]
fn streams_that_are_no_streams() {
    for (kind, body) in [
        ("application/json", "{\"hello\":\"world\"}"),
        ("text/html", "<html></html>"),
        ("text/event-stream", ""),
        ("text/event-stream", "no frames here at all\n\n"),
        ("text/event-stream", ": only\n\n: comments\n\n"),
        ("text/event-stream", "data: {broken\n\n"),
        ("text/event-stream", "data: {\"hello\":\"world\"}\n\n"),
        ("text/plain", "hello\n\n"),
    ] {
        let reply = Reply::body(200, kind, body);
        everywhere(&reply, true, |place, answer| {
            is_failed_stream(&format!("{place}, {kind} {body}"), answer)
        });
    }
}

#[test]
fn streams_that_stop_halfway() {
    for (model, frames) in
        [(MODELS[0], openai::piece("half")), (MODELS[1], anthropic::start() + &anthropic::piece("half"))]
    {
        let broken = frames.clone() + "data: {\"choices\":[{\"ind";
        for reply in [
            Reply::stream().then(frames.as_str()),
            Reply::stream().then(frames.as_str()).cut(),
            Reply::stream().then(broken).cut(),
        ] {
            let upstream = Upstream::always(reply);
            let gateway = gateway().model("any", model, &upstream).start();
            for path in [openai::PATH, anthropic::PATH] {
                let call = gateway.post(path).header("x-api-key", MASTER);
                let answer = call.json(&anthropic::streamed("any")).send().expect(200);
                assert!(answer.text().contains("half"), "{}", answer.text());
                is_failed_stream(&format!("{path} to {model}"), &answer);
            }
            all_settled(gateway);
        }
    }
}

#[test]
fn errors_in_the_middle_of_a_stream() {
    let openai_error =
        "data: {\"error\":{\"message\":\"fell over\",\"type\":\"server_error\",\"code\":500}}\n\n";
    let anthropic_error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"fell over\"}}\n\n";
    for (model, begin, error) in [
        (MODELS[0], openai::piece("half"), openai_error.to_owned() + &openai::finish()),
        (MODELS[1], anthropic::start() + &anthropic::piece("half"), anthropic_error.to_owned()),
    ] {
        let gates = [Gate::default(), Gate::default()];
        let reply = |gate| Reply::stream().then(begin.as_str()).hold(gate).then(error.as_str()).hang();
        let upstream = Upstream::in_turn(gates.iter().map(reply));
        let gateway = gateway().model("any", model, &upstream).start();
        for (path, gate) in [openai::PATH, anthropic::PATH].into_iter().zip(&gates) {
            let call = gateway.post(path).header("x-api-key", MASTER);
            let mut flow = call.json(&anthropic::streamed("any")).open();
            flow.until("half");
            gate.open();
            let (answer, place) = (flow.rest().expect(200), format!("{path} to {model}"));
            is_failed_stream(&place, &answer);
            assert!(answer.text().contains("fell over"), "{place}: {}", answer.text());
        }
        all_settled(gateway);
    }
}

#[test]
fn a_frame_without_end_is_given_up() {
    // One line of 80 MB: memory stays bounded, the caller is told.
    let mut reply = Reply::stream().then(openai::piece("half")).then("data: ");
    for _ in 0..80 {
        reply = reply.then(vec![b'x'; 1024 * 1024]);
    }
    let upstream = Upstream::always(reply.hang());
    let gateway = gateway().model("any", MODELS[0], &upstream).start();
    let answer = gateway.chat(&openai::streamed("any")).send().expect(200);
    assert!(answer.body.len() < 1024 * 1024, "{}", answer.body.len());
    is_failed_stream("one long frame", &answer);
    upstream.wait_for_hang_up();
    gateway.wait_for_rest();
}
