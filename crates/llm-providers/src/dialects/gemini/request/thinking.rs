//! How much a model is asked to think, and whether its thoughts are shown.
//!
//! Vendor's page: <https://ai.google.dev/gemini-api/docs/thinking>. Budgets of named efforts are
//! LiteLLM's.

use llm_types::{Reasoning, ReasoningEffort, Result};
use serde_json::{Map, Value};

use super::super::models::{Thinking, Traits};
use super::judge::Judge;

/// The budget by which the model decides itself.
const DYNAMIC: i64 = -1;

/// `thinkingConfig`; `None` when there is nothing to say.
pub(super) fn config(
    reasoning: &Reasoning,
    traits: Traits,
    judge: Judge<'_>,
    own: bool,
) -> Result<Option<Map<String, Value>>> {
    if *reasoning == Reasoning::default() {
        return Ok(None);
    }
    if own {
        return Ok(Some(as_said(reasoning)));
    }
    let name = if reasoning.effort.is_some() { "reasoning_effort" } else { "thinking" };
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(ReasoningEffort::None);
    if !judge.takes(name)? {
        return Ok(None);
    }
    match traits.thinking {
        Thinking::None if off => Ok(None),
        Thinking::None => {
            judge.leave_out(name, "the model does not think")?;
            Ok(None)
        }
        Thinking::Budget { minimal, can_stop } if off => {
            Ok(Some(written(Value::from(if can_stop { 0 } else { minimal }), false)))
        }
        Thinking::Budget { minimal, .. } => by_budget(reasoning, minimal, judge),
        Thinking::Level { minimal } => by_level(reasoning, off, minimal, judge),
    }
}

fn written(budget: Value, include: bool) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("thinkingBudget".to_owned(), budget);
    out.insert("includeThoughts".to_owned(), Value::Bool(include));
    out
}

/// The words of a caller of this dialect.
fn as_said(reasoning: &Reasoning) -> Map<String, Value> {
    let mut out = Map::new();
    let budget = match (reasoning.enabled, reasoning.adaptive) {
        (Some(false), _) => Some(Value::from(0)),
        (_, true) => Some(Value::from(DYNAMIC)),
        _ => reasoning.budget_tokens.map(Value::from),
    };
    out.extend(budget.map(|budget| ("thinkingBudget".to_owned(), budget)));
    let level = reasoning.effort.map(|effort| effort.as_str().to_ascii_uppercase());
    out.extend(level.map(|level| ("thinkingLevel".to_owned(), Value::from(level))));
    out.extend(reasoning.include.map(|include| ("includeThoughts".to_owned(), Value::Bool(include))));
    out
}

fn by_budget(reasoning: &Reasoning, minimal: u64, judge: Judge<'_>) -> Result<Option<Map<String, Value>>> {
    let include = reasoning.include.unwrap_or(true);
    let budget = match (reasoning.budget_tokens, reasoning.effort) {
        (Some(budget), _) => Some(Value::from(budget)),
        (None, _) if reasoning.adaptive => Some(Value::from(DYNAMIC)),
        (None, Some(effort)) => match capped(effort, reasoning, judge)? {
            None => return Ok(None),
            Some(effort) => Some(Value::from(budget_of(effort, minimal))),
        },
        (None, None) => None,
    };
    let mut out = Map::new();
    out.extend(budget.map(|budget| ("thinkingBudget".to_owned(), budget)));
    out.insert("includeThoughts".to_owned(), Value::Bool(include));
    Ok(Some(out))
}

fn budget_of(effort: ReasoningEffort, minimal: u64) -> u64 {
    match effort {
        ReasoningEffort::None => 0,
        ReasoningEffort::Minimal => minimal,
        ReasoningEffort::Low => 1024,
        ReasoningEffort::Medium => 2048,
        ReasoningEffort::High | ReasoningEffort::XHigh | ReasoningEffort::Max => 4096,
    }
}

fn by_level(
    reasoning: &Reasoning,
    off: bool,
    minimal: bool,
    judge: Judge<'_>,
) -> Result<Option<Map<String, Value>>> {
    let mut out = Map::new();
    let least = if minimal { "minimal" } else { "low" };
    let level = match reasoning.effort {
        None => None,
        Some(_) if off => Some(least),
        Some(effort) => match capped(effort, reasoning, judge)? {
            None => return Ok(None),
            Some(ReasoningEffort::Minimal) => Some(least),
            Some(effort) => Some(effort.as_str()),
        },
    };
    out.extend(level.map(|level| ("thinkingLevel".to_owned(), Value::from(level))));
    let include = reasoning.include.unwrap_or(!off);
    out.insert("includeThoughts".to_owned(), Value::Bool(include));
    Ok(Some(out))
}

/// An effort the vendor has a word for. One above `high` is refused, as LiteLLM does, unless it only
/// says how hard a caller of Anthropic's dialect wants its thinking: then it is `high`.
fn capped(
    effort: ReasoningEffort,
    reasoning: &Reasoning,
    judge: Judge<'_>,
) -> Result<Option<ReasoningEffort>> {
    if effort <= ReasoningEffort::High {
        return Ok(Some(effort));
    }
    if reasoning.adaptive || reasoning.enabled.is_some() {
        return Ok(Some(ReasoningEffort::High));
    }
    judge.leave_out("reasoning_effort", "it takes `none`, `minimal`, `low`, `medium` or `high`")?;
    Ok(None)
}
