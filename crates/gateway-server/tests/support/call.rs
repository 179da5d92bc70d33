//! One request to the gateway, written byte by byte.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::{Answer, Flow, PATIENCE};

/// A request being put together.
#[derive(Clone)]
pub(crate) struct Call {
    address: SocketAddr,
    method: &'static str,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call {
    pub(super) fn new(address: SocketAddr, method: &'static str, path: &str) -> Self {
        Self { address, method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Presents a secret as OpenAI's clients do.
    pub(crate) fn key(self, secret: &str) -> Self {
        self.header("authorization", format!("Bearer {secret}"))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// The request's bytes; a length is stated unless a header states the framing.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\nhost: gateway\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        let framed =
            self.headers.iter().any(|(name, _)| matches!(&**name, "content-length" | "transfer-encoding"));
        if !framed && (self.method != "GET" || !self.body.is_empty()) {
            out.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// Opens a connection and sends the request; the answer is not waited for.
    #[track_caller]
    pub(crate) fn begin(&self) -> TcpStream {
        let mut stream = self.connect();
        // A gateway that refuses a large body early may close before it has read it all.
        let _sent = stream.write_all(&self.bytes());
        stream
    }

    #[track_caller]
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the gateway listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("a socket option can be set");
        stream
    }

    /// Sends the request and waits for the head of the answer.
    #[track_caller]
    pub(crate) fn open(&self) -> Flow {
        Flow::read(self.begin())
    }

    /// Sends the request and waits for the whole answer.
    #[track_caller]
    pub(crate) fn send(&self) -> Answer {
        self.open().rest()
    }
}

impl Call {
    /// Whether nobody listens any more.
    pub(crate) fn is_refused(&self) -> bool {
        TcpStream::connect(self.address).is_err()
    }
}
