//! What a caller has been told of an answer, for a provider that is to go on with it.

use llm_types::{Event, PartKind};

/// The longest beginning that is handed over, bytes.
const LONGEST: usize = 1024 * 1024;

/// What a caller has been told of one answer.
#[derive(Debug, Default)]
pub(crate) struct Said {
    text: String,
    /// What nobody else can go on with.
    other: Option<&'static str>,
}

impl Said {
    /// Takes note of an event that the caller is told.
    pub(super) fn note(&mut self, event: &Event) {
        let other = match event {
            Event::Text { choice: 0, text } => {
                self.text.push_str(text);
                (self.text.len() > LONGEST).then_some("the answer is too long to be handed over")
            }
            Event::Start(_)
            | Event::BlockEnd { .. }
            | Event::Usage(_)
            | Event::Ping
            | Event::Error(_)
            | Event::Done
            | Event::Logprobs { .. } => None,
            Event::Text { .. } => Some("several answers are being written"),
            Event::Reasoning { text, .. } if text.is_empty() => None,
            Event::Reasoning { .. } | Event::Signature { .. } => Some("the model has shown its reasoning"),
            Event::Refusal { .. } => Some("the model has declined"),
            Event::ToolStart { .. } | Event::ToolArguments { .. } => Some("a tool call was begun"),
            Event::Citation { .. } => Some("the answer cites sources"),
            Event::Part { part, .. } => match part.kind {
                PartKind::RedactedReasoning { .. } => Some("the model has shown its reasoning"),
                _ => Some("the answer holds more than text"),
            },
            Event::Audio { .. } => Some("the answer is spoken"),
            Event::Finish { .. } => Some("the answer was finished"),
        };
        self.other = self.other.or(other);
    }

    /// The text so far.
    ///
    /// # Errors
    /// Why nobody else can go on with it.
    pub(super) fn text(&self) -> Result<&str, &'static str> {
        self.other.map_or(Ok(self.text.as_str()), Err)
    }
}

/// The place where one provider's text ends and another's begins.
#[derive(Debug, Default)]
pub(crate) struct Seam {
    /// What the other provider may say once more.
    repeated: String,
    /// What it has said while it may still be saying that.
    waiting: String,
    /// White space at the end of the first text, which was not handed over and may be said again.
    white: String,
    closed: bool,
}

impl Seam {
    /// The seam behind a text, of which the part before its last white space is handed over.
    pub(super) fn behind(text: &str, may_repeat: bool) -> Self {
        let (said, white) = text.split_at(handed_over(text).len());
        let repeated = if may_repeat { said.to_owned() } else { String::new() };
        Self { repeated, white: white.to_owned(), ..Self::default() }
    }

    /// What of the next text the caller has not been told yet.
    pub(super) fn text(&mut self, mut text: String) -> String {
        if self.closed {
            return text;
        }
        if !self.repeated.is_empty() {
            self.waiting.push_str(&text);
            if self.waiting.len() < self.repeated.len() && self.repeated.starts_with(&*self.waiting) {
                return String::new();
            }
            text = std::mem::take(&mut self.waiting);
            let repeated = std::mem::take(&mut self.repeated);
            if text.starts_with(&*repeated) {
                text.drain(..repeated.len());
            }
        }
        let both = self.white.chars().zip(text.chars()).take_while(|(one, other)| one == other);
        let same: usize = both.map(|(one, _)| one.len_utf8()).sum();
        text.drain(..same);
        self.white.drain(..same);
        self.closed = !text.is_empty();
        text
    }

    /// What was waited with, when something else than text comes.
    pub(super) fn rest(&mut self) -> String {
        self.repeated.clear();
        std::mem::take(&mut self.waiting)
    }
}

/// The part of a text that is handed over: vendors refuse a beginning that ends in white space.
pub(super) fn handed_over(text: &str) -> &str {
    text.trim_end()
}

#[cfg(test)]
mod tests;
