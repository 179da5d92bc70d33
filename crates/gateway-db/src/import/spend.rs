//! Calls of LiteLLM's spend log. What they add up to is in the keys, teams and so on that come over with what they
//! have spent; here they become rows of the log, and the sums that reports read.

use std::collections::BTreeMap;

use llm_types::{KeyHash, Money};
use serde_json::{Map, Value, json};

use super::row::Row;
use super::source::Source;
use super::{ImportOptions, ImportReport};
use crate::{Db, DbError, LONGEST_NAME, SpendRow};

/// The table of calls.
pub(super) const TABLE: &str = "LiteLLM_SpendLogs";
/// The tools that calls invoked, a row each.
pub(super) const TOOLS: &str = "LiteLLM_SpendLogToolIndex";
/// Columns that hold what callers and models said: they do not come over.
const CONTENTS: [&str; 3] = ["messages", "response", "proxy_server_request"];
/// A member of `metadata` that holds what LiteLLM knew of the model's prices, some kilobytes a call.
const PRICES: &str = "model_map_information";
/// Calls read and written at once.
const BATCH: usize = 1_000;

impl Db {
    /// Takes calls over, a thousand at once, each thousand in a transaction of its own: those that are here already stay as
    /// they are, so that an import that was cut short is run again.
    pub(super) async fn import_spend(
        &self,
        source: &Source<'_>,
        options: &ImportOptions,
        now: i64,
        report: &mut ImportReport,
    ) -> Result<(), DbError> {
        for column in CONTENTS {
            let rows = source.filled(TABLE, column).await?;
            if rows > 0 {
                report.not_carried.insert(format!("{TABLE}.{column}"), rows);
            }
        }
        let mut after = String::new();
        loop {
            let page = source.page(TABLE, "request_id", &after, &CONTENTS, BATCH).await?;
            let Some(last) = page.last().and_then(|row| row.get("request_id")).and_then(Value::as_str) else {
                return Ok(());
            };
            let tools = source.names((TOOLS, "tool_name"), (&after, last)).await?;
            after = last.to_owned();
            let mut calls = Vec::with_capacity(page.len());
            for mut row in page {
                let prices = row.get_mut("metadata").and_then(Value::as_object_mut);
                if prices
                    .and_then(|metadata| metadata.shift_remove(PRICES))
                    .is_some_and(|prices| !prices.is_null())
                {
                    *report.not_carried.entry(format!("{TABLE}.metadata.{PRICES}")).or_default() += 1;
                }
                report.table(TABLE).read += 1;
                calls.extend(call(&mut Row::new(TABLE, row, now, report), &tools));
            }
            let written = self.put_calls(&calls, options.dry_run).await?;
            let table = report.table(TABLE);
            table.written += written;
            table.present += calls.len() as u64 - written;
        }
    }
}

/// Reads one call; the tools are those of its page.
fn call(row: &mut Row<'_>, tools: &BTreeMap<String, Vec<String>>) -> Option<SpendRow> {
    let request_id = row.id("request_id")?;
    let Some(started_at) = row.time("startTime") else {
        row.trouble("`startTime` holds no time: the call does not come over".to_owned());
        return None;
    };
    let ended_at = row.time("endTime").unwrap_or(started_at);
    let first = row.time("completionStartTime").filter(|first| (started_at..ended_at).contains(first));
    let micros = |until: i64| until.saturating_sub(started_at).max(0).saturating_mul(1_000);
    let metadata = row.map("metadata");
    let failed = row.text("status").as_deref() == Some("failure");
    let error = metadata.get("error_information").filter(|_| failed);
    let usage = metadata.get("usage_object").cloned().unwrap_or_default();
    let cached = count(&usage, &["/prompt_tokens_details/cached_tokens", "/cache_read_input_tokens"]);
    let tags = row.any("request_tags").filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty()));
    row.any("total_tokens");
    row.any("request_duration_ms");
    let mut call = SpendRow {
        call_id: row.text("litellm_call_id").filter(|id| *id != request_id && !id.is_empty()),
        tools: tools.get(&request_id).map(|names| json!(names).to_string()),
        request_id,
        started_at,
        duration_us: micros(ended_at),
        first_byte_us: first.map(micros),
        key: filled(row, "api_key").map(KeyHash::from),
        user_id: filled(row, "user"),
        team_id: filled(row, "team_id"),
        organization_id: filled(row, "organization_id"),
        end_user: filled(row, "end_user"),
        session_id: filled(row, "session_id"),
        model_group: filled(row, "model_group").unwrap_or_default(),
        model: filled(row, "model"),
        provider: filled(row, "custom_llm_provider"),
        deployment: filled(row, "model_id"),
        call_type: row.text("call_type").unwrap_or_default(),
        outcome: if failed { "failed" } else { "completed" }.to_owned(),
        status: error.map_or(if failed { 500 } else { 200 }, status),
        error: error.and_then(|error| error.get("error_class")?.as_str().map(str::to_owned)),
        cache_hit: row.text("cache_hit").is_some_and(|word| word.eq_ignore_ascii_case("true")),
        input_tokens: row.count("prompt_tokens").unwrap_or_default(),
        output_tokens: row.count("completion_tokens").unwrap_or_default(),
        cache_read_tokens: cached,
        cache_write_tokens: count(&usage, &["/cache_creation_input_tokens"]),
        reasoning_tokens: count(&usage, &["/completion_tokens_details/reasoning_tokens"]),
        cost: Some(row.money("spend").unwrap_or(Money::ZERO)),
        tags: tags.map(|tags| tags.to_string()),
        ..SpendRow::default()
    };
    if call.model_group.is_empty() {
        call.model_group = call.model.clone().unwrap_or_default();
    }
    call.metadata = Some(rest(row, metadata).to_string());
    Some(call)
}

/// What no column here holds, under LiteLLM's names.
fn rest(row: &mut Row<'_>, metadata: Map<String, Value>) -> Value {
    let mut rest = row.rest();
    rest.insert("metadata".to_owned(), Value::Object(metadata));
    json!({ "litellm": rest })
}

/// A text that says something.
fn filled(row: &mut Row<'_>, column: &str) -> Option<String> {
    let mut text = row.text(column).filter(|text| !text.is_empty())?;
    text.truncate(text.floor_char_boundary(LONGEST_NAME));
    Some(text)
}

/// The first of these counts that is there.
fn count(usage: &Value, places: &[&str]) -> i64 {
    places.iter().find_map(|place| usage.pointer(place)?.as_i64()).unwrap_or_default()
}

/// The status of a failure; its code is a text there.
fn status(error: &Value) -> i64 {
    let code = error.get("error_code");
    code.and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok())).unwrap_or(500)
}
