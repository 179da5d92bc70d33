//! The walk over JSON text: one pass, no recursion, long strings in wide steps.

use std::borrow::Cow;

use super::{Fault, Item, Kind, MAX_DEPTH, Member, Names, unescape};

/// Whether a string holds escapes.
#[derive(Clone, Copy)]
enum Escapes {
    None,
    Some,
}

/// A place in a text that stands at `base` of a larger one.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    base: usize,
    /// The names of all members passed so far.
    pub(super) names: Names,
}

impl<'a> Cursor<'a> {
    pub(super) fn within(text: &'a str, base: usize) -> Self {
        Self { text, at: 0, base, names: Names::default() }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space.
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[cold]
    pub(super) fn fault(&self, expected: &'static str) -> Fault {
        Fault::new(self.text.as_bytes(), self.at, expected)
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.fault("the end of the body")) }
    }

    /// Steps into the object or array that must start here; false when it is empty and closed again.
    pub(super) fn open(&mut self, bracket: u8, expected: &'static str) -> Result<bool, Fault> {
        self.take(bracket, expected)?;
        self.space();
        let empty = self.peek() == Some(bracket + 2); // `{` + 2 is `}` and `[` + 2 is `]`
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// Steps over the comma after a value, or out by `close`; tells whether another value follows.
    pub(super) fn another(&mut self, close: u8, expected: &'static str) -> Result<bool, Fault> {
        self.space();
        let more = match self.peek() {
            Some(b',') => true,
            Some(byte) if byte == close => false,
            _ => return Err(self.fault(expected)),
        };
        self.at += 1;
        if more {
            self.space();
        }
        Ok(more)
    }

    /// Walks the members of the object that starts here.
    pub(super) fn members(&mut self, visit: &mut impl FnMut(Member<'a>)) -> Result<(), Fault> {
        let mut more = self.open(b'{', "`{`")?;
        while more {
            let start = self.at;
            let name = self.key()?;
            let value = self.item(1)?;
            visit(Member { name, start: start + self.base, value });
            more = self.another(b'}', "`,` or `}`")?;
        }
        Ok(())
    }

    /// Walks the elements of the array that starts here.
    pub(super) fn elements(&mut self, visit: &mut impl FnMut(Item<'a>)) -> Result<(), Fault> {
        let mut more = self.open(b'[', "`[`")?;
        while more {
            let item = self.item(1)?;
            visit(item);
            more = self.another(b']', "`,` or `]`")?;
        }
        Ok(())
    }

    /// Reads the value that starts here, `depth` levels down.
    pub(super) fn item(&mut self, depth: u32) -> Result<Item<'a>, Fault> {
        let start = self.at;
        let mut plain = false;
        let kind = match self.peek() {
            Some(b'"') => {
                plain = matches!(self.string()?, Escapes::None);
                Kind::String
            }
            Some(b'{') => {
                self.nested(depth)?;
                Kind::Object
            }
            Some(b'[') => {
                self.nested(depth)?;
                Kind::Array
            }
            _ => self.bare()?,
        };
        Ok(Item { kind, text: &self.text[start..self.at], start: start + self.base, plain })
    }

    /// Skips the array or object that starts here. The open brackets are bits, innermost lowest:
    /// 1 for an object, 0 for an array.
    fn nested(&mut self, depth: u32) -> Result<(), Fault> {
        let mut open = 0u128;
        let mut level = 0;
        loop {
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    if depth + level >= MAX_DEPTH {
                        return Err(self.fault("at most 127 levels of nesting"));
                    }
                    let is_object = bracket == b'{';
                    self.at += 1;
                    self.space();
                    if self.peek() == Some(bracket + 2) {
                        self.at += 1; // `{` + 2 is `}` and `[` + 2 is `]`
                    } else {
                        open = open << 1 | u128::from(is_object);
                        level += 1;
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                _ => {
                    self.bare()?;
                }
            }
            if self.after_value(&mut open, &mut level)? {
                return Ok(());
            }
        }
    }

    /// Steps over the brackets that close after a value and the comma before the next one. True when
    /// the outermost bracket has closed.
    fn after_value(&mut self, open: &mut u128, level: &mut u32) -> Result<bool, Fault> {
        while *level > 0 {
            self.space();
            let in_object = *open & 1 == 1;
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                    if in_object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                Some(b'}') if in_object => {}
                Some(b']') if !in_object => {}
                _ => return Err(self.fault(if in_object { "`,` or `}`" } else { "`,` or `]`" })),
            }
            self.at += 1;
            *open >>= 1;
            *level -= 1;
        }
        Ok(true)
    }

    /// Reads a member's name and the colon, up to the value.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at;
        if let Some(end) = short_name(self.text.as_bytes(), start) {
            self.at = end + 2;
            self.space();
            let name = &self.text[start + 1..end];
            self.names.add(name);
            return Ok(Cow::Borrowed(name));
        }
        self.long_key()
    }

    /// A name that is long, escaped, spaced, or none.
    fn long_key(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.fault("a member name in double quotes"));
        }
        let name = match self.string()? {
            Escapes::None => Cow::Borrowed(&self.text[start + 1..self.at - 1]),
            // It was validated, so it always unescapes.
            Escapes::Some => unescape(&self.text[start..self.at]).unwrap_or_default(),
        };
        self.names.add(&name);
        self.space();
        self.take(b':', "`:`")?;
        self.space();
        Ok(name)
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(())
    }

    /// Skips the string that starts here.
    fn string(&mut self) -> Result<Escapes, Fault> {
        self.at += 1;
        let mut escapes = Escapes::None;
        loop {
            self.at = plain_end(self.text.as_bytes(), self.at);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escapes);
                }
                Some(b'\\') => {
                    escapes = Escapes::Some;
                    self.escape()?;
                }
                None => return Err(self.fault("the `\"` that closes a string")),
                Some(_) => return Err(self.fault("control characters written as `\\u…` in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                match self.hex4()? {
                    0xd800..=0xdbff => self.low_surrogate(),
                    0xdc00..=0xdfff => Err(self.fault("a high surrogate before this low one")),
                    _ => Ok(()),
                }
            }
            _ => Err(self.fault("one of `\"`, `\\`, `/`, `b`, `f`, `n`, `r`, `t`, `u` after `\\`")),
        }
    }

    fn low_surrogate(&mut self) -> Result<(), Fault> {
        const EXPECTED: &str = "a low surrogate after this high one";
        self.take(b'\\', EXPECTED)?;
        self.take(b'u', EXPECTED)?;
        match self.hex4()? {
            0xdc00..=0xdfff => Ok(()),
            _ => Err(self.fault(EXPECTED)),
        }
    }

    fn hex4(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code << 4 | digit.ok_or_else(|| self.fault("four hexadecimal digits after `\\u`"))?;
            self.at += 1;
        }
        Ok(code)
    }

    /// Skips a number or a literal.
    fn bare(&mut self) -> Result<Kind, Fault> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| Kind::Number),
            Some(b't') => self.literal("true").map(|()| Kind::Bool),
            Some(b'f') => self.literal("false").map(|()| Kind::Bool),
            Some(b'n') => self.literal("null").map(|()| Kind::Null),
            _ => Err(self.fault("a JSON value")),
        }
    }

    fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault("`true`, `false` or `null`"));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.fault("a digit")),
        }
        if let Some(b'0'..=b'9') = self.peek() {
            return Err(self.fault("no leading zero in a number"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        let mut huge = self.at - start > 300;
        if let Some(b'e' | b'E') = self.peek() {
            huge = true;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        if huge && self.text[start..self.at].parse::<f64>().is_ok_and(f64::is_infinite) {
            self.at = start;
            return Err(self.fault("a number within the range of 64-bit floats"));
        }
        Ok(())
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.digits();
        if self.at == start { Err(self.fault("a digit")) } else { Ok(()) }
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }
}

/// Where the string whose text starts at `at` is closed; the end if it is not.
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// Where the quote stands that closes the name which opens at `at`, if it is the name of almost all
/// members: at most 16 plain bytes, and the colon right behind.
#[inline]
fn short_name(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let (quote, words) = rest.first_chunk::<17>()?.split_first()?;
    let (first, second) = words.split_first_chunk::<8>()?;
    let mut marks = special_marks(u64::from_le_bytes(*first));
    let mut end = 1;
    if marks == 0 {
        marks = special_marks(u64::from_le_bytes(*second.first_chunk::<8>()?));
        end = 9;
    }
    // Without a mark all eight bytes are plain, and the quote may stand behind them.
    end += (marks.trailing_zeros() / 8) as usize;
    (*quote == b'"' && rest.get(end) == Some(&b'"') && rest.get(end + 1) == Some(&b':')).then_some(at + end)
}

/// The first place from `at` on where a string does not just go on: a quote, a backslash or a
/// control character; the end if there is none.
#[inline]
fn plain_end(bytes: &[u8], at: usize) -> usize {
    // Most strings are short: the first bytes often hold the end.
    if let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let marks = special_marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        return far_end(bytes, at + 8);
    }
    far_end(bytes, at)
}

fn far_end(bytes: &[u8], mut at: usize) -> usize {
    const STEP: usize = 32;
    for _ in 0..2 {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { break };
        let marks = special_marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<STEP>()) {
        // Without an early exit the compiler turns this into vector instructions.
        let special = chunk.iter().fold(0, |any, &byte| {
            any | u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')
        });
        if special != 0 {
            break;
        }
        at += STEP;
    }
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let marks = special_marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| !is_special(byte)) {
        at += 1;
    }
    at
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Marks the high bit of bytes that are special. Bytes above the lowest marked one may be marked in
/// error (the subtraction borrows), so only the lowest mark counts.
const fn special_marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | quote.wrapping_sub(ONES) & !quote | slash.wrapping_sub(ONES) & !slash) & HIGH
}
