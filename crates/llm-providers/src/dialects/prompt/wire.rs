//! The wires: which family is spoken to, under which names its parameters go.

use serde::{Deserialize, Serialize};

use super::template::Template;
use super::think::Thinks;

/// A wire that takes a prompt: one family of models at one kind of host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wire {
    /// Amazon's Titan on Bedrock.
    Titan,
    /// Meta's Llama on Bedrock.
    Llama,
    /// A Llama of the operator's own, imported into Bedrock: which one, nobody tells, so turns are joined by
    /// blanks, as LiteLLM does.
    OwnLlama,
    /// Mistral's instruct models on Bedrock.
    Mistral,
    /// Cohere's Command, before Command R, on Bedrock.
    Command,
    /// AI21's Jurassic on Bedrock.
    Jurassic,
    /// DeepSeek's R1, or a model distilled from it, imported into Bedrock.
    OwnDeepseek,
    /// A Qwen imported into Bedrock.
    OwnQwen,
}

/// The names of parameters on a wire; empty for what it cannot say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) prompt: &'static str,
    /// The object the other parameters stand in; empty when that is the body.
    pub(super) within: &'static str,
    pub(super) max_tokens: &'static str,
    pub(super) temperature: &'static str,
    pub(super) top_p: &'static str,
    pub(super) top_k: &'static str,
    pub(super) stop: &'static str,
    pub(super) n: &'static str,
    pub(super) seed: &'static str,
    pub(super) frequency_penalty: &'static str,
    pub(super) presence_penalty: &'static str,
}

const LLAMA: Names = Names {
    prompt: "prompt",
    within: "",
    max_tokens: "max_gen_len",
    temperature: "temperature",
    top_p: "top_p",
    top_k: "top_k",
    stop: "",
    n: "",
    seed: "",
    frequency_penalty: "",
    presence_penalty: "",
};

impl Wire {
    pub(super) const fn names(self) -> Names {
        match self {
            Self::Titan => Names {
                prompt: "inputText",
                within: "textGenerationConfig",
                max_tokens: "maxTokenCount",
                top_p: "topP",
                stop: "stopSequences",
                ..LLAMA
            },
            Self::Llama | Self::OwnLlama | Self::OwnDeepseek => LLAMA,
            Self::OwnQwen => Names { stop: "stop", ..LLAMA },
            Self::Mistral => Names { max_tokens: "max_tokens", stop: "stop", ..LLAMA },
            Self::Command => Names {
                max_tokens: "max_tokens",
                top_p: "p",
                top_k: "k",
                stop: "stop_sequences",
                n: "num_generations",
                ..LLAMA
            },
            Self::Jurassic => Names {
                max_tokens: "maxTokens",
                top_p: "topP",
                top_k: "topKReturn",
                stop: "stopSequences",
                n: "numResults",
                ..LLAMA
            },
        }
    }

    /// How conversations with a model are written.
    pub(super) fn template(self, model: &str) -> Template {
        match self {
            Self::Titan => Template::TITAN,
            Self::Llama => Template::of_llama(model),
            Self::OwnLlama => Template::SPACED,
            Self::Mistral => Template::MISTRAL,
            Self::Command => Template::PARAGRAPHS,
            Self::Jurassic => Template::JOINED,
            Self::OwnDeepseek => Template::DEEPSEEK_R1,
            Self::OwnQwen => Template::CHATML,
        }
    }

    /// How the models of the wire show what they think.
    pub(super) const fn thinks(self) -> Thinks {
        match self {
            Self::OwnDeepseek => Thinks::First,
            Self::OwnQwen => Thinks::Marked,
            _ => Thinks::No,
        }
    }
}
