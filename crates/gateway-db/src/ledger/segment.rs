//! One file of the ledger: a header that names the format, then records. Written by one shard, once.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::frame::{self, Frame};

/// First bytes of every segment; the last four are the format's version.
pub(crate) const HEADER: &[u8; 16] = b"gateway ledger\x01\0";

/// File name ending of segments.
const ENDING: &str = "ledger";

/// A segment that this process writes or has written, shared by its writer, the syncer and the shipper.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Unique for ever: the time and a random number of the run, then a counter.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    file: File,
    /// Bytes that are whole records.
    committed: AtomicU64,
    /// Bytes known to be on disk.
    synced: AtomicU64,
    /// No more records follow.
    sealed: AtomicBool,
    /// The writer should go on in a new segment.
    worn: AtomicBool,
    pub(crate) created_ms: i64,
}

impl Segment {
    /// Makes a new file, readable by its owner only, with a header in it.
    pub(crate) fn create(dir: &Path, name: String, now_ms: i64) -> io::Result<Self> {
        let path = dir.join(format!("{name}.{ENDING}"));
        let mut options = OpenOptions::new();
        options.write(true).read(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        file.write_all(HEADER)?;
        Ok(Self {
            name,
            path,
            file,
            committed: AtomicU64::new(HEADER.len() as u64),
            synced: AtomicU64::new(0),
            sealed: AtomicBool::new(false),
            worn: AtomicBool::new(false),
            created_ms: now_ms,
        })
    }

    /// Bytes that are whole records; never shrinks.
    pub(crate) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Appends whole records in one write, all or nothing: after a failure the file is as it was, or the
    /// segment is worn and ends where it was.
    pub(crate) fn append(&self, batch: &[u8]) -> io::Result<()> {
        let start = self.committed.load(Ordering::Relaxed);
        if let Err(error) = (&self.file).write_all(batch) {
            self.undo(start);
            return Err(error);
        }
        self.committed.store(start + batch.len() as u64, Ordering::Release);
        Ok(())
    }

    /// Cuts off what a failed write left. Where even that fails the segment ends here: its readers stop
    /// at `committed`, and after a crash at the first record that is not whole.
    fn undo(&self, start: u64) {
        use std::io::{Seek, SeekFrom};
        let cut = self.file.set_len(start).and_then(|()| (&self.file).seek(SeekFrom::Start(start)));
        if cut.is_err() {
            self.worn.store(true, Ordering::Release);
        }
    }

    /// Brings everything committed so far to the disk (fdatasync); from any thread.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let committed = self.committed();
        if self.synced.load(Ordering::Acquire) < committed {
            self.file.sync_data()?;
            self.synced.fetch_max(committed, Ordering::AcqRel);
        }
        Ok(())
    }

    pub(crate) fn has_records(&self) -> bool {
        self.committed() > HEADER.len() as u64
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    pub(crate) fn seal(&self) {
        self.sealed.store(true, Ordering::Release);
    }

    pub(crate) fn is_worn(&self) -> bool {
        self.worn.load(Ordering::Acquire)
    }

    pub(crate) fn wear_out(&self) {
        self.worn.store(true, Ordering::Release);
    }
}

/// The segment files in a folder, oldest first, as (name, path).
pub(crate) fn list(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == ENDING)
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            found.push((name.to_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// Visits the payloads of whole records in `bytes` until one says false; returns how many bytes they span.
pub(crate) fn visit<'a>(bytes: &'a [u8], mut each: impl FnMut(usize, &'a [u8]) -> bool) -> usize {
    let mut at = 0;
    while let Frame::Whole { payload, size } = frame::read(&bytes[at..]) {
        let go_on = each(at, payload);
        at += size;
        if !go_on {
            break;
        }
    }
    at
}
