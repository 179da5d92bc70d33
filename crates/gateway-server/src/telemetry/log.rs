//! The access log: one JSON line a call, written in batches.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;

/// Lines are handed to the system when this many bytes have gathered, and by a timer before that.
const BATCH: usize = 32 * 1024;

/// One core's access log. Lines gather in memory; [`AccessLog::flush`] runs ten times a second.
pub(crate) struct AccessLog {
    lines: Mutex<Vec<u8>>,
    sink: Option<Arc<Mutex<dyn Write + Send>>>,
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessLog").field("on", &self.sink.is_some()).finish_non_exhaustive()
    }
}

/// What a line says of a call.
#[derive(Debug, Default)]
pub(crate) struct AccessLine<'a> {
    pub(crate) at_ms: i64,
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) outcome: &'a str,
    pub(crate) key: &'a str,
    pub(crate) model: &'a str,
    pub(crate) deployment: &'a str,
    pub(crate) stream: bool,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cost_nanos: Option<i64>,
    pub(crate) duration_us: u64,
    pub(crate) first_byte_us: Option<u64>,
}

impl AccessLog {
    /// A log that writes to `sink`, or none.
    pub(crate) fn new(sink: Option<Arc<Mutex<dyn Write + Send>>>) -> Self {
        Self { lines: Mutex::new(Vec::new()), sink }
    }

    /// Adds a line.
    pub(crate) fn add(&self, line: &AccessLine<'_>) {
        if self.sink.is_none() {
            return;
        }
        let mut lines = self.lines.lock();
        line.write(&mut lines);
        if lines.len() >= BATCH {
            let full = std::mem::take(&mut *lines);
            drop(lines);
            self.write(&full);
        }
    }

    /// Hands over what has gathered.
    pub(crate) fn flush(&self) {
        let gathered = std::mem::take(&mut *self.lines.lock());
        if !gathered.is_empty() {
            self.write(&gathered);
        }
    }

    fn write(&self, bytes: &[u8]) {
        let Some(sink) = &self.sink else { return };
        if let Err(error) = sink.lock().write_all(bytes) {
            tracing::warn!(%error, "access log lines could not be written");
        }
    }
}

impl AccessLine<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"at\":");
        number(out, self.at_ms);
        text(out, "id", self.id);
        text(out, "method", self.method);
        text(out, "path", self.path);
        field(out, "status");
        number(out, i64::from(self.status));
        text(out, "outcome", self.outcome);
        text(out, "key", self.key);
        text(out, "model", self.model);
        text(out, "deployment", self.deployment);
        if self.stream {
            out.extend_from_slice(b",\"stream\":true");
        }
        for (name, value) in [
            ("input_tokens", Some(self.input_tokens)),
            ("output_tokens", Some(self.output_tokens)),
            ("duration_us", Some(self.duration_us)),
            ("first_byte_us", self.first_byte_us),
        ] {
            if let Some(value) = value {
                field(out, name);
                number(out, i64::try_from(value).unwrap_or(i64::MAX));
            }
        }
        if let Some(cost) = self.cost_nanos {
            field(out, "cost_nano_usd");
            number(out, cost);
        }
        out.extend_from_slice(b"}\n");
    }
}

fn field(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn number(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// A text field, left out when empty. Callers choose some of these texts, so they are escaped.
fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    field(out, name);
    out.push(b'"');
    // Without an early exit the compiler looks at many bytes at once.
    let odd = value.bytes().fold(false, |odd, byte| odd | (byte < 0x20 || byte == b'"' || byte == b'\\'));
    if !odd {
        out.extend_from_slice(value.as_bytes());
    } else {
        for c in value.chars() {
            match c {
                '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
                c if u32::from(c) < 0x20 => {
                    out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes())
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
