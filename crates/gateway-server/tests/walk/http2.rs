//! HTTP/2: many calls on one connection, each with its own end.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::support::{Gate, MASTER, PATIENCE, Reply, Running, Upstream, gateway, openai, wait_until};

/// One HTTP/2 connection.
struct Client {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
}

type Pending = JoinHandle<hyper::Result<Response<Incoming>>>;

impl Client {
    fn connect(gateway: &Running) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let sender = runtime.block_on(async {
            let stream =
                tokio::net::TcpStream::connect(gateway.address()).await.expect("the gateway listens");
            let opened = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
            let (sender, connection) = opened.expect("the gateway speaks HTTP/2");
            tokio::spawn(connection);
            sender
        });
        Self { runtime, sender }
    }

    fn begin(&self, body: &Value) -> Pending {
        let request = Request::post(format!("http://gateway{}", openai::PATH))
            .header("authorization", format!("Bearer {MASTER}"))
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("a request");
        let mut sender = self.sender.clone();
        self.runtime.spawn(async move { sender.send_request(request).await })
    }

    /// Waits for the head of an answer.
    fn head(&self, pending: Pending) -> Response<Incoming> {
        let waited = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, pending).await });
        waited.expect("an answer in time").expect("nobody cancels it").expect("an answer")
    }

    /// Waits for more of a body.
    fn piece(&self, answer: &mut Response<Incoming>) -> String {
        let frame = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, answer.frame()).await });
        let frame = frame.expect("a frame in time").expect("the body goes on").expect("a frame");
        String::from_utf8_lossy(&frame.into_data().expect("data")).into_owned()
    }

    /// Waits for the rest of a body; `None` when it was cut.
    fn rest(&self, answer: Response<Incoming>) -> Option<String> {
        let rest = async { tokio::time::timeout(PATIENCE, answer.collect()).await };
        let rest = self.runtime.block_on(rest).expect("the end in time").ok()?;
        Some(String::from_utf8_lossy(&rest.to_bytes()).into_owned())
    }
}

#[test]
fn many_calls_share_one_connection() {
    let gate = Gate::default();
    let upstream = Upstream::always(openai::reply().after(&gate));
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let client = Client::connect(&gateway);
    let pending: Vec<Pending> = (0..8).map(|_| client.begin(&openai::request("fast"))).collect();
    upstream.wait_for_requests(8);
    assert_eq!(gateway.in_flight(), 8.0);
    gate.open();
    for one in pending {
        let answer = client.head(one);
        assert_eq!(answer.status(), 200);
        assert_eq!(client.rest(answer), Some(openai::answer().to_string()));
    }
    assert_eq!(gateway.booked().len(), 8);
}

#[test]
fn a_call_that_is_cancelled_ends_alone() {
    let gate = Gate::default();
    let upstream = Upstream::in_turn([
        Reply::stream().then(openai::piece("other")).hold(&gate).then(openai::finish()),
        Reply::silence(),
        Reply::stream().then(openai::piece(&"word ".repeat(80))).hang(),
    ]);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let client = Client::connect(&gateway);
    let mut other = client.head(client.begin(&openai::streamed("fast")));
    assert!(client.piece(&mut other).contains("other"));

    let early = client.begin(&openai::request("fast"));
    upstream.wait_for_requests(2);
    early.abort();
    wait_until("the early one to end", || gateway.in_flight() == 1.0);
    let mut late = client.head(client.begin(&openai::streamed("fast")));
    assert!(client.piece(&mut late).contains("word"));
    drop(late);
    wait_until("the late one to end", || gateway.in_flight() == 1.0);

    gate.open();
    let rest = client.rest(other).expect("the whole stream");
    assert!(rest.ends_with("data: [DONE]\n\n"), "{rest}");
    let rows = gateway.booked();
    let ends: Vec<_> = rows.iter().rev().map(|row| (row.outcome.as_str(), row.output_tokens)).collect();
    assert_eq!(ends, [("completed", 20), ("hung_up", 0), ("hung_up", 100)]);
}

#[test]
fn a_stream_in_flight_finishes_when_the_gateway_stops() {
    let gate = Gate::default();
    let held = Reply::stream().then(openai::piece("first")).hold(&gate).then(openai::finish());
    let upstream = Upstream::always(held);
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let client = Client::connect(&gateway);
    let mut answer = client.head(client.begin(&openai::streamed("fast")));
    assert!(client.piece(&mut answer).contains("first"));
    let door = gateway.get("/");
    let stopping = std::thread::spawn(move || gateway.booked());
    wait_until("the door to close", || door.is_refused());
    gate.open();
    let rest = client.rest(answer).expect("the whole stream");
    assert!(rest.ends_with("data: [DONE]\n\n"), "{rest}");
    let rows = stopping.join().expect("the gateway stops");
    assert_eq!((rows.len(), rows[0].outcome.as_str()), (1, "completed"));
}

#[test]
fn a_stream_beyond_the_deadline_does_not_end_cleanly() {
    let upstream = Upstream::always(Reply::stream().then(openai::piece("first")).hang());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.drain(std::time::Duration::from_millis(200)).start();
    let client = Client::connect(&gateway);
    let mut answer = client.head(client.begin(&openai::streamed("fast")));
    assert!(client.piece(&mut answer).contains("first"));
    let rows = gateway.booked();
    assert_eq!(rows.len(), 1);
    assert_ne!(rows[0].outcome, "completed");
    assert_eq!(client.rest(answer), None, "the stream was cut");
}
