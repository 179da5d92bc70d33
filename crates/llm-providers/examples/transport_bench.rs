//! What a request costs in CPU time: our transport against hyper's, on one single-threaded runtime.
//!
//! `cargo run --release -p llm-providers --example transport_bench [rounds] [client]`
//!
//! The server runs in a thread of its own and answers from a constant, so only the client's thread is
//! measured (its on-CPU time as Linux counts it). Four clients, in interleaved rounds, median of each:
//!
//! * `ours`: [`HyperTransport`]
//! * `legacy`: `hyper_util::client::legacy::Client`, the pooled client of the hyper world
//! * `spawned`: `hyper::client::conn::http1` with a task per connection and a pool of ready senders
//! * `inline`: the same, its connection polled in the caller's task together with the request
//!
//! And over TLS, ours against itself: HTTP/1.1 and HTTP/2.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool for the terminal")]

use std::cell::RefCell;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use llm_providers::{HyperTransport, TransportOptions};
use llm_types::{HttpRequest, Timeouts, Transport as _};
use tokio::net::TcpStream;

const AT_ONCE: usize = 64;
const CHUNKS: usize = 100;

type Connection = Pin<Box<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>>;
type Sender = SendRequest<Full<Bytes>>;
type InlinePair = (Sender, Connection);
type Legacy =
    hyper_util::client::legacy::Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;

/// One way to send requests.
#[derive(Clone)]
enum Client {
    Ours(Rc<HyperTransport>),
    Legacy(Legacy),
    Spawned(Rc<RefCell<Vec<Sender>>>),
    Inline(Rc<RefCell<Vec<InlinePair>>>),
}

impl Client {
    /// Ours over TLS, by either protocol.
    fn secure() -> Vec<(&'static str, Self)> {
        let ours = |http2| {
            let mut options = TransportOptions::default();
            (options.http2, options.verify_tls) = (http2, false);
            Self::Ours(Rc::new(HyperTransport::new(options).unwrap()))
        };
        vec![("http/1.1", ours(false)), ("http/2", ours(true))]
    }

    fn all() -> Vec<(&'static str, Self)> {
        let ours = HyperTransport::new(TransportOptions::default()).unwrap();
        let mut connector = hyper_util::client::legacy::connect::HttpConnector::new();
        connector.set_nodelay(true);
        let legacy = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        vec![
            ("ours", Self::Ours(Rc::new(ours))),
            ("legacy", Self::Legacy(legacy)),
            ("spawned", Self::Spawned(Rc::default())),
            ("inline", Self::Inline(Rc::default())),
        ]
    }

    /// Sends one request and reads its answer to the end; tells the bytes of the body.
    async fn call(&self, address: SocketAddr, uri: &Uri, body: &Bytes) -> usize {
        match self {
            Self::Ours(transport) => {
                let timeouts = Timeouts {
                    total: Some(std::time::Duration::from_secs(600)),
                    first_byte: Some(std::time::Duration::from_secs(60)),
                    ..Timeouts::default()
                };
                let (uri, body, headers) = (uri.clone(), body.clone(), headers());
                let request = HttpRequest { method: Method::POST, uri, headers, body, timeouts };
                let mut body = transport.send(request).await.unwrap().body;
                let mut bytes = 0;
                while let Some(piece) = body.next().await {
                    bytes += piece.unwrap().len();
                }
                bytes
            }
            Self::Legacy(client) => {
                count(client.request(message(uri, body)).await.unwrap().into_body()).await
            }
            Self::Spawned(pool) => {
                let idle = pool.borrow_mut().pop().filter(SendRequest::is_ready);
                let mut sender = match idle {
                    Some(sender) => sender,
                    None => {
                        let (sender, connection) = connect(address).await;
                        tokio::task::spawn_local(connection);
                        sender
                    }
                };
                let bytes = count(sender.send_request(message(uri, body)).await.unwrap().into_body()).await;
                sender.ready().await.unwrap();
                pool.borrow_mut().push(sender);
                bytes
            }
            Self::Inline(pool) => {
                let idle = pool.borrow_mut().pop();
                let (mut sender, mut connection) = match idle {
                    Some(idle) => idle,
                    None => connect(address).await,
                };
                let call = async {
                    let body = sender.send_request(message(uri, body)).await.unwrap().into_body();
                    let bytes = count(body).await;
                    sender.ready().await.unwrap();
                    bytes
                };
                let bytes = tokio::select! {
                    bytes = call => bytes,
                    ended = &mut connection => panic!("connection ended: {ended:?}"),
                };
                pool.borrow_mut().push((sender, connection));
                bytes
            }
        }
    }
}

async fn connect(address: SocketAddr) -> InlinePair {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    (sender, Box::pin(connection))
}

async fn count(mut body: hyper::body::Incoming) -> usize {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    bytes
}

fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, http::HeaderValue::from_static("Bearer sk-0123456789abcdef"));
    headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    headers
}

fn message(uri: &Uri, body: &Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers();
    request.headers_mut().insert(header::HOST, http::HeaderValue::from_static("127.0.0.1"));
    request
}

/// Answers every request with the pieces, each in a write of its own.
fn serve(pieces: Vec<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, pieces) = (stream.unwrap(), pieces.clone());
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || {
                let mut buffer = [0; 8192];
                let mut seen = 0;
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    seen += read;
                    // Requests end with the body's last byte.
                    if buffer[read - 1] == b'}' && seen > 1024 {
                        seen = 0;
                        for piece in &pieces {
                            stream.write_all(piece).unwrap();
                        }
                    }
                }
            });
        }
    });
    address
}

/// Answers every request with 826 bytes over TLS, by HTTP/1.1 or HTTP/2, in a thread of its own.
fn serve_tls() -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let stream = acceptor.accept(stream).await.unwrap();
                    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let service =
                        hyper::service::service_fn(async |request: Request<hyper::body::Incoming>| {
                            count(request.into_body()).await;
                            let answer = Full::new(Bytes::from_static(&[b'y'; 826]));
                            Ok::<_, std::convert::Infallible>(http::Response::new(answer))
                        });
                    // The client goes away when it has measured enough.
                    let _gone = if is_h2 {
                        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        server.serve_connection(TokioIo::new(stream), service).await.is_err()
                    } else {
                        let server = hyper::server::conn::http1::Builder::new();
                        server.serve_connection(TokioIo::new(stream), service).await.is_err()
                    };
                });
            }
        });
    });
    address
}

fn on_cpu_ns() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// One round: CPU and wall time per call, in µs.
async fn round(client: &Client, base: &str, calls: usize, expected: usize) -> (f64, f64) {
    let uri: Uri = format!("{base}/v1/chat/completions").parse().unwrap();
    let address: SocketAddr = uri.authority().unwrap().as_str().parse().unwrap();
    let body = Bytes::from(format!("{{\"prompt\":\"{}\"}}", "x".repeat(1100)));
    let (cpu, wall) = (on_cpu_ns(), Instant::now());
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (client, uri, body) = (client.clone(), uri.clone(), body.clone());
            tokio::task::spawn_local(async move {
                for _ in 0..calls / AT_ONCE {
                    assert_eq!(client.call(address, &uri, &body).await, expected);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let calls = (calls / AT_ONCE * AT_ONCE) as f64;
    ((on_cpu_ns() - cpu) as f64 / 1e3 / calls, wall.elapsed().as_secs_f64() * 1e6 / calls)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn measure(
    what: &str,
    base: &str,
    clients: Vec<(&'static str, Client)>,
    (calls, expected): (usize, usize),
    rounds: usize,
) {
    let only = std::env::args().nth(2);
    let clients: Vec<_> =
        clients.into_iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)).collect();
    let mut figures = vec![(Vec::new(), Vec::new()); clients.len()];
    for (_, client) in &clients {
        round(client, base, calls / 10 + AT_ONCE, expected).await;
    }
    for _ in 0..rounds {
        for ((_, client), (cpu, wall)) in clients.iter().zip(&mut figures) {
            let (c, w) = round(client, base, calls, expected).await;
            cpu.push(c);
            wall.push(w);
        }
    }
    println!("{what}");
    for ((name, _), (cpu, wall)) in clients.iter().zip(&mut figures) {
        println!("  {name:8} {:7.2} µs CPU  {:7.2} µs wall  per call", median(cpu), median(wall));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let rounds = std::env::args().nth(1).map_or(7, |text| text.parse().unwrap());
    let answer = "y".repeat(826);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Sat, 21 Nov 2026 10:00:00 GMT\r\n\
                server: bench\r\nx-request-id: 0123456789";
    let whole = format!("{head}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
    let chunk = format!("{:x}\r\n{}\r\n", 180, "z".repeat(180));
    let mut pieces = vec![format!("{head}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes()];
    pieces.extend((0..CHUNKS).map(|_| chunk.clone().into_bytes()));
    pieces.push(b"0\r\n\r\n".to_vec());
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let base = format!("http://{}", serve(vec![whole.into_bytes()]));
            let what = "1.1 KiB request, 826 byte answer";
            measure(what, &base, Client::all(), (40_000, 826), rounds).await;
            let base = format!("http://{}", serve(pieces));
            measure("stream of 100 chunks", &base, Client::all(), (1_000, 180 * CHUNKS), rounds).await;
            let base = format!("https://{}", serve_tls());
            measure("the same whole answer over TLS", &base, Client::secure(), (20_000, 826), rounds).await;
        })
        .await;
}
