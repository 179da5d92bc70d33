//! A ledger folder: locked for one process, recovered, and handed out as writers.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::recover::{self, Recovery};
use super::segment::{self, Segment};
use super::writer::Writer;

/// The file with the folder's own name, by which the database knows its segments.
const NODE: &str = "node";

/// The file whose lock says that a process uses the folder.
const LOCK: &str = "lock";

/// When a shard goes on in a new segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerOptions {
    /// Bytes after which a segment is full.
    pub segment_bytes: u64,
    /// Age after which a segment that has records is closed, so that shipped ones can be deleted.
    pub segment_age: Duration,
}

impl Default for LedgerOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, segment_age: Duration::from_secs(600) }
    }
}

/// An open ledger. Dropping it does not close the writers it gave out.
#[derive(Debug)]
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    writers: Vec<Writer>,
    recovery: Recovery,
}

/// What writers, the syncer and the shipper have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) options: LedgerOptions,
    /// Names the folder, for as long as it exists.
    pub(crate) node: String,
    /// Names this run: its time and a random number.
    run: String,
    next: AtomicU64,
    /// Segments of this run that have a file.
    segments: Mutex<Vec<Arc<Segment>>>,
    /// Held for as long as anybody uses the folder.
    _lock: File,
}

impl Ledger {
    /// The name of this gateway among those that share a database: made once, kept in the folder.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.shared.node
    }

    /// Opens a folder (made if need be, 0700), locks it, books calls that a crash cut off, and prepares one
    /// writer per shard.
    ///
    /// # Errors
    /// `WouldBlock` when another process has the folder, else what the disk says.
    pub fn open(dir: &Path, shards: usize, now_ms: i64, options: LedgerOptions) -> io::Result<Self> {
        make_private(dir)?;
        let lock = lock(dir)?;
        let run = format!("{:012x}-{:08x}", now_ms.max(0), fastrand::u32(..));
        let shared = Arc::new(Shared {
            dir: dir.to_owned(),
            options,
            node: node(dir)?,
            run,
            next: AtomicU64::new(0),
            segments: Mutex::default(),
            _lock: lock,
        });
        let recovery = recover::recover(&shared, now_ms)?;
        let writers =
            (0..shards).map(|_| Writer::new(Arc::clone(&shared), now_ms)).collect::<io::Result<_>>()?;
        Ok(Self { shared, writers, recovery })
    }

    /// The writers, one per shard; empty when they were taken before.
    pub fn take_writers(&mut self) -> Vec<Writer> {
        std::mem::take(&mut self.writers)
    }

    /// What was found at opening.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Brings everything that was appended so far to the disk (fdatasync) and closes segments that are old.
    /// Call it by a timer, off the data-plane cores.
    ///
    /// # Errors
    /// When the disk reports that it could not keep the data.
    pub fn sync(&self, now_ms: i64) -> io::Result<()> {
        let age = i64::try_from(self.shared.options.segment_age.as_millis()).unwrap_or(i64::MAX);
        for segment in self.shared.segments() {
            segment.sync()?;
            if now_ms.saturating_sub(segment.created_ms) >= age && segment.has_records() {
                segment.wear_out();
            }
        }
        Ok(())
    }
}

impl Shared {
    /// Makes the next segment of this run.
    pub(crate) fn begin_segment(&self, now_ms: i64) -> io::Result<Arc<Segment>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number:08x}", self.run);
        let segment = Arc::new(Segment::create(&self.dir, name, now_ms)?);
        self.lock_segments().push(Arc::clone(&segment));
        Ok(segment)
    }

    /// Segments of this run that have a file, oldest first.
    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.lock_segments().clone()
    }

    /// True for segments that this run made.
    pub(crate) fn is_of_this_run(&self, name: &str) -> bool {
        name.starts_with(&self.run)
    }

    /// Bytes of all segments, of earlier runs too; files that cannot be read do not count.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        let files = segment::list(&self.dir).unwrap_or_default();
        files.iter().filter_map(|(_, path)| std::fs::metadata(path).ok()).map(|file| file.len()).sum()
    }

    /// Forgets a segment whose file is gone.
    pub(crate) fn forget(&self, name: &str) {
        self.lock_segments().retain(|segment| segment.name != name);
    }

    fn lock_segments(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Segment>>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_private(dir: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn lock(dir: &Path) -> io::Result<File> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            format!("the ledger folder `{}` is in use by another process", dir.display()),
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Reads the folder's name, or makes one up and keeps it.
fn node(dir: &Path) -> io::Result<String> {
    let path = dir.join(NODE);
    match std::fs::read_to_string(&path) {
        Ok(name) if !name.trim().is_empty() => return Ok(name.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let name = format!("{:016x}", fastrand::u64(..));
    let draft = dir.join("node.new");
    std::fs::write(&draft, &name)?;
    File::open(&draft)?.sync_all()?;
    std::fs::rename(&draft, &path)?;
    Ok(name)
}
