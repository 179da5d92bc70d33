//! The tools of the model: what each looks up, and how the figures are told.

use std::sync::Arc;

use gateway_db::{ReportQuery, ReportRow, ScopeKind, SpendBy, SpendSums};
use jiff::civil::Date;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::identity::unavailable;
use crate::state::Shared;

/// Lines that are told of each list, the dearest.
const LINES: usize = 15;

/// Whose figures are seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sees {
    All,
    /// This user's.
    Own(String),
}

/// One tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) about: &'static str,
    /// The parameter that narrows it, and what it means.
    only: (&'static str, &'static str),
    /// Whose sums they are, and what they are split by.
    of: (Option<ScopeKind>, SpendBy),
    for_all: bool,
}

/// Every tool, by LiteLLM's names.
pub(super) const TOOLS: [Tool; 3] = [
    Tool {
        name: "get_usage_data",
        label: "global usage data",
        about: "spend, calls and tokens of a range of days: in all, by day, by model and by provider",
        only: ("user_id", "one user, by id; without it everybody that you may see"),
        of: (None, SpendBy::User),
        for_all: true,
    },
    Tool {
        name: "get_team_usage_data",
        label: "team usage data",
        about: "spend, calls and tokens of a range of days by team",
        only: ("team_ids", "teams, by ids with commas between; without it all of them"),
        of: (None, SpendBy::Team),
        for_all: false,
    },
    Tool {
        name: "get_tag_usage_data",
        label: "tag usage data",
        about: "spend, calls and tokens of a range of days by tag of the requests",
        only: ("tags", "tags with commas between; without it all of them"),
        of: (Some(ScopeKind::Tag), SpendBy::Scope),
        for_all: false,
    },
];

impl Tool {
    pub(super) fn is_for(&self, sees: &Sees) -> bool {
        self.for_all || *sees == Sees::All
    }

    /// The tool in OpenAI's words.
    pub(super) fn told(&self) -> Value {
        let day =
            |words: &str| json!({ "type": "string", "description": format!("{words}, such as 2026-11-20") });
        json!({ "type": "function", "function": {
            "name": self.name,
            "description": self.about,
            "parameters": {
                "type": "object",
                "properties": {
                    "start_date": day("the first day"),
                    "end_date": day("the last day"),
                    self.only.0: { "type": "string", "description": self.only.1 },
                },
                "required": ["start_date", "end_date"],
            },
        } })
    }

    /// Looks figures up.
    ///
    /// # Errors
    /// When the days make no sense, or the database does not answer.
    pub(super) async fn look_up(
        &self,
        shared: &Arc<Shared>,
        sees: &Sees,
        arguments: &Value,
    ) -> Result<String> {
        let query = self.query(sees, arguments)?;
        if self.for_all {
            let mut parts = Vec::new();
            for (title, by) in
                [("Days", SpendBy::Day), ("Models", SpendBy::Model), ("Providers", SpendBy::Provider)]
            {
                let rows = rows(shared, ReportQuery { by: vec![by], ..query.clone() }).await?;
                if parts.is_empty() {
                    parts.push(sum(&rows));
                }
                parts.push(list(title, rows));
            }
            return Ok(parts.join("\n\n"));
        }
        let rows = rows(shared, ReportQuery { by: vec![self.of.1], ..query }).await?;
        Ok(list(self.label, rows))
    }

    fn query(&self, sees: &Sees, arguments: &Value) -> Result<ReportQuery> {
        let day = |name: &str| {
            let text = arguments.get(name).and_then(Value::as_str).unwrap_or_default();
            let bad = || {
                let words = format!("`{name}` is `{text}`, expected a day such as 2026-11-20");
                Error::new(ErrorKind::BadRequest, words)
            };
            let date: Date = text.parse().map_err(|_| bad())?;
            Ok::<_, Error>(i64::from((date - Date::constant(1970, 1, 1)).get_days()))
        };
        let (of, entity) = self.of;
        let named = arguments.get(self.only.0).and_then(Value::as_str).unwrap_or_default();
        let named: Vec<String> =
            named.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let only = match sees {
            Sees::Own(user) => vec![(SpendBy::User, vec![user.clone()])],
            Sees::All if named.is_empty() => Vec::new(),
            Sees::All => vec![(entity, named)],
        };
        let (from_day, to_day) = (Some(day("start_date")?), Some(day("end_date")?));
        Ok(ReportQuery { of, from_day, to_day, only, ..ReportQuery::default() })
    }
}

/// Asks the database, beside the calls.
async fn rows(shared: &Arc<Shared>, query: ReportQuery) -> Result<Vec<ReportRow>> {
    let Some(db) = shared.directory.db().cloned() else {
        return Err(Error::new(ErrorKind::Internal, "there is no database"));
    };
    let ask = async move { db.spend_report(&query).await.map_err(unavailable) };
    crate::store::ask(shared, "the figures of spend", ask).await
}

fn line(name: &str, sums: &SpendSums) -> String {
    let tokens = sums.input_tokens + sums.output_tokens;
    let (requests, failed) = (sums.requests, sums.failed);
    format!("{name}: ${:.6}, {requests} calls ({failed} failed), {tokens} tokens", sums.cost.as_usd())
}

fn sum(rows: &[ReportRow]) -> String {
    let mut all = SpendSums::default();
    rows.iter().for_each(|row| all.add(&row.sums));
    line("In all", &all)
}

/// The dearest rows, one a line.
fn list(title: &str, mut rows: Vec<ReportRow>) -> String {
    if rows.is_empty() {
        return format!("{title}: nothing in these days");
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.sums.cost));
    let left = rows.len().saturating_sub(LINES);
    let named = |row: &ReportRow| {
        let name = row.names.first().map(String::as_str).filter(|name| !name.is_empty()).unwrap_or("(none)");
        let name = if title == "Days" { day(name) } else { name.to_owned() };
        format!("- {}", line(&name, &row.sums))
    };
    let mut lines: Vec<String> = rows.iter().take(LINES).map(named).collect();
    if left > 0 {
        lines.push(format!("- and {left} more that cost less"));
    }
    format!("{title}, the dearest first:\n{}", lines.join("\n"))
}

/// A day as it is written.
fn day(number: &str) -> String {
    let span = number.parse::<i64>().ok().and_then(|days| jiff::Span::new().try_days(days).ok());
    let date = span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span).ok());
    date.map_or_else(|| number.to_owned(), |date| date.to_string())
}

#[cfg(test)]
mod tests;
