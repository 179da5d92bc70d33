//! `/user/daily/activity` and its relatives: what each day came to, and who and what it was (surface §3.8).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use gateway_db::{KeyNames, PageRequest, ReportQuery, ReportRow, ScopeKind, SpendBy, SpendSums};
use http::StatusCode;
use llm_types::Money;
use serde::{Serialize, Serializer};

use super::days;
use super::job::{Job, written};
use super::query::flag;
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

/// Days of a range: how many rows, what they are, and which page of how many.
struct Found {
    rows: Vec<ReportRow>,
    page: u64,
    pages: u64,
}

/// Rows of a page unless told (`page_size`), and at most.
const PAGE: u64 = 50;
const LARGEST_PAGE: u64 = 1_000;
/// Keys that are told apart in a whole range unless told (`api_key_limit`), and at most.
const KEYS: usize = 100;
const MOST_KEYS: usize = 1_000;

/// Answers with the days of a range: `whole`, or a page of the rows that they are sums of, newest first. As with
/// LiteLLM a day may go on on the next page, and whoever wants all of it adds pages up.
pub(super) async fn run(job: Job, of: ActivityOf, whole: bool) -> Result<Vec<u8>, Refusal> {
    let (Some(from), Some(to)) = days::range(&job)? else {
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, "Please provide start_date and end_date"));
    };
    let (to, limit) = (last_day(&job, to)?, if whole { Some(key_limit(&job)?) } else { None });
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
    query.only.extend(whose(&job, of).await?);
    if job.sees_nothing {
        let nothing = Found { rows: Vec::new(), page: 1, pages: 1 };
        return written(&answer(&nothing, &Keys::new(), (of, limit)));
    }
    let found = find(&job, &query, whole).await?;
    let hashes: BTreeSet<&str> = found.rows.iter().map(|row| row.names[2].as_str()).collect();
    let keys = job.db.key_names(&hashes.into_iter().collect::<Vec<_>>()).await?;
    written(&answer(&found, &keys, (of, limit)))
}

/// The last day of the range. Where the caller's today is in it and `include_current_utc_day` says so, the range goes on
/// to the day that it is in UTC: `timezone` is how many minutes the caller's clock is behind.
fn last_day(job: &Job, to: i64) -> Result<i64, Refusal> {
    const DAY_MS: i64 = 86_400_000;
    let Some(behind) = integer(job, "timezone")? else { return Ok(to) };
    if !flag(job.query.as_deref(), "include_current_utc_day") {
        return Ok(to);
    }
    let now = job.moment.now;
    let own_today = now.saturating_sub(behind.saturating_mul(60_000)).div_euclid(DAY_MS);
    Ok(if to < own_today { to } else { to.max(now.div_euclid(DAY_MS)) })
}

/// How many keys are told apart (`api_key_limit`): those that spent most.
fn key_limit(job: &Job) -> Result<usize, Refusal> {
    let Some(found) = integer(job, "api_key_limit")? else { return Ok(KEYS) };
    let (kind, words) = match usize::try_from(found) {
        Ok(limit @ 1..=MOST_KEYS) => return Ok(limit),
        Ok(1..) => ("less_than_equal", format!("Input should be less than or equal to {MOST_KEYS}")),
        _ => ("greater_than_equal", "Input should be greater than or equal to 1".to_owned()),
    };
    Err(Refusal::Fields(vec![Refusal::field(kind, "api_key_limit", &words, &found.to_string().into())]))
}

fn integer(job: &Job, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = job.param(name) else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        Refusal::Fields(vec![Refusal::field("int_parsing", name, message, &text.into())])
    })
}

/// The user whose calls alone are shown, beside what the range is of.
async fn whose(job: &Job, of: ActivityOf) -> Result<Option<(SpendBy, Vec<String>)>, Refusal> {
    let Some(user) = job.param("user_id").filter(|_| of != ActivityOf::User) else { return Ok(None) };
    if of.source().0.is_none() {
        return Ok(Some((SpendBy::User, vec![user])));
    }
    Ok(Some((SpendBy::Key, job.key_hashes_of(user).await?)))
}

async fn find(job: &Job, query: &ReportQuery, whole: bool) -> Result<Found, Refusal> {
    if whole {
        let mut rows = job.db.spend_report(query).await?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.names[0].parse::<i64>().unwrap_or(0)));
        return Ok(Found { rows, page: 1, pages: 1 });
    }
    let number = |name: &str, default: u64| {
        job.param(name).and_then(|text| text.parse().ok()).unwrap_or(default).max(1)
    };
    let page = PageRequest { page: number("page", 1), size: number("page_size", PAGE).min(LARGEST_PAGE) };
    let found = job.db.spend_report_page(query, page).await?;
    let pages = found.pages().max(1);
    Ok(Found { rows: found.items, page: found.page, pages })
}

fn answer<'r>(found: &'r Found, keys: &'r Keys, (of, limit): (ActivityOf, Option<usize>)) -> Answer<'r> {
    let mut total = SpendSums::default();
    found.rows.iter().for_each(|row| total.add(&row.sums));
    let mut metadata = Metadata::of(&total, found.page, found.pages);
    let told = limit.map(|limit| {
        let spent = spent_by_key(&found.rows);
        metadata.api_key_limit = Some(limit);
        metadata.total_api_keys = Some(spent.len());
        metadata.entity_total_api_keys = (of != ActivityOf::User).then(|| keys_of_entities(&found.rows));
        dearest(spent, limit)
    });
    let days = found.rows.chunk_by(|one, other| one.names[0] == other.names[0]);
    let results = days.map(|rows| day(rows, keys, told.as_ref())).collect();
    Answer { results, metadata }
}

fn spent_by_key(rows: &[ReportRow]) -> HashMap<&str, Money> {
    let mut spent: HashMap<&str, Money> = HashMap::new();
    for row in rows.iter().filter(|row| !row.names[2].is_empty()) {
        *spent.entry(row.names[2].as_str()).or_default() += row.sums.cost;
    }
    spent
}

/// The keys that spent most, so many of them.
fn dearest(spent: HashMap<&str, Money>, limit: usize) -> HashSet<&str> {
    let mut keys: Vec<(&str, Money)> = spent.into_iter().collect();
    keys.sort_unstable_by_key(|(key, spent)| (std::cmp::Reverse(*spent), *key));
    keys.into_iter().take(limit).map(|(key, _)| key).collect()
}

/// How many keys each of those has whose days they are.
fn keys_of_entities(rows: &[ReportRow]) -> BTreeMap<&str, usize> {
    let mut keys: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.names[1].is_empty() && !row.names[2].is_empty()) {
        keys.entry(row.names[1].as_str()).or_default().insert(row.names[2].as_str());
    }
    keys.into_iter().map(|(entity, keys)| (entity, keys.len())).collect()
}

/// The names of keys by their hashes.
type Keys = HashMap<String, KeyNames>;

/// A day; only the keys `told` are told apart, all where it is `None`.
fn day<'r>(rows: &'r [ReportRow], keys: &'r Keys, told: Option<&HashSet<&str>>) -> Day<'r> {
    let mut total = SpendSums::default();
    let mut parts: [Part<'r>; 6] = std::array::from_fn(|_| Part { named: BTreeMap::new(), keys });
    for row in rows {
        total.add(&row.sums);
        let [_, entity, key, group, model, provider, call_type] = row.names.as_slice() else { continue };
        let is_told = told.is_none_or(|told| told.contains(key.as_str()));
        let of =
            [entity.as_str(), if is_told { key.as_str() } else { "" }, group, model, provider, call_type];
        for (part, name) in parts.iter_mut().zip(of) {
            part.add(name, is_told.then_some(key.as_str()), &row.sums);
        }
    }
    let date = rows.first().map(|row| days::text(&row.names[0]));
    Day { date, metrics: Metrics::of(&total), breakdown: Breakdown::of(parts) }
}

/// The answer as it is written down. It is of thousands of sums, so none of them becomes a value of its own before.
#[derive(Serialize)]
struct Answer<'r> {
    results: Vec<Day<'r>>,
    metadata: Metadata<'r>,
}

#[derive(Serialize)]
struct Day<'r> {
    date: Option<String>,
    metrics: Metrics,
    breakdown: Breakdown<'r>,
}

/// The sums of a day by each thing they are split by.
#[derive(Serialize)]
struct Breakdown<'r> {
    entities: Part<'r>,
    api_keys: OfKeys<'r>,
    model_groups: Part<'r>,
    models: Part<'r>,
    providers: Part<'r>,
    endpoints: Part<'r>,
    mcp_servers: Nothing,
}

impl<'r> Breakdown<'r> {
    fn of([entities, keys, model_groups, models, providers, endpoints]: [Part<'r>; 6]) -> Self {
        let named = keys.named.into_iter().map(|(key, (sums, _))| (key, sums)).collect();
        let api_keys = OfKeys { named: Cow::Owned(named), keys: keys.keys };
        Self { entities, api_keys, model_groups, models, providers, endpoints, mcp_servers: Nothing {} }
    }
}

/// An object without members.
#[derive(Serialize)]
struct Nothing {}

/// One thing that sums are split by: each name once, with its sums, and the same by key.
struct Part<'r> {
    named: BTreeMap<&'r str, (SpendSums, BTreeMap<&'r str, SpendSums>)>,
    keys: &'r Keys,
}

impl<'r> Part<'r> {
    fn add(&mut self, name: &'r str, key: Option<&'r str>, sums: &SpendSums) {
        if name.is_empty() {
            return;
        }
        let (total, keys) = self.named.entry(name).or_default();
        total.add(sums);
        if let Some(key) = key {
            keys.entry(key).or_default().add(sums);
        }
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.named.iter().map(|(name, (sums, keys))| {
            let breakdown = OfKeys { named: Cow::Borrowed(keys), keys: self.keys };
            (name, Entry { metrics: Metrics::of(sums), metadata: Nothing {}, api_key_breakdown: breakdown })
        }))
    }
}

#[derive(Serialize)]
struct Entry<'r> {
    metrics: Metrics,
    metadata: Nothing,
    api_key_breakdown: OfKeys<'r>,
}

/// Sums by key, with what is known of the keys.
struct OfKeys<'r> {
    named: Cow<'r, BTreeMap<&'r str, SpendSums>>,
    keys: &'r Keys,
}

impl Serialize for OfKeys<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.named.iter().map(|(hash, sums)| {
            let known = self.keys.get(*hash);
            let metadata = KeyMetadata {
                key_alias: known.and_then(|key| key.alias.as_deref()),
                team_id: known.and_then(|key| key.team_id.as_deref()),
            };
            (hash, OfKey { metrics: Metrics::of(sums), metadata })
        }))
    }
}

#[derive(Serialize)]
struct OfKey<'r> {
    metrics: Metrics,
    metadata: KeyMetadata<'r>,
}

#[derive(Serialize)]
struct KeyMetadata<'r> {
    key_alias: Option<&'r str>,
    team_id: Option<&'r str>,
}

#[derive(Serialize)]
struct Metrics {
    spend: f64,
    prompt_tokens: i64,
    completion_tokens: i64,
    cache_read_input_tokens: i64,
    cache_creation_input_tokens: i64,
    total_tokens: i64,
    successful_requests: i64,
    failed_requests: i64,
    api_requests: i64,
    total_response_time_ms: i64,
    timed_requests: i64,
}

impl Metrics {
    fn of(sums: &SpendSums) -> Self {
        Self {
            spend: sums.cost.as_usd(),
            prompt_tokens: sums.input_tokens,
            completion_tokens: sums.output_tokens,
            cache_read_input_tokens: sums.cache_read_tokens,
            cache_creation_input_tokens: sums.cache_write_tokens,
            total_tokens: sums.input_tokens + sums.output_tokens,
            successful_requests: sums.requests - sums.failed,
            failed_requests: sums.failed,
            api_requests: sums.requests,
            total_response_time_ms: sums.duration_us / 1_000,
            timed_requests: sums.requests,
        }
    }
}

#[derive(Serialize)]
struct Metadata<'r> {
    total_spend: f64,
    total_prompt_tokens: i64,
    total_completion_tokens: i64,
    total_tokens: i64,
    total_api_requests: i64,
    total_successful_requests: i64,
    total_failed_requests: i64,
    total_cache_read_input_tokens: i64,
    total_cache_creation_input_tokens: i64,
    page: u64,
    total_pages: u64,
    has_more: bool,
    api_key_limit: Option<usize>,
    total_api_keys: Option<usize>,
    entity_total_api_keys: Option<BTreeMap<&'r str, usize>>,
}

impl Metadata<'_> {
    fn of(total: &SpendSums, page: u64, pages: u64) -> Self {
        Self {
            total_spend: total.cost.as_usd(),
            total_prompt_tokens: total.input_tokens,
            total_completion_tokens: total.output_tokens,
            total_tokens: total.input_tokens + total.output_tokens,
            total_api_requests: total.requests,
            total_successful_requests: total.requests - total.failed,
            total_failed_requests: total.failed,
            total_cache_read_input_tokens: total.cache_read_tokens,
            total_cache_creation_input_tokens: total.cache_write_tokens,
            page,
            total_pages: pages,
            has_more: page < pages,
            api_key_limit: None,
            total_api_keys: None,
            entity_total_api_keys: None,
        }
    }
}
