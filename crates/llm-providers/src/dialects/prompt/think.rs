//! Thoughts inside an answer's text, between `<think>` and `</think>`, told apart from the answer.

const BEGIN: &str = "<think>";
const END: &str = "</think>";

/// How models show what they think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Thinks {
    /// They do not.
    #[default]
    No,
    /// The prompt has begun it: the answer starts with a thought, and a second mark is left out.
    First,
    /// An answer that starts with the mark starts with a thought.
    Marked,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Thought(String),
    Text(String),
}

/// Tells pieces apart, however the text is split.
#[derive(Debug)]
pub(super) struct Splitter {
    place: Place,
    /// Text that may be the beginning of a mark.
    held: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks came yet; whether a thought follows without a mark.
    Start(bool),
    Thought,
    /// Behind a thought: blanks are left out.
    After,
    Text,
}

impl Splitter {
    pub(super) const fn new(thinks: Thinks) -> Self {
        let place = match thinks {
            Thinks::No => Place::Text,
            Thinks::First => Place::Start(true),
            Thinks::Marked => Place::Start(false),
        };
        Self { place, held: String::new() }
    }

    /// Takes more text and gives what is certain.
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        self.held.push_str(text);
        let mut pieces = Vec::new();
        while self.step(&mut pieces) {}
        pieces
    }

    /// The text is over: what was held is what it is.
    pub(super) fn finish(&mut self) -> Vec<Piece> {
        let rest = std::mem::take(&mut self.held);
        if rest.is_empty() {
            return Vec::new();
        }
        match self.place {
            Place::Thought | Place::Start(true) => vec![Piece::Thought(rest)],
            _ => vec![Piece::Text(rest)],
        }
    }

    /// One step; whether another may follow.
    fn step(&mut self, out: &mut Vec<Piece>) -> bool {
        match self.place {
            Place::Text => {
                if !self.held.is_empty() {
                    out.push(Piece::Text(std::mem::take(&mut self.held)));
                }
                false
            }
            Place::After => {
                let blank = self.held.len() - self.held.trim_start().len();
                self.held.drain(..blank);
                let goes_on = !self.held.is_empty();
                if goes_on {
                    self.place = Place::Text;
                }
                goes_on
            }
            Place::Start(thinks) => self.start(thinks),
            Place::Thought => self.thought(out),
        }
    }

    fn start(&mut self, thinks: bool) -> bool {
        let begun = self.held.trim_start();
        if begun.is_empty() || (begun.len() < BEGIN.len() && BEGIN.starts_with(begun)) {
            return false;
        }
        if let Some(rest) = begun.strip_prefix(BEGIN) {
            self.held = rest.to_owned();
            self.place = Place::Thought;
        } else {
            self.place = if thinks { Place::Thought } else { Place::Text };
        }
        true
    }

    fn thought(&mut self, out: &mut Vec<Piece>) -> bool {
        if let Some(at) = self.held.find(END) {
            let rest = self.held.split_off(at + END.len());
            self.held.truncate(at);
            let thought = std::mem::replace(&mut self.held, rest);
            if !thought.is_empty() {
                out.push(Piece::Thought(thought));
            }
            self.place = Place::After;
            return true;
        }
        // The end of what is there may be the beginning of the mark.
        let kept = (1..END.len()).rev().find(|length| self.held.ends_with(&END[..*length])).unwrap_or(0);
        let certain = self.held.len() - kept;
        if certain > 0 {
            let rest = self.held.split_off(certain);
            out.push(Piece::Thought(std::mem::replace(&mut self.held, rest)));
        }
        false
    }
}

#[cfg(test)]
mod tests;
