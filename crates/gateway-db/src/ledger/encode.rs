//! Records to bytes and back. Encoding appends to the caller's buffer and allocates nothing else.

use llm_types::Money;

use super::CallId;
use super::frame;
use super::record::{End, Flags, Intent, Outcome, Owner, Record, Tokens};

const INTENT: u8 = 1;
const OUTCOME: u8 = 2;
const CANCEL: u8 = 3;

/// Longest name (key, team, model, …): its length is one byte, and four of them fit a database index.
pub const LONGEST_NAME: usize = 255;
/// Longest JSON text; a longer one is replaced by nothing, because half a JSON text is worth nothing.
const MAX_JSON: usize = 256 * 1024;
/// The cost of a call whose model has no price.
const NO_COST: i64 = i64::MIN;
/// The time of a first byte that never came.
const NO_TIME: u64 = u64::MAX;

impl Intent<'_> {
    /// Appends the record, framed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        frame::append(out, |out| {
            out.push(INTENT);
            out.extend_from_slice(&self.id.0.to_le_bytes());
            out.extend_from_slice(&self.started_ms.to_le_bytes());
            out.extend_from_slice(&self.reserved.0.to_le_bytes());
            out.extend_from_slice(&self.reserved_input_tokens.to_le_bytes());
            out.extend_from_slice(&self.reserved_output_tokens.to_le_bytes());
            out.push(u8::from(self.stream));
            owner(out, &self.owner);
            name(out, self.model_group);
            name(out, self.call_type);
            name(out, self.owner.project_id);
            last_json(out, self.owner.parts);
        });
    }
}

impl Outcome<'_> {
    /// Appends the record, framed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        frame::append(out, |out| {
            out.push(OUTCOME);
            out.extend_from_slice(&self.fixed());
            owner(out, &self.owner);
            for text in [
                self.model_group,
                self.model,
                self.provider,
                self.deployment,
                self.call_type,
                self.call_id,
                self.error,
            ] {
                name(out, text);
            }
            for text in [self.usage, self.tags, self.metadata] {
                json(out, text);
            }
            name(out, self.owner.project_id);
            if self.session.is_empty() && self.tools.is_empty() {
                last_json(out, self.owner.parts);
            } else {
                json(out, self.owner.parts);
                name(out, self.session);
                last_json(out, self.tools);
            }
        });
    }

    /// The part of fixed size, in one piece so that it is one copy.
    fn fixed(&self) -> [u8; FIXED] {
        let mut bytes = [0; FIXED];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        put(&self.id.0.to_le_bytes());
        put(&self.started_ms.to_le_bytes());
        put(&self.duration_us.to_le_bytes());
        put(&self.first_byte_us.unwrap_or(NO_TIME).to_le_bytes());
        put(&self.cost.map_or(NO_COST, |cost| cost.0).to_le_bytes());
        for count in [
            self.tokens.input,
            self.tokens.output,
            self.tokens.cache_read,
            self.tokens.cache_write,
            self.tokens.reasoning,
        ] {
            put(&count.to_le_bytes());
        }
        put(&self.status.to_le_bytes());
        put(&self.retries.to_le_bytes());
        put(&self.fallbacks.to_le_bytes());
        put(&[self.end as u8, flags_byte(self.flags)]);
        bytes
    }
}

/// Bytes of an outcome before its texts: id, four times and money, five counts, three numbers, end, flags.
const FIXED: usize = 16 + 4 * 8 + 5 * 8 + 3 * 2 + 2;

/// Appends a record that an announced call never left: nothing is booked for it.
pub fn encode_cancel(id: CallId, out: &mut Vec<u8>) {
    frame::append(out, |out| {
        out.push(CANCEL);
        out.extend_from_slice(&id.0.to_le_bytes());
    });
}

fn owner(out: &mut Vec<u8>, owner: &Owner<'_>) {
    for text in [owner.key, owner.user_id, owner.team_id, owner.organization_id, owner.end_user] {
        name(out, text);
    }
}

fn name(out: &mut Vec<u8>, text: &str) {
    let text =
        if text.len() <= LONGEST_NAME { text } else { &text[..text.floor_char_boundary(LONGEST_NAME)] };
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

fn json(out: &mut Vec<u8>, text: &str) {
    let text = if text.len() <= MAX_JSON { text } else { "" };
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// A text at the end of a record, which most have not.
fn last_json(out: &mut Vec<u8>, text: &str) {
    if !text.is_empty() {
        json(out, text);
    }
}

/// Marks as bits: 1 stream, 2 estimated, 4 unpriced, 8 unknown outcome, 16 cache hit.
pub(crate) fn flags_byte(flags: Flags) -> u8 {
    u8::from(flags.stream)
        | u8::from(flags.estimated) << 1
        | u8::from(flags.unpriced) << 2
        | u8::from(flags.unknown_outcome) << 3
        | u8::from(flags.cache_hit) << 4
}

/// Reads a payload; `None` when it is not a record of this version.
pub(crate) fn decode(payload: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(payload);
    match cursor.byte()? {
        INTENT => cursor.intent().map(Record::Intent),
        OUTCOME => cursor.outcome().map(Record::Outcome),
        CANCEL => cursor.array().map(|id| Record::Cancel(CallId(u128::from_le_bytes(id)))),
        _ => None,
    }
}

/// The rest of a payload.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(part)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn name(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        self.text(usize::from(length))
    }

    /// A name that records written by older programs end without.
    fn last_name(&mut self) -> Option<&'a str> {
        if self.0.is_empty() { Some("") } else { self.name() }
    }

    fn json(&mut self) -> Option<&'a str> {
        let length = self.array().map(u32::from_le_bytes)?;
        self.text(length as usize)
    }

    /// A text that most records end without.
    fn last_json(&mut self) -> Option<&'a str> {
        if self.0.is_empty() { Some("") } else { self.json() }
    }

    fn owner(&mut self) -> Option<Owner<'a>> {
        Some(Owner {
            key: self.name()?,
            user_id: self.name()?,
            team_id: self.name()?,
            organization_id: self.name()?,
            end_user: self.name()?,
            project_id: "",
            parts: "",
        })
    }

    fn intent(&mut self) -> Option<Intent<'a>> {
        let mut intent = Intent {
            id: CallId(u128::from_le_bytes(self.array()?)),
            started_ms: self.i64()?,
            reserved: Money(self.i64()?),
            reserved_input_tokens: self.u64()?,
            reserved_output_tokens: self.u64()?,
            stream: self.byte()? != 0,
            owner: self.owner()?,
            model_group: self.name()?,
            call_type: self.name()?,
        };
        intent.owner.project_id = self.last_name()?;
        intent.owner.parts = self.last_json()?;
        Some(intent)
    }

    fn outcome(&mut self) -> Option<Outcome<'a>> {
        let mut outcome = Outcome::of(CallId(u128::from_le_bytes(self.array()?)));
        outcome.started_ms = self.i64()?;
        outcome.duration_us = self.u64()?;
        outcome.first_byte_us = Some(self.u64()?).filter(|time| *time != NO_TIME);
        outcome.cost = Some(self.i64()?).filter(|cost| *cost != NO_COST).map(Money);
        outcome.tokens = Tokens {
            input: self.u64()?,
            output: self.u64()?,
            cache_read: self.u64()?,
            cache_write: self.u64()?,
            reasoning: self.u64()?,
        };
        outcome.status = self.u16()?;
        outcome.retries = self.u16()?;
        outcome.fallbacks = self.u16()?;
        outcome.end = end(self.byte()?)?;
        outcome.flags = flags(self.byte()?);
        outcome.owner = self.owner()?;
        outcome.model_group = self.name()?;
        outcome.model = self.name()?;
        outcome.provider = self.name()?;
        outcome.deployment = self.name()?;
        outcome.call_type = self.name()?;
        outcome.call_id = self.name()?;
        outcome.error = self.name()?;
        outcome.usage = self.json()?;
        outcome.tags = self.json()?;
        outcome.metadata = self.json()?;
        outcome.owner.project_id = self.last_name()?;
        outcome.owner.parts = self.last_json()?;
        outcome.session = self.last_name()?;
        outcome.tools = self.last_json()?;
        Some(outcome)
    }
}

fn end(byte: u8) -> Option<End> {
    [End::Completed, End::Cut, End::HungUp, End::Failed, End::Unknown].get(usize::from(byte)).copied()
}

fn flags(byte: u8) -> Flags {
    let bit = |index: u8| byte & (1 << index) != 0;
    Flags { stream: bit(0), estimated: bit(1), unpriced: bit(2), unknown_outcome: bit(3), cache_hit: bit(4) }
}

#[cfg(test)]
mod tests;
