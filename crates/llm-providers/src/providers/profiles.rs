//! What many vendors have in common, so that a record says only what is its own.

use std::borrow::Cow;

use super::{amend, rules, words};
use crate::cloud::Words;
use crate::{Amendment, Auth, DialectId, Door, ModelRule, Quirks};

/// A door to Anthropic's Messages under `/anthropic`, with a key as Anthropic takes it. `without` is the end of
/// the base URL that leads to Chat Completions only.
pub(super) const fn anthropic(without: &'static str) -> Door {
    Door {
        dialect: DialectId::Anthropic,
        without: Cow::Borrowed(without),
        with: Cow::Borrowed("/anthropic"),
        auth: Some(Auth::Header(Cow::Borrowed("x-api-key"))),
        ..Door::OPEN
    }
}

/// A door to Anthropic's Messages beside Chat Completions, with the same key.
pub(super) const MESSAGES: Door =
    Door { dialect: DialectId::Anthropic, without: Cow::Borrowed("/v1"), ..Door::OPEN };

/// A door to OpenAI's Responses for some models.
pub(super) const fn responses(with: &'static str, models: Words) -> Door {
    Door { dialect: DialectId::OpenaiResponses, with: Cow::Borrowed(with), models, ..Door::OPEN }
}

/// A vendor with OpenAI's wire and roles of its models' time: `developer` is `system`.
pub(super) const COMPATIBLE: Quirks = Quirks { developer_as_system: true, ..Quirks::NONE };

/// [`COMPATIBLE`], with the parameters of OpenAI's models that do not reason.
pub(super) const CHAT: Quirks =
    Quirks { unsupported: words!["reasoning_effort", "thinking", "user", "verbosity"], ..COMPATIBLE };

/// [`CHAT`], and `reasoning_effort`.
pub(super) const REASONING: Quirks =
    Quirks { unsupported: words!["thinking", "user", "verbosity"], ..COMPATIBLE };

/// [`CHAT`], but `reasoning_effort` is left out instead of being refused, as LiteLLM does. Callers are told, and
/// for models that take it `allowed_openai_params` lets it through.
pub(super) const NO_EFFORT: Quirks = Quirks { ignored: words!["reasoning_effort"], ..REASONING };

/// [`CHAT`], where tools and `reasoning_effort` go to models that the price book or the operator's
/// `model_info` says can use them.
pub(super) const LISTED: Quirks = Quirks {
    unsupported: words![
        "functions",
        "parallel_tool_calls",
        "reasoning_effort",
        "thinking",
        "tool_choice",
        "tools",
        "user",
        "verbosity"
    ],
    models: rules![
        ModelRule {
            can: Cow::Borrowed("function_calling"),
            takes: words!["functions", "parallel_tool_calls", "tool_choice", "tools"],
            ..ModelRule::ANY
        },
        ModelRule { can: Cow::Borrowed("reasoning"), takes: words!["reasoning_effort"], ..ModelRule::ANY }
    ],
    ..COMPATIBLE
};

/// `reasoning_effort` goes to models that can reason.
pub(super) const REASONERS: Cow<'static, [ModelRule]> = rules![ModelRule {
    can: Cow::Borrowed("reasoning"),
    takes: words!["reasoning_effort"],
    ..ModelRule::ANY
}];

/// What Mistral's models are told otherwise, wherever they are served.
pub(super) const MISTRAL: Cow<'static, [Amendment]> = amend![
    Required(Cow::Borrowed("any")),
    MessagesWithout(words!["name", "thinking_blocks"]),
    NoEmptyAnswers,
    SoundsAsText,
    ThinkingAsEffort,
    EffortHighOrNone
];

/// What Completions have no parameter for, by OpenAI's names.
pub(super) const COMPLETIONS_LACK: Words = words![
    "audio",
    "functions",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "service_tier",
    "store",
    "thinking",
    "tool_choice",
    "tools",
    "verbosity",
    "web_search_options"
];

/// An agent settles sampling and length itself: what callers say of them is left out, as LiteLLM does.
pub(super) const AGENT: Quirks = Quirks {
    supported: words!["max_tokens", "temperature", "top_p"],
    ignored: words!["max_tokens", "temperature", "top_p"],
    no_stream_options: true,
    no_reasoning_content: true,
    files_as_given: true,
    ..COMPATIBLE
};

/// An agent that is told of sampling and length; it brings its own tools.
pub(super) const TOLD_AGENT: Quirks = Quirks {
    supported: words!["max_completion_tokens", "max_tokens", "temperature", "top_p"],
    ignored: words![],
    ..AGENT
};
