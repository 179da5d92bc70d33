//! gRPC's hosts: HTTP/2 at once, `te: trailers`, and trailers as the last frame.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, Response, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use llm_types::{ErrorKind, Transport as _};
use tokio::net::TcpListener;

use super::server::Server;
use super::tls::TlsServer;
use super::{fetch, post, text, transport};

type Pieces = std::pin::Pin<Box<dyn futures_core::Stream<Item = std::io::Result<Frame<Bytes>>> + Send>>;

/// Tells what it was asked, then trailers; `/refused` is an answer of headers alone, `/cut` has no trailers.
async fn answer(request: hyper::Request<Incoming>) -> std::io::Result<Response<StreamBody<Pieces>>> {
    let status = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    if request.uri().path() == "/refused" {
        let mut response = Response::new(StreamBody::new(Box::pin(futures_util::stream::empty()) as Pieces));
        response.headers_mut().insert("grpc-status", HeaderValue::from_static("16"));
        return Ok(response);
    }
    let cut = request.uri().path() == "/cut";
    let te = request.headers().get("te").map(|te| te.to_str().unwrap().to_owned());
    let about = format!("{:?} {te:?} {} ", request.version(), request.uri().scheme_str().unwrap());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let frames =
        vec![Ok(Frame::data(Bytes::from(about))), Ok(Frame::data(body)), Ok(Frame::trailers(status))];
    let pieces = futures_util::stream::iter(frames).take(if cut { 2 } else { 3 });
    Ok(Response::new(StreamBody::new(Box::pin(pieces) as Pieces)))
}

/// A server that speaks HTTP/2 without TLS and nothing else.
async fn h2c() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(serving);
        }
    });
    format!("grpc://{address}")
}

#[tokio::test]
async fn trailers_are_asked_for_and_follow_the_body_as_a_frame() {
    let (transport, base) = (transport(), h2c().await);
    for _ in 0..2 {
        let response = transport.send(post(&format!("{base}/a.B/C"), "hello")).await.unwrap();
        assert_eq!(response.version, Version::HTTP_2);
        let body = response.body.collect(1 << 20).await.unwrap();
        let told = b"HTTP/2.0 Some(\"trailers\") http hello\x80\0\0\0\x10grpc-status: 0\r\n";
        assert_eq!(&body[..], told, "{}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn an_answer_of_headers_alone_and_one_without_trailers_have_no_frame() {
    let (transport, base) = (transport(), h2c().await);
    let refused = transport.send(post(&format!("{base}/refused"), "")).await.unwrap();
    assert_eq!(refused.headers["grpc-status"], "16");
    assert_eq!(text(refused.body).await.unwrap(), "");
    let cut = fetch(&transport, post(&format!("{base}/cut"), "x")).await.unwrap();
    assert!(cut.ends_with("http x"), "{cut}");
}

#[tokio::test]
async fn over_tls_the_host_must_agree_on_http2() {
    let server = TlsServer::start(&["h2", "http/1.1"]).await;
    let transport = server.trusting();
    let url = format!("grpcs://localhost:{}/", server.address.port());
    let response = transport.send(post(&url, "hello")).await.unwrap();
    assert_eq!(response.version, Version::HTTP_2);
    let older = TlsServer::start(&["http/1.1"]).await;
    let url = format!("grpcs://localhost:{}/", older.address.port());
    let error = older.trusting().send(post(&url, "hello")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_server_of_http1_is_no_server_of_grpc() {
    let server = Server::echo("hello").await;
    let error = transport().send(post(&format!("grpc://{}/", server.address), "x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}
