//! Which calls a list of the spend log is about: the filters and orders of `/spend/logs/v2` (surface §3.8).

use gateway_db::{KeyQuery, PageRequest, SpendQuery, SpendSort};
use http::StatusCode;
use llm_types::{ErrorKind, Money};

use super::days;
use super::job::Job;
use super::keys::hash_of;
use super::refusal::Refusal;

/// What a list may be ordered by.
const SORTS: [(&str, SpendSort); 7] = [
    ("endTime", SpendSort::EndedAt),
    ("model", SpendSort::Model),
    ("request_duration_ms", SpendSort::Duration),
    ("spend", SpendSort::Cost),
    ("startTime", SpendSort::StartedAt),
    ("total_tokens", SpendSort::Tokens),
    ("ttft_ms", SpendSort::FirstByte),
];

/// The calls that a request is about.
///
/// # Errors
/// A parameter that says nothing that can be done.
pub(super) async fn read(job: &Job, page: PageRequest) -> Result<SpendQuery, Refusal> {
    let until = days::moment(job, "end_date", true)?.map(|last| last.saturating_add(1));
    let search = job.param("search");
    Ok(SpendQuery {
        request_id: job.param("request_id"),
        key: job.param("api_key").map(|key| hash_of(&key)),
        user_id: job.param("user_id"),
        team_id: job.param("team_id"),
        end_user: job.param("end_user"),
        model_group: job.param("model_group"),
        session_id: job.param("session_id"),
        session_part: None,
        from: days::moment(job, "start_date", false)?,
        until,
        keys: keys(job).await?,
        model: job.param("model"),
        deployment: job.param("model_id"),
        failed: failed(job)?,
        error_status: number(job, "error_code", |text| text.parse().ok())?,
        error_part: job.param("error_message"),
        cached: cached(job)?,
        cost_from: number(job, "min_spend", usd)?,
        cost_to: number(job, "max_spend", usd)?,
        // A secret is not in the log, its hash is.
        search: search.map(|text| if text.starts_with("sk-") { hash_of(&text).to_string() } else { text }),
        one_of_session: job.param("group_by_session").is_some_and(|word| word.eq_ignore_ascii_case("true")),
        sort: sort(job)?,
        ascending: ascending(job)?,
        page,
    })
}

/// The keys whose alias holds a text, deleted ones among them.
async fn keys(job: &Job) -> Result<Option<Vec<llm_types::KeyHash>>, Refusal> {
    let Some(alias) = job.param("key_alias") else { return Ok(None) };
    let mut found = Vec::new();
    for deleted in [false, true] {
        let query =
            KeyQuery { alias: Some(alias.clone()), alias_substring: true, deleted, ..KeyQuery::default() };
        found.extend(job.all_keys(query).await?.into_iter().map(|key| key.hash));
    }
    Ok(Some(found))
}

fn failed(job: &Job) -> Result<Option<bool>, Refusal> {
    one_of(job, "status_filter", &[("failure", true), ("success", false)])
}

fn cached(job: &Job) -> Result<Option<bool>, Refusal> {
    one_of(job, "cache_hit_filter", &[("hit", true), ("miss", false)])
}

fn sort(job: &Job) -> Result<SpendSort, Refusal> {
    Ok(one_of(job, "sort_by", &SORTS)?.unwrap_or_default())
}

fn ascending(job: &Job) -> Result<bool, Refusal> {
    let words = [("asc", true), ("desc", false), ("ASC", true), ("DESC", false)];
    Ok(one_of(job, "sort_order", &words)?.unwrap_or(false))
}

fn one_of<T: Copy>(job: &Job, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
    let Some(found) = job.param(name) else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == found) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let shown: String = found.chars().take(40).collect();
            let message = format!("Invalid {name}: {shown}. Must be one of: {}", known.join(", "));
            Err(Refusal::about(ErrorKind::BadRequest, "bad_request", name, message))
        }
    }
}

fn number<T>(job: &Job, name: &str, read: fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
    let Some(text) = job.param(name) else { return Ok(None) };
    match read(&text) {
        Some(number) => Ok(Some(number)),
        None => {
            let shown: String = text.chars().take(40).collect();
            let words = format!("`{name}` is `{shown}`, expected a number");
            Err(Refusal::detail(StatusCode::BAD_REQUEST, words))
        }
    }
}

fn usd(text: &str) -> Option<Money> {
    text.parse().ok().filter(|usd: &f64| usd.is_finite()).map(Money::from_usd)
}
