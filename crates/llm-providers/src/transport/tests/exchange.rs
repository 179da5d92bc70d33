//! What goes out and what comes in.

use std::sync::Arc;

use http::{HeaderValue, Method, Version};
use llm_types::{Body, ErrorKind, Transport as _};
use parking_lot::Mutex;

use super::server::Server;
use super::{fetch, get, post, text, transport};

/// What the server receives for a request.
async fn seen(request: impl FnOnce(&str) -> llm_types::HttpRequest) -> String {
    let seen = Arc::new(Mutex::new(String::new()));
    let keep = Arc::clone(&seen);
    let server = Server::start(move |mut peer| {
        let keep = Arc::clone(&keep);
        async move {
            while let Some(request) = peer.request().await {
                *keep.lock() = request;
                peer.answer("ok").await;
            }
        }
    })
    .await;
    assert_eq!(fetch(&transport(), request(&server.url("/v1/x?y=1"))).await.unwrap(), "ok");
    seen.lock().replace(&server.address.to_string(), "HOST")
}

#[tokio::test]
async fn a_request_is_written_in_origin_form() {
    let text = seen(|url| {
        let mut request = post(url, "hello");
        request.headers.insert("authorization", HeaderValue::from_static("Bearer k"));
        request
    })
    .await;
    assert_eq!(
        text,
        format!(
            "POST /v1/x?y=1 HTTP/1.1\r\nhost: HOST\r\ncontent-length: 5\r\nauthorization: Bearer k\r\n\
             user-agent: gateway/{}\r\n\r\nhello",
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[tokio::test]
async fn hop_by_hop_and_framing_headers_do_not_leak() {
    let text = seen(|url| {
        let mut request = post(url, "hello");
        for (name, value) in [
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("content-length", "999"),
            ("host", "evil.example"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-connection", "keep-alive"),
            ("user-agent", "mine"),
        ] {
            request.headers.insert(name, HeaderValue::from_static(value));
        }
        request
    })
    .await;
    assert_eq!(
        text,
        "POST /v1/x?y=1 HTTP/1.1\r\nhost: HOST\r\ncontent-length: 5\r\nuser-agent: mine\r\n\r\nhello"
    );
}

#[tokio::test]
async fn a_get_has_no_length_and_an_empty_path_is_a_slash() {
    let text = seen(|url| get(url.trim_end_matches("/v1/x?y=1"))).await;
    assert!(text.starts_with("GET / HTTP/1.1\r\n"), "{text}");
    assert!(!text.contains("content-length"), "{text}");
}

#[tokio::test]
async fn credentials_of_a_url_become_basic_sign_in() {
    let text = seen(|url| get(&url.replace("http://", "http://user:p%40ss@"))).await;
    assert!(text.contains("\r\nhost: HOST\r\n"), "{text}");
    assert!(text.contains("\r\nauthorization: Basic dXNlcjpwQHNz\r\n"), "{text}");
}

#[tokio::test]
async fn large_bodies_go_out_whole() {
    let body: String = (0..3_000_000).map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap())).collect();
    let text = seen(|url| post(url, body.clone())).await;
    assert!(text.ends_with(&format!("\r\n\r\n{body}")), "{} bytes", text.len());
}

#[tokio::test]
async fn a_small_answer_is_whole_at_once() {
    let server = Server::echo("hello").await;
    let response = transport().send(get(&server.url("/"))).await.unwrap();
    assert_eq!((response.status.as_u16(), response.version), (200, Version::HTTP_11));
    assert!(matches!(&response.body, Body::Full(bytes) if bytes == "hello"), "{:?}", response.body);
}

#[tokio::test]
async fn answers_of_every_framing_are_read() {
    let cases: [(&str, &str); 9] = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nhello", "hello"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", ""),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
            "hello",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n", "hello"),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"),
        ("HTTP/1.0 200 OK\n\nold", "old"),
        ("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "ok"),
    ];
    for (answer, body) in cases {
        let server = Server::once(answer).await;
        assert_eq!(fetch(&transport(), get(&server.url("/"))).await.unwrap(), body, "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_may_arrive_byte_by_byte() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
    ] {
        let server = Server::start(move |mut peer| async move {
            while peer.request().await.is_some() {
                for byte in answer.as_bytes() {
                    peer.say([*byte]).await;
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        let transport = transport();
        for _ in 0..3 {
            assert_eq!(fetch(&transport, get(&server.url("/"))).await.unwrap(), "hello");
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_head_request_has_no_body() {
    let server = Server::once("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n").await;
    let mut request = get(&server.url("/"));
    request.method = Method::HEAD;
    let response = transport().send(request).await.unwrap();
    assert_eq!(response.headers["content-length"], "500");
    assert_eq!(text(response.body).await.unwrap(), "");
}

#[tokio::test]
async fn hop_by_hop_headers_of_an_answer_stay_here() {
    let server = Server::once(
        "HTTP/1.1 429 Slow Down\r\nconnection: close, x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=1\r\n\
         retry-after: 3\r\nx-many: 1\r\nx-many: 2\r\ncontent-length: 2\r\n\r\nno",
    )
    .await;
    let response = transport().send(get(&server.url("/"))).await.unwrap();
    assert_eq!(response.status.as_u16(), 429);
    let mut names: Vec<String> =
        response.headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
    names.sort();
    assert_eq!(names, ["content-length=2", "retry-after=3", "x-many=1", "x-many=2"]);
}

#[tokio::test]
async fn broken_answers_are_errors() {
    let cases: [(&str, &str); 11] = [
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP"),
        ("HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n", "not a number"),
        ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "not a number"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!", "two different"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", "not `chunked`"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n", "not a hexadecimal"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n", "longer than"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "in the middle"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "in the middle"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", "in the middle"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "in the middle of the answer's head"),
    ];
    for (answer, why) in cases {
        let server = Server::once(answer).await;
        let error = fetch(&transport(), get(&server.url("/"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{answer:?}: {error}");
        assert!(error.message().contains(why), "{answer:?}: {error}");
        assert_eq!(server.connections(), 1, "an answer that began is not asked for twice");
    }
}

#[tokio::test]
async fn an_endless_head_is_refused() {
    let mut answer = "HTTP/1.1 200 OK\r\n".to_owned();
    answer.push_str(&"x-filler: 0123456789\r\n".repeat(20_000));
    let server = Server::once(answer).await;
    let error = fetch(&transport(), get(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadUpstream);
}

#[tokio::test]
async fn an_early_answer_is_read_while_the_request_is_still_going_out() {
    let server = Server::start(|mut peer| async move {
        peer.say("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig").await;
        // Reads nothing: the client's write blocks until the answer releases it.
        std::future::pending::<()>().await;
    })
    .await;
    let response = transport().send(post(&server.url("/"), vec![b'x'; 32 << 20])).await.unwrap();
    assert_eq!(response.status.as_u16(), 413);
    assert_eq!(text(response.body).await.unwrap(), "big");
}
