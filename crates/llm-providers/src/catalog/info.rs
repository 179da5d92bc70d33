//! One model's record.

use llm_types::Price;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// LiteLLM's key of [`ModelInfo::cached_from`].
pub(super) const CACHED_FROM: &str = "prompt_cache_min_tokens";

/// What is known of one model. Its JSON, without the name, is one line of `model_prices.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelInfo {
    /// The name in the price book.
    #[serde(skip)]
    pub name: Box<str>,
    /// The vendor's slug, or a family of one (`vertex_ai-language-models`).
    #[serde(skip_serializing_if = "str::is_empty")]
    pub provider: Box<str>,
    /// What it does: `chat`, `embedding`, `image_generation` …; `None` when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Box<str>>,
    /// The longest prompt, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input: Option<u64>,
    /// The longest answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// One limit where the vendor names only one: of the answer unless `max_output` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// What it costs.
    #[serde(flatten)]
    pub price: Price,
    /// Abilities it has (`vision`, `function_calling` …).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supports: Vec<Box<str>>,
    /// Abilities it is known to lack.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Box<str>>,
    /// The day the vendor retires it, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires: Option<Box<str>>,
    /// Everything else, under LiteLLM's names.
    #[serde(flatten)]
    pub facts: Map<String, Value>,
}

impl ModelInfo {
    /// Whether it has an ability; `None` when nobody said.
    #[must_use]
    pub fn supports(&self, ability: &str) -> Option<bool> {
        let names = |list: &[Box<str>]| list.iter().any(|name| **name == *ability);
        if names(&self.supports) { Some(true) } else { names(&self.lacks).then_some(false) }
    }

    /// The shortest beginning of a prompt that its provider caches, in tokens.
    #[must_use]
    pub fn cached_from(&self) -> Option<u64> {
        self.facts.get(CACHED_FROM).and_then(Value::as_u64)
    }

    /// The longest answer, from whichever limit is known.
    #[must_use]
    pub fn output_limit(&self) -> Option<u64> {
        self.max_output.or(self.max_tokens)
    }
}
