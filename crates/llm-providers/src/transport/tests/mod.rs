//! The transport against real sockets on the loopback interface.

mod connections;
mod encodings;
mod exchange;
mod grpc;
mod guarded;
mod limits;
mod proxies;
mod server;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use llm_types::{Body, HttpRequest, Result, Timeouts, Transport as _};

use super::{HyperTransport, TransportOptions};

fn transport() -> HyperTransport {
    HyperTransport::new(TransportOptions::default()).unwrap()
}

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::GET,
        uri: url.parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeouts: Timeouts { total: Some(Duration::from_secs(20)), ..Timeouts::default() },
    }
}

fn post(url: &str, body: impl Into<Bytes>) -> HttpRequest {
    HttpRequest { method: Method::POST, body: body.into(), ..get(url) }
}

async fn text(body: Body) -> Result<String> {
    body.collect(64 << 20).await.map(|bytes| String::from_utf8(bytes.into()).unwrap())
}

async fn fetch(transport: &HyperTransport, request: HttpRequest) -> Result<String> {
    text(transport.send(request).await?.body).await
}
