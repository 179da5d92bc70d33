//! `/user/daily/activity` and its relatives: what each day came to, and who and what it was (surface §3.8).

use gateway_db::{KeyQuery, KeyRecord, ReportQuery, ReportRow, ScopeKind, SpendBy, SpendSums};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::days;
use super::job::Job;
use super::refusal::Refusal;

/// Whose days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActivityOf {
    User,
    Team,
    Organization,
    Customer,
    Tag,
}

impl ActivityOf {
    /// The kind that has sums of its own, and the column that names it.
    const fn source(self) -> (Option<ScopeKind>, SpendBy) {
        match self {
            Self::User => (None, SpendBy::User),
            Self::Team => (None, SpendBy::Team),
            Self::Organization => (None, SpendBy::Organization),
            Self::Customer => (Some(ScopeKind::Customer), SpendBy::Scope),
            Self::Tag => (Some(ScopeKind::Tag), SpendBy::Scope),
        }
    }

    /// The parameter that names some of them.
    const fn ids(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Team => "team_ids",
            Self::Organization => "organization_ids",
            Self::Customer => "end_user_ids",
            Self::Tag => "tags",
        }
    }

    const fn excluded(self) -> &'static str {
        match self {
            Self::User => "exclude_user_ids",
            Self::Team => "exclude_team_ids",
            Self::Organization => "exclude_organization_ids",
            Self::Customer => "exclude_end_user_ids",
            Self::Tag => "exclude_tags",
        }
    }
}

/// Answers with the days of a range; `whole` on one page.
pub(super) async fn run(job: Job, of: ActivityOf, whole: bool) -> Result<Value, Refusal> {
    let (Some(from), Some(to)) = days::range(&job)? else {
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, "Please provide start_date and end_date"));
    };
    let (kind, entity) = of.source();
    let by = vec![
        SpendBy::Day,
        entity,
        SpendBy::Key,
        SpendBy::ModelGroup,
        SpendBy::Model,
        SpendBy::Provider,
        SpendBy::CallType,
    ];
    let list = |name: &str| {
        let words = job.param(name)?;
        Some(words.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>())
    };
    let mut query =
        ReportQuery { of: kind, from_day: Some(from), to_day: Some(to), by, ..ReportQuery::default() };
    query.only.extend(list(of.ids()).map(|ids| (entity, ids)));
    query.without.extend(list(of.excluded()).map(|ids| (entity, ids)));
    query.only.extend(job.param("model").map(|model| (SpendBy::Model, vec![model])));
    query
        .only
        .extend(job.param("api_key").map(|key| (SpendBy::Key, vec![super::keys::hash_of(&key).to_string()])));
    let rows = job.db.spend_report(&query).await?;
    let keys = job.all_keys(KeyQuery::default()).await?;
    Ok(answer(&job, rows, &keys, whole))
}

fn answer(job: &Job, mut rows: Vec<ReportRow>, keys: &[KeyRecord], whole: bool) -> Value {
    rows.sort_by_key(|row| std::cmp::Reverse(row.names[0].parse::<i64>().unwrap_or(0)));
    let mut total = SpendSums::default();
    rows.iter().for_each(|row| total.add(&row.sums));
    let days: Vec<&[ReportRow]> = rows.chunk_by(|one, other| one.names[0] == other.names[0]).collect();
    let number = |name: &str, default: usize| {
        job.param(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(default).max(1)
    };
    let (page, size) =
        if whole { (1, days.len().max(1)) } else { (number("page", 1), number("page_size", 50)) };
    let pages = days.len().div_ceil(size).max(1);
    let shown = days.iter().skip((page - 1).saturating_mul(size)).take(size);
    let results: Vec<Value> = shown.map(|rows| day(rows, keys)).collect();
    json!({ "results": results, "metadata": metadata(&total, page, pages) })
}

fn day(rows: &[ReportRow], keys: &[KeyRecord]) -> Value {
    let mut total = SpendSums::default();
    let mut parts = Parts::default();
    for row in rows {
        total.add(&row.sums);
        let [_, entity, key, group, model, provider, call_type] = row.names.as_slice() else { continue };
        let of = [entity, key, group, model, provider, call_type];
        for (part, name) in parts.0.iter_mut().zip(of) {
            part.add(name, key, &row.sums);
        }
    }
    let date = rows.first().map(|row| days::text(&row.names[0]));
    json!({ "date": date, "metrics": metrics(&total), "breakdown": parts.breakdown(keys) })
}

/// The sums of a day by each thing they are split by: entity, key, model group, model, provider, call type.
#[derive(Default)]
struct Parts([Part; 6]);

/// One of them: each name once.
#[derive(Default)]
struct Part(Vec<Named>);

/// A name, its sums, and the same by key.
type Named = (String, SpendSums, Vec<(String, SpendSums)>);

impl Part {
    fn add(&mut self, name: &str, key: &str, sums: &SpendSums) {
        if name.is_empty() {
            return;
        }
        let index = self.0.iter().position(|(have, ..)| have == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), SpendSums::default(), Vec::new()));
            self.0.len() - 1
        });
        let (_, total, keys) = &mut self.0[index];
        total.add(sums);
        match keys.iter_mut().find(|(have, _)| have == key) {
            Some((_, have)) => have.add(sums),
            None => keys.push((key.to_owned(), *sums)),
        }
    }

    fn value(&self, known: &[KeyRecord]) -> Value {
        let entry = |(name, sums, keys): &Named| {
            let keys: Map<String, Value> =
                keys.iter().map(|(key, sums)| (key.clone(), of_key(key, sums, known))).collect();
            let value = json!({ "metrics": metrics(sums), "metadata": {}, "api_key_breakdown": keys });
            (name.clone(), value)
        };
        Value::Object(self.0.iter().map(entry).collect())
    }
}

impl Parts {
    fn breakdown(&self, known: &[KeyRecord]) -> Value {
        let [entities, keys, groups, models, providers, call_types] = &self.0;
        let own: Map<String, Value> =
            keys.0.iter().map(|(key, sums, _)| (key.clone(), of_key(key, sums, known))).collect();
        json!({
            "entities": entities.value(known),
            "api_keys": own,
            "model_groups": groups.value(known),
            "models": models.value(known),
            "providers": providers.value(known),
            "endpoints": call_types.value(known),
            "mcp_servers": {},
        })
    }
}

fn of_key(hash: &str, sums: &SpendSums, known: &[KeyRecord]) -> Value {
    let key = known.iter().find(|key| key.hash.as_str() == hash).map(|key| &key.settings);
    json!({
        "metrics": metrics(sums),
        "metadata": {
            "key_alias": key.and_then(|key| key.alias.clone()),
            "team_id": key.and_then(|key| key.team_id.clone()),
        },
    })
}

fn metrics(sums: &SpendSums) -> Value {
    json!({
        "spend": sums.cost.as_usd(),
        "prompt_tokens": sums.input_tokens,
        "completion_tokens": sums.output_tokens,
        "cache_read_input_tokens": sums.cache_read_tokens,
        "cache_creation_input_tokens": sums.cache_write_tokens,
        "total_tokens": sums.input_tokens + sums.output_tokens,
        "successful_requests": sums.requests - sums.failed,
        "failed_requests": sums.failed,
        "api_requests": sums.requests,
        "total_response_time_ms": sums.duration_us / 1_000,
        "timed_requests": sums.requests,
    })
}

fn metadata(total: &SpendSums, page: usize, pages: usize) -> Value {
    json!({
        "total_spend": total.cost.as_usd(),
        "total_prompt_tokens": total.input_tokens,
        "total_completion_tokens": total.output_tokens,
        "total_tokens": total.input_tokens + total.output_tokens,
        "total_api_requests": total.requests,
        "total_successful_requests": total.requests - total.failed,
        "total_failed_requests": total.failed,
        "total_cache_read_input_tokens": total.cache_read_tokens,
        "total_cache_creation_input_tokens": total.cache_write_tokens,
        "page": page,
        "total_pages": pages,
        "has_more": page < pages,
    })
}
