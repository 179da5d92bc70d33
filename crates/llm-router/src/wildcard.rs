//! Patterns in model names: `openai/*` answers to `openai/anything`.

use std::borrow::Cow;
use std::cmp::Reverse;

/// A name with `*` in it; each stands for any text, the empty one included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The text around the stars: one piece more than there are stars.
    pieces: Box<[Box<str>]>,
}

/// What the stars of a pattern stood for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captures<'a> {
    /// The whole name that matched.
    name: Cow<'a, str>,
    /// One range of `name` for each star.
    stars: Vec<(usize, usize)>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self { pieces: text.split('*').map(Into::into).collect() }
    }

    /// Sorts the most specific pattern first, as LiteLLM does with the regular expressions it makes
    /// of them: the longer one, then the one with more special characters. LiteLLM surface §2.2.
    pub(crate) fn rank(text: &str) -> Reverse<(usize, usize)> {
        let weigh = |c: char| match c {
            '*' => (4, 3),
            '+' | '?' | '\\' | '^' | '$' | '|' | '(' | ')' => (2, 2),
            '.' | '-' | '[' | ']' | '{' | '}' | '#' | '&' | '~' | ' ' => (2, 1),
            _ => (1, 0),
        };
        Reverse(text.chars().map(weigh).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)))
    }

    /// Matches a whole name. Earlier stars take as much as they can.
    pub(crate) fn matches<'a>(&self, name: Cow<'a, str>) -> Option<Captures<'a>> {
        let (first, rest) = self.pieces.split_first()?;
        let (last, middle) = rest.split_last()?;
        let start = first.len();
        let mut end = name.len().checked_sub(last.len()).filter(|end| *end >= start)?;
        if !name.starts_with(&**first) || !name.ends_with(&**last) {
            return None;
        }
        let mut stars = vec![(0, 0); rest.len()];
        for (at, piece) in middle.iter().enumerate().rev() {
            let found = name.get(start..end)?.rfind(&**piece)? + start;
            stars[at + 1] = (found + piece.len(), end);
            end = found;
        }
        stars[0] = (start, end);
        Some(Captures { name, stars })
    }
}

impl Captures<'_> {
    /// Puts what the stars stood for into the stars of `model`, left to right. A model without stars
    /// stays as it is; one with fewer stars than there were is replaced by the caller's name.
    #[must_use]
    pub fn substitute(&self, model: &str) -> String {
        let holes = model.matches('*').count();
        if holes == 0 {
            return model.to_owned();
        }
        if self.stars.len() > holes {
            return self.name.clone().into_owned();
        }
        let mut pieces = model.split('*');
        let mut text = pieces.next().unwrap_or_default().to_owned();
        let mut stars = self.stars.iter();
        for piece in pieces {
            match stars.next() {
                Some(&(from, to)) => text.push_str(self.name.get(from..to).unwrap_or_default()),
                None => text.push('*'),
            }
            text.push_str(piece);
        }
        text
    }
}

#[cfg(test)]
mod tests;
