//! `/tag/distinct` and `/tag/summary`: which programs call, and what each tag came to (surface §3.7). From the daily
//! sums.

use std::collections::{BTreeMap, HashMap, HashSet};

use gateway_db::{KeyQuery, ScopeKind, SpendBy, SpendSums};
use serde_json::{Value, json};

use super::job::Job;
use super::query;
use super::refusal::Refusal;
use super::spend::sums;

/// How tags begin that name the caller's program.
const AGENT: &str = "User-Agent:";
/// The most of them that are listed (`MAX_TAGS`).
const MOST: usize = 250;

/// `/tag/distinct`: the programs that call.
pub(super) async fn distinct(job: &Job) -> Result<Value, Refusal> {
    let rows = sums(job, Some(ScopeKind::Tag), &[SpendBy::Scope]).await?;
    let mut tags: Vec<String> = rows.into_iter().flat_map(|row| row.names).collect();
    tags.retain(|tag| tag.starts_with(AGENT));
    tags.sort_unstable();
    let tags: Vec<Value> = tags.iter().take(MOST).map(|tag| json!({ "tag": tag })).collect();
    Ok(json!({ "results": tags }))
}

/// What calls with a tag came to.
#[derive(Default)]
struct Usage {
    sums: SpendSums,
    users: HashSet<String>,
}

/// `/tag/summary`: the tags of a range of days, the busiest first.
pub(super) async fn summary(job: &Job) -> Result<Value, Refusal> {
    for name in ["start_date", "end_date"] {
        if job.param(name).is_none() {
            return Err(Refusal::missing(name));
        }
    }
    let (part, exact) = (job.param("tag_filter"), query::params(job.query.as_deref(), "tag_filters"));
    let wanted = |tag: &str| match (&part, exact.is_empty()) {
        (_, false) => exact.iter().any(|one| one == tag),
        (Some(part), true) => tag.to_lowercase().contains(&part.to_lowercase()),
        (None, true) => true,
    };
    let keys = job.all_keys(KeyQuery::default()).await?;
    let users: HashMap<_, _> =
        keys.into_iter().filter_map(|key| Some((key.hash.to_string(), key.settings.user_id?))).collect();
    let mut tags: BTreeMap<String, Usage> = BTreeMap::new();
    for row in sums(job, Some(ScopeKind::Tag), &[SpendBy::Scope, SpendBy::Key]).await? {
        let [tag, key] = row.names.as_slice() else { continue };
        if !wanted(tag) {
            continue;
        }
        let usage = tags.entry(tag.clone()).or_default();
        usage.users.extend(users.get(key).cloned());
        let all = &mut usage.sums;
        all.requests += row.sums.requests;
        all.failed += row.sums.failed;
        all.input_tokens += row.sums.input_tokens;
        all.output_tokens += row.sums.output_tokens;
        all.cost += row.sums.cost;
    }
    let mut tags: Vec<(String, Usage)> = tags.into_iter().collect();
    tags.sort_by_key(|(_, usage)| std::cmp::Reverse(usage.sums.requests));
    let row = |(tag, usage): &(String, Usage)| {
        let sums = &usage.sums;
        json!({
            "tag": tag,
            "unique_users": usage.users.len(),
            "total_requests": sums.requests,
            "successful_requests": sums.requests - sums.failed,
            "failed_requests": sums.failed,
            "total_tokens": sums.input_tokens + sums.output_tokens,
            "total_spend": sums.cost.as_usd(),
        })
    };
    Ok(json!({ "results": tags.iter().map(row).collect::<Vec<_>>() }))
}
