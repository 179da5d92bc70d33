//! What differs between the models behind this dialect, where requests must be written differently.
//!
//! Vendor's pages: `userguide/conversation-inference-supported-models-features`, `prompt-caching`,
//! `structured-output`, and the notes on `ToolChoice` in the API reference. What a model takes in
//! `additionalModelRequestFields` is what its own maker's API takes.

use crate::dialects::anthropic::Traits;

/// What of a tool choice a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Forced {
    /// None: it decides itself, and `toolChoice` is refused.
    No,
    /// `auto` and `any`.
    Any,
    /// `auto`, `any` and a tool by name.
    Named,
}

/// How a model is asked to reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reasons {
    /// It cannot be asked.
    No,
    /// It cannot be asked, and always does.
    Always,
    /// As Anthropic's API says it (`thinking`, `output_config`).
    Claude,
    /// `reasoning_effort`.
    Effort,
    /// Amazon's `reasoningConfig`.
    Nova,
    /// Nothing is known of the model: an effort as [`Reasons::Effort`], all else as [`Reasons::Claude`].
    Unknown,
}

/// Where `top_k` goes in `additionalModelRequestFields`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TopK {
    /// The model has none.
    No,
    /// A member of this name.
    Member(&'static str),
    /// `inferenceConfig.topK`.
    Nova,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Model {
    /// What is known of the model in its maker's own dialect, if that is Anthropic.
    pub(super) claude: Option<Traits>,
    /// Whether it takes tools.
    pub(super) tools: bool,
    /// Whether it takes tools in a streamed call, too.
    pub(super) streams_tools: bool,
    pub(super) forced: Forced,
    /// Whether it takes `cachePoint`.
    pub(super) cache: bool,
    /// Whether a `cachePoint` has a lifetime.
    pub(super) ttl: bool,
    /// Whether it takes back what it reasoned before.
    pub(super) thoughts: bool,
    /// Whether it takes a JSON schema for its answer (`outputConfig.textFormat`).
    pub(super) schema: bool,
    pub(super) reasons: Reasons,
    pub(super) top_k: TopK,
    /// Whether a tool takes `strict`, and a schema `additionalProperties` at its root.
    pub(super) strict: bool,
    /// Whether it takes sound.
    pub(super) audio: bool,
    /// Whether it takes Amazon's `nova_grounding`.
    pub(super) grounding: bool,
}

impl Model {
    /// A model nothing is known about, such as one behind an ARN: all is asked of it, and it says itself
    /// what it refuses.
    const OTHER: Self = Self {
        claude: None,
        tools: true,
        streams_tools: true,
        forced: Forced::Named,
        cache: true,
        ttl: true,
        thoughts: true,
        schema: true,
        reasons: Reasons::Unknown,
        top_k: TopK::Member("top_k"),
        strict: true,
        audio: true,
        grounding: false,
    };
    const CLAUDE: Self = Self { reasons: Reasons::Claude, audio: false, ..Self::OTHER };
    /// Models of makers that Amazon serves without caching and without Anthropic's additions.
    const OPEN: Self =
        Self { cache: false, ttl: false, strict: false, reasons: Reasons::Effort, ..Self::OTHER };
    const NOVA: Self = Self {
        ttl: false,
        schema: false,
        strict: false,
        reasons: Reasons::No,
        top_k: TopK::Nova,
        audio: false,
        grounding: true,
        ..Self::OTHER
    };
    const NOVA_2: Self = Self { reasons: Reasons::Nova, audio: true, ..Self::NOVA };
    const PLAIN: Self = Self {
        forced: Forced::No,
        schema: false,
        reasons: Reasons::No,
        top_k: TopK::No,
        audio: false,
        ..Self::OPEN
    };
    /// Llama: it refuses tools where the reply is to be streamed.
    const LLAMA: Self = Self { streams_tools: false, ..Self::PLAIN };
    const MISTRAL: Self = Self { forced: Forced::Any, ..Self::LLAMA };
    const GPT_OSS: Self = Self { forced: Forced::Named, reasons: Reasons::Effort, ..Self::PLAIN };
    const NO_TOOLS: Self = Self { tools: false, streams_tools: false, thoughts: false, ..Self::PLAIN };
    const DEEPSEEK_R1: Self = Self { reasons: Reasons::Always, ..Self::NO_TOOLS };

    /// What is known of a model, whatever region or account stands before its name.
    pub(super) fn of(model: &str) -> Self {
        if model.contains("claude") || model.contains("anthropic.") {
            let traits = Traits::of(model);
            let forced = if traits.forced_tools { Forced::Named } else { Forced::No };
            let ttl = !SHORT_CACHES.iter().any(|name| model.contains(name));
            return Self { claude: Some(traits), forced, schema: traits.schema, ttl, ..Self::CLAUDE };
        }
        let known = FAMILIES.iter().find(|(family, _)| model.contains(family));
        known.map_or(Self::OTHER, |(_, model)| *model)
    }

    /// Whether it takes system messages in the middle of a conversation.
    pub(super) fn system_turns(&self) -> bool {
        self.claude.is_some_and(|traits| traits.system_turns)
    }
}

/// Models of Anthropic's that refuse a lifetime: they cache for five minutes.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
const SHORT_CACHES: &[&str] =
    &["claude-3", "claude-opus-4-1-", "claude-opus-4-2025", "claude-sonnet-4-2025", "claude-v"];

/// Families by a part of their name; the first match counts.
const FAMILIES: &[(&str, Model)] = &[
    ("amazon.nova-2", Model::NOVA_2),
    ("amazon.nova", Model::NOVA),
    ("amazon.titan", Model::NO_TOOLS),
    ("deepseek.r1", Model::DEEPSEEK_R1),
    ("deepseek.", Model::OPEN),
    ("meta.llama", Model::LLAMA),
    ("mistral.mistral-large-3", Model::OPEN),
    ("mistral.ministral", Model::OPEN),
    ("mistral.magistral", Model::OPEN),
    ("mistral.voxtral", Model::OPEN),
    ("mistral.pixtral", Model::MISTRAL),
    ("mistral.", Model::MISTRAL),
    ("cohere.", Model { cache: true, top_k: TopK::Member("k"), ..Model::PLAIN }),
    ("ai21.", Model::PLAIN),
    ("openai.gpt-oss", Model::GPT_OSS),
    ("google.gemma", Model::OPEN),
    ("minimax.", Model::OPEN),
    ("kimi", Model::OPEN),
    ("nvidia.", Model::OPEN),
    ("openai.", Model::OPEN),
    ("qwen.", Model::OPEN),
    ("writer.", Model { streams_tools: false, ..Model::OPEN }),
    ("zai.", Model::OPEN),
];

#[cfg(test)]
mod tests;
