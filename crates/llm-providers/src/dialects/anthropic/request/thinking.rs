//! How much a model is asked to think, and how long its answer may be: the two depend on each other.
//!
//! Vendor's pages: `build-with-claude/thinking`, `build-with-claude/effort`.

use llm_types::{Error, Options, Reasoning, ReasoningEffort, Result};

use super::super::models::{Thinking, Traits};
use crate::ParamPolicy;
use crate::left_out::note;
use crate::write::Object;

/// The smallest budget the vendor takes, in tokens.
const LEAST_BUDGET: u64 = 1024;
/// The budget of callers who want thinking without saying how much.
const USUAL_BUDGET: u64 = 2048;
/// Room for the answer itself when the caller sets no limit.
const ANSWER_ROOM: u64 = 4096;

/// What is written of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dialects) struct Plan {
    /// `max_tokens`.
    pub(in crate::dialects) max_tokens: u64,
    thinking: Option<Wire>,
    /// `output_config.effort`.
    pub(in crate::dialects) effort: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Disabled,
    Enabled { budget: u64, display: Option<&'static str> },
    Adaptive { display: Option<&'static str> },
}

impl Plan {
    /// Decides for one request. `effort_only` tells that the caller asked for an effort without thinking.
    pub(in crate::dialects) fn of(
        options: &Options,
        effort_only: bool,
        traits: Traits,
        policy: &ParamPolicy,
    ) -> Result<Self> {
        let (thinking, effort) = match &options.reasoning {
            None => (None, None),
            Some(reasoning) if effort_only => (None, reasoning.effort.map(|effort| word(effort, traits))),
            Some(reasoning) => decide(reasoning, traits, policy)?,
        };
        Ok(Self { max_tokens: traits.max_output, thinking, effort }.limited(options.max_tokens))
    }

    /// Fits the token limit and the budget to each other: the limit must be above the budget, and the
    /// caller's limit counts more as long as some thinking fits below it.
    fn limited(mut self, asked: Option<u64>) -> Self {
        let Some(Wire::Enabled { budget, .. }) = &mut self.thinking else {
            self.max_tokens = asked.unwrap_or(self.max_tokens);
            return self;
        };
        self.max_tokens = match asked {
            None => *budget + ANSWER_ROOM,
            Some(limit) if limit > *budget => limit,
            Some(limit) if limit > LEAST_BUDGET => {
                *budget = LEAST_BUDGET.max(limit / 2);
                limit
            }
            Some(limit) => {
                *budget = LEAST_BUDGET;
                LEAST_BUDGET + limit.max(1)
            }
        };
        self
    }

    /// Whether the model will think.
    pub(in crate::dialects) fn thinks(&self) -> bool {
        matches!(self.thinking, Some(Wire::Enabled { .. } | Wire::Adaptive { .. }))
    }

    /// Whether the model thinks within a budget, which the limit of the answer must exceed.
    pub(in crate::dialects) fn has_budget(&self) -> bool {
        matches!(self.thinking, Some(Wire::Enabled { .. }))
    }

    /// Writes `thinking`.
    pub(in crate::dialects) fn write(&self, body: &mut Object<'_>) {
        let Some(thinking) = self.thinking else { return };
        body.object("thinking", |out| {
            let display = match thinking {
                Wire::Disabled => return out.text("type", "disabled"),
                Wire::Enabled { budget, display } => {
                    out.text("type", "enabled");
                    out.value("budget_tokens", &budget);
                    display
                }
                Wire::Adaptive { display } => {
                    out.text("type", "adaptive");
                    display
                }
            };
            out.some("display", display.as_ref());
        });
    }

    /// Whether `thinking` is written.
    pub(in crate::dialects) fn says_thinking(&self) -> bool {
        self.thinking.is_some()
    }
}

type Decision = (Option<Wire>, Option<&'static str>);

fn decide(reasoning: &Reasoning, traits: Traits, policy: &ParamPolicy) -> Result<Decision> {
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None);
    if traits.thinking == Thinking::None {
        let name = if reasoning.effort.is_some() { "reasoning_effort" } else { "thinking" };
        return match (off, policy.drop) {
            (true, _) => Ok((None, None)),
            (false, true) => {
                note(name);
                Ok((None, None))
            }
            (false, false) => {
                Err(Error::unsupported(name, format!("the model does not reason: leave out `{name}`")))
            }
        };
    }
    if off {
        let silent =
            traits.thinking == Thinking::Always || (by_default_off(traits) && reasoning.enabled.is_none());
        if traits.thinking == Thinking::Always {
            note("thinking");
        }
        return Ok((if silent { None } else { Some(Wire::Disabled) }, None));
    }
    if *reasoning == Reasoning::default() {
        return Ok((None, None));
    }
    let by_budget = match traits.thinking {
        Thinking::Budget => true,
        Thinking::Unknown => !reasoning.adaptive,
        Thinking::Either => reasoning.budget_tokens.is_some() && !reasoning.adaptive,
        _ => false,
    };
    let display = display(reasoning);
    if by_budget {
        let asked = reasoning.budget_tokens.or_else(|| reasoning.effort.map(budget_of));
        let budget = asked.unwrap_or(USUAL_BUDGET).max(LEAST_BUDGET);
        return Ok((Some(Wire::Enabled { budget, display }), None));
    }
    // Callers who only name an effort expect to see the thoughts; the vendor hides them by default.
    let only_effort = reasoning.effort.is_some() && reasoning.enabled.is_none() && !reasoning.adaptive;
    let display = display.or(if only_effort { Some("summarized") } else { None });
    let effort = reasoning.effort.map(|effort| word(effort, traits));
    let effort = effort.or_else(|| reasoning.budget_tokens.map(effort_of));
    Ok((Some(Wire::Adaptive { display }), effort))
}

/// Whether a model does not think unless it is told to.
fn by_default_off(traits: Traits) -> bool {
    matches!(traits.thinking, Thinking::Budget | Thinking::Unknown)
}

fn display(reasoning: &Reasoning) -> Option<&'static str> {
    reasoning.include.map(|include| if include { "summarized" } else { "omitted" })
}

/// The budget of a named effort, in tokens; the figures are LiteLLM's.
fn budget_of(effort: ReasoningEffort) -> u64 {
    match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal | ReasoningEffort::Low => 1024,
        ReasoningEffort::Medium => 2048,
        ReasoningEffort::High => 4096,
        ReasoningEffort::XHigh => 8192,
        ReasoningEffort::Max => 16384,
    }
}

/// The effort nearest to a budget.
fn effort_of(budget: u64) -> &'static str {
    match budget {
        0..=1024 => "low",
        1025..=2048 => "medium",
        _ => "high",
    }
}

/// The word for an effort: the vendor has none below `low`, and `xhigh` on its newer models only.
fn word(effort: ReasoningEffort, traits: Traits) -> &'static str {
    match effort {
        ReasoningEffort::None | ReasoningEffort::Minimal => ReasoningEffort::Low.as_str(),
        ReasoningEffort::XHigh if traits.thinking == Thinking::Either => ReasoningEffort::High.as_str(),
        other => other.as_str(),
    }
}
