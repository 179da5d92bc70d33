//! What differs between the models of this dialect, where requests must be written differently.
//!
//! Vendor's pages: `about-claude/models`, `build-with-claude/thinking`, `structured-outputs`. Models of
//! other makers that speak this dialect are taken as [`Traits::OTHER`].

use crate::Target;

/// How a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) enum Thinking {
    /// It cannot.
    None,
    /// `enabled` with a budget of tokens.
    Budget,
    /// As the caller says it: nothing is known of the model.
    Unknown,
    /// A named effort (`adaptive`); a budget is understood too.
    Either,
    /// A named effort only.
    Adaptive,
    /// A named effort only, and it cannot be switched off.
    Always,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) struct Traits {
    /// The longest answer in tokens: what is asked for when the caller sets no limit, because the
    /// dialect demands one.
    pub(in crate::dialects) max_output: u64,
    /// How it is asked to think.
    pub(in crate::dialects) thinking: Thinking,
    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub(in crate::dialects) sampling: bool,
    /// Whether a tool call can be forced.
    pub(in crate::dialects) forced_tools: bool,
    /// Whether it takes a JSON schema for its answer.
    pub(in crate::dialects) schema: bool,
    /// Whether it takes system messages in the middle of a conversation.
    pub(in crate::dialects) system_turns: bool,
    /// Whether functions say that they are the caller's own.
    pub(in crate::dialects) typed: bool,
    /// Whether it goes on with an answer that was begun.
    pub(in crate::dialects) prefill: bool,
}

/// The limit asked for when neither the caller nor [`FAMILIES`] gives one.
pub(super) const DEFAULT_MAX_TOKENS: u64 = 4096;

impl Traits {
    /// A model nothing is known about.
    pub(in crate::dialects) const OTHER: Self = Self {
        max_output: DEFAULT_MAX_TOKENS,
        thinking: Thinking::Unknown,
        sampling: true,
        forced_tools: true,
        schema: false,
        system_turns: false,
        typed: true,
        prefill: false,
    };
    const NO_THINKING: Self = Self { thinking: Thinking::None, prefill: true, ..Self::OTHER };
    const OLD_BUDGET: Self = Self { thinking: Thinking::Budget, ..Self::NO_THINKING };
    const BUDGET: Self = Self { max_output: 64_000, schema: true, ..Self::OLD_BUDGET };
    const EITHER: Self =
        Self { max_output: 128_000, thinking: Thinking::Either, prefill: false, ..Self::BUDGET };
    const ADAPTIVE: Self = Self { thinking: Thinking::Adaptive, sampling: false, ..Self::EITHER };
    const FIFTH: Self = Self { system_turns: true, ..Self::ADAPTIVE };
    const ALWAYS: Self = Self { thinking: Thinking::Always, ..Self::FIFTH };
    const UNFORCED: Self = Self { forced_tools: false, ..Self::ALWAYS };

    /// The traits of a model, whatever a cloud puts before or behind its name.
    pub(in crate::dialects) fn of(model: &str) -> Self {
        let known = FAMILIES.iter().filter(|(family, _)| model.contains(family));
        known.max_by_key(|(family, _)| family.len()).map_or(Self::OTHER, |(_, traits)| *traits)
    }

    /// The traits of a target's model where that target is.
    pub(super) fn at(target: &Target) -> Self {
        let traits = Self::of(target.family());
        let quirks = &target.spec.quirks;
        Self { schema: traits.schema && !quirks.no_answer_schema, typed: !quirks.untyped_tools, ..traits }
    }
}

/// Whether a model, whatever a cloud puts around its name, goes on with an answer that was begun.
pub(crate) fn takes_prefill(model: &str) -> bool {
    Traits::of(model).prefill
}

/// Families by the part of the name they share; the longest match counts. A model of the vendor's that
/// is not listed is newer than this list.
const FAMILIES: &[(&str, Traits)] = &[
    ("claude-", Traits::FIFTH),
    ("claude-2", Traits::NO_THINKING),
    ("claude-3", Traits::NO_THINKING),
    ("claude-3-7-sonnet", Traits::OLD_BUDGET),
    ("claude-fable-5", Traits::ALWAYS),
    ("claude-fable-5-1", Traits::UNFORCED),
    ("claude-haiku-4-5", Traits::BUDGET),
    ("claude-haiku-5-5", Traits::FIFTH),
    ("claude-instant", Traits::NO_THINKING),
    ("claude-mythos", Traits::ALWAYS),
    ("claude-mythos-5-1", Traits::UNFORCED),
    ("claude-mythos-preview", Traits { system_turns: false, ..Traits::ALWAYS }),
    ("claude-opus-4", Traits { max_output: 32_000, ..Traits::OLD_BUDGET }),
    ("claude-opus-4-1", Traits { max_output: 32_000, ..Traits::BUDGET }),
    ("claude-opus-4-5", Traits::BUDGET),
    ("claude-opus-4-6", Traits::EITHER),
    ("claude-opus-4-7", Traits::ADAPTIVE),
    ("claude-opus-4-8", Traits::FIFTH),
    ("claude-opus-5", Traits::FIFTH),
    ("claude-opus-5-5", Traits::UNFORCED),
    ("claude-sonnet-4", Traits { schema: false, ..Traits::BUDGET }),
    ("claude-sonnet-4-5", Traits::BUDGET),
    ("claude-sonnet-4-6", Traits::EITHER),
    ("claude-sonnet-5", Traits::FIFTH),
    ("claude-sonnet-5-5", Traits::UNFORCED),
];

#[cfg(test)]
mod tests;
