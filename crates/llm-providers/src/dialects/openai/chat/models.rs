//! What differs between OpenAI's own models, where requests must be written differently. Vendors that
//! serve them say so by [`Quirks::openai_families`](crate::Quirks::openai_families).
//!
//! Vendor's pages: `guides/reasoning`, `guides/latest-model` ("parameter compatibility"), and the API
//! reference's `max_tokens`, which reasoning models refuse.

/// When a model takes the parameters that choose among tokens: [`SAMPLING`], and a `temperature` other
/// than 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// Always.
    Free,
    /// Never.
    Fixed,
    /// While it does not reason: with `reasoning_effort` at `none`, or not given where that is the
    /// default.
    Unreasoned { by_default: bool },
}

/// The rules of a family of models.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// Parameters the models refuse.
    pub(super) unsupported: &'static [&'static str],
    /// Values of `reasoning_effort` they refuse.
    pub(super) efforts_refused: &'static [&'static str],
    /// When they can be told how to choose among tokens.
    pub(super) sampling: Sampling,
    /// Whether they know `max_completion_tokens` only.
    pub(super) completion_cap: bool,
    /// Whether system messages are said by the user, as LiteLLM does for models its list does not
    /// mark as taking any. `developer` messages stay what they are.
    pub(super) system_as_user: bool,
}

/// Parameters that only a model which does not reason takes, beside a `temperature` other than 1.
pub(super) const SAMPLING: &[&str] = &["logprobs", "top_logprobs", "top_p"];

const CHAT: Rules = Rules {
    unsupported: &["reasoning_effort", "thinking", "verbosity"],
    efforts_refused: &[],
    sampling: Sampling::Free,
    completion_cap: false,
    system_as_user: false,
};

/// Chat models as clouds deploy them.
const DEPLOYED_CHAT: Rules = Rules {
    unsupported: &["reasoning_effort", "safety_identifier", "service_tier", "thinking", "verbosity"],
    ..CHAT
};

const O1: Rules = Rules {
    unsupported: &["frequency_penalty", "parallel_tool_calls", "presence_penalty", "thinking", "verbosity"],
    efforts_refused: &[],
    sampling: Sampling::Fixed,
    completion_cap: true,
    system_as_user: false,
};

const O3: Rules = Rules { system_as_user: true, ..O1 };

const GPT_5: Rules = Rules {
    unsupported: &[
        "audio",
        "frequency_penalty",
        "logit_bias",
        "modalities",
        "prediction",
        "presence_penalty",
        "stop",
        "thinking",
        "web_search_options",
    ],
    efforts_refused: &["none", "xhigh"],
    sampling: Sampling::Fixed,
    completion_cap: true,
    system_as_user: false,
};

const GPT_5_1: Rules = Rules {
    efforts_refused: &["minimal", "xhigh"],
    sampling: Sampling::Unreasoned { by_default: true },
    ..GPT_5
};

const GPT_5_2: Rules = Rules { efforts_refused: &["minimal"], ..GPT_5_1 };

const GPT_5_5: Rules = Rules { sampling: Sampling::Unreasoned { by_default: false }, ..GPT_5_2 };

/// Families by the start of their names; the longest that fits counts. Models that are not listed are
/// newer than this list, or not OpenAI's: nothing is known of them, and what they get is what the caller
/// wrote.
const FAMILIES: &[(&str, &Rules)] = &[
    ("chatgpt-4o", &CHAT),
    ("gpt-3.5", &CHAT),
    ("gpt-4", &CHAT),
    ("gpt-4.1", &CHAT),
    ("gpt-4.5", &CHAT),
    ("gpt-4o", &CHAT),
    ("gpt-5", &GPT_5),
    ("gpt-5-chat", &CHAT),
    ("gpt-5.1", &GPT_5_1),
    ("gpt-5.2", &GPT_5_2),
    ("gpt-5.3", &GPT_5_2),
    ("gpt-5.4", &GPT_5_2),
    ("gpt-5.5", &GPT_5_5),
    ("gpt-5.6", &GPT_5_5),
    ("o1", &O1),
    ("o1-mini", &O3),
    ("o1-preview", &O3),
    ("o3", &O3),
    ("o4", &O3),
];

impl Rules {
    /// The rules of a model's family; a fine-tuned model (`ft:…`) has those of the model it was made of.
    pub(super) fn of(model: &str) -> Option<&'static Self> {
        let model = model.strip_prefix("ft:").unwrap_or(model);
        let fits = |family: &str| {
            // Where the name goes on another way, nothing needs to be compared.
            let ends = model.len() == family.len()
                || matches!(model.as_bytes().get(family.len()), Some(b'-' | b':'));
            ends && model.starts_with(family)
        };
        let known = FAMILIES.iter().filter(|(family, _)| fits(family));
        known.max_by_key(|(family, _)| family.len()).map(|(_, rules)| *rules)
    }

    /// The rules of a model in a cloud, where deployments have free names. One that tells no family is taken
    /// for a plain chat model, as LiteLLM does, until its `base_model` says what it is.
    pub(super) fn of_deployment(name: &str) -> Option<&'static Self> {
        match Self::of(name) {
            Some(rules) if *rules == CHAT => Some(&DEPLOYED_CHAT),
            None if crate::bare_owner(name) != Some("openai") => Some(&DEPLOYED_CHAT),
            known => known,
        }
    }

    /// Whether a model can be told how to choose among tokens when asked for this effort.
    pub(super) fn samples(&self, effort: Option<&str>) -> bool {
        match self.sampling {
            Sampling::Free => true,
            Sampling::Fixed => false,
            Sampling::Unreasoned { by_default } => effort.map_or(by_default, |word| word == "none"),
        }
    }
}

#[cfg(test)]
mod tests;
