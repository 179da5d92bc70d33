//! The heads of answers. From call to call the names are the same and only values differ, so the map of
//! one answer is a copy of the last one's with new values: no name is hashed twice.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use llm_types::Money;
use parking_lot::Mutex;

/// What is put before the names of a provider's headers.
const PREFIX: &str = "llm_provider-";

/// How many lists of names a core remembers: one for each combination of provider, limits and kind of
/// answer. Providers that invent names do not grow the table for ever.
const MOST_SHAPES: usize = 32;

/// Bytes of digits that share one piece of memory.
const DIGITS_AT_ONCE: usize = 4 * 1024;

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// The heads one core has made.
#[derive(Debug, Default)]
pub(crate) struct Heads(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    shapes: Vec<Shape>,
    /// The shape that makes room when all places are taken.
    oldest: usize,
    /// The buffers of a head that is finished.
    spare: Head,
    /// Where the digits of heads go: one piece of memory for those of many.
    digits: BytesMut,
}

/// The names of a head, and the map they make.
#[derive(Debug)]
struct Shape {
    lines: Vec<(Owner, HeaderName)>,
    map: HeaderMap,
}

/// Whose words a header carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Gateway,
    /// It is shown under [`PREFIX`].
    Provider,
}

/// The head of one answer, line by line. No name may come twice but a provider's own.
#[derive(Debug, Default)]
pub(crate) struct Head {
    lines: Vec<(Owner, HeaderName, Value)>,
    /// The digits of all numbers, one after the other.
    digits: Vec<u8>,
}

#[derive(Debug)]
enum Value {
    Text(HeaderValue),
    /// Where its digits stand.
    Number(usize, usize),
}

impl Heads {
    /// An empty head.
    pub(crate) fn begin(&self) -> Head {
        std::mem::take(&mut self.0.lock().spare)
    }

    /// The head as a map.
    pub(crate) fn finish(&self, mut head: Head) -> HeaderMap {
        let mut kept = self.0.lock();
        let digits = kept.lasting(&head.digits);
        let known = kept.shapes.iter().find(|shape| shape.fits(&head.lines));
        let map = match known {
            Some(shape) => shape.filled(&mut head.lines, &digits),
            None => kept.learn(&mut head.lines, &digits),
        };
        head.lines.clear();
        head.digits.clear();
        kept.spare = head;
        map
    }
}

impl Kept {
    /// Digits that live as long as somebody holds them.
    fn lasting(&mut self, digits: &[u8]) -> Bytes {
        if self.digits.capacity() < digits.len() {
            self.digits = BytesMut::with_capacity(DIGITS_AT_ONCE.max(digits.len()));
        }
        self.digits.extend_from_slice(digits);
        self.digits.split().freeze()
    }

    /// Makes a map name by name, and remembers its shape. A name that comes twice stands elsewhere in
    /// the map than in the list: such a list is not remembered.
    fn learn(&mut self, lines: &mut Vec<(Owner, HeaderName, Value)>, digits: &Bytes) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(lines.len());
        let names = lines.iter().map(|(owner, name, _)| (*owner, name.clone())).collect();
        for (owner, name, value) in lines.drain(..) {
            let shown = match owner {
                Owner::Gateway => Some(name),
                Owner::Provider => HeaderName::try_from(format!("{PREFIX}{name}")).ok(),
            };
            if let Some(shown) = shown {
                map.append(shown, value.read(digits));
            }
        }
        let shape = Shape { lines: names, map: blank(&map) };
        if shape.lines.len() == shape.map.keys_len() && shape.map.len() == shape.map.keys_len() {
            self.remember(shape);
        }
        map
    }

    fn remember(&mut self, shape: Shape) {
        if self.shapes.len() < MOST_SHAPES {
            self.shapes.push(shape);
        } else {
            self.shapes[self.oldest] = shape;
            self.oldest = (self.oldest + 1) % MOST_SHAPES;
        }
    }
}

impl Shape {
    fn fits(&self, lines: &[(Owner, HeaderName, Value)]) -> bool {
        self.lines.len() == lines.len()
            && self
                .lines
                .iter()
                .zip(lines)
                .all(|((ours, name), (theirs, other, _))| ours == theirs && is_same(name, other))
    }

    /// The map with the values of these lines.
    fn filled(&self, lines: &mut Vec<(Owner, HeaderName, Value)>, digits: &Bytes) -> HeaderMap {
        let mut map = self.map.clone();
        for (slot, (.., value)) in map.values_mut().zip(lines.drain(..)) {
            *slot = value.read(digits);
        }
        map
    }
}

impl Value {
    fn read(self, digits: &Bytes) -> HeaderValue {
        match self {
            Self::Text(text) => text,
            Self::Number(from, to) => HeaderValue::from_maybe_shared(digits.slice(from..to))
                .unwrap_or(HeaderValue::from_static("0")),
        }
    }
}

/// Whether two names are one; ours mostly stand at one place, and need no look at their bytes.
fn is_same(name: &HeaderName, other: &HeaderName) -> bool {
    std::ptr::eq(name.as_str(), other.as_str()) || name == other
}

/// The same names without values.
fn blank(map: &HeaderMap) -> HeaderMap {
    let mut blank = map.clone();
    blank.values_mut().for_each(|value| *value = EMPTY);
    blank
}

impl Head {
    /// Adds a header of ours.
    pub(crate) fn text(&mut self, name: HeaderName, value: HeaderValue) {
        self.lines.push((Owner::Gateway, name, Value::Text(value)));
    }

    /// Adds a provider's header under its prefixed name.
    pub(crate) fn of_provider(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.lines.push((Owner::Provider, name.clone(), Value::Text(value.clone())));
    }

    /// Adds a count.
    pub(crate) fn count(&mut self, name: HeaderName, count: u64) {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        match usize::try_from(count).ok().and_then(|digit| DIGITS.get(digit)) {
            Some(digit) => self.text(name, HeaderValue::from_static(digit)),
            None => self.number(name, |digits| whole(digits, count)),
        }
    }

    /// Adds USD as LiteLLM writes it: a plain decimal without trailing zeros.
    pub(crate) fn usd(&mut self, name: HeaderName, amount: Money) {
        if amount == Money::ZERO {
            return self.count(name, 0);
        }
        self.number(name, |digits| {
            if amount.0 < 0 {
                digits.push(b'-');
            }
            whole(digits, amount.0.unsigned_abs() / 1_000_000_000);
            let part = amount.0.unsigned_abs() % 1_000_000_000;
            if part > 0 {
                fraction(digits, part, 9);
                let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1);
                digits.truncate(kept);
            }
        });
    }

    /// Adds microseconds as milliseconds with three digits.
    pub(crate) fn millis(&mut self, name: HeaderName, us: u64) {
        self.number(name, |digits| {
            whole(digits, us / 1_000);
            fraction(digits, us % 1_000, 3);
        });
    }

    fn number(&mut self, name: HeaderName, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.digits.len();
        write(&mut self.digits);
        self.lines.push((Owner::Gateway, name, Value::Number(from, self.digits.len())));
    }
}

fn whole(digits: &mut Vec<u8>, number: u64) {
    digits.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A point and `width` digits.
fn fraction(out: &mut Vec<u8>, part: u64, width: u32) {
    // A one in front keeps the zeros; the point takes its place.
    let from = out.len();
    whole(out, part + 10_u64.pow(width));
    out[from] = b'.';
}

#[cfg(test)]
mod tests;
