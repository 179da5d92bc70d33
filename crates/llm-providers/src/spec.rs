//! The record of a vendor: where it is, how to sign in, which dialect it speaks, how it differs.

use std::borrow::Cow;

use llm_types::ProviderId;
use serde::{Deserialize, Serialize};

use crate::CloudSpec;

/// The dialects there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DialectId {
    /// OpenAI Chat Completions.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`.
    Gemini,
    /// Cohere Chat, version 2.
    Cohere,
    /// Amazon Bedrock Converse.
    Converse,
    /// OpenAI's legacy Completions.
    OpenaiText,
}

impl DialectId {
    /// Ends of base URLs that operators write although the dialect's path brings them along, longest
    /// first: LiteLLM takes whole URLs of some providers as `api_base`.
    #[must_use]
    pub const fn own_paths(self) -> &'static [&'static str] {
        match self {
            Self::OpenaiChat => &["/chat/completions"],
            Self::OpenaiText => &["/completions"],
            Self::OpenaiResponses => &["/responses"],
            Self::Anthropic => &["/v1/messages"],
            Self::Cohere => &["/v2/chat", "/v2"],
            Self::Gemini | Self::Converse => &[],
        }
    }
}

/// Where the secret goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `authorization: Bearer …`.
    Bearer,
    /// A header of its own.
    Header(Cow<'static, str>),
    /// A query parameter.
    Query(Cow<'static, str>),
    /// None needed: local servers. A key that is given anyway is sent as a bearer token.
    None,
}

/// A provider. `const` for the built-in ones, deserialised from the configuration for users' own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderSpec {
    /// The slug that prefixes model names (`groq/…`).
    pub id: ProviderId,
    /// The name for people.
    pub name: Cow<'static, str>,
    /// The vendor's API documentation.
    pub docs: Cow<'static, str>,
    /// Where requests go, without a trailing slash; [`ProviderSpec::prefix`] and the dialect's path are
    /// appended. Empty when the operator must say.
    pub base_url: Cow<'static, str>,
    /// Path between the base URL and the dialect's path, added unless the base URL already ends with it:
    /// for vendors whose base URL is customarily written without it (`http://localhost:11434`).
    #[serde(default)]
    pub prefix: Cow<'static, str>,
    /// Environment variables that override `base_url`, first set one wins.
    #[serde(default)]
    pub base_url_env: Cow<'static, [Cow<'static, str>]>,
    /// Environment variables that hold the key, first set one wins.
    #[serde(default)]
    pub key_env: Cow<'static, [Cow<'static, str>]>,
    /// How to sign in.
    pub auth: Auth,
    /// The dialect it speaks.
    pub dialect: DialectId,
    /// Named differences from the dialect.
    #[serde(default)]
    pub quirks: Quirks,
    /// What only clouds have.
    #[serde(default)]
    pub cloud: CloudSpec,
}

impl ProviderSpec {
    /// The base URL of requests: the one given, or the record's own, without a trailing slash and
    /// without the dialect's [own path](DialectId::own_paths), or else with [`ProviderSpec::prefix`]
    /// behind it.
    #[must_use]
    pub fn full_base_url(&self, given: Option<&str>) -> String {
        let base = given.unwrap_or(&self.base_url).trim().trim_end_matches('/');
        if let Some(base) = self.dialect.own_paths().iter().find_map(|path| base.strip_suffix(path)) {
            return base.to_owned();
        }
        if base.is_empty() || base.ends_with(&*self.prefix) {
            return base.to_owned();
        }
        format!("{base}{}", self.prefix)
    }
}

/// The closed set of named differences between a vendor and its dialect. Each is documented here
/// and tested once; a third kind of difference is a new dialect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quirks {
    /// The vendor knows `max_tokens` only: `max_completion_tokens` is renamed.
    pub max_completion_tokens_as_max_tokens: bool,
    /// The vendor refuses `stream_options`: no usage record is asked for in streams.
    pub no_stream_options: bool,
    /// The vendor does not know the `developer` role: it becomes `system`.
    pub developer_as_system: bool,
    /// The vendor calls `seed` `random_seed`.
    pub seed_as_random_seed: bool,
    /// The vendor takes Anthropic's `cache_control` marks in an OpenAI body; elsewhere they are removed.
    pub keeps_cache_control: bool,
    /// What stands before models' names that have no slash: `fireworks_ai/x` is the vendor's
    /// `accounts/fireworks/models/x`.
    pub model_prefix: Cow<'static, str>,
    /// The vendor states usage and cost when asked with `usage: {include: true}`.
    pub usage_on_request: bool,
    /// The vendor speaks OpenAI's Responses API too, behind the same base URL: callers of that API are
    /// forwarded, and models named `<slug>/responses/<model>` are called by it.
    pub responses: bool,
    /// The models are OpenAI's own: the rules of their families apply (which parameters a model takes
    /// and under which names).
    pub openai_families: bool,
    /// The vendor refuses `reasoning_content` in messages: it is left out.
    pub no_reasoning_content: bool,
    /// The vendor takes the JSON schema for answers of Anthropic's dialect as `output_config.format`.
    pub answer_schema_in_config: bool,
    /// The vendor takes no JSON schema for answers in Anthropic's dialect: a tool stands in for it.
    pub no_answer_schema: bool,
    /// The vendor fetches no media: those that callers name by URL are sent as bytes.
    pub no_media_urls: bool,
    /// The vendor completes texts too (`/completions`): callers of legacy Completions are forwarded.
    pub text_completions: bool,
    /// Parameters the vendor does not know (OpenAI names): refused, or dropped by policy.
    pub unsupported: Cow<'static, [Cow<'static, str>]>,
}

impl Quirks {
    /// No difference.
    pub const NONE: Self = Self {
        max_completion_tokens_as_max_tokens: false,
        no_stream_options: false,
        developer_as_system: false,
        seed_as_random_seed: false,
        keeps_cache_control: false,
        model_prefix: Cow::Borrowed(""),
        usage_on_request: false,
        responses: false,
        openai_families: false,
        no_reasoning_content: false,
        answer_schema_in_config: false,
        no_answer_schema: false,
        no_media_urls: false,
        text_completions: false,
        unsupported: Cow::Borrowed(&[]),
    };

    /// The vendor's name of a model.
    #[must_use]
    pub fn model_name<'n>(&self, model: &'n str) -> Cow<'n, str> {
        if self.model_prefix.is_empty() || model.contains('/') {
            return Cow::Borrowed(model);
        }
        Cow::Owned(format!("{}{model}", self.model_prefix))
    }

    /// The vendor's name of a parameter.
    #[must_use]
    pub fn name_of<'n>(&self, param: &'n str) -> &'n str {
        match param {
            "max_completion_tokens" if self.max_completion_tokens_as_max_tokens => "max_tokens",
            "seed" if self.seed_as_random_seed => "random_seed",
            other => other,
        }
    }

    /// Whether any parameter has another name.
    #[must_use]
    pub const fn renames(&self) -> bool {
        self.max_completion_tokens_as_max_tokens || self.seed_as_random_seed
    }
}
