//! The hot end of the ledger: one per data-plane core, no locks, no waiting for the disk.

use std::io;
use std::sync::Arc;

use super::open::Shared;
use super::segment::Segment;

/// Appends one shard's records. Dropping it seals its segment.
///
/// All records of one call go through the same writer, the intent first.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    segment: Arc<Segment>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, now_ms: i64) -> io::Result<Self> {
        let segment = shared.begin_segment(now_ms)?;
        Ok(Self { shared, segment })
    }

    /// Appends whole records, as the encoders made them, in one `write(2)`; nothing for an empty batch.
    ///
    /// When it returns `Ok`, the records survive the death of this process. They are all in the ledger or
    /// none is.
    ///
    /// # Errors
    /// When the disk is full or broken. The batch is not in the ledger: refuse the calls whose intents are
    /// in it, keep its outcomes, and append them again later.
    pub fn append(&mut self, batch: &[u8], now_ms: i64) -> io::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        if self.segment.is_worn() {
            self.rotate(now_ms)?;
        }
        self.segment.append(batch)?;
        if self.segment.committed() >= self.shared.options.segment_bytes {
            self.segment.wear_out();
        }
        Ok(())
    }

    /// Brings what was appended to the disk (fdatasync, milliseconds). Where a writer must not wait, call
    /// [`Ledger::sync`](super::Ledger::sync) from another thread instead.
    ///
    /// # Errors
    /// When the disk reports that it could not keep the data.
    pub fn sync(&self) -> io::Result<()> {
        self.segment.sync()
    }

    fn rotate(&mut self, now_ms: i64) -> io::Result<()> {
        let next = self.shared.begin_segment(now_ms)?;
        std::mem::replace(&mut self.segment, next).seal();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.segment.seal();
    }
}
