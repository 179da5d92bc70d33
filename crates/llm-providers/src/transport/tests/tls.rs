//! TLS, HTTP/2, and whom we trust.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, Response, Version};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use llm_types::{ErrorKind, Transport as _};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::{HyperTransport, TransportOptions, fetch, get, post, text};

/// A TLS server with a certificate of its own making, in a file that a client may trust.
pub(super) struct TlsServer {
    pub(super) address: SocketAddr,
    pub(super) roots: PathBuf,
    connections: Arc<AtomicUsize>,
    /// Makes every open connection end at once.
    hang_up: Arc<Notify>,
    _dir: tempfile::TempDir,
}

type Pieces = std::pin::Pin<Box<dyn futures_core::Stream<Item = std::io::Result<Frame<Bytes>>> + Send>>;

/// `/slow` sends a piece and then nothing; `/cut` breaks after a piece; all else echoes the body and
/// tells the protocol and the `host` it saw.
async fn answer(request: hyper::Request<Incoming>) -> std::io::Result<Response<StreamBody<Pieces>>> {
    let first = futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"first")))]);
    let pieces: Pieces = match request.uri().path() {
        "/slow" => Box::pin(first.chain(futures_util::stream::pending())),
        "/cut" => Box::pin(first.chain(futures_util::stream::once(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(std::io::Error::other("cut"))
        }))),
        _ => {
            let host = match request.headers().get("host") {
                Some(host) => host.to_str().unwrap().to_owned(),
                None => request.uri().authority().unwrap().to_string(),
            };
            let about = format!("{:?} {} ", request.version(), host.split(':').next().unwrap());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let pieces = [Bytes::from(about), body].map(|piece| Ok(Frame::data(piece)));
            Box::pin(futures_util::stream::iter(pieces))
        }
    };
    Ok(Response::new(StreamBody::new(pieces)))
}

impl TlsServer {
    pub(super) async fn start(alpn: &[&str]) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let roots = dir.path().join("roots.pem");
        let base64 = base64::engine::general_purpose::STANDARD.encode(cert.der());
        fs::write(&roots, format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"))
            .unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let hang_up = Arc::new(Notify::new());
        let hears = Arc::clone(&hang_up);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, count, hears) = (acceptor.clone(), Arc::clone(&count), Arc::clone(&hears));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    count.fetch_add(1, Ordering::SeqCst);
                    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let io = TokioIo::new(stream);
                    let serving = async {
                        // Clients of these tests come and go as they like.
                        let _gone = if is_h2 {
                            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                            server.serve_connection(io, service_fn(answer)).await.is_err()
                        } else {
                            let server = hyper::server::conn::http1::Builder::new();
                            server.serve_connection(io, service_fn(answer)).await.is_err()
                        };
                    };
                    tokio::select! {
                        () = serving => {}
                        () = hears.notified() => {}
                    }
                });
            }
        });
        Self { address, roots, connections, hang_up, _dir: dir }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(super) fn trusting(&self) -> HyperTransport {
        self.with(|_| {})
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut TransportOptions)) -> HyperTransport {
        let roots = Some(self.roots.clone());
        let mut options =
            TransportOptions { http2: true, root_certificates: roots, ..TransportOptions::default() };
        change(&mut options);
        HyperTransport::new(options).unwrap()
    }
}

#[tokio::test]
async fn http1_over_tls_is_kept_alive() {
    for alpn in [&["http/1.1"][..], &[]] {
        let server = TlsServer::start(alpn).await;
        let transport = server.trusting();
        for _ in 0..3 {
            let answer = fetch(&transport, post(&server.url("/"), "hello")).await.unwrap();
            assert_eq!(answer, "HTTP/1.1 localhost hello");
            // The body's end may arrive a moment after its last piece.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_large_request_goes_through_tls_whole() {
    let server = TlsServer::start(&["http/1.1"]).await;
    let body = "0123456789".repeat(300_000);
    let answer = fetch(&server.trusting(), post(&server.url("/"), body.clone())).await.unwrap();
    assert_eq!(answer, format!("HTTP/1.1 localhost {body}"));
}

#[tokio::test]
async fn http2_shares_one_connection() {
    let server = TlsServer::start(&["h2", "http/1.1"]).await;
    let transport = Arc::new(server.trusting());
    let mut request = post(&server.url("/v1?x=1"), "hello");
    request.headers.insert("connection", HeaderValue::from_static("keep-alive"));
    let response = transport.send(request).await.unwrap();
    assert_eq!(response.version, Version::HTTP_2);
    assert_eq!(text(response.body).await.unwrap(), "HTTP/2.0 localhost hello");
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (transport, url) = (Arc::clone(&transport), server.url("/"));
            tokio::spawn(async move { fetch(&transport, post(&url, "x")).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), "HTTP/2.0 localhost x");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_burst_of_first_requests_opens_one_http2_connection() {
    let server = TlsServer::start(&["h2"]).await;
    let transport = server.trusting();
    let all = (0..50).map(|_| fetch(&transport, post(&server.url("/"), "x"))).collect::<Vec<_>>();
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.unwrap(), "HTTP/2.0 localhost x");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn http2_is_not_offered_unless_asked_for() {
    let server = TlsServer::start(&["h2", "http/1.1"]).await;
    let transport = server.with(|options| options.http2 = TransportOptions::default().http2);
    assert_eq!(fetch(&transport, post(&server.url("/"), "x")).await.unwrap(), "HTTP/1.1 localhost x");
}

#[tokio::test]
async fn cut_bodies_are_errors_over_either_protocol() {
    for alpn in ["h2", "http/1.1"] {
        let server = TlsServer::start(&[alpn]).await;
        let error = fetch(&server.trusting(), get(&server.url("/cut"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{alpn}: {error}");
    }
}

#[tokio::test]
async fn limits_hold_over_either_protocol() {
    for alpn in ["h2", "http/1.1"] {
        let server = TlsServer::start(&[alpn]).await;
        let transport = server.trusting();
        let mut request = get(&server.url("/slow"));
        request.timeouts.read = Some(Duration::from_millis(60));
        let error = fetch(&transport, request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{alpn}: {error}");
        // An HTTP/2 connection survives a stream that was given up.
        assert!(fetch(&transport, post(&server.url("/"), "x")).await.unwrap().ends_with("localhost x"));
        assert_eq!(server.connections(), if alpn == "h2" { 1 } else { 2 });
    }
}

#[tokio::test]
async fn unknown_certificates_are_refused_unless_verification_is_off() {
    let server = TlsServer::start(&["http/1.1"]).await;
    let strict = HyperTransport::new(TransportOptions::default()).unwrap();
    let error = fetch(&strict, get(&server.url("/"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.message().starts_with("cannot reach `localhost`: TLS handshake failed: "), "{error}");
    let lax =
        HyperTransport::new(TransportOptions { verify_tls: false, ..TransportOptions::default() }).unwrap();
    assert_eq!(fetch(&lax, post(&server.url("/"), "x")).await.unwrap(), "HTTP/1.1 localhost x");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = TlsServer::start(&["http/1.1"]).await;
    let url = format!("https://127.0.0.2:{}/", server.address.port());
    // The loopback network answers on every address only where the server listens on all.
    let error = fetch(&server.trusting(), get(&url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}

#[test]
fn a_certificate_file_that_is_none_is_told_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.pem");
    fs::write(&empty, "no certificate").unwrap();
    for (path, why) in [(empty, "holds no certificate"), (dir.path().join("missing.pem"), "missing.pem")] {
        let options = TransportOptions { root_certificates: Some(path), ..TransportOptions::default() };
        let error = HyperTransport::new(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(error.message().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced() {
    for alpn in ["h2", "http/1.1"] {
        let server = TlsServer::start(&[alpn]).await;
        let transport = server.trusting();
        for round in 1..=3 {
            let answer = fetch(&transport, post(&server.url("/"), "x")).await.unwrap();
            assert!(answer.ends_with("localhost x"), "{alpn}: {answer}");
            assert_eq!(server.connections(), round, "{alpn}");
            tokio::time::sleep(Duration::from_millis(5)).await;
            server.hang_up.notify_waiters();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn streams_that_hang_up_midway_fail_over_either_protocol() {
    for alpn in ["h2", "http/1.1"] {
        let server = TlsServer::start(&[alpn]).await;
        let mut body = server.trusting().send(get(&server.url("/slow"))).await.unwrap().body;
        assert_eq!(body.next().await.unwrap().unwrap(), "first");
        server.hang_up.notify_waiters();
        let error = body.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadUpstream, "{alpn}: {error}");
        assert!(body.next().await.is_none());
    }
}
