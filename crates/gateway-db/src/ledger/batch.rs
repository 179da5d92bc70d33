//! What one transaction ships: whole records of a few segments, still as bytes, and which are outcomes.

use std::collections::HashSet;
use std::ops::Range;

use super::encode::decode;
use super::record::{Outcome, Record};
use super::{CallId, frame};

/// Bytes of one segment and the positions they span.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) segment: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    bytes: Vec<u8>,
}

/// Slices and the places of the outcomes in them, each call once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    slices: Vec<Slice>,
    outcomes: Vec<(usize, Range<usize>)>,
    ids: HashSet<CallId>,
    /// Outcomes of calls that are in the batch already.
    pub(crate) repeated: u64,
}

impl Batch {
    pub(crate) fn rows(&self) -> usize {
        self.outcomes.len()
    }

    pub(crate) fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// True when there is nothing to write, not even a position.
    pub(crate) fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    /// Takes an outcome of the slice that is pushed next; its payload lies at `place` in it.
    pub(crate) fn note(&mut self, id: CallId, place: Range<usize>) {
        if self.ids.insert(id) {
            self.outcomes.push((self.slices.len(), place));
        } else {
            self.repeated += 1;
        }
    }

    /// Adds the slice that the outcomes noted since the last one lie in.
    pub(crate) fn push(&mut self, segment: &str, from: u64, to: u64, bytes: Vec<u8>) {
        self.slices.push(Slice { segment: segment.to_owned(), from, to, bytes });
    }

    /// The outcomes, in the order they were appended within each segment.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = Outcome<'_>> {
        self.outcomes.iter().filter_map(|(slice, place)| {
            match decode(self.slices[*slice].bytes.get(place.clone())?) {
                Some(Record::Outcome(outcome)) => Some(outcome),
                _ => None,
            }
        })
    }
}

/// Where a payload of `length` bytes lies when its frame begins at `at`.
pub(crate) fn place(at: usize, length: usize) -> Range<usize> {
    at + frame::HEAD..at + frame::HEAD + length
}
