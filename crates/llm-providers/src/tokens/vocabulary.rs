//! The tokens of an encoding and their ranks: one text, and a table of where each begins.

use std::io::Read as _;

use brotli_decompressor::Decompressor;

/// Marks a slot without a token.
const FREE: u32 = u32::MAX;

/// The tokens of an encoding, by their bytes.
pub(super) struct Vocabulary {
    /// The bytes of all tokens, in the order of their ranks.
    bytes: Box<[u8]>,
    /// Where each token begins; one more than there are tokens.
    starts: Box<[u32]>,
    /// Ranks by the hash of their bytes; a rank whose slot is taken stands in one of the next.
    slots: Box<[u32]>,
}

impl Vocabulary {
    /// Unpacks one of the files of `assets`, whose README tells of their form.
    pub(super) fn unpack(packed: &[u8]) -> Self {
        let mut plain = Vec::new();
        Decompressor::new(packed, 1 << 16)
            .read_to_end(&mut plain)
            .expect("the packed vocabularies are part of the program and tested");
        let (head, rest) = plain.split_at(4);
        let count = head.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let (lengths, bytes) = rest.split_at(count);
        let mut starts = Vec::with_capacity(count + 1);
        starts.push(0);
        let mut end = 0;
        for length in lengths {
            end += u32::from(*length);
            starts.push(end);
        }
        let slots = vec![FREE; (count * 2).next_power_of_two()].into();
        let mut vocabulary = Self { bytes: bytes.into(), starts: starts.into(), slots };
        for rank in (0..).take(count) {
            let at = vocabulary.slot(vocabulary.token(rank));
            vocabulary.slots[at] = rank;
        }
        vocabulary
    }

    /// The rank of a token; `None` when these bytes are none.
    pub(super) fn rank(&self, token: &[u8]) -> Option<u32> {
        Some(self.slots[self.slot(token)]).filter(|rank| *rank != FREE)
    }

    /// How many tokens there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The bytes of a token.
    pub(super) fn token(&self, rank: u32) -> &[u8] {
        let at = rank as usize;
        &self.bytes[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Where a token stands, or would.
    fn slot(&self, token: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(token) & mask;
        while self.slots[at] != FREE && self.token(self.slots[at]) != token {
            at = (at + 1) & mask;
        }
        at
    }
}

/// Eight bytes at a time, each multiplied in. The table is fixed, so nobody can crowd its slots.
fn hash(token: &[u8]) -> usize {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mut hash = token.len() as u64;
    for chunk in token.chunks(8) {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
    (hash >> 32) as usize
}
