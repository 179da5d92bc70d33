//! How much to think, in the words there are for it.

use serde_json::{Value, json};

use super::Members;
use super::messages::{each, role};
use crate::left_out::note;

/// Tokens to think for an effort, where LiteLLM sets them.
const BUDGETS: [(&str, u64); 5] =
    [("minimal", 1024), ("low", 1024), ("medium", 2048), ("high", 4096), ("xhigh", 8192)];

/// Tokens left for the answer itself.
const ANSWER: u64 = 4096;

pub(super) fn effort_as_thinking(body: &mut Members) {
    let Some(effort) = body.shift_remove("reasoning_effort") else { return };
    let kind = if effort == "none" { "disabled" } else { "enabled" };
    body.entry("thinking").or_insert_with(|| json!({"type": kind}));
}

pub(super) fn thinking_switch(body: &mut Members) {
    match body.get("thinking").map(|thinking| thinking["type"].clone()) {
        Some(kind) if kind == "adaptive" => drop(body.shift_remove("thinking")),
        Some(kind) => drop(body.insert("thinking".to_owned(), json!({"type": kind}))),
        None => {}
    }
}

pub(super) fn adaptive_unsaid(body: &mut Members) {
    if body.get("thinking").is_some_and(|thinking| thinking["type"] == "adaptive") {
        body.shift_remove("thinking");
        note("thinking");
    }
}

pub(super) fn effort_as_budget(body: &mut Members) {
    let Some(effort) = body.shift_remove("reasoning_effort") else { return };
    let known = BUDGETS.iter().find(|(word, _)| effort == *word).map(|(_, budget)| *budget);
    let budget = match known {
        Some(budget) => budget,
        None if effort == "none" => return,
        None => BUDGETS[BUDGETS.len() - 1].1,
    };
    body.entry("thinking").or_insert_with(|| json!({"type": "enabled", "budget_tokens": budget}));
    if body.get("max_tokens").and_then(Value::as_u64).is_none_or(|cap| cap <= budget) {
        body.insert("max_tokens".to_owned(), json!(budget + ANSWER));
    }
}

pub(super) fn thinking_as_effort(body: &mut Members) {
    let Some(thinking) = body.shift_remove("thinking") else { return };
    let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
    let Some(budget) = budget.filter(|_| thinking["type"] == "enabled") else { return };
    // `high` is the most that every vendor knows.
    let known = BUDGETS[..4].iter().rfind(|(_, least)| *least <= budget);
    let word = known.map_or("minimal", |(word, _)| *word);
    body.entry("reasoning_effort").or_insert_with(|| word.into());
}

pub(super) fn high_or_none(body: &mut Members) {
    if let Some(effort) = body.get_mut("reasoning_effort").filter(|effort| *effort != "none") {
        *effort = "high".into();
    }
}

pub(super) fn in_answers(body: &mut Members) {
    if body.get("thinking").is_some_and(|thinking| thinking["type"] == "enabled") {
        each(body).filter(|message| role(message) == "assistant").for_each(say);
    }
}

pub(super) fn in_calls(body: &mut Members) {
    each(body).filter(|message| message.contains_key("tool_calls")).for_each(say);
}

/// Says a space where nothing was thought: the vendor refuses messages without the member.
fn say(message: &mut Members) {
    if message.get("reasoning_content").is_none_or(|said| said.is_null() || said == "") {
        message.insert("reasoning_content".to_owned(), " ".into());
    }
}
