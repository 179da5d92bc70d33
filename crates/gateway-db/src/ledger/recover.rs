//! At start-up: announced calls without an outcome are booked at their reservation.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use llm_types::Money;

use super::encode::decode;
use super::open::Shared;
use super::record::{Intent, Outcome, Record};
use super::segment::{self, HEADER};
use super::{CallId, frame};

/// What opening a ledger found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments of earlier runs.
    pub segments: u64,
    /// Outcomes in them.
    pub outcomes: u64,
    /// Calls that were booked at their reservation.
    pub unknown: u64,
    /// What they were booked at together.
    pub unknown_cost: Money,
    /// Bytes that are no records: usually the torn end of a segment.
    pub damaged_bytes: u64,
}

/// Reads the segments of earlier runs and appends an outcome for every intent that has none.
///
/// Doing it twice changes nothing: what the first attempt booked is an outcome to the second.
pub(crate) fn recover(shared: &Arc<Shared>, now_ms: i64) -> io::Result<Recovery> {
    let mut recovery = Recovery::default();
    let mut open = OpenCalls::default();
    for (_, path) in segment::list(&shared.dir)? {
        recovery.segments += 1;
        read_segment(&path, &mut open, &mut recovery)?;
    }
    let booked = open.book(&mut recovery);
    if !booked.is_empty() {
        let segment = shared.begin_segment(now_ms)?;
        segment.append(&booked)?;
        segment.sync()?;
        segment.seal();
    }
    Ok(recovery)
}

/// Calls that were announced, with the record; `None` once the outcome was seen, in whatever order.
#[derive(Default)]
struct OpenCalls(HashMap<CallId, Option<Vec<u8>>>);

impl OpenCalls {
    fn see(&mut self, payload: &[u8], recovery: &mut Recovery) {
        match decode(payload) {
            Some(Record::Intent(intent)) => {
                // A call may be announced again, with more who pay for it: the last word counts.
                let open = self.0.entry(intent.id).or_insert_with(|| Some(Vec::new()));
                if let Some(announced) = open {
                    announced.clear();
                    announced.extend_from_slice(payload);
                }
            }
            Some(Record::Outcome(outcome)) => {
                recovery.outcomes += 1;
                self.0.insert(outcome.id, None);
            }
            Some(Record::Cancel(id)) => {
                self.0.insert(id, None);
            }
            None => recovery.damaged_bytes += (frame::HEAD + payload.len()) as u64,
        }
    }

    fn book(self, recovery: &mut Recovery) -> Vec<u8> {
        let mut batch = Vec::new();
        for payload in self.0.into_values().flatten() {
            if let Some(Record::Intent(intent)) = decode(&payload) {
                recovery.unknown += 1;
                recovery.unknown_cost += intent.reserved;
                book_one(&intent, &mut batch);
            }
        }
        batch
    }
}

fn book_one(intent: &Intent<'_>, batch: &mut Vec<u8>) {
    Outcome::unknown(intent).encode(batch);
}

fn read_segment(path: &Path, open: &mut OpenCalls, recovery: &mut Recovery) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let Some(records) = bytes.strip_prefix(HEADER) else {
        recovery.damaged_bytes += bytes.len() as u64;
        return Ok(());
    };
    let read = segment::visit(records, |_, payload| {
        open.see(payload, recovery);
        true
    });
    recovery.damaged_bytes += (records.len() - read) as u64;
    Ok(())
}
