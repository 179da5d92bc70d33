//! What messages are made of.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Extra, ToolCall, ToolResult};

/// One part of a message, with the marks that any part may carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    #[serde(flatten)]
    pub kind: PartKind,
    /// A prompt-cache breakpoint after this part (Anthropic `cache_control`, Bedrock `cachePoint`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// An opaque signature that belongs to this part and must travel back unchanged (Anthropic
    /// thinking `signature`, Gemini `thoughtSignature`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Fields without canonical meaning.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// The kinds of parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PartKind {
    /// Plain text.
    Text {
        /// The text; an empty text is a text.
        text: String,
        /// What the text rests on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        citations: Vec<Citation>,
    },
    /// A picture.
    Image(Media),
    /// Sound.
    Audio(Media),
    /// A film.
    Video(Media),
    /// A document such as a PDF or a text file.
    Document(Media),
    /// The model's reasoning in the clear (or a summary of it).
    Reasoning {
        /// The reasoning text.
        text: String,
        /// True when it is the vendor's summary rather than the reasoning itself.
        #[serde(default)]
        summary: bool,
    },
    /// Reasoning that only its vendor can read (Anthropic `redacted_thinking`, OpenAI encrypted content).
    RedactedReasoning {
        /// The vendor's opaque data.
        data: String,
    },
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// A tool's answer.
    ToolResult(ToolResult),
    /// The model declines, in words (OpenAI `refusal`).
    Refusal {
        /// The words.
        text: String,
    },
    /// A block that only its own dialect has, such as a provider-run tool's call or result.
    Native {
        /// The dialect that can read it, by its id (`anthropic`, `openai`, …).
        dialect: String,
        /// The block as that dialect writes it.
        value: Value,
    },
}

impl Part {
    /// A part without marks.
    #[must_use]
    pub fn new(kind: PartKind) -> Self {
        Self { kind, cache: None, signature: None, extra: Extra::default() }
    }

    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(PartKind::Text { text: text.into(), citations: Vec::new() })
    }

    /// A reasoning part.
    pub fn reasoning(text: impl Into<String>, signature: Option<String>) -> Self {
        Self { signature, ..Self::new(PartKind::Reasoning { text: text.into(), summary: false }) }
    }
}

/// Media and where they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// Where the bytes are.
    pub source: MediaSource,
    /// The MIME type where it is known, such as `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// A file name or title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the document is about, for the model (Anthropic `context`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// How closely to look at a picture, in OpenAI's words (`low`, `high`, `auto`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether answers may cite this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cite: Option<bool>,
}

impl Media {
    /// Media of a known type.
    #[must_use]
    pub fn new(source: MediaSource, mime: Option<String>) -> Self {
        Self { source, mime, title: None, context: None, detail: None, cite: None }
    }
}

/// Where media are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaSource {
    /// Base64 text as the caller sent it: most vendors want it as it is.
    Base64(String),
    /// A URL that the provider fetches. The gateway itself fetches only behind an SSRF guard.
    Url(String),
    /// The id of a file the provider already has.
    FileId(String),
    /// Plain text standing in for a file (Anthropic text documents).
    Text(String),
    /// A document given as message parts (Anthropic `content` documents).
    Parts(Vec<Part>),
}

/// A prompt-cache breakpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheMark {
    /// How long the prefix stays warm; `None` is the vendor's default.
    pub ttl: Option<CacheTtl>,
}

/// The lifetimes vendors offer for cached prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheTtl {
    /// Five minutes.
    #[serde(rename = "5m")]
    FiveMinutes,
    /// One hour.
    #[serde(rename = "1h")]
    OneHour,
}

/// What a text rests on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Citation {
    /// The web address cited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The title of the page or document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The words cited from the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cited_text: Option<String>,
    /// Which document of the request it is, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<u64>,
    /// Where in the answer the cited passage starts and ends (characters).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(u64, u64)>,
    /// The dialect whose form `native` has (`anthropic`, `openai`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<String>,
    /// The citation as its vendor wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native: Option<Value>,
}
