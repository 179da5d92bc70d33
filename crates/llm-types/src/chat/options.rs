//! How to answer: sampling, limits, format, reasoning.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ToolChoice;

/// How to answer. `None` leaves the choice to the provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The longest answer in tokens, reasoning included where the vendor counts so.
    pub max_tokens: Option<u64>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Sample from the k likeliest tokens only.
    pub top_k: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Seed for repeatable sampling.
    pub seed: Option<i64>,
    /// Penalty on frequent tokens.
    pub frequency_penalty: Option<f64>,
    /// Penalty on tokens already present.
    pub presence_penalty: Option<f64>,
    /// Bias per token id.
    pub logit_bias: Option<Map<String, Value>>,
    /// Whether log-probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many alternatives per token.
    pub top_logprobs: Option<u64>,
    /// How many answers.
    pub n: Option<u64>,
    /// Whether and which tool must be called.
    pub tool_choice: Option<ToolChoice>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormat>,
    /// How much to reason, and what to show of it.
    pub reasoning: Option<Reasoning>,
    /// Kinds of output wanted, such as `text` and `audio`.
    pub modalities: Option<Vec<String>>,
    /// Voice and format of spoken answers (OpenAI `audio`).
    pub audio: Option<Value>,
    /// Text the answer will mostly repeat (OpenAI `prediction`).
    pub prediction: Option<Value>,
    /// Provider-run web search (OpenAI `web_search_options`).
    pub web_search: Option<Value>,
    /// How wordy to be (OpenAI `verbosity`).
    pub verbosity: Option<String>,
    /// The service tier asked for, in the caller's word.
    pub service_tier: Option<String>,
    /// The end user on whose behalf the call is made.
    pub user: Option<String>,
    /// Free labels stored by the provider.
    pub metadata: Option<Map<String, Value>>,
    /// Whether the provider may store the exchange.
    pub store: Option<bool>,
    /// A key that groups requests with the same prefix (OpenAI `prompt_cache_key`).
    pub prompt_cache_key: Option<String>,
    /// A stable hashed user id for abuse detection (OpenAI `safety_identifier`).
    pub safety_identifier: Option<String>,
    /// Gemini's safety settings.
    pub safety_settings: Option<Value>,
    /// Whether a streaming caller asked for a usage record (OpenAI `stream_options.include_usage`).
    pub include_usage: Option<bool>,
}

impl Options {
    /// Takes over from `defaults` what is not said here.
    pub fn fill(&mut self, defaults: Self) {
        macro_rules! take {
            ($($field:ident),* $(,)?) => { $( if self.$field.is_none() { self.$field = defaults.$field; } )* };
        }
        if self.stop.is_empty() {
            self.stop = defaults.stop;
        }
        take!(
            max_tokens,
            temperature,
            top_p,
            top_k,
            seed,
            frequency_penalty,
            presence_penalty,
            logit_bias,
            logprobs,
            top_logprobs,
            n,
            tool_choice,
            parallel_tool_calls,
            response_format,
            reasoning,
            modalities,
            audio,
            prediction,
            web_search,
            verbosity,
            service_tier,
            user,
            metadata,
            store,
            prompt_cache_key,
            safety_identifier,
            safety_settings,
            include_usage,
        );
    }

    /// Takes out what a parameter says, by its OpenAI name, and tells whether it said anything; nothing happens
    /// for a name that is none.
    pub fn forget(&mut self, param: &str) -> bool {
        macro_rules! clear {
            ($($field:ident),* $(,)?) => {
                match param {
                    $( stringify!($field) => self.$field.take().is_some(), )*
                    "max_completion_tokens" => self.max_tokens.take().is_some(),
                    "stop" | "stop_sequences" => !std::mem::take(&mut self.stop).is_empty(),
                    "reasoning_effort" | "thinking" => self.reasoning.take().is_some(),
                    "web_search_options" => self.web_search.take().is_some(),
                    _ => false
                }
            };
        }
        clear!(
            max_tokens,
            temperature,
            top_p,
            top_k,
            seed,
            frequency_penalty,
            presence_penalty,
            logit_bias,
            logprobs,
            top_logprobs,
            n,
            tool_choice,
            parallel_tool_calls,
            response_format,
            reasoning,
            modalities,
            audio,
            prediction,
            web_search,
            verbosity,
            service_tier,
            user,
            metadata,
            store,
            prompt_cache_key,
            safety_identifier,
            safety_settings,
            include_usage,
        )
    }
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that matches a schema.
    JsonSchema {
        /// The schema's name; vendors that need one and got none use `response`.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The JSON schema.
        schema: Value,
        /// Whether the match must be exact.
        strict: Option<bool>,
    },
}

/// How much to reason, and what to show of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reasoning {
    /// A named effort.
    pub effort: Option<ReasoningEffort>,
    /// A budget in tokens.
    pub budget_tokens: Option<u64>,
    /// Switched on or off without saying how much (Anthropic `thinking.type`).
    pub enabled: Option<bool>,
    /// The model decides how much (Anthropic `adaptive`, Gemini `-1`).
    pub adaptive: bool,
    /// Which summary to show, in OpenAI's words (`auto`, `concise`, `detailed`).
    pub summary: Option<String>,
    /// Whether thoughts are to be shown at all (Gemini `includeThoughts`, Anthropic `display`).
    pub include: Option<bool>,
}

/// Named reasoning efforts, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningEffort {
    /// No reasoning.
    None,
    /// As little as the model can.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Very much.
    XHigh,
    /// As much as the model can.
    Max,
}

impl ReasoningEffort {
    /// The word vendors use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max]
            .into_iter()
            .find(|effort| effort.as_str() == word)
    }
}
