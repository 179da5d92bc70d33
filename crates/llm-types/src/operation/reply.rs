//! What is answered.

use bytes::Bytes;
use serde_json::Value;

use crate::{Extra, Usage};

/// A reply of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationReply {
    /// To embeddings.
    Embeddings(Embeddings),
    /// To images of every kind.
    Pictures(Pictures),
    /// To speech.
    Audio {
        /// The type of the audio.
        mime: String,
        /// The audio.
        bytes: Bytes,
        /// What it consumed.
        usage: Option<Usage>,
    },
    /// To transcription and translation.
    Transcript(Transcript),
    /// To reranking.
    Ranking(Ranking),
}

impl OperationReply {
    /// What it consumed, as the provider said.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Embeddings(reply) => reply.usage.as_ref(),
            Self::Pictures(reply) => reply.usage.as_ref(),
            Self::Audio { usage, .. } => usage.as_ref(),
            Self::Transcript(reply) => reply.usage.as_ref(),
            Self::Ranking(reply) => reply.usage.as_ref(),
        }
    }
}

/// Vectors, one for each input, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    /// The model that answered, in the provider's words.
    pub model: String,
    /// The vectors.
    pub vectors: Vec<Vector>,
    /// What it consumed.
    pub usage: Option<Usage>,
}

/// A vector, as its provider wrote it.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Base64 of 32-bit floating point numbers, the lowest byte first.
    Base64(String),
    /// A form of the vendor's own that the caller asked for by the vendor's word: packed bits, token by token.
    Own(Value),
}

/// Pictures that were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pictures {
    /// When, in Unix seconds, where the provider says.
    pub created: Option<i64>,
    /// The pictures.
    pub pictures: Vec<Picture>,
    /// What it consumed.
    pub usage: Option<Usage>,
    /// Members of OpenAI's reply that say how the pictures are: `size`, `quality`, `output_format`.
    pub extra: Extra,
}

/// One picture: at a URL, or itself in base64.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// Where it can be fetched.
    pub url: Option<String>,
    /// It, in base64.
    pub base64: Option<String>,
    /// The prompt that was used in place of the caller's.
    pub revised_prompt: Option<String>,
}

/// What was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// All of it.
    pub text: String,
    /// The language, in the provider's word.
    pub language: Option<String>,
    /// How long the audio is, in thousandths of a second.
    pub duration_ms: Option<u64>,
    /// The words with their times, as `{"word", "start", "end"}` in seconds.
    pub words: Vec<Value>,
    /// Longer pieces with their times, as OpenAI's `segments`.
    pub segments: Vec<Value>,
    /// What it consumed.
    pub usage: Option<Usage>,
}

/// Documents, best first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranking {
    /// The provider's id of the reply.
    pub id: Option<String>,
    /// The documents.
    pub results: Vec<Ranked>,
    /// What it consumed.
    pub usage: Option<Usage>,
}

/// A document's place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranked {
    /// Which document of the request, from 0.
    pub index: u64,
    /// How much it says to the query.
    pub score: f64,
    /// The document, as `{"text": …}`, where the caller wants it back.
    pub document: Option<Value>,
}
