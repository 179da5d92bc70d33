//! Prompts in tokens before they are sent, for context windows, limits and callers who ask.
//!
//! OpenAI publishes how its models cut text (`tiktoken`): counts of their texts are exact, and what messages
//! and tools take beside their texts follows OpenAI's cookbook ("How to count tokens with tiktoken"). Other
//! vendors publish nothing; their texts are estimated: a token for every four bytes of ASCII, and one for
//! every two characters beyond it.
//!
//! A vocabulary is unpacked when it is first asked for and stays ([`Encoding::load`] does it beforehand).

mod merge;
mod pieces;
mod prompt;
mod schema;
mod vocabulary;

use std::sync::OnceLock;

pub use prompt::{count, count_texts};

use merge::Merger;
use pieces::Pieces;
use vocabulary::Vocabulary;

static O200K: OnceLock<Vocabulary> = OnceLock::new();
static CL100K: OnceLock<Vocabulary> = OnceLock::new();

/// How a model's text is cut into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// OpenAI's `o200k_base`: GPT-4o and later, the o series.
    O200k,
    /// OpenAI's `cl100k_base`: GPT-4, GPT-3.5 and the embeddings.
    Cl100k,
    /// Models that publish none.
    Unknown,
}

/// Beginnings of the names of models and their encoding; the first that fits counts.
const MODELS: &[(&str, Encoding)] = &[
    ("gpt-4o", Encoding::O200k),
    ("gpt-4.", Encoding::O200k),
    ("gpt-4", Encoding::Cl100k),
    ("gpt-3.5", Encoding::Cl100k),
    ("gpt-35", Encoding::Cl100k),
    ("gpt-2", Encoding::Unknown),
    ("gpt2", Encoding::Unknown),
    ("gpt-", Encoding::O200k),
    ("chatgpt-", Encoding::O200k),
    ("codex-", Encoding::O200k),
    ("computer-use-preview", Encoding::O200k),
    ("o1", Encoding::O200k),
    ("o3", Encoding::O200k),
    ("o4", Encoding::O200k),
    ("text-embedding-ada-002", Encoding::Cl100k),
    ("text-embedding-3", Encoding::Cl100k),
    ("davinci-002", Encoding::Cl100k),
    ("babbage-002", Encoding::Cl100k),
];

impl Encoding {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// The encoding of a model by its name, whatever provider or fine-tuning stands before it
    /// (`tiktoken/model.py`).
    #[must_use]
    pub fn of(model: &str) -> Self {
        let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
        let name = name.strip_prefix("ft:").or_else(|| name.strip_prefix("openai.")).unwrap_or(name);
        let begins = |(prefix, _): &&(&str, Self)| {
            let rest = name.strip_prefix(prefix);
            // `o1` is not the beginning of another word.
            rest.is_some_and(|rest| prefix.len() > 2 || rest.is_empty() || rest.starts_with(['-', ':']))
        };
        MODELS.iter().find(begins).map_or(Self::Unknown, |(_, encoding)| *encoding)
    }

    /// Whether counts of texts are exact.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// Tokens for so many bytes whose text is not known.
    #[must_use]
    pub const fn estimate(self, bytes: u64) -> u64 {
        bytes.div_ceil(4)
    }

    /// Unpacks the vocabulary, unless that was done before: some 20 ms, and 2 to 5 MB that stay.
    pub fn load(self) {
        self.vocabulary();
    }

    /// Whether a text is counted at once, without unpacking anything.
    #[must_use]
    pub fn is_loaded(self) -> bool {
        match self {
            Self::O200k => O200K.get().is_some(),
            Self::Cl100k => CL100K.get().is_some(),
            Self::Unknown => true,
        }
    }

    /// The tokens of a text. Some milliseconds for 10 KB, whatever the text is; a run of more than 16 KB
    /// without a break in it may count a token too many for each 16 KB.
    #[must_use]
    pub fn text(self, text: &str) -> u64 {
        let Some(vocabulary) = self.vocabulary() else { return estimated(text) };
        let mut merger = Merger::new(vocabulary);
        Pieces::new(text, self).map(|piece| merger.count(piece.as_bytes())).sum()
    }

    fn vocabulary(self) -> Option<&'static Vocabulary> {
        let (slot, packed): (&OnceLock<Vocabulary>, &[u8]) = match self {
            Self::O200k => (&O200K, include_bytes!("../../assets/o200k_base.br")),
            Self::Cl100k => (&CL100K, include_bytes!("../../assets/cl100k_base.br")),
            Self::Unknown => return None,
        };
        Some(slot.get_or_init(|| Vocabulary::unpack(packed)))
    }
}

fn estimated(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let others = text.chars().filter(|c| !c.is_ascii()).count() as u64;
    ascii.div_ceil(4) + others.div_ceil(2)
}

#[cfg(test)]
mod tests;
