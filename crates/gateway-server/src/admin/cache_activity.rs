//! `/global/activity/cache_hits`: what a cache of replies answered, by kind of call, from the daily sums.

use std::collections::BTreeSet;

use gateway_db::{ReportQuery, ReportRow, SpendBy};
use serde_json::{Value, json};

use super::job::Job;
use super::refusal::Refusal;
use super::{days, query};

/// How LiteLLM names a key without an alias.
const UNNAMED: &str = "Unnamed Key";

/// Answers with groups, totals, and what they can be narrowed by.
pub(super) async fn run(job: &Job) -> Result<Value, Refusal> {
    let (from, to) = days::both(job)?;
    let only = job.param("user_id").map(|user| (SpendBy::User, vec![user])).into_iter().collect();
    let all = ReportQuery {
        from_day: Some(from),
        to_day: Some(to),
        only,
        by: vec![SpendBy::Key],
        brief: true,
        ..ReportQuery::default()
    };
    let keys = job.db.spend_report(&all).await?;
    let hashes: Vec<&str> = keys.iter().map(|row| row.names[0].as_str()).collect();
    let names = job.db.key_names(&hashes).await?;
    let alias =
        |hash: &str| names.get(hash).and_then(|key| key.alias.as_deref()).unwrap_or(UNNAMED).to_owned();
    let models = job.db.spend_report(&ReportQuery { by: vec![SpendBy::Model], ..all.clone() }).await?;
    let mut narrow = all.only.clone();
    let aliases = several(job, ["key_aliases", "key_alias"]);
    if !aliases.is_empty() {
        let of_alias = hashes.iter().filter(|hash| aliases.contains(&alias(hash)));
        narrow.push((SpendBy::Key, of_alias.map(|hash| (*hash).to_owned()).collect()));
    }
    let asked = several(job, ["models", "model"]);
    if !asked.is_empty() {
        narrow.push((SpendBy::Model, asked));
    }
    let by_type = ReportQuery { only: narrow, by: vec![SpendBy::CallType], brief: false, ..all };
    let mut groups = job.db.spend_report(&by_type).await?;
    groups.sort_by_key(|row| std::cmp::Reverse(row.sums.requests));
    let key_aliases: BTreeSet<String> = hashes.iter().map(|hash| alias(hash)).collect();
    let models: BTreeSet<&str> =
        models.iter().map(|row| row.names[0].as_str()).filter(|name| !name.is_empty()).collect();
    Ok(json!({
        "groups": groups.iter().map(group).collect::<Vec<_>>(),
        "totals": totals(&groups),
        "filter_options": { "key_aliases": key_aliases, "models": models },
    }))
}

/// Values of a parameter that may be said several times, or with commas.
fn several(job: &Job, names: [&str; 2]) -> Vec<String> {
    let said = names.iter().flat_map(|name| query::params(job.query.as_deref(), name));
    let words = said.flat_map(|text| text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>());
    words.filter(|word| !word.is_empty()).collect()
}

/// Calls that a provider answered, of all that did not fail.
fn answered(row: &ReportRow) -> i64 {
    (row.sums.requests - row.sums.cache_hits - row.sums.failed).max(0)
}

fn group(row: &ReportRow) -> Value {
    let sums = &row.sums;
    let call_type = if row.names[0].is_empty() { "Unknown" } else { row.names[0].as_str() };
    json!({
        "call_type": call_type,
        "api_requests": answered(row),
        "cache_hits": sums.cache_hits,
        "failed_requests": sums.failed,
        "cached_completion_tokens": sums.cached_output_tokens,
        "generated_completion_tokens": sums.output_tokens - sums.cached_output_tokens,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a share in percent that is shown")]
fn totals(rows: &[ReportRow]) -> Value {
    let sum = |of: fn(&ReportRow) -> i64| rows.iter().map(of).sum::<i64>();
    let (answered, hits, failed) =
        (sum(answered), sum(|row| row.sums.cache_hits), sum(|row| row.sums.failed));
    let all = answered + hits + failed;
    let ratio = if all > 0 { hits as f64 / all as f64 * 100.0 } else { 0.0 };
    json!({
        "api_requests": answered,
        "cache_hits": hits,
        "failed_requests": failed,
        "cached_completion_tokens": sum(|row| row.sums.cached_output_tokens),
        "cache_hit_ratio": ratio,
    })
}
