//! The wires: which family is spoken to, under which names its parameters go.

use serde::{Deserialize, Serialize};

use super::template::Template;
use super::think::Thinks;
use crate::dialect::Framing;

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
    /// Anthropic's Text Completions, of Claude 2 and before.
    /// <https://docs.anthropic.com/en/api/complete>
    Complete,
    /// NLP Cloud's text generation. <https://docs.nlpcloud.com/#generation>
    Generation,
    /// Hugging Face's Text Generation Inference, as `SageMaker`'s containers have it.
    /// <https://huggingface.co/docs/text-generation-inference/reference/api_reference>
    TextGeneration,
    /// The same in `LoRAX`, a server for many adapters, which tells details of each answer.
    /// <https://loraexchange.ai/reference/rest_api/>
    Lorax,
    /// Triton's generate extension.
    /// <https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_generate.html>
    Triton,
    /// Predictions that are made elsewhere and asked for until they are there.
    /// <https://replicate.com/docs/reference/http#predictions.create>
    Prediction,
    /// Models of several makers on IBM's watsonx. <https://cloud.ibm.com/apidocs/watsonx-ai#text-generation>
    Watsonx,
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
    pub(super) response_format: &'static str,
}

/// What a wire's bodies have beside prompt and parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// The body names the model.
    pub(super) names_model: bool,
    /// The body names the version of a model whose name has one: `owner/name:version`.
    pub(super) versions: bool,
    /// The prompt stands among the parameters.
    pub(super) prompt_within: bool,
    /// Members nobody knows stand among the parameters.
    pub(super) rest_within: bool,
    /// The cap on the answer where nobody says one: the wire needs it, or has one that is too small.
    pub(super) cap: Option<u64>,
    /// The least temperature, which stands for 0.
    pub(super) least_temperature: Option<f64>,
    /// Flags that always stand among the parameters.
    pub(super) flags: &'static [(&'static str, bool)],
    /// The flag without which there is one answer only.
    pub(super) several: &'static str,
    /// Stop texts stand in one text, with this between them.
    pub(super) stop_joint: Option<&'static str>,
    /// The end user's name is said as `metadata.user_id`.
    pub(super) tells_user: bool,
    /// Answers are asked for until they are there: a stream is no other request.
    pub(super) asked_again: bool,
    /// Streams have no mark of their end: the end of the body is it.
    pub(super) ends_silently: bool,
}

const PLAIN: Form = Form {
    names_model: false,
    versions: false,
    prompt_within: false,
    rest_within: false,
    cap: None,
    least_temperature: None,
    flags: &[],
    several: "",
    stop_joint: None,
    tells_user: false,
    asked_again: false,
    ends_silently: false,
};

/// Text Generation Inference takes temperatures above 0 only.
const TEXT_GENERATION: Form =
    Form { rest_within: true, least_temperature: Some(0.01), several: "do_sample", ..PLAIN };

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
    response_format: "",
};

/// Names of Text Generation Inference.
const GENERATE: Names = Names {
    prompt: "inputs",
    within: "parameters",
    max_tokens: "max_new_tokens",
    stop: "stop",
    n: "best_of",
    ..LLAMA
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
            Self::Watsonx => Names {
                prompt: "input",
                within: "parameters",
                max_tokens: "max_new_tokens",
                stop: "stop_sequences",
                seed: "random_seed",
                ..LLAMA
            },
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
            Self::Complete => Names { max_tokens: "max_tokens_to_sample", stop: "stop_sequences", ..LLAMA },
            Self::Generation => Names {
                prompt: "text",
                max_tokens: "max_length",
                stop: "stop_sequences",
                n: "num_return_sequences",
                frequency_penalty: "frequency_penalty",
                presence_penalty: "presence_penalty",
                ..LLAMA
            },
            Self::TextGeneration => GENERATE,
            Self::Lorax => Names { response_format: "response_format", ..GENERATE },
            Self::Triton => Names {
                prompt: "text_input",
                within: "parameters",
                max_tokens: "max_tokens",
                temperature: "",
                top_p: "",
                ..LLAMA
            },
            Self::Prediction => Names {
                within: "input",
                max_tokens: "max_new_tokens",
                stop: "stop_sequences",
                seed: "seed",
                ..LLAMA
            },
        }
    }

    /// What bodies have beside prompt and parameters.
    pub(super) const fn form(self) -> Form {
        match self {
            // The most an answer of Claude 2 can have.
            Self::Complete => Form { names_model: true, cap: Some(4096), tells_user: true, ..PLAIN },
            Self::Generation => Form { ends_silently: true, ..PLAIN },
            Self::TextGeneration => TEXT_GENERATION,
            Self::Lorax => Form {
                cap: Some(4096),
                flags: &[("details", true), ("return_full_text", false)],
                ..TEXT_GENERATION
            },
            Self::Triton => Form { rest_within: true, cap: Some(2000), ends_silently: true, ..PLAIN },
            Self::Prediction => Form {
                versions: true,
                prompt_within: true,
                rest_within: true,
                stop_joint: Some(","),
                asked_again: true,
                ..PLAIN
            },
            _ => PLAIN,
        }
    }

    /// How streams are cut into frames.
    pub(super) const fn framing(self) -> Framing {
        match self {
            Self::Generation => Framing::Ndjson,
            _ => Framing::Sse,
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
            Self::Complete => Template::HUMAN,
            Self::Generation | Self::TextGeneration | Self::Lorax | Self::Triton | Self::Prediction => {
                Template::of_name(model)
            }
            Self::Watsonx => Template::of_family(model),
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
