//! Which names the members of a body may have, in one word: a look for a rare name is spared where it
//! cannot stand.

/// The names of a body's members at every depth, as a set that may hold more than was put in (a Bloom
/// filter of 64 bits).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names(u64);

impl Names {
    /// Notes a name.
    #[inline]
    pub(super) fn add(&mut self, name: &str) {
        self.0 |= bit(name);
    }

    /// Whether a member may have this name; never false when one has.
    #[must_use]
    pub fn may_hold(self, name: &str) -> bool {
        self.0 & bit(name) != 0
    }
}

/// The bit of a name. First and last byte and length, so weighed, tell the rare names that are asked for from
/// those that nearly all bodies have, and from most of the others.
#[inline]
fn bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let ends = bytes.first().zip(bytes.last()).map_or(0, |(first, last)| {
        usize::from(*first).wrapping_mul(2).wrapping_add(usize::from(*last).wrapping_mul(14))
    });
    1 << (ends.wrapping_add(bytes.len().wrapping_mul(3)) % 64)
}
