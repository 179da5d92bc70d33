//! One row of LiteLLM's, column by column; what nobody takes is kept.

use llm_types::Money;
use serde_json::Value;

use super::ImportReport;
use crate::{JsonMap, ScopeSettings};

/// A row being read.
pub(super) struct Row<'a> {
    table: &'static str,
    /// How the row is named in problems.
    name: String,
    columns: JsonMap,
    /// Now, in Unix milliseconds: for rows without times.
    pub(super) now: i64,
    report: &'a mut ImportReport,
}

impl<'a> Row<'a> {
    pub(super) fn new(table: &'static str, columns: JsonMap, now: i64, report: &'a mut ImportReport) -> Self {
        Self { table, name: String::new(), columns, now, report }
    }

    /// The text that names the row; it must be there.
    pub(super) fn id(&mut self, column: &str) -> Option<String> {
        let id = self.text(column);
        match &id {
            Some(id) => self.name.clone_from(id),
            None => self.problem(column, &Value::Null, "a text"),
        }
        id
    }

    /// Names the row in problems by something other than its id.
    pub(super) fn call(&mut self, name: String) {
        self.name = name;
    }

    /// A text.
    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        self.take(column, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A whole number.
    pub(super) fn count(&mut self, column: &str) -> Option<i64> {
        self.take(column, "a whole number", Value::as_i64)
    }

    /// An amount in USD.
    pub(super) fn money(&mut self, column: &str) -> Option<Money> {
        self.take(column, "a finite number of USD", |value| {
            value.as_f64().filter(|usd| usd.is_finite()).map(Money::from_usd)
        })
    }

    /// A yes or no; no where it is not there.
    pub(super) fn flag(&mut self, column: &str) -> bool {
        self.take(column, "a boolean", Value::as_bool).unwrap_or_default()
    }

    /// Texts; none where they are not there.
    pub(super) fn list(&mut self, column: &str) -> Vec<String> {
        let texts = |value: &Value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()
        };
        self.take(column, "a list of texts", texts).unwrap_or_default()
    }

    /// A map; an empty one where it is not there.
    pub(super) fn map(&mut self, column: &str) -> JsonMap {
        self.take(column, "a map", |value| value.as_object().cloned()).unwrap_or_default()
    }

    /// A value of any type.
    pub(super) fn any(&mut self, column: &str) -> Option<Value> {
        self.columns.shift_remove(column).filter(|value| !value.is_null())
    }

    /// A time without a zone, which is UTC, in Unix milliseconds.
    pub(super) fn time(&mut self, column: &str) -> Option<i64> {
        self.take(column, "a time such as `2026-11-20T10:00:00`", |value| parse_time(value.as_str()?))
    }

    /// The limits that teams, users and budgets have under the same names.
    pub(super) fn limits(&mut self, settings: &mut ScopeSettings) {
        settings.max_budget = self.money("max_budget");
        settings.soft_budget = self.money("soft_budget");
        settings.budget_duration = self.text("budget_duration");
        settings.budget_reset_at = self.time("budget_reset_at");
        settings.rpm_limit = self.count("rpm_limit");
        settings.tpm_limit = self.count("tpm_limit");
        settings.tpd_limit = self.count("tpd_limit");
        settings.max_parallel_requests = self.count("max_parallel_requests");
        settings.model_max_budget = self.map("model_max_budget");
    }

    /// What nobody has taken and is not empty.
    pub(super) fn rest(&mut self) -> JsonMap {
        let mut rest = std::mem::take(&mut self.columns);
        rest.retain(|_, value| !is_empty(value));
        rest
    }

    fn take<T>(&mut self, column: &str, expected: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.any(column)?;
        let taken = read(&value);
        if taken.is_none() {
            self.problem(column, &value, expected);
        }
        taken
    }

    /// Reports why the row is not carried.
    pub(super) fn trouble(&mut self, what: String) {
        self.report.problem(self.table, &self.name, what);
    }

    fn problem(&mut self, column: &str, found: &Value, expected: &str) {
        let kind = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "another number",
            Value::String(_) => "another text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        };
        self.report.problem(self.table, &self.name, format!("`{column}` holds {kind}, expected {expected}"));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `2026-11-20T11:24:55.533`, with or without a fraction and an offset.
fn parse_time(text: &str) -> Option<i64> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let at: jiff::civil::DateTime = text.parse().ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}
