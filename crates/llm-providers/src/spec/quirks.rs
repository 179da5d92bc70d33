//! How a vendor differs from its dialect, by named differences.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Amendment, Door, ModelRule, Prefill};
use crate::cloud::{Pairs, Words};
use crate::dialects::prompt::OwnTemplate;

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
    /// The vendor's tool that searches the web takes no `search_context_size` and no `user_location`: callers are
    /// told that they are left out.
    pub bare_search: bool,
    /// Parameters the vendor does not know (OpenAI names): refused, or dropped by policy.
    pub unsupported: Words,
    /// Where a vendor takes few of OpenAI's parameters, these are all it takes; empty otherwise. What is
    /// no parameter of OpenAI's is sent as it is.
    pub supported: Words,
    /// Parameters that are left out where others would be refused: the vendor has no use for them, or is not
    /// known to have one. Callers are told, and `allowed_openai_params` lets them through.
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
    /// What keys begin with that are people's tokens: they go as bearer tokens.
    pub token_prefix: Cow<'static, str>,
    /// What requests with such a token say in headers that are lists, behind what stands there.
    pub token_lists: Pairs,
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
    /// How a conversation becomes a prompt, where the operator says so: for models that complete prompts.
    pub own_template: OwnTemplate,
    /// The vendor has no chat at all: it is asked for other things only.
    pub no_chat: bool,
    /// The vendor answers with streams only: it is asked for one whatever the caller wants, and callers who want
    /// a whole answer get the one that the stream tells.
    pub streams_only: bool,
    /// Members of every body, whatever callers say, and their values in JSON.
    pub always: Pairs,
    /// Headers say who goes on with a conversation, a user or an agent, whether there are pictures in it, and
    /// give each request an id: `x-initiator`, `copilot-vision-request`, `x-request-id`.
    pub tells_initiator: bool,
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
        bare_search: false,
        unsupported: Cow::Borrowed(&[]),
        supported: Cow::Borrowed(&[]),
        ignored: Cow::Borrowed(&[]),
        models: Cow::Borrowed(&[]),
        amend: Cow::Borrowed(&[]),
        files_as_given: false,
        headers: Cow::Borrowed(&[]),
        token_kind_header: Cow::Borrowed(""),
        token_prefix: Cow::Borrowed(""),
        token_lists: Cow::Borrowed(&[]),
        model_template: Cow::Borrowed(""),
        model_paths: Cow::Borrowed(&[]),
        base_ends: Cow::Borrowed(&[]),
        prefill: Prefill::None,
        doors: Cow::Borrowed(&[]),
        own_template: OwnTemplate::NONE,
        no_chat: false,
        streams_only: false,
        always: Cow::Borrowed(&[]),
        tells_initiator: false,
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
