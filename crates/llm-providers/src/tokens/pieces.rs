//! Texts cut into the pieces inside which tokens are made: words, numbers, punctuation, white space.
//!
//! What OpenAI's `tiktoken` says by a regular expression (`tiktoken_ext/openai_public.py`) is done by hand
//! here, in one pass.

use std::sync::LazyLock;

use super::Encoding;

/// What is told apart of characters. The numbers are those of `assets/letters.bin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Other = 0,
    Upper = 1,
    Lower = 2,
    /// Letters without case.
    Letter = 3,
    Mark = 4,
    Number = 5,
    Space = 6,
}

impl Class {
    const fn of(number: u8) -> Self {
        match number {
            1 => Self::Upper,
            2 => Self::Lower,
            3 => Self::Letter,
            4 => Self::Mark,
            5 => Self::Number,
            6 => Self::Space,
            _ => Self::Other,
        }
    }

    /// `\p{L}`.
    const fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Lower | Self::Letter)
    }

    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`.
    const fn begins_word(self) -> bool {
        matches!(self, Self::Upper | Self::Letter | Self::Mark)
    }

    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`.
    const fn ends_word(self) -> bool {
        matches!(self, Self::Lower | Self::Letter | Self::Mark)
    }

    /// Neither white space nor letter nor number.
    const fn is_sign(self) -> bool {
        matches!(self, Self::Other | Self::Mark)
    }
}

/// The classes of all characters: of most at once, of the others by their runs.
struct Letters {
    common: Box<[Class]>,
    runs: Box<[(u32, Class)]>,
}

/// Characters below this are looked up at once.
const COMMON: u32 = 0x3000;

impl Letters {
    /// Unicode's.
    fn all() -> &'static Self {
        static ALL: LazyLock<Letters> =
            LazyLock::new(|| Letters::unpack(include_bytes!("../../assets/letters.bin")));
        &ALL
    }

    fn unpack(packed: &[u8]) -> Self {
        let (mut runs, mut start, mut value, mut shift) = (Vec::new(), 0, 0_u32, 0);
        for byte in packed {
            value |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                start += value >> 3;
                runs.push((start, Class::of((value & 7) as u8)));
                (value, shift) = (0, 0);
            }
        }
        let mut letters = Self { common: Box::default(), runs: runs.into() };
        letters.common = (0..COMMON).map(|code| letters.by_run(code)).collect();
        letters
    }

    fn of(&self, letter: char) -> Class {
        let code = u32::from(letter);
        self.common.get(code as usize).copied().unwrap_or_else(|| self.by_run(code))
    }

    fn by_run(&self, code: u32) -> Class {
        let after = self.runs.partition_point(|(start, _)| *start <= code);
        after.checked_sub(1).map_or(Class::Other, |at| self.runs[at].1)
    }
}

/// The pieces of a text, in order; together they are the text.
pub(super) struct Pieces<'t> {
    rest: &'t str,
    letters: &'static Letters,
    modern: bool,
}

impl<'t> Pieces<'t> {
    pub(super) fn new(text: &'t str, encoding: Encoding) -> Self {
        Self { rest: text, letters: Letters::all(), modern: encoding != Encoding::Cl100k }
    }

    fn class_at(&self, at: usize) -> Option<(char, Class)> {
        self.rest.get(at..)?.chars().next().map(|letter| (letter, self.letters.of(letter)))
    }

    /// The end of the run of characters from `at` on that pass.
    fn run(&self, at: usize, pass: impl Fn(char, Class) -> bool) -> usize {
        let mut end = at;
        while let Some((letter, _)) = self.class_at(end).filter(|(letter, class)| pass(*letter, *class)) {
            end += letter.len_utf8();
        }
        end
    }

    /// The length of the first piece; the rest is not empty.
    fn first(&self) -> usize {
        let Some((letter, class)) = self.class_at(0) else { return 0 };
        let word = if self.modern { self.modern_word(letter, class) } else { self.word(letter, class) };
        if let Some(end) = word {
            return end;
        }
        if class == Class::Number {
            return self.number();
        }
        // ` ?[^\s\p{L}\p{N}]+[\r\n]*`, and slashes among the ends of lines in the newer encoding.
        let blank = usize::from(letter == ' ');
        let signs = self.run(blank, |_, class| class.is_sign());
        if signs > blank {
            let slash = self.modern;
            return self.run(signs, |letter, _| matches!(letter, '\r' | '\n') || (slash && letter == '/'));
        }
        self.space()
    }

    /// `\p{N}{1,3}`.
    fn number(&self) -> usize {
        let mut end = 0;
        for _ in 0..3 {
            let Some((digit, Class::Number)) = self.class_at(end) else { break };
            end += digit.len_utf8();
        }
        end
    }

    /// `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+`.
    fn word(&self, letter: char, class: Class) -> Option<usize> {
        if let Some(end) = self.contraction(0) {
            return Some(end);
        }
        let start = if may_precede(letter, class) { letter.len_utf8() } else { 0 };
        let end = self.run(start, |_, class| class.is_letter());
        (end > start).then_some(end)
    }

    /// The two kinds of words of the newer encoding: what may stand before, capitals, small letters, and a
    /// contraction.
    fn modern_word(&self, letter: char, class: Class) -> Option<usize> {
        let before = if may_precede(letter, class) { letter.len_utf8() } else { 0 };
        let end = self.cased(before).or_else(|| (before > 0).then(|| self.cased(0)).flatten());
        let end = end.or_else(|| {
            let capitals = self.run(before, |_, class| class.begins_word());
            (capitals > before).then_some(capitals)
        })?;
        Some(self.contraction(end).unwrap_or(end))
    }

    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+` from `at` on.
    fn cased(&self, at: usize) -> Option<usize> {
        let (mut end, mut last) = (at, None);
        while let Some((letter, class)) = self.class_at(end).filter(|(_, class)| class.begins_word()) {
            end += letter.len_utf8();
            if class.ends_word() {
                last = Some(end);
            }
        }
        let small = self.run(end, |_, class| class.ends_word());
        // Without small letters the capitals give back until one is left that may end a word.
        if small > end { Some(small) } else { last }
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `at`, in whatever case.
    fn contraction(&self, at: usize) -> Option<usize> {
        let mut letters = self.rest.get(at..)?.strip_prefix('\'')?.chars();
        // Unicode folds the long s to an s.
        let mut next = || letters.next().map(|letter| (letter.len_utf8(), fold(letter)));
        let (length, first) = next()?;
        match first {
            's' | 't' | 'm' | 'd' => Some(at + 1 + length),
            'l' | 'v' | 'r' => {
                let (second, letter) = next()?;
                let fits = letter == if first == 'l' { 'l' } else { 'e' };
                fits.then_some(at + 1 + length + second)
            }
            _ => None,
        }
    }

    /// White space: up to the last end of a line; else all but the last, which belongs to what follows;
    /// else all of it.
    fn space(&self) -> usize {
        let end = self.run(0, |_, class| class == Class::Space);
        let space = &self.rest[..end];
        let closes = end == self.rest.len();
        if let Some(line) = space.rfind(['\r', '\n']).filter(|_| self.modern || !closes) {
            return line + 1;
        }
        let last = space.chars().next_back().map_or(0, char::len_utf8);
        if closes || last == end { end } else { end - last }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.rest.is_empty() {
            return None;
        }
        let (piece, rest) = self.rest.split_at(self.first());
        self.rest = rest;
        Some(piece)
    }
}

/// `[^\r\n\p{L}\p{N}]`.
const fn may_precede(letter: char, class: Class) -> bool {
    !matches!(letter, '\r' | '\n') && !class.is_letter() && !matches!(class, Class::Number)
}

const fn fold(letter: char) -> char {
    match letter {
        'ſ' => 's',
        other => other.to_ascii_lowercase(),
    }
}
