//! Budgets by model, further periods and raised budgets in requests: checked, because they are kept as they came.

use gateway_db::JsonMap;
use llm_types::ErrorKind;
use serde_json::Value;

use super::fields::MOST_USD;
use super::refusal::Refusal;
use crate::clock::time_of;
use crate::identity::amount_and_period;
use crate::limits::parse_duration_ms;

/// Budgets by model are read as LiteLLM writes them.
///
/// # Errors
/// The first that is none.
pub(super) fn check_model_budgets(budgets: &JsonMap) -> Result<(), Refusal> {
    for (model, said) in budgets {
        if !is_budget(said) {
            return Err(no_budget("model_max_budget", model, said));
        }
    }
    Ok(())
}

/// What is kept as it came but means something: further budget periods, budgets raised for a time.
///
/// # Errors
/// The first value that makes no sense.
pub(super) fn check_extra(extra: &JsonMap) -> Result<(), Refusal> {
    let given = |name: &str| extra.get(name).filter(|value| !value.is_null());
    if let Some(windows) = given("budget_limits") {
        for window in windows.as_array().unwrap_or(&vec![windows.clone()]) {
            let has_period = window.get("budget_duration").is_some_and(Value::is_string);
            if !has_period || !is_budget(window) {
                return Err(no_budget("budget_limits", "", window));
            }
        }
    }
    if let Some(models) = given("budget_fallbacks") {
        check_fallbacks(models)?;
    }
    let (more, until) = (given("temp_budget_increase"), given("temp_budget_expiry"));
    let readable = match (more, until) {
        (None, None) => true,
        (Some(more), Some(until)) => {
            amount_and_period(more).is_some() && until.as_str().and_then(time_of).is_some()
        }
        _ => false,
    };
    if readable {
        return Ok(());
    }
    let message = format!(
        "`temp_budget_increase` and `temp_budget_expiry` go together: expected an amount in USD, {MOST_USD} at most, and \
         a time such as `2030-01-31T00:00:00Z`"
    );
    Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "temp_budget_increase", message))
}

/// Models in place of one whose budget is spent are lists by the name of that one.
fn check_fallbacks(said: &Value) -> Result<(), Refusal> {
    let is_list = |models: &Value| models.as_array().is_some_and(|names| names.iter().all(Value::is_string));
    let readable = said.as_object().is_some_and(|models| models.values().all(is_list));
    if readable {
        return Ok(());
    }
    let expected = "lists of models by the name of the one whose budget is spent, such as \
                    `{\"gpt-4o\": [\"gpt-4o-mini\"]}`";
    Err(wrong("budget_fallbacks", said, expected))
}

fn wrong(field: &str, said: &Value, expected: &str) -> Refusal {
    let shown: String = said.to_string().chars().take(80).collect();
    let message = format!("`{field}` is `{shown}`, expected {expected}");
    Refusal::about(ErrorKind::BadRequest, "bad_request_error", field, message)
}

/// When the budget's period ends that runs now (`budget_reset_at`), in Unix milliseconds.
///
/// # Errors
/// What is no time.
pub(super) fn end_of_period(said: &str) -> Result<i64, Refusal> {
    time_of(said)
        .ok_or_else(|| wrong("budget_reset_at", &said.into(), "a time such as `2030-01-31T00:00:00Z`"))
}

fn is_budget(said: &Value) -> bool {
    let period = ["time_period", "budget_duration"].iter().find_map(|name| said.get(name));
    if period.is_some_and(|period| !period.is_null() && !period.is_string()) {
        return false;
    }
    let read = amount_and_period(said);
    read.is_some_and(|(_, period)| period.is_none_or(|period| parse_duration_ms(period).is_some()))
}

fn no_budget(field: &str, of: &str, said: &Value) -> Refusal {
    let shown: String = said.to_string().chars().take(80).collect();
    let of = if of.is_empty() { String::new() } else { format!(" for `{of}`") };
    let message = format!(
        "`{field}` is `{shown}`{of}, expected an amount in USD, {MOST_USD} at most, as `max_budget` and a period such as \
         `30d` as `budget_duration`"
    );
    Refusal::about(ErrorKind::BadRequest, "bad_request_error", field, message)
}
