//! Carries outcomes from the ledger into the database, once each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::batch::Batch;
use super::open::Shared;
use super::tail::{OpenCalls, Tail};
use super::{Ledger, segment};
use crate::{Db, DbError, DbErrorKind, LogRows};

/// The longest wait after failures.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Rows a second while calls are served and the shipper is hardly behind.
const TRICKLE: f64 = 200.0;
/// The trickle doubles every minute of lag, up to this often.
const MOST_DOUBLINGS: f64 = 8.0;
/// How often a resting shipper looks whether calls are still served.
const LOOK: Duration = Duration::from_millis(200);

/// How long so many rows may take while calls are served.
fn trickle(rows: u64, lag: Duration) -> Duration {
    let doublings = (lag.as_secs_f64() / 60.0).min(MOST_DOUBLINGS);
    #[expect(clippy::cast_precision_loss, reason = "a batch has thousands of rows")]
    Duration::from_secs_f64(rows as f64 / (TRICKLE * doublings.exp2()))
}

/// How hard the shipper works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShipperOptions {
    /// Calls per transaction at most.
    pub batch_rows: usize,
    /// How long to wait when there is nothing to ship.
    pub interval: Duration,
    /// Share of the time it may be busy while nothing is served, from 0.01 to 1: after a batch it rests.
    pub duty: f64,
    /// How long a shipped segment is kept after its last write.
    pub retention: Duration,
    /// First wait after a failure; it doubles up to five seconds.
    pub backoff: Duration,
}

impl Default for ShipperOptions {
    fn default() -> Self {
        Self {
            batch_rows: 2_000,
            interval: Duration::from_millis(500),
            duty: 0.25,
            retention: Duration::ZERO,
            backoff: Duration::from_millis(250),
        }
    }
}

/// How far the shipper is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShipperStatus {
    /// Bytes in the ledger that are not in the database yet.
    pub backlog_bytes: u64,
    /// Calls shipped since the start.
    pub shipped_rows: u64,
    /// Calls that were in the database already.
    pub duplicate_rows: u64,
    /// Bytes that were no records, of segments damaged or cut off by a crash.
    pub damaged_bytes: u64,
    /// Keys and scopes that went past their soft budgets since the start.
    pub soft_budgets_passed: u64,
    /// Announced calls whose outcome has not been seen yet.
    pub open_calls: u64,
    /// Segment files on disk.
    pub segments: u64,
    /// Why the latest attempt failed; empty after a success.
    pub last_error: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// When rows were last committed, in Unix milliseconds.
    pub last_shipped_ms: Option<i64>,
}

/// Moves a ledger's outcomes into a database. There is one per ledger and process.
#[derive(Debug)]
pub struct Shipper {
    shared: Arc<Shared>,
    db: Db,
    options: ShipperOptions,
    /// Which calls have a row in the spend log.
    kept: Mutex<LogRows>,
    work: tokio::sync::Mutex<Work>,
    status: Mutex<ShipperStatus>,
}

/// What is known of the segments; only one task works at a time.
#[derive(Debug, Default)]
struct Work {
    loaded: bool,
    tails: Vec<Tail>,
    next_number: u64,
    open: OpenCalls,
    /// Read but perhaps not committed: a failure, or a dropped future, ships it again.
    pending: Option<Batch>,
    /// Segments whose files are gone and whose positions are to be forgotten.
    gone: Vec<String>,
}

impl Shipper {
    /// A shipper from a ledger to a database.
    #[must_use]
    pub fn new(ledger: &Ledger, db: Db, options: ShipperOptions) -> Self {
        let shared = Arc::clone(&ledger.shared);
        let (kept, work) = (Mutex::new(LogRows::All), tokio::sync::Mutex::default());
        Self { shared, db, options, kept, work, status: Mutex::default() }
    }

    /// Says which calls have a row in the spend log from now on.
    pub fn keep(&self, rows: LogRows) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = rows;
    }

    /// Ships for ever, at the pace of its options. It may be dropped at any point.
    ///
    /// While `busy` says that calls are being served, rows trickle so that shipping takes nothing from
    /// the calls; the longer it lags behind, the faster they come. When nothing is served it catches up.
    pub async fn run(&self, busy: impl Fn() -> bool + Send) {
        let mut backoff = self.options.backoff;
        let mut behind: Option<Instant> = None;
        loop {
            let start = Instant::now();
            let shipped_before = self.status().shipped_rows;
            match self.work_once().await {
                Ok(true) => {
                    backoff = self.options.backoff;
                    let rows = self.status().shipped_rows - shipped_before;
                    let lag = behind.get_or_insert(start).elapsed();
                    self.rest(rows, start.elapsed(), lag, &busy).await;
                }
                Ok(false) => {
                    behind = None;
                    tokio::time::sleep(self.options.interval).await;
                }
                Err(error) => {
                    tracing::warn!(%error, backlog = self.status().backlog_bytes, "cannot ship the ledger");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
        }
    }

    /// Waits after a batch: by the duty when nothing is served, by the trickle otherwise.
    async fn rest(&self, rows: u64, took: Duration, lag: Duration, busy: &(impl Fn() -> bool + Send)) {
        let by_duty = took.mul_f64(1.0 / self.options.duty.clamp(0.01, 1.0) - 1.0);
        let by_trickle = trickle(rows, lag).max(by_duty);
        let start = Instant::now();
        while start.elapsed() < by_trickle {
            let left = by_trickle.saturating_sub(start.elapsed());
            tokio::time::sleep(left.min(LOOK)).await;
            if start.elapsed() >= by_duty && !busy() {
                return;
            }
        }
    }

    /// Ships everything that was appended before the call, without resting.
    ///
    /// # Errors
    /// When the database fails; what is not shipped stays in the ledger.
    pub async fn flush(&self) -> Result<(), DbError> {
        while self.work_once().await? {}
        Ok(())
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> ShipperStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ships one batch; false when there was none.
    async fn work_once(&self) -> Result<bool, DbError> {
        let mut work = self.work.lock().await;
        let outcome = self.step(&mut work).await;
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the database has said how far it is, all of the ledger may be backlog.
        status.backlog_bytes = if work.loaded { work.backlog() } else { self.shared.bytes_on_disk() };
        status.open_calls = work.open.len();
        status.segments = work.tails.len() as u64;
        match &outcome {
            Ok(_) => {
                status.last_error = None;
                status.failures = 0;
            }
            Err(error) => {
                status.last_error = Some(error.to_string());
                status.failures = status.failures.saturating_add(1);
            }
        }
        outcome
    }

    async fn step(&self, work: &mut Work) -> Result<bool, DbError> {
        if !work.loaded {
            self.load(work).await?;
        }
        work.discover(&self.shared);
        if work.pending.is_none() {
            work.pending = self.read(work)?;
        }
        let Some(batch) = &work.pending else {
            self.sweep(work).await?;
            return Ok(false);
        };
        let now = unix_ms();
        let kept = *self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let shipped = self.db.ship(&self.shared.node, batch, kept, now).await?;
        let repeated = batch.repeated;
        for one in &shipped.crossings {
            let (kind, id, member) = (one.kind.as_str(), one.id.as_str(), one.member.as_str());
            tracing::warn!(kind, id, member, spend = %one.spend, soft_budget = %one.soft, "a soft budget is passed");
        }
        work.pending = None;
        {
            let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
            status.shipped_rows += shipped.rows;
            status.duplicate_rows += shipped.duplicates + repeated;
            status.soft_budgets_passed += shipped.crossings.len() as u64;
            status.last_shipped_ms = Some(now);
        }
        self.sweep(work).await?;
        Ok(true)
    }

    /// Finds the segments of earlier runs and how far each was shipped.
    async fn load(&self, work: &mut Work) -> Result<(), DbError> {
        let mut positions: HashMap<String, u64> =
            self.db.ledger_positions(&self.shared.node).await?.into_iter().collect();
        let files = segment::list(&self.shared.dir).map_err(|error| cannot_read(&self.shared, &error))?;
        for (name, path) in files {
            if self.shared.is_of_this_run(&name) {
                continue;
            }
            let position = positions.remove(&name).unwrap_or(0);
            let number = work.number();
            let tail = Tail::old(name, path, number, position);
            work.tails.push(tail.map_err(|error| cannot_read(&self.shared, &error))?);
        }
        work.gone.extend(positions.into_keys());
        work.loaded = true;
        Ok(())
    }

    /// Reads the next batch; `None` when there is nothing new.
    fn read(&self, work: &mut Work) -> Result<Option<Batch>, DbError> {
        let mut batch = Batch::default();
        let mut damaged = 0;
        for tail in &mut work.tails {
            let read = tail.read(&mut batch, self.options.batch_rows.max(1), &mut work.open);
            damaged += read.map_err(|error| cannot_read(&self.shared, &error))?;
        }
        if damaged > 0 {
            tracing::warn!(bytes = damaged, "skipped bytes of the ledger that are no records");
            self.status.lock().unwrap_or_else(PoisonError::into_inner).damaged_bytes += damaged;
        }
        Ok(Some(batch).filter(|batch| !batch.is_empty()))
    }

    /// Deletes segments that are shipped and whose calls all ended, oldest first: a segment is kept for as
    /// long as an older one, because recovery matches the outcomes in the one to the intents in the other.
    async fn sweep(&self, work: &mut Work) -> Result<(), DbError> {
        let mut at = 0;
        while let Some(tail) = work.tails.get(at) {
            if !tail.is_sealed() {
                at += 1;
            } else if tail.is_done(&work.open) && self.is_past_retention(tail) {
                match std::fs::remove_file(&tail.path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(cannot_read(&self.shared, &error));
                    }
                    _ => {}
                }
                self.shared.forget(&tail.name);
                work.gone.push(work.tails.remove(at).name);
            } else {
                break;
            }
        }
        if !work.gone.is_empty() {
            self.db.forget_segments(&work.gone).await?;
            work.gone.clear();
        }
        Ok(())
    }

    fn is_past_retention(&self, tail: &Tail) -> bool {
        if self.options.retention.is_zero() {
            return true;
        }
        let written = std::fs::metadata(&tail.path).and_then(|file| file.modified());
        // A file without a readable time is kept.
        written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= self.options.retention))
    }
}

impl Work {
    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Takes up segments that writers began since the last time.
    fn discover(&mut self, shared: &Shared) {
        for segment in shared.segments() {
            if self.tails.iter().all(|tail| tail.name != segment.name) {
                let number = self.number();
                self.tails.push(Tail::live(segment, number));
            }
        }
    }

    fn backlog(&self) -> u64 {
        let pending = self.pending.iter().flat_map(Batch::slices).map(|slice| slice.to - slice.from);
        self.tails.iter().map(Tail::backlog).sum::<u64>() + pending.sum::<u64>()
    }
}

fn cannot_read(shared: &Shared, error: &std::io::Error) -> DbError {
    let dir = shared.dir.display();
    DbError::new(DbErrorKind::Internal, format!("cannot work on the ledger folder `{dir}`: {error}"))
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
