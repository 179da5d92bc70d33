//! Is there an Ollama on this machine, and which models does it have?

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use gateway_server::config::Env;
use serde_json::Value;

/// Where Ollama listens unless told otherwise (<https://github.com/ollama/ollama/blob/main/docs/faq.md>).
const DEFAULT: &str = "http://127.0.0.1:11434";
/// A local server answers much sooner; a start must not wait longer for an absent one.
const PATIENCE: Duration = Duration::from_millis(300);
/// A list of models is some kilobytes.
const LARGEST_ANSWER: u64 = 4 << 20;

/// The models of the Ollama at `OLLAMA_API_BASE` or the usual address; none when nobody answers properly.
pub(super) fn models(env: &Env) -> Vec<String> {
    ask(env.value("OLLAMA_API_BASE").unwrap_or(DEFAULT)).unwrap_or_default()
}

fn ask(base: &str) -> Option<Vec<String>> {
    let authority = base.trim_end_matches('/').strip_prefix("http://")?;
    let authority = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let address = authority.to_socket_addrs().ok()?.next()?;
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).ok()?;
    // HTTP/1.0 keeps the answer free of chunks and ends it with the connection.
    // One write: a server that answers and closes after the first piece would reset the connection.
    let request = format!("GET /api/tags HTTP/1.0\r\nhost: {authority}\r\n\r\n");
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    connection.take(LARGEST_ANSWER).read_to_end(&mut answer).ok()?;
    names(&answer)
}

/// The model names in an HTTP answer of `GET /api/tags`.
fn names(answer: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    if head.split(' ').nth(1) != Some("200") {
        return None;
    }
    let body: Value = serde_json::from_str(body).ok()?;
    let models = body["models"].as_array()?.iter();
    Some(models.filter_map(|model| model["name"].as_str()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
