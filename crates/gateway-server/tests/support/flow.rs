//! An answer of the gateway, read as it comes: its head, its framing, whether it ended as it should.

use std::io::Read;
use std::net::TcpStream;

use serde_json::Value;

/// An answer whose head has arrived.
pub(crate) struct Flow {
    stream: TcpStream,
    raw: Vec<u8>,
    framing: Framing,
    ended: Option<bool>,
    answer: Answer,
}

/// A whole answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the framing says that this was all of it.
    pub(crate) whole: bool,
}

enum Framing {
    Length(usize),
    Chunked,
    None,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// A header that must be there.
    #[track_caller]
    pub(crate) fn must(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("header `{name}` among {:#?}", self.headers))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The `data:` of every frame.
    pub(crate) fn frames(&self) -> Vec<String> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_owned).collect()
    }

    /// Checks the status, showing the body when it is another one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {:#?}", self.text(), self.headers);
        self
    }
}

impl Flow {
    /// Reads the head of an answer.
    #[track_caller]
    pub(crate) fn read(stream: TcpStream) -> Self {
        let mut flow =
            Self { stream, raw: Vec::new(), framing: Framing::None, ended: None, answer: Answer::default() };
        let end = loop {
            if let Some(at) = flow.raw.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            assert!(flow.more(), "the gateway closed before the head of an answer was complete");
        };
        let head = String::from_utf8_lossy(&flow.raw[..end]).into_owned();
        flow.raw.drain(..end + 4);
        flow.head(&head);
        flow.unframe();
        flow
    }

    fn head(&mut self, head: &str) {
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        self.answer.status = status.expect("a status line");
        self.answer.headers = lines
            .map(|line| line.split_once(':').expect("a header line"))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = self.answer.header("content-length").and_then(|length| length.parse().ok());
        self.framing = match length {
            Some(length) => Framing::Length(length),
            None if self.answer.header("transfer-encoding") == Some("chunked") => Framing::Chunked,
            None => Framing::None,
        };
    }

    /// The status and headers, and what has been read of the body.
    pub(crate) fn so_far(&self) -> &Answer {
        &self.answer
    }

    /// Waits until the body holds a text.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        while !self.answer.text().contains(text) {
            assert!(self.ended.is_none(), "the answer ended without `{text}`: {}", self.answer.text());
            self.advance();
        }
    }

    /// Reads to the end.
    #[track_caller]
    pub(crate) fn rest(mut self) -> Answer {
        while self.ended.is_none() {
            self.advance();
        }
        self.answer.whole = self.ended == Some(true);
        self.answer
    }

    /// Reads to the end and gives the connection back for another request.
    #[track_caller]
    pub(crate) fn rest_and_connection(mut self) -> (Answer, TcpStream) {
        let stream = self.stream.try_clone().expect("a socket can be shared");
        while self.ended.is_none() {
            self.advance();
        }
        self.answer.whole = self.ended == Some(true);
        (self.answer, stream)
    }

    #[track_caller]
    fn advance(&mut self) {
        if !self.more() {
            self.ended.get_or_insert(matches!(self.framing, Framing::None));
        }
        self.unframe();
    }

    /// Reads some bytes; false at the end of the connection.
    #[track_caller]
    fn more(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => false,
            Ok(read) => {
                self.raw.extend_from_slice(&piece[..read]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("no more of the answer came: {error}; so far {}", self.answer.text()),
        }
    }

    fn unframe(&mut self) {
        match self.framing {
            Framing::None => self.answer.body.append(&mut self.raw),
            Framing::Length(length) => {
                let missing = length - self.answer.body.len();
                let taken = missing.min(self.raw.len());
                self.answer.body.extend(self.raw.drain(..taken));
                if self.answer.body.len() == length {
                    self.ended = Some(true);
                }
            }
            Framing::Chunked => while self.ended.is_none() && self.chunk().is_some() {},
        }
    }

    /// Takes one whole chunk.
    fn chunk(&mut self) -> Option<()> {
        let line = self.raw.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&self.raw[..line]).ok()?.trim(), 16);
        let size = size.expect("a chunk begins with its size");
        if self.raw.len() < line + 2 + size + 2 {
            return None;
        }
        self.answer.body.extend_from_slice(&self.raw[line + 2..line + 2 + size]);
        self.raw.drain(..line + 2 + size + 2);
        if size == 0 {
            self.ended = Some(true);
        }
        Some(())
    }
}
