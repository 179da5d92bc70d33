//! Reading one segment behind its writer: whole records only, and which announced calls are still open.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::batch::{Batch, place};
use super::encode::decode;
use super::record::Record;
use super::segment::{HEADER, Segment};
use super::{CallId, frame, segment};

/// Where a segment's records begin.
pub(crate) const FIRST_POSITION: u64 = HEADER.len() as u64;

/// Bytes read at a time.
const READ: u64 = 512 * 1024;

/// Announced calls of this run whose outcome has not been read, and the segment of each.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    segments: HashMap<CallId, u64>,
    counts: HashMap<u64, u64>,
}

impl OpenCalls {
    pub(super) fn len(&self) -> u64 {
        self.segments.len() as u64
    }

    fn announce(&mut self, id: CallId, segment: u64) {
        // Announced again elsewhere: what counts of it lies there.
        self.close(id);
        self.segments.insert(id, segment);
        *self.counts.entry(segment).or_default() += 1;
    }

    fn close(&mut self, id: CallId) {
        let Some(segment) = self.segments.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&segment) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&segment);
            }
        }
    }

    fn any_in(&self, segment: u64) -> bool {
        self.counts.contains_key(&segment)
    }
}

/// A segment and how far it was read.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Tells segments apart in `OpenCalls`.
    number: u64,
    /// The segment while this process may still write it; `None` for one of an earlier run.
    live: Option<Arc<Segment>>,
    file: Option<File>,
    position: u64,
    /// The length of a segment of an earlier run.
    length: u64,
}

impl Tail {
    /// A segment of an earlier run, which recovery has dealt with: none of its calls is open.
    pub(super) fn old(name: String, path: PathBuf, number: u64, position: u64) -> io::Result<Self> {
        let length = std::fs::metadata(&path)?.len();
        Ok(Self {
            name,
            path,
            number,
            live: None,
            file: None,
            position: position.max(FIRST_POSITION),
            length,
        })
    }

    /// A segment of this run.
    pub(super) fn live(segment: Arc<Segment>, number: u64) -> Self {
        let (name, path) = (segment.name.clone(), segment.path.clone());
        let live = Some(segment);
        Self { name, path, number, live, file: None, position: FIRST_POSITION, length: 0 }
    }

    /// Bytes that were not read.
    pub(super) fn backlog(&self) -> u64 {
        self.end().saturating_sub(self.position)
    }

    fn end(&self) -> u64 {
        self.live.as_ref().map_or(self.length, |segment| segment.committed())
    }

    /// True when nothing will be appended.
    pub(super) fn is_sealed(&self) -> bool {
        self.live.as_ref().is_none_or(|segment| segment.is_sealed())
    }

    /// True when everything was read and no call announced in it is open.
    pub(super) fn is_done(&self, open: &OpenCalls) -> bool {
        // Sealed first: what is sealed does not grow any more.
        self.is_sealed() && self.backlog() == 0 && !open.any_in(self.number)
    }

    /// Reads on into the batch until it has `max_rows`, and returns bytes that are no records.
    pub(super) fn read(
        &mut self,
        batch: &mut Batch,
        max_rows: usize,
        open: &mut OpenCalls,
    ) -> io::Result<u64> {
        let mut damaged = 0;
        while batch.rows() < max_rows && self.backlog() > 0 {
            let bytes = self.bytes(READ)?;
            let mut read = self.take(&bytes, batch, max_rows, open);
            let mut bytes = bytes;
            if read == 0 && bytes.len() as u64 == READ {
                // One record longer than a read: once more, with room for the longest there is.
                bytes = self.bytes((frame::MAX_PAYLOAD + frame::HEAD) as u64)?;
                read = self.take(&bytes, batch, max_rows, open);
            }
            let from = self.position;
            if read == 0 {
                damaged += self.backlog();
                self.position = self.end();
            } else {
                bytes.truncate(read);
                self.position += read as u64;
            }
            batch.push(&self.name, from, self.position, bytes);
        }
        if self.backlog() == 0 {
            self.file = None;
        }
        Ok(damaged)
    }

    /// Notes the records at the beginning of `bytes` and returns how many bytes they span.
    fn take(&self, bytes: &[u8], batch: &mut Batch, max_rows: usize, open: &mut OpenCalls) -> usize {
        segment::visit(bytes, |at, payload| {
            match decode(payload) {
                Some(Record::Intent(intent)) if self.live.is_some() => open.announce(intent.id, self.number),
                Some(Record::Outcome(outcome)) => {
                    open.close(outcome.id);
                    batch.note(outcome.id, place(at, payload.len()));
                }
                Some(Record::Cancel(id)) => open.close(id),
                Some(Record::Intent(_)) | None => {}
            }
            batch.rows() < max_rows
        })
    }

    /// Up to `count` bytes from the position on.
    fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let count = count.min(self.backlog());
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(usize::MAX)];
        if self.file.is_none() {
            self.file = Some(File::open(&self.path)?);
        }
        if let Some(file) = &self.file {
            read_exact_at(file, &mut bytes, self.position)?;
        }
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], position: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, position)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, bytes: &mut [u8], position: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(position))?;
    file.read_exact(bytes)
}
