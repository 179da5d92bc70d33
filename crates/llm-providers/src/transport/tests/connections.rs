//! When connections are kept, used again, and closed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use llm_types::{Body, ErrorKind, Transport as _};
use tokio::sync::Notify;

use super::server::Server;
use super::{HyperTransport, TransportOptions, fetch, get, post, transport};

fn idle(transport: &HyperTransport, server: &Server) -> usize {
    transport.pool.host(&server.url("/").parse().unwrap()).unwrap().idle_count()
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let server = Server::echo("ok").await;
    let transport = transport();
    for _ in 0..10 {
        assert_eq!(fetch(&transport, get(&server.url("/"))).await.unwrap(), "ok");
    }
    assert_eq!((server.connections(), idle(&transport, &server)), (1, 1));
}

#[tokio::test]
async fn a_connection_that_is_to_close_is_not_kept() {
    for answer in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more than was said",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n\r\nok",
    ] {
        let server = Server::once(answer).await;
        let transport = transport();
        assert_eq!(fetch(&transport, get(&server.url("/"))).await.unwrap(), "ok");
        assert_eq!(idle(&transport, &server), 0, "{answer:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closed_is_not_used() {
    // The close has arrived before the second request: nothing is sent into it.
    let server = Server::once("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let transport = transport();
    for _ in 0..3 {
        assert_eq!(fetch(&transport, post(&server.url("/"), "x")).await.unwrap(), "ok");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_lost_before_any_answer_is_replaced_once() {
    // Answers the first request of a connection and closes on the second: the client learns of the
    // close only after it has sent.
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.answer("ok").await;
        peer.request().await;
    })
    .await;
    let transport = transport();
    assert_eq!(fetch(&transport, post(&server.url("/"), "x")).await.unwrap(), "ok");
    assert_eq!(fetch(&transport, post(&server.url("/"), "x")).await.unwrap(), "ok");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_fresh_connection_lost_before_any_answer_is_an_error() {
    let server = Server::once("").await;
    let error = fetch(&transport(), post(&server.url("/"), "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().contains("closed before it answered"), "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_lost_in_mid_answer_is_not_asked_again() {
    let server = Server::start(|mut peer| async move {
        peer.request().await;
        peer.answer("ok").await;
        peer.request().await;
        peer.say("HTTP/1.1 100 Continue\r\n\r\n").await;
    })
    .await;
    let transport = transport();
    fetch(&transport, post(&server.url("/"), "x")).await.unwrap();
    fetch(&transport, post(&server.url("/"), "x")).await.unwrap_err();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn dropping_a_body_midway_closes_its_connection() {
    let closed = Arc::new(Notify::new());
    let tell = Arc::clone(&closed);
    let server = Server::start(move |mut peer| {
        let tell = Arc::clone(&tell);
        async move {
            peer.request().await;
            peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
            peer.closed().await;
            tell.notify_one();
        }
    })
    .await;
    let transport = transport();
    let mut body = transport.send(get(&server.url("/"))).await.unwrap().body;
    assert_eq!(body.next().await.unwrap().unwrap(), "hello");
    drop(body);
    tokio::time::timeout(Duration::from_secs(5), closed.notified()).await.expect("the server sees the close");
    assert_eq!(idle(&transport, &server), 0);
}

#[tokio::test]
async fn a_reader_who_stops_at_the_last_piece_keeps_the_connection() {
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let server = Server::start(move |mut peer| {
        let wait = Arc::clone(&wait);
        async move {
            while peer.request().await.is_some() {
                peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
                wait.notified().await;
                peer.say("6\r\n[DONE]\r\n0\r\n\r\n").await;
            }
        }
    })
    .await;
    let transport = transport();
    for _ in 0..3 {
        let mut body = transport.send(get(&server.url("/"))).await.unwrap().body;
        assert!(matches!(body, Body::Stream(_)));
        go.notify_one();
        assert_eq!(body.next().await.unwrap().unwrap(), "[DONE]");
        drop(body);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_hundred_requests_at_once() {
    let server = Server::echo("ok").await;
    let transport = Arc::new(transport());
    for _ in 0..2 {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (transport, url) = (Arc::clone(&transport), server.url("/"));
                tokio::spawn(async move { fetch(&transport, post(&url, "x")).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), "ok");
        }
    }
    assert!(server.connections() <= 100, "{} connections", server.connections());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_at_once_on_many_threads() {
    let server = Server::echo("ok").await;
    let transport = Arc::new(transport());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (transport, url) = (Arc::clone(&transport), server.url("/"));
            tokio::spawn(async move {
                for _ in 0..20 {
                    assert_eq!(fetch(&transport, post(&url, "x")).await.unwrap(), "ok");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn idle_connections_are_limited_in_number_and_time() {
    let options = TransportOptions {
        max_idle_per_host: 2,
        idle_timeout: Duration::from_millis(50),
        ..TransportOptions::default()
    };
    let server = Server::echo("ok").await;
    let transport = Arc::new(HyperTransport::new(options).unwrap());
    let all = (0..5).map(|_| fetch(&transport, get(&server.url("/")))).collect::<Vec<_>>();
    futures_util::future::join_all(all).await;
    assert!((1..=2).contains(&idle(&transport, &server)), "{} idle", idle(&transport, &server));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(idle(&transport, &server), 0, "swept without being asked");
    let before = server.connections();
    fetch(&transport, get(&server.url("/"))).await.unwrap();
    assert_eq!(server.connections(), before + 1);
}

#[tokio::test]
async fn nagle_is_off() {
    let server = Server::echo("ok").await;
    let host = transport().pool.host(&server.url("/").parse().unwrap()).unwrap();
    let opened =
        super::super::connect::connect(&host, &TransportOptions::default(), &transport().tls).await.unwrap();
    let super::super::io::Io::Tcp(stream) = opened.io else { panic!("plain TCP expected") };
    assert!(stream.nodelay().unwrap());
}

#[tokio::test]
async fn a_refused_connection_names_host_and_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = fetch(&transport(), get(&format!("http://user:secret@{address}/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().contains("cannot reach `127.0.0.1`"), "{error}");
    assert!(error.message().contains("refused"), "{error}");
    assert!(!error.message().contains("secret"), "{error}");
}

#[tokio::test]
async fn an_unknown_name_is_unreachable() {
    let error = fetch(&transport(), get("http://no-such-host.invalid/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().contains("no-such-host.invalid"), "{error}");
}

#[tokio::test]
async fn urls_must_be_absolute_http() {
    for url in ["/path", "ftp://example.com/", "example.com"] {
        let error = fetch(&transport(), get(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{url}");
    }
}
