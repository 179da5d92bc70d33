//! The record of a vendor: where it is, how to sign in, which dialect it speaks, how it differs.

use std::borrow::Cow;

use llm_types::ProviderId;
use serde::{Deserialize, Serialize};

use crate::CloudSpec;
use crate::cloud::{Pairs, Words};
use crate::dialects::prompt::Wire;

mod address;
mod amendment;
mod door;
mod models;
mod prefill;

pub use amendment::Amendment;
pub use door::Door;
pub use models::ModelRule;
pub use prefill::Prefill;

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
    /// Ollama's chat.
    Ollama,
    /// Cohere Chat, version 1.
    CohereV1,
    /// Amazon Nova's own messages: what Converse says, in the body of `InvokeModel`.
    Nova,
    /// A prompt to be completed, on one of its wires.
    Prompt(Wire),
    /// Generic chat of Oracle's Generative AI.
    OracleGeneric,
    /// Cohere's chat in Oracle's Generative AI.
    OracleCohere,
    /// Chat Completions with functions where others have tools.
    Functions,
    /// Agent2Agent, JSON-RPC.
    A2a,
    /// LangGraph's stateless runs.
    Langgraph,
    /// Langflow's runs.
    Langflow,
    /// Threads and runs of OpenAI's Assistants, as Azure's agents have them.
    Threads,
    /// Agents in Amazon Bedrock's `AgentCore`.
    Agentcore,
    /// Agents for Amazon Bedrock.
    BedrockAgent,
}

impl DialectId {
    /// Ends of base URLs that operators write although the dialect's path brings them along, longest
    /// first: LiteLLM takes whole URLs of some providers as `api_base`.
    #[must_use]
    pub const fn own_paths(self) -> &'static [&'static str] {
        match self {
            Self::OpenaiChat | Self::Functions => &["/chat/completions"],
            Self::OpenaiText => &["/completions"],
            Self::OpenaiResponses => &["/responses"],
            Self::Anthropic => &["/v1/messages"],
            Self::Cohere | Self::CohereV1 => &["/v2/chat", "/v1/chat", "/v2", "/v1"],
            // Its imitation of OpenAI's API lives behind `/v1`.
            Self::Ollama => &["/api/generate", "/api/chat", "/api", "/v1"],
            Self::Prompt(Wire::Complete) => &["/v1/complete"],
            Self::OracleGeneric | Self::OracleCohere => &["/20231130/actions/chat"],
            Self::Langgraph => &["/runs/wait", "/runs/stream"],
            Self::Gemini
            | Self::Converse
            | Self::Nova
            | Self::Prompt(_)
            | Self::A2a
            | Self::Langflow
            | Self::Threads
            | Self::Agentcore
            | Self::BedrockAgent => &[],
        }
    }
}

/// Where the secret goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// `authorization: Bearer …`.
    Bearer,
    /// `authorization: <word> …`.
    Scheme(Cow<'static, str>),
    /// A header of its own.
    Header(Cow<'static, str>),
    /// A query parameter.
    Query(Cow<'static, str>),
    /// `authorization: Bearer …`, with this word where there is no key: local servers that want to see a
    /// token and read none.
    BearerOr(Cow<'static, str>),
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
    /// appended. Empty when the operator must say. `{NAME}` stands for an environment variable that has to
    /// be set, where the vendor's URL holds an account.
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
        for (end, instead) in self.quirks.base_ends.iter() {
            if let Some(base) = base.strip_suffix(&**end) {
                return format!("{base}{instead}");
            }
        }
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
    /// Further protocols the vendor speaks, and where.
    pub doors: Cow<'static, [Door]>,
    /// The models are OpenAI's own: the rules of their families apply (which parameters a model takes
    /// and under which names).
    pub openai_families: bool,
    /// The vendor refuses `reasoning_content` in messages: it is left out.
    pub no_reasoning_content: bool,
    /// The vendor takes the JSON schema for answers of Anthropic's dialect as `output_config.format`.
    pub answer_schema_in_config: bool,
    /// The vendor takes no JSON schema for answers in Anthropic's dialect: a tool stands in for it.
    pub no_answer_schema: bool,
    /// The vendor takes functions of Anthropic's dialect without a `type`.
    pub untyped_tools: bool,
    /// The vendor fetches no media: those that callers name by URL are sent as bytes.
    pub no_media_urls: bool,
    /// Conversations without tools are written as one prompt for the vendor's completion endpoint, as
    /// LiteLLM does for `ollama/…`.
    pub as_prompt: bool,
    /// The vendor completes texts too (`/completions`): callers of legacy Completions are forwarded.
    pub text_completions: bool,
    /// A chat's messages become one prompt of text completions without a line break between them, as LiteLLM
    /// writes it for this vendor.
    pub prompt_without_breaks: bool,
    /// Parameters the vendor does not know (OpenAI names): refused, or dropped by policy.
    pub unsupported: Words,
    /// Where a vendor takes few of OpenAI's parameters, these are all it takes; empty otherwise. What is
    /// no parameter of OpenAI's is sent as it is.
    pub supported: Words,
    /// Parameters that are left out without a word: the vendor has no use for them, and a request is as good
    /// without.
    pub ignored: Words,
    /// Parameters some of its models take, or do not.
    pub models: Cow<'static, [ModelRule]>,
    /// What is said otherwise in a finished body, in this order.
    pub amend: Cow<'static, [Amendment]>,
    /// Files in messages are sent as the caller gives them: in the results of tools, and documents by URL.
    /// Elsewhere the user shows the former, and the latter are fetched and sent as bytes.
    pub files_as_given: bool,
    /// Headers that every request carries.
    pub headers: Pairs,
    /// The header that says what kind of token signs in: `KEYPAIR_JWT` for a JSON web token, else
    /// `PROGRAMMATIC_ACCESS_TOKEN`.
    pub token_kind_header: Cow<'static, str>,
    /// How the vendor writes models' names of several words: the words between the dots, as many as there
    /// are `{}`, stand in their places. `a.b.c` is `https://clarifai.com/a/b/models/c`.
    pub model_template: Cow<'static, str>,
    /// Beginnings of models' names behind which the next word belongs in the URL, and what stands before the
    /// dialect's path then, with `{}` for the word.
    pub model_paths: Pairs,
    /// Ends of base URLs that operators write, and what stands there in this dialect.
    pub base_ends: Pairs,
    /// How the vendor is asked to go on with an answer that was begun.
    pub prefill: Prefill,
}

/// The parameters of OpenAI's Chat Completions that a vendor may or may not take; `thinking` is LiteLLM's.
pub const PARAMS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "modalities",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

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
        untyped_tools: false,
        no_media_urls: false,
        as_prompt: false,
        text_completions: false,
        prompt_without_breaks: false,
        unsupported: Cow::Borrowed(&[]),
        supported: Cow::Borrowed(&[]),
        ignored: Cow::Borrowed(&[]),
        models: Cow::Borrowed(&[]),
        amend: Cow::Borrowed(&[]),
        files_as_given: false,
        headers: Cow::Borrowed(&[]),
        token_kind_header: Cow::Borrowed(""),
        model_template: Cow::Borrowed(""),
        model_paths: Cow::Borrowed(&[]),
        base_ends: Cow::Borrowed(&[]),
        prefill: Prefill::None,
        doors: Cow::Borrowed(&[]),
    };

    /// Whether the vendor takes a parameter, by its OpenAI name.
    #[must_use]
    pub fn takes(&self, param: &str) -> bool {
        let listed = |list: &Words| list.iter().any(|listed| *listed == *param);
        !listed(&self.unsupported)
            && (self.supported.is_empty() || listed(&self.supported) || !PARAMS.contains(&param))
    }

    /// The vendor's name of a model.
    #[must_use]
    pub fn model_name<'n>(&self, model: &'n str) -> Cow<'n, str> {
        if let Some(name) = self.templated(model) {
            return Cow::Owned(name);
        }
        if self.model_prefix.is_empty() || model.contains('/') {
            return Cow::Borrowed(model);
        }
        Cow::Owned(format!("{}{model}", self.model_prefix))
    }

    /// The name in the vendor's template; `None` where it has none, or too few words for it.
    fn templated(&self, model: &str) -> Option<String> {
        let holes = self.model_template.matches("{}").count();
        let words: Vec<&str> = model.splitn(holes, '.').collect();
        let fits = holes > 0 && words.len() == holes && !model.contains('/');
        fits.then(|| {
            words.iter().fold(self.model_template.to_string(), |name, word| name.replacen("{}", word, 1))
        })
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
