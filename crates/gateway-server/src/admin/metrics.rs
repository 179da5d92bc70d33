//! How deployments do: `/model/metrics`, `/model/streaming_metrics` and `/global/activity/exceptions` (surface §3.8),
//! from the daily sums of calls. Calls of one key or customer are read off the log by an index.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gateway_db::{CallsBy, CallsQuery, CallsRow, PageRequest, SpendQuery};
use http::StatusCode;
use llm_types::ErrorKind;
use serde_json::{Map, Value, json};

use super::days;
use super::job::Job;
use super::refusal::Refusal;
use super::view::time;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsAction {
    /// Seconds by token of the answer.
    PerToken,
    /// Seconds to the first token.
    FirstToken,
    /// Calls that took longer than they should.
    Slow,
    /// Calls that failed, by how.
    Exceptions,
    /// Refusals of a rate each day.
    RateLimits,
    /// The same by deployment.
    RateLimitsByDeployment,
}

/// Answers a question about deployments.
pub(super) async fn run(job: Job, action: MetricsAction) -> Result<Value, Refusal> {
    match action {
        MetricsAction::PerToken => per_token(&job).await,
        MetricsAction::FirstToken => first_token(&job).await,
        MetricsAction::Slow => slow(&job).await,
        MetricsAction::Exceptions => exceptions(&job).await,
        MetricsAction::RateLimits => rate_limits(&job).await,
        MetricsAction::RateLimitsByDeployment => rate_limits_by_deployment(&job).await,
    }
}

/// Days looked back unless told.
const USUAL_DAYS: i64 = 7;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Names in an answer of exceptions, and deployments in one of rate limits, at most: LiteLLM's numbers.
const MOST_EXCEPTIONS: usize = 200;
const MOST_DEPLOYMENTS: usize = 10;
/// Calls of one day whose first tokens are shown one by one, the latest.
const MOST_CALLS: u64 = 1_000;

/// A parameter; LiteLLM's pages write `null` and `undefined` where they have nothing to say.
fn said(job: &Job, name: &str) -> Option<String> {
    job.param(name).filter(|value| !matches!(value.as_str(), "null" | "undefined"))
}

/// The calls that `/model/*` is about.
fn query(job: &Job, by: Vec<CallsBy>) -> Result<CallsQuery, Refusal> {
    let day = |name: &str, other: &str| match days::param(job, name)? {
        Some(day) => Ok(Some(day)),
        None => days::param(job, other),
    };
    let today = job.moment.now.div_euclid(DAY_MS);
    let to_day = day("endTime", "end_date")?.unwrap_or(today);
    Ok(CallsQuery {
        from_day: day("startTime", "start_date")?.unwrap_or(to_day - USUAL_DAYS),
        to_day,
        model_group: said(job, "_selected_model_group").or_else(|| said(job, "model_group")),
        slow_from_s: slow_from(job),
        key: said(job, "api_key").map(|key| super::keys::hash_of(&key)),
        customer: said(job, "customer"),
        by,
        ..CallsQuery::default()
    })
}

fn slow_from(job: &Job) -> i64 {
    i64::try_from(job.shared.snapshot().config.general.slow_from.as_secs()).unwrap_or(i64::MAX)
}

/// Where deployments are, for the answers: the address that a deployment was given, without the path of Azure's API.
struct Places(HashMap<String, String>);

impl Places {
    fn of(job: &Job) -> Self {
        let snapshot = job.shared.snapshot();
        let place = |model: &crate::config::Model| {
            let base = model.deployment.params.get("api_base")?.as_str()?;
            let base = base.split_once("/openai/").map_or(base, |(host, _)| host);
            base.contains("https://").then(|| (model.deployment.id.to_string(), base.to_owned()))
        };
        Self(snapshot.config.models.iter().filter_map(place).collect())
    }

    /// The address of a deployment, else its model.
    fn name<'n>(&'n self, deployment: &str, model: &'n str) -> &'n str {
        self.0.get(deployment).map_or(model, String::as_str)
    }

    fn address(&self, deployment: &str) -> Option<&str> {
        self.0.get(deployment).map(String::as_str)
    }
}

/// `a / b` of sums in microseconds, as seconds.
#[expect(clippy::cast_precision_loss, reason = "an average that is shown")]
fn seconds(us: i64, by: i64) -> f64 {
    us as f64 / 1e6 / by as f64
}

/// What a name of a day comes to, until the day is shown.
type Sums = BTreeMap<String, BTreeMap<String, (i64, i64)>>;

/// `{"data": [{"date": …, name: average}], "all_api_bases": […]}`.
fn averages(sums: Sums) -> Value {
    let names: BTreeSet<&String> = sums.values().flat_map(BTreeMap::keys).collect();
    let all = json!(names);
    let day = |(date, named): (String, BTreeMap<String, (i64, i64)>)| {
        let mut day = Map::from_iter([("date".to_owned(), Value::from(date))]);
        day.extend(named.into_iter().map(|(name, (us, by))| (name, seconds(us, by).into())));
        Value::Object(day)
    };
    json!({ "data": sums.into_iter().map(day).collect::<Vec<_>>(), "all_api_bases": all })
}

/// Averages of each day by deployment; `of` says what is divided by what.
async fn daily(job: &Job, of: impl Fn(&CallsRow) -> (i64, i64)) -> Result<Value, Refusal> {
    let query = query(job, vec![CallsBy::Day, CallsBy::Deployment, CallsBy::Model])?;
    let places = Places::of(job);
    let mut sums = Sums::new();
    for row in job.db.calls_report(&query).await? {
        let [day, deployment, model] = row.names.as_slice() else { continue };
        let (us, by) = of(&row);
        if by > 0 {
            let named = sums.entry(days::text(day)).or_default();
            let sum = named.entry(places.name(deployment, model).to_owned()).or_default();
            *sum = (sum.0 + us, sum.1 + by);
        }
    }
    Ok(averages(sums))
}

/// `/model/metrics`: how long a token of the answer took.
async fn per_token(job: &Job) -> Result<Value, Refusal> {
    daily(job, |row| (row.duration_us, row.output_tokens)).await
}

/// `/model/streaming_metrics`: how long the first token took; of a single day call by call.
async fn first_token(job: &Job) -> Result<Value, Refusal> {
    let asked = query(job, Vec::new())?;
    if asked.from_day < asked.to_day {
        return daily(job, |row| (row.first_byte_us, row.streamed)).await;
    }
    let places = Places::of(job);
    let calls = SpendQuery {
        key: asked.key,
        end_user: asked.customer,
        model_group: asked.model_group,
        from: Some(asked.from_day * DAY_MS),
        until: Some((asked.to_day + 1) * DAY_MS),
        page: PageRequest { page: 1, size: MOST_CALLS },
        ..SpendQuery::default()
    };
    let mut sums = Sums::new();
    for row in job.db.spend_rows(&calls).await?.items {
        let Some(us) = row.first_byte_us.filter(|_| row.stream && !row.cache_hit) else { continue };
        let name = places
            .name(row.deployment.as_deref().unwrap_or_default(), row.model.as_deref().unwrap_or_default());
        let at = time(Some(row.started_at)).as_str().unwrap_or_default().to_owned();
        sums.entry(at).or_default().insert(name.to_owned(), (us, 1));
    }
    Ok(averages(sums))
}

/// `/model/metrics/slow_responses`: by deployment, how many calls took longer than `alerting_threshold`.
async fn slow(job: &Job) -> Result<Value, Refusal> {
    let places = Places::of(job);
    let mut named: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in job.db.calls_report(&query(job, vec![CallsBy::Deployment, CallsBy::Model])?).await? {
        let [deployment, model] = row.names.as_slice() else { continue };
        let sum = named.entry(places.name(deployment, model).to_owned()).or_default();
        *sum = (sum.0 + row.calls, sum.1 + row.slow);
    }
    let mut rows: Vec<(String, (i64, i64))> = named.into_iter().collect();
    rows.sort_by_key(|(_, (_, slow))| std::cmp::Reverse(*slow));
    let row = |(name, (calls, slow))| json!({ "api_base": name, "total_count": calls, "slow_count": slow });
    Ok(rows.into_iter().map(row).collect())
}

/// `/model/metrics/exceptions`: by model and address, how many calls failed how.
async fn exceptions(job: &Job) -> Result<Value, Refusal> {
    let by = vec![CallsBy::Deployment, CallsBy::Model, CallsBy::Error];
    let failed = CallsQuery { failed: true, ..query(job, by)? };
    let places = Places::of(job);
    let (mut named, mut kinds) = (Vec::<(String, Map<String, Value>)>::new(), BTreeSet::new());
    for row in job.db.calls_report(&failed).await? {
        let [deployment, model, error] = row.names.as_slice() else { continue };
        let name = match places.address(deployment) {
            Some(address) => format!("{model}-{address}"),
            None => model.clone(),
        };
        let kind = class_of(error);
        kinds.insert(kind.to_owned());
        let place = named.iter().position(|(other, _)| *other == name).unwrap_or(named.len());
        if place == named.len() {
            named.push((name, Map::new()));
        }
        let Some((_, counts)) = named.get_mut(place) else { continue };
        let count = counts.get(kind).and_then(Value::as_i64).unwrap_or(0) + row.calls;
        counts.insert(kind.to_owned(), count.into());
    }
    named.truncate(MOST_EXCEPTIONS);
    let row = |(name, counts): (String, Map<String, Value>)| {
        let mut row = Map::from_iter([("model".to_owned(), Value::from(name))]);
        row.extend(counts);
        Value::Object(row)
    };
    Ok(json!({ "data": named.into_iter().map(row).collect::<Vec<_>>(), "exception_types": kinds }))
}

/// LiteLLM's class of a kind of failure (surface §5.2).
fn class_of(kind: &str) -> &'static str {
    let is = |one: ErrorKind| kind == one.as_str();
    match kind {
        _ if is(ErrorKind::RateLimited) || is(ErrorKind::QuotaExceeded) => "RateLimitError",
        _ if is(ErrorKind::Unauthenticated) => "AuthenticationError",
        _ if is(ErrorKind::Forbidden) => "PermissionDeniedError",
        _ if is(ErrorKind::NotFound) => "NotFoundError",
        _ if is(ErrorKind::Timeout) => "Timeout",
        _ if is(ErrorKind::ContextTooLong) => "ContextWindowExceededError",
        _ if is(ErrorKind::ContentFiltered) => "ContentPolicyViolationError",
        _ if is(ErrorKind::Unsupported) => "UnsupportedParamsError",
        _ if is(ErrorKind::BudgetExceeded) => "BudgetExceededError",
        _ if is(ErrorKind::BadRequest) || is(ErrorKind::TooLarge) => "BadRequestError",
        _ if is(ErrorKind::Overloaded) => "ServiceUnavailableError",
        _ if is(ErrorKind::Unreachable) => "APIConnectionError",
        _ if is(ErrorKind::BadUpstream) => "APIError",
        _ => "InternalServerError",
    }
}

/// Calls to a model group that were refused for a rate, in a range of days that must be given.
async fn limited(job: &Job, by: Vec<CallsBy>) -> Result<Vec<CallsRow>, Refusal> {
    let Some(group) = job.param("model_group") else {
        let mut problem = Refusal::field("missing", "model_group", "Field required", &Value::Null);
        problem["loc"] = json!(["query", "model_group"]);
        return Err(Refusal::Fields(vec![problem]));
    };
    let (Some(from_day), Some(to_day)) = days::range(job)? else {
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, "Please provide start_date and end_date"));
    };
    let status = Some(i64::from(StatusCode::TOO_MANY_REQUESTS.as_u16()));
    let query =
        CallsQuery { from_day, to_day, model_group: Some(group), status, by, ..CallsQuery::default() };
    Ok(job.db.calls_report(&query).await?)
}

/// What a chart of rate limits shows: `Nov 20`, and how many; the first day first.
fn chart(mut days: Vec<(i64, i64)>) -> (Value, i64) {
    days.sort_unstable();
    let sum = days.iter().map(|(_, count)| count).sum();
    let day = |(day, count): &(i64, i64)| {
        let date = days::date(&day.to_string()).map(|date| date.strftime("%b %d").to_string());
        json!({ "date": date, "num_rate_limit_exceptions": count })
    };
    (days.iter().map(day).collect(), sum)
}

async fn rate_limits(job: &Job) -> Result<Value, Refusal> {
    let rows = limited(job, vec![CallsBy::Day]).await?;
    let days = rows.iter().map(|row| (row.names[0].parse().unwrap_or(0), row.calls)).collect();
    let (data, sum) = chart(days);
    Ok(json!({ "daily_data": data, "sum_num_rate_limit_exceptions": sum }))
}

async fn rate_limits_by_deployment(job: &Job) -> Result<Value, Refusal> {
    let places = Places::of(job);
    let mut named: BTreeMap<String, BTreeMap<i64, i64>> = BTreeMap::new();
    for row in limited(job, vec![CallsBy::Day, CallsBy::Deployment, CallsBy::Model]).await? {
        let [day, deployment, model] = row.names.as_slice() else { continue };
        let days = named.entry(places.name(deployment, model).to_owned()).or_default();
        *days.entry(day.parse().unwrap_or(0)).or_default() += row.calls;
    }
    let shown = named.into_iter().map(|(name, days)| (name, chart(days.into_iter().collect())));
    let mut rows: Vec<(String, (Value, i64))> = shown.collect();
    rows.sort_by_key(|(_, (_, sum))| std::cmp::Reverse(*sum));
    rows.truncate(MOST_DEPLOYMENTS);
    let row = |(name, (data, sum))| json!({ "api_base": name, "daily_data": data, "sum_num_rate_limit_exceptions": sum });
    Ok(rows.into_iter().map(row).collect())
}
