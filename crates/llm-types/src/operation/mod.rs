//! The calls beside chat: what kinds there are, and what each asks and answers, in OpenAI's words
//! (Cohere's for reranking).

mod reply;
mod request;
mod units;

use serde::{Deserialize, Serialize};

pub use reply::{Embeddings, OperationReply, Picture, Pictures, Ranked, Ranking, Transcript, Vector};
pub use request::{OperationRequest, Upload};
pub use units::{ImagesMade, Units};

/// A kind of call beside chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Texts become vectors.
    Embeddings,
    /// Texts and pictures are judged.
    Moderation,
    /// Documents are put in order of what they say to a query.
    Rerank,
    /// A text becomes pictures.
    ImageGeneration,
    /// Pictures are changed as a text says.
    ImageEdit,
    /// A picture becomes others like it.
    ImageVariation,
    /// A text is spoken.
    Speech,
    /// Speech is written down.
    Transcription,
    /// Speech is written down in English.
    Translation,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 9] = [
        Self::Embeddings,
        Self::Moderation,
        Self::Rerank,
        Self::ImageGeneration,
        Self::ImageEdit,
        Self::ImageVariation,
        Self::Speech,
        Self::Transcription,
        Self::Translation,
    ];

    /// The word for people and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Moderation => "moderation",
            Self::Rerank => "rerank",
            Self::ImageGeneration => "image generation",
            Self::ImageEdit => "image edit",
            Self::ImageVariation => "image variation",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Translation => "audio translation",
        }
    }

    /// Whether its requests are forms with files, not JSON.
    #[must_use]
    pub const fn is_form(self) -> bool {
        matches!(self, Self::ImageEdit | Self::ImageVariation | Self::Transcription | Self::Translation)
    }

    /// Whether it makes pictures.
    #[must_use]
    pub const fn makes_pictures(self) -> bool {
        matches!(self, Self::ImageGeneration | Self::ImageEdit | Self::ImageVariation)
    }
}
