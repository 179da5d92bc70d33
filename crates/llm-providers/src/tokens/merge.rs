//! Byte-pair encoding of one piece: the pair of neighbours with the lowest rank becomes one, until no pair
//! is a token.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocabulary::Vocabulary;

/// Pieces beyond so many bytes are merged by a heap: its time does not grow with the square of their length.
const LONG: usize = 96;
/// Pieces beyond so many bytes are counted in slices, so that the heap stays near the processor: each slice may
/// add a token to the count.
const SLICE: usize = 16 * 1024;
/// The rank of a pair that is no token.
const NONE: u32 = u32::MAX;

/// Counts tokens of pieces; keeps its tools between them.
pub(super) struct Merger<'v> {
    vocabulary: &'v Vocabulary,
    /// Where each part begins, and the rank it would have together with the next one.
    parts: Vec<(u32, u32)>,
}

impl<'v> Merger<'v> {
    pub(super) const fn new(vocabulary: &'v Vocabulary) -> Self {
        Self { vocabulary, parts: Vec::new() }
    }

    /// The tokens of a piece.
    pub(super) fn count(&mut self, piece: &[u8]) -> u64 {
        if piece.len() < 2 || self.vocabulary.rank(piece).is_some() {
            return 1.min(piece.len() as u64);
        }
        if piece.len() < LONG {
            return self.short(piece);
        }
        piece.chunks(SLICE).map(|slice| long(self.vocabulary, slice)).sum()
    }

    /// Looks through all pairs for each merge.
    fn short(&mut self, piece: &[u8]) -> u64 {
        let rank = |range| piece.get(range).and_then(|pair| self.vocabulary.rank(pair)).unwrap_or(NONE);
        let parts = &mut self.parts;
        parts.clear();
        parts.extend((0..).take(piece.len()).map(|at: u32| {
            let start = at as usize;
            (at, rank(start..start + 2))
        }));
        parts.push((u32::try_from(piece.len()).unwrap_or(NONE), NONE));
        loop {
            let best = (0..parts.len() - 1).min_by_key(|at| parts[*at].1);
            let Some(at) = best.filter(|at| parts[*at].1 != NONE) else { break };
            parts.remove(at + 1);
            let start = |at: usize| parts.get(at).map_or(usize::MAX, |part| part.0 as usize);
            let renewed = |at: usize| match start(at + 2) {
                usize::MAX => NONE,
                end => rank(start(at)..end),
            };
            let (own, before) = (renewed(at), at.checked_sub(1).map(renewed));
            parts[at].1 = own;
            if let Some(before) = before {
                parts[at - 1].1 = before;
            }
        }
        parts.len() as u64 - 1
    }
}

/// Takes pairs from a heap, the lowest rank first and the leftmost of equals; those that are gone are skipped.
pub(super) fn long(vocabulary: &Vocabulary, piece: &[u8]) -> u64 {
    let length = piece.len();
    let mut after: Vec<u32> = (1..).take(length).collect();
    let mut before: Vec<u32> = (0..).take(length).map(|at: u32| at.wrapping_sub(1)).collect();
    let mut ranks = vec![NONE; length];
    let rank = |start: usize, end: usize| {
        piece.get(start..end).and_then(|pair| vocabulary.rank(pair)).unwrap_or(NONE)
    };
    for (at, slot) in ranks.iter_mut().enumerate() {
        *slot = rank(at, at + 2);
    }
    let pairs = (0_u32..).zip(&ranks).filter(|(_, rank)| **rank != NONE);
    let mut heap: BinaryHeap<Reverse<(u32, u32)>> = pairs.map(|(at, rank)| Reverse((*rank, at))).collect();
    let mut left = length as u64;
    while let Some(Reverse((found, at))) = heap.pop() {
        let start = at as usize;
        if ranks[start] != found {
            continue;
        }
        let gone = after[start] as usize;
        let next = after[gone] as usize;
        after[start] = after[gone];
        ranks[gone] = NONE;
        left -= 1;
        if next < length {
            before[next] = at;
        }
        let mut renew = |start: usize, middle: usize| {
            let end = if middle < length { after[middle] as usize } else { usize::MAX };
            ranks[start] = rank(start, end);
            if ranks[start] != NONE {
                heap.push(Reverse((ranks[start], u32::try_from(start).unwrap_or(NONE))));
            }
        };
        renew(start, next);
        let previous = before[start] as usize;
        if previous < length {
            renew(previous, start);
        }
    }
    left
}
