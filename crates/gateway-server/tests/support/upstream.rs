//! A provider on a real socket that answers by script and remembers what it was asked.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::script::{Framing, Reply, Step};
use super::wait_until;

/// One request as the provider received it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the gateway sends JSON")
    }
}

#[derive(Default)]
struct State {
    script: VecDeque<Reply>,
    always: Option<Reply>,
    seen: Vec<Seen>,
    hung_up: usize,
    open: usize,
    sent: usize,
}

/// A scripted provider. Its threads end with the process.
pub(crate) struct Upstream {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    /// A provider that gives this answer to every request.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(State { always: Some(reply), ..State::default() })
    }

    /// A provider that gives these answers, one after the other, the last one for ever.
    pub(crate) fn in_turn(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script: VecDeque<Reply> = replies.into_iter().collect();
        Self::start(State { always: script.back().cloned(), script, ..State::default() })
    }

    fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// Its URL, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what it answers from now on.
    pub(crate) fn change(&self, reply: Reply) {
        let mut state = self.state.lock().unwrap();
        state.script.clear();
        state.always = Some(reply);
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// The only request there was.
    #[track_caller]
    pub(crate) fn only(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "one request: {seen:#?}");
        seen.remove(0)
    }

    /// Waits until so many requests have come.
    #[track_caller]
    pub(crate) fn wait_for_requests(&self, count: usize) {
        wait_until("requests at the provider", || self.state.lock().unwrap().seen.len() >= count);
    }

    /// Waits until the gateway has closed a connection whose answer was not over.
    #[track_caller]
    pub(crate) fn wait_for_hang_up(&self) {
        wait_until("the gateway to hang up on the provider", || self.state.lock().unwrap().hung_up > 0);
    }

    /// Bytes of bodies that the system has taken.
    pub(crate) fn sent(&self) -> usize {
        self.state.lock().unwrap().sent
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.state.lock().unwrap().open
    }
}

fn serve(mut stream: TcpStream, state: &Arc<Mutex<State>>) {
    state.lock().unwrap().open += 1;
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer) {
        let reply = {
            let mut state = state.lock().unwrap();
            state.seen.push(seen);
            let next = state.script.pop_front();
            next.or_else(|| state.always.clone()).expect("the script has an answer")
        };
        match answer(&mut stream, &reply, state) {
            Outcome::Answered => {}
            Outcome::Cut => break,
            Outcome::HungUp => {
                state.lock().unwrap().hung_up += 1;
                break;
            }
        }
    }
    state.lock().unwrap().open -= 1;
}

fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    stream.set_read_timeout(None).ok()?;
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        read_some(stream, buffer)?;
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    buffer.drain(..end + 4);
    while buffer.len() < length {
        read_some(stream, buffer)?;
    }
    Some(Seen { path, headers, body: buffer.drain(..length).collect() })
}

fn read_some(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
    buffer.extend_from_slice(&piece[..read]);
    Some(())
}

enum Outcome {
    Answered,
    Cut,
    HungUp,
}

fn answer(stream: &mut TcpStream, reply: &Reply, state: &Mutex<State>) -> Outcome {
    if let Some(early) = reply.before.as_ref().and_then(|step| take(stream, step, Framing::Length)) {
        return early;
    }
    if let Some(raw) = &reply.raw {
        return if stream.write_all(raw).is_ok() { Outcome::Cut } else { Outcome::HungUp };
    }
    if stream.write_all(head(reply).as_bytes()).is_err() {
        return Outcome::HungUp;
    }
    for step in &reply.steps {
        if let Some(early) = take(stream, step, reply.framing) {
            return early;
        }
        if let Step::Send(bytes) = step {
            state.lock().unwrap().sent += bytes.len();
        }
    }
    let ended = reply.framing == Framing::Length || stream.write_all(b"0\r\n\r\n").is_ok();
    if ended { Outcome::Answered } else { Outcome::HungUp }
}

fn head(reply: &Reply) -> String {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let sent = |step: &Step| if let Step::Send(bytes) = step { bytes.len() } else { 0 };
    let own_length = reply.headers.iter().any(|(name, _)| name == "content-length");
    match reply.framing {
        Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
        Framing::Length if own_length => {}
        Framing::Length => {
            head.push_str(&format!("content-length: {}\r\n", reply.steps.iter().map(sent).sum::<usize>()));
        }
    }
    head + "\r\n"
}

/// Does one step; `Some` when it was the last.
fn take(stream: &mut TcpStream, step: &Step, framing: Framing) -> Option<Outcome> {
    let written = match step {
        Step::Cut => return Some(Outcome::Cut),
        Step::Send(bytes) if framing == Framing::Chunked => {
            let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
            chunk.extend_from_slice(bytes);
            chunk.extend_from_slice(b"\r\n");
            stream.write_all(&chunk).is_ok()
        }
        Step::Send(bytes) => stream.write_all(bytes).is_ok(),
        Step::Hold(gate) => stays(stream, || gate.is_open()),
        Step::Hang => stays(stream, || false),
    };
    (!written).then_some(Outcome::HungUp)
}

/// Waits for a condition; false when the gateway closes the connection before.
fn stays(stream: &TcpStream, mut over: impl FnMut() -> bool) -> bool {
    let mut byte = [0];
    while !over() {
        if stream.set_read_timeout(Some(Duration::from_millis(3))).is_err() {
            return false;
        }
        match stream.peek(&mut byte) {
            Ok(0) => return false,
            Ok(_) => std::thread::sleep(Duration::from_millis(3)),
            Err(error) => {
                use std::io::ErrorKind::{TimedOut, WouldBlock};
                if !matches!(error.kind(), TimedOut | WouldBlock) {
                    return false;
                }
            }
        }
    }
    true
}
