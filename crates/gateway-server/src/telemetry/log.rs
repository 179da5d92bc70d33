//! The access log: one JSON line a call, written in batches.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;

/// Lines are handed to the system when this many bytes have gathered, and by a timer before that.
const BATCH: usize = 32 * 1024;
/// Bytes that are made room for before a line is written.
const USUAL_LINE: usize = 512;

/// One core's access log. Lines gather in memory; [`AccessLog::flush`] runs ten times a second.
pub(crate) struct AccessLog {
    lines: Mutex<Lines>,
    sink: Option<Arc<Mutex<dyn Write + Send>>>,
}

#[derive(Default)]
struct Lines {
    gathered: Vec<u8>,
    /// An emptied buffer, for the next lines.
    spare: Vec<u8>,
}

impl Lines {
    /// What has gathered; the next lines find room.
    fn take(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.gathered, std::mem::take(&mut self.spare))
    }
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
    /// The model that was asked for, where its budget at the key is spent.
    pub(crate) budget_fallback_from: &'a str,
    pub(crate) auto_router: &'a str,
    pub(crate) auto_router_cause: &'a str,
    pub(crate) auto_router_tier: &'a str,
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
        Self { lines: Mutex::default(), sink }
    }

    /// Adds a line.
    pub(crate) fn add(&self, line: &AccessLine<'_>) {
        if self.sink.is_none() {
            return;
        }
        let mut lines = self.lines.lock();
        line.write(&mut lines.gathered);
        if lines.gathered.len() >= BATCH {
            let full = lines.take();
            drop(lines);
            self.write(full);
        }
    }

    /// Hands over what has gathered.
    pub(crate) fn flush(&self) {
        let mut lines = self.lines.lock();
        if lines.gathered.is_empty() {
            return;
        }
        let gathered = lines.take();
        drop(lines);
        self.write(gathered);
    }

    fn write(&self, mut bytes: Vec<u8>) {
        let Some(sink) = &self.sink else { return };
        if let Err(error) = sink.lock().write_all(&bytes) {
            tracing::warn!(%error, "access log lines could not be written");
        }
        bytes.clear();
        self.lines.lock().spare = bytes;
    }
}

impl AccessLine<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.reserve(USUAL_LINE);
        number(out, "{\"at\":", self.at_ms);
        text(out, ",\"id\":\"", self.id);
        text(out, ",\"method\":\"", self.method);
        text(out, ",\"path\":\"", self.path);
        number(out, ",\"status\":", i64::from(self.status));
        text(out, ",\"outcome\":\"", self.outcome);
        text(out, ",\"key\":\"", self.key);
        text(out, ",\"model\":\"", self.model);
        text(out, ",\"budget_fallback_from\":\"", self.budget_fallback_from);
        text(out, ",\"auto_router\":\"", self.auto_router);
        text(out, ",\"auto_router_cause\":\"", self.auto_router_cause);
        text(out, ",\"auto_router_tier\":\"", self.auto_router_tier);
        text(out, ",\"deployment\":\"", self.deployment);
        if self.stream {
            out.extend_from_slice(b",\"stream\":true");
        }
        count(out, ",\"input_tokens\":", self.input_tokens);
        count(out, ",\"output_tokens\":", self.output_tokens);
        count(out, ",\"duration_us\":", self.duration_us);
        if let Some(us) = self.first_byte_us {
            count(out, ",\"first_byte_us\":", us);
        }
        if let Some(cost) = self.cost_nanos {
            number(out, ",\"cost_nano_usd\":", cost);
        }
        out.extend_from_slice(b"}\n");
    }
}

fn count(out: &mut Vec<u8>, field: &str, value: u64) {
    number(out, field, i64::try_from(value).unwrap_or(i64::MAX));
}

/// A number after its field's name as it stands in the line.
fn number(out: &mut Vec<u8>, field: &str, value: i64) {
    out.extend_from_slice(field.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// A text after its field's name and first quote; left out when empty. Callers choose some of these
/// texts, so they are escaped.
fn text(out: &mut Vec<u8>, field: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    out.extend_from_slice(field.as_bytes());
    // Without an early exit the compiler looks at many bytes at once.
    let odd = value
        .bytes()
        .fold(0, |odd, byte| odd | u8::from(byte < 0x20) | u8::from(byte == b'"' || byte == b'\\'));
    if odd == 0 {
        out.extend_from_slice(value.as_bytes());
    } else {
        escaped(out, value);
    }
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, value: &str) {
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
            c if u32::from(c) < 0x20 => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests;
