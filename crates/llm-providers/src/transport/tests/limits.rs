//! Every time limit, and that none bites early.

use std::time::Duration;

use futures_util::StreamExt as _;
use llm_types::{ErrorKind, Timeouts, Transport as _};

use super::server::Server;
use super::{fetch, get, text, transport};

const SHORT: Duration = Duration::from_millis(60);

#[tokio::test]
async fn no_first_byte() {
    let server = Server::start(|mut peer| async move { peer.closed().await }).await;
    let mut request = get(&server.url("/"));
    request.timeouts = Timeouts { first_byte: Some(SHORT), ..Timeouts::default() };
    let error = transport().send(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("waited 0.06 s for the first byte"), "{error}");
    assert_eq!(server.connections(), 1, "a timeout is not tried again here");
}

#[tokio::test]
async fn no_next_piece() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
        peer.closed().await;
    })
    .await;
    let mut request = get(&server.url("/"));
    request.timeouts = Timeouts { read: Some(SHORT), ..Timeouts::default() };
    let mut body = transport().send(request).await.unwrap().body;
    assert_eq!(body.next().await.unwrap().unwrap(), "hello");
    let error = body.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("the next part"), "{error}");
    assert!(body.next().await.is_none(), "a failed body has ended");
}

#[tokio::test]
async fn slow_but_steady_is_within_the_read_limit_and_beyond_the_total() {
    let server = Server::start(|mut peer| async move {
        while peer.request().await.is_some() {
            peer.say("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n").await;
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                peer.say("x").await;
            }
        }
    })
    .await;
    let transport = transport();
    let mut request = get(&server.url("/"));
    request.timeouts = Timeouts { read: Some(Duration::from_millis(150)), ..Timeouts::default() };
    // Twice over one connection: the timer of the first exchange must not fire into the second.
    for _ in 0..2 {
        assert_eq!(fetch(&transport, request.clone()).await.unwrap(), "xxxxxxxxxx");
    }
    request.timeouts.total = Some(Duration::from_millis(100));
    let error = fetch(&transport, request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("the whole answer"), "{error}");
}

#[tokio::test]
async fn a_limit_of_one_request_does_not_bind_the_next() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.answer("quick").await;
        peer.request().await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        peer.answer("slow").await;
        peer.request().await;
        peer.closed().await;
    })
    .await;
    let transport = transport();
    let mut request = get(&server.url("/"));
    request.timeouts = Timeouts { first_byte: Some(SHORT), ..Timeouts::default() };
    assert_eq!(fetch(&transport, request.clone()).await.unwrap(), "quick");
    request.timeouts = Timeouts { first_byte: Some(Duration::from_secs(5)), ..Timeouts::default() };
    assert_eq!(fetch(&transport, request.clone()).await.unwrap(), "slow");
    // And a shorter one counts again although a longer one is armed.
    request.timeouts = Timeouts { first_byte: Some(SHORT), ..Timeouts::default() };
    let start = std::time::Instant::now();
    assert_eq!(transport.send(request).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn no_connection() {
    // A full accept queue: the kernel takes no further connection.
    let listener = {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.listen(1).unwrap()
    };
    let address = listener.local_addr().unwrap();
    let fill: Vec<_> = (0..4).map(|_| tokio::spawn(tokio::net::TcpStream::connect(address))).collect();
    tokio::time::sleep(SHORT).await;
    let mut request = get(&format!("http://{address}/"));
    request.timeouts = Timeouts { connect: Some(SHORT), ..Timeouts::default() };
    let error = transport().send(request.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("a connection to"), "{error}");
    request.timeouts = Timeouts { total: Some(SHORT), ..Timeouts::default() };
    let error = transport().send(request).await.unwrap_err();
    assert!(error.message().contains("the whole answer"), "{error}");
    drop(fill);
}

#[tokio::test]
async fn waiting_without_limits_waits() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        peer.answer("late").await;
    })
    .await;
    let mut request = get(&server.url("/"));
    request.timeouts = Timeouts::default();
    let response = transport().send(request).await.unwrap();
    assert_eq!(text(response.body).await.unwrap(), "late");
}
