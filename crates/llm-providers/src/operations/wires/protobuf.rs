//! Protocol Buffers, as far as wires need them: fields written one by one, a message read field by field.
//! <https://protobuf.dev/programming-guides/encoding/>

use llm_types::Result;

use super::parts::broken;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH: u64 = 2;
const FIXED32: u64 = 5;

/// A message being written. Fields that hold their default are left out, as proto3 does it.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// A number, an enumeration's value, or a flag.
    pub(crate) fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.tag(field, VARINT);
            self.varint(value);
        }
    }

    /// Text or bytes.
    pub(crate) fn bytes(&mut self, field: u32, value: &[u8]) {
        if !value.is_empty() {
            self.block(field, value);
        }
    }

    /// A message within; it is written even where it is empty, because being there says something.
    pub(crate) fn message(&mut self, field: u32, value: &Self) {
        self.block(field, &value.0);
    }

    /// What was written.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn block(&mut self, field: u32, value: &[u8]) {
        self.tag(field, LENGTH);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn tag(&mut self, field: u32, kind: u64) {
        self.varint(u64::from(field) << 3 | kind);
    }

    #[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Held<'a> {
    /// A number, an enumeration's value, or a flag.
    Number(u64),
    /// Text, bytes, or a message within.
    Bytes(&'a [u8]),
    /// 32 bits: a `float`.
    Fixed32(u32),
    /// 64 bits: a `double`.
    Fixed64(u64),
}

/// The fields of a message in their order: number, and what it holds.
#[derive(Debug)]
pub(crate) struct Fields<'a>(&'a [u8]);

/// Reads a message.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields(message)
}

impl<'a> Fields<'a> {
    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn field(&mut self) -> Option<(u64, Held<'a>)> {
        let tag = self.varint()?;
        let held = match tag & 7 {
            VARINT => Held::Number(self.varint()?),
            FIXED64 => Held::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            LENGTH => {
                let length = self.varint()?;
                Held::Bytes(self.take(length)?)
            }
            FIXED32 => Held::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((tag >> 3, held))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Held<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| broken("whole message of Protocol Buffers")))
    }
}

#[cfg(test)]
mod tests;
