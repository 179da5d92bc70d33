//! The ledger's own id of a call: chosen by the gateway, never by the caller.

use std::fmt;
use std::str::FromStr;

/// 128 bits that name one call for ever.
///
/// The ledger books a call once per id, so an id must never come from a request: whoever could choose
/// it could repeat it and call for free. Ids that begin with the time keep the spend log's index dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u128);

impl CallId {
    /// An id of UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 of the random bits.
    #[must_use]
    pub fn at(unix_ms: i64, random: u128) -> Self {
        let time = u128::from(unix_ms.max(0).unsigned_abs() & 0xffff_ffff_ffff) << 80;
        let rand_a = (random >> 64) & 0xfff;
        let rand_b = random & 0x3fff_ffff_ffff_ffff;
        Self(time | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)
    }
}

impl fmt::Display for CallId {
    /// As a UUID: `8-4-4-4-12` lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.to_be_bytes().into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for CallId {
    type Err = std::num::ParseIntError;

    /// Reads a UUID with or without hyphens.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        u128::from_str_radix(&digits, 16).map(Self)
    }
}

#[cfg(test)]
mod tests;
