//! `/spend/*` and `/global/*`: what was spent, by whom, on what (surface §3.8). Sums come from the daily
//! sums; only lists of single calls look at the spend log.

use gateway_db::{
    KeyQuery, PageRequest, ReportQuery, ReportRow, SPEND_ROWS_COUNTED, ScopeKind, ScopeQuery, SpendBy,
    SpendQuery, SpendRow,
};
use http::StatusCode;
use llm_types::{Error, ErrorKind};
use serde_json::{Map, Value, json};

use super::job::{Job, written};
use super::refusal::Refusal;
use super::spend_names::{self, NamesOf};
use super::{cache_activity, capture_rate, days, scope_view, spend_query, spend_row, tag_usage, tool_spend};

mod global;
mod report;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpendAction {
    Logs,
    LogsPaged,
    Session,
    Keys,
    Users,
    Tags,
    Global,
    GlobalLogs,
    GlobalKeys,
    GlobalTeams,
    GlobalModels,
    GlobalProviders,
    GlobalTags,
    TagNames,
    TagsDistinct,
    TagSummary,
    AllCustomers,
    GlobalCustomers,
    Report,
    Activity,
    ActivityByModel,
    Providers,
    ResetAll,
    /// What was said in a call.
    Said,
    CacheHits,
    Names(NamesOf),
    /// What a provider billed, beside what was booked.
    CaptureRate,
    /// By the tools that answers invoked.
    Tools,
    /// Sums that are kept with the ledger are never stale.
    Refresh,
}

impl SpendAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        self != Self::ResetAll
    }

    /// Whether who is no administrator sees it, of what is its own.
    pub(super) fn is_scoped(self) -> bool {
        matches!(
            self,
            Self::Logs
                | Self::LogsPaged
                | Self::Session
                | Self::Keys
                | Self::Users
                | Self::Tags
                | Self::Activity
                | Self::ActivityByModel
                | Self::Said
                | Self::CacheHits
                | Self::Names(_)
        )
    }
}

/// Answers a question about spend.
pub(super) async fn run(job: Job, action: SpendAction, path: &str) -> Result<Vec<u8>, Refusal> {
    let value = match action {
        SpendAction::Logs => logs(&job).await?,
        SpendAction::LogsPaged => listed(&job, path).await?,
        SpendAction::Session => session(&job).await?,
        SpendAction::Keys => keys(&job).await?,
        SpendAction::Users => users(&job).await?,
        SpendAction::Tags => tags(&job, "individual_request_tag", "total_spend").await.map(Value::Array)?,
        SpendAction::Global => global::total(&job).await?,
        SpendAction::GlobalLogs => global::by_day(&job).await?,
        SpendAction::GlobalKeys => global::by_keys(&job).await?,
        SpendAction::GlobalTeams => global::by_teams(&job).await?,
        SpendAction::GlobalModels => global::named(&job, SpendBy::Model, "model", "total_spend").await?,
        SpendAction::GlobalProviders => {
            days::both(&job)?;
            global::named(&job, SpendBy::Provider, "provider", "spend").await?
        }
        SpendAction::GlobalTags => {
            if let (None, _) | (_, None) = days::range(&job)? {
                return Err(Error::new(ErrorKind::BadRequest, days::BOTH)
                    .with_vendor_type("bad_request")
                    .into());
            }
            json!({ "spend_per_tag": tags(&job, "name", "spend").await? })
        }
        SpendAction::TagNames => tag_names(&job).await?,
        SpendAction::TagsDistinct => tag_usage::distinct(&job).await?,
        SpendAction::TagSummary => tag_usage::summary(&job).await?,
        SpendAction::AllCustomers => global::all_customers(&job).await?,
        SpendAction::GlobalCustomers => global::customers(&job).await?,
        SpendAction::Report => return report::run(&job).await,
        SpendAction::Activity => activity(&job).await?,
        SpendAction::ActivityByModel => activity_by_model(&job).await?,
        SpendAction::Providers => global::providers(&job).await?,
        SpendAction::ResetAll => global::reset_all(&job).await?,
        SpendAction::Said => said(&job).await?,
        SpendAction::CacheHits => cache_activity::run(&job).await?,
        SpendAction::CaptureRate => capture_rate::run(&job).await?,
        SpendAction::Tools => tool_spend::run(&job).await?,
        SpendAction::Names(of) => spend_names::run(&job, of).await?,
        SpendAction::Refresh => {
            json!({ "message": "nothing to refresh: sums are kept with every call", "status": "success" })
        }
    };
    written(&value)
}

/// The sums of a range of days, split.
pub(super) async fn sums(
    job: &Job,
    of: Option<ScopeKind>,
    by: &[SpendBy],
) -> Result<Vec<ReportRow>, Refusal> {
    let (from_day, to_day) = days::range(job)?;
    let only = narrowed(job, of).await?;
    let query = ReportQuery { of, from_day, to_day, only, by: by.to_vec(), ..ReportQuery::default() };
    Ok(job.db.spend_report(&query).await?)
}

/// Whose sums a request asks for: those of a key, a user, a team.
async fn narrowed(job: &Job, of: Option<ScopeKind>) -> Result<Vec<(SpendBy, Vec<String>)>, Refusal> {
    let mut only = Vec::new();
    for (name, by) in [("api_key", SpendBy::Key), ("user_id", SpendBy::User), ("team_id", SpendBy::Team)] {
        if let Some(value) = job.param(name).filter(|_| of.is_none() || by == SpendBy::Key) {
            let value = if by == SpendBy::Key { super::keys::hash_of(&value).to_string() } else { value };
            only.push((by, vec![value]));
        }
    }
    // Sums of tags and customers name keys, but not whose they are.
    if let (Some(_), Some(user)) = (of, job.param("user_id")) {
        only.push((SpendBy::Key, job.key_hashes_of(user).await?));
    }
    Ok(only)
}

/// The sums of a range of days that have these values, split; only calls, tokens and cost.
async fn sums_where(
    job: &Job,
    of: Option<ScopeKind>,
    by: &[SpendBy],
    only: Vec<(SpendBy, Vec<String>)>,
) -> Result<Vec<ReportRow>, Refusal> {
    let (from_day, to_day) = days::range(job)?;
    let without = Vec::new();
    let query = ReportQuery { of, from_day, to_day, only, without, by: by.to_vec(), brief: true };
    Ok(job.db.spend_report(&query).await?)
}

/// `/spend/logs`: an element per day, or with `summarize=false` or a `request_id` the calls themselves.
async fn logs(job: &Job) -> Result<Value, Refusal> {
    let single = job.param("request_id").is_some();
    if single || job.param("summarize").is_some_and(|word| word.eq_ignore_ascii_case("false")) {
        return calls(job).await;
    }
    let mut list: Vec<(String, Map<String, Value>)> = Vec::new();
    let mut rows = sums(job, None, &[SpendBy::Day, SpendBy::Key, SpendBy::User, SpendBy::Model]).await?;
    rows.sort_by_key(|row| row.names[0].parse::<i64>().unwrap_or(0));
    for row in rows {
        let [day, key, user, model] = row.names.as_slice() else { continue };
        if list.last().is_none_or(|(last, _)| last != day) {
            let element = json!({ "startTime": days::text(day), "spend": 0.0, "users": {}, "models": {} });
            let Value::Object(element) = element else { continue };
            list.push((day.clone(), element));
        }
        let Some((_, element)) = list.last_mut() else { continue };
        let cost = row.sums.cost.as_usd();
        add(element, "spend", cost);
        add(element, key, cost);
        for (part, name) in [("users", user), ("models", model)] {
            if let Some(Value::Object(part)) = element.get_mut(part) {
                add(part, name, cost);
            }
        }
    }
    Ok(list.into_iter().map(|(_, element)| Value::Object(element)).collect())
}

/// The calls that match, all of them, or with `page` one page. LiteLLM answers with any number of them; more than are
/// counted are refused here, so that nobody takes a part for the whole.
async fn calls(job: &Job) -> Result<Value, Refusal> {
    let page = match job.param("page") {
        Some(_) => page(job, 1_000, SPEND_ROWS_COUNTED),
        None => PageRequest { page: 1, size: SPEND_ROWS_COUNTED },
    };
    let found = job.db.spend_rows(&spend_query::read(job, page).await?).await?;
    if job.param("page").is_none() && found.total > SPEND_ROWS_COUNTED {
        let message = format!(
            "more than {SPEND_ROWS_COUNTED} calls match: ask for pages with `page` and `page_size`, or for fewer with \
             `start_date`, `end_date`, `api_key` or `user_id`"
        );
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, &message));
    }
    Ok(rows(job, &found.items).into())
}

/// Rows as they are shown.
fn rows(job: &Job, found: &[SpendRow]) -> Vec<Value> {
    let snapshot = job.shared.snapshot();
    let fields = snapshot.config.general.row_metadata.as_ref();
    found.iter().map(|row| spend_row::row(row, fields)).collect()
}

/// The page that is asked for.
fn page(job: &Job, size: u64, most: u64) -> PageRequest {
    let number =
        |name: &str, default: u64| job.param(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    PageRequest { page: number("page", 1).max(1), size: number("page_size", size).clamp(1, most) }
}

fn add(map: &mut Map<String, Value>, name: &str, usd: f64) {
    let sum = map.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    map.insert(name.to_owned(), json!(sum + usd));
}

/// `/spend/logs/session/ui`: the calls of one session.
async fn session(job: &Job) -> Result<Value, Refusal> {
    job.param("session_id").ok_or_else(|| Refusal::missing("session_id"))?;
    logs_paged(job, spend_query::read(job, page(job, 50, 100)).await?).await
}

/// `/spend/logs/v2` and `/spend/logs/ui`: a part of a session's id will do. The dashboard always says the last day, so
/// there a call that is named by its id is found whenever it was.
async fn listed(job: &Job, path: &str) -> Result<Value, Refusal> {
    let mut query = spend_query::read(job, page(job, 50, 100)).await?;
    query.session_part = query.session_id.take();
    if path == "/spend/logs/ui" && query.request_id.is_some() && query.search.is_none() {
        (query.from, query.until) = (None, None);
    }
    logs_paged(job, query).await
}

async fn logs_paged(job: &Job, query: SpendQuery) -> Result<Value, Refusal> {
    let page = query.page;
    let found = job.db.spend_rows(&query).await?;
    let (total, capped) = (found.total.min(SPEND_ROWS_COUNTED), found.total > SPEND_ROWS_COUNTED);
    let pages = total.div_ceil(page.size);
    let mut rows = rows(job, &found.items);
    let sessions = job.db.session_sums(&found.items).await?;
    for (shown, row) in rows.iter_mut().zip(&found.items) {
        let key = row.key.as_ref().map_or("", |key| key.as_str());
        let of = row.session_id.as_ref().and_then(|id| sessions.get(&(id.clone(), key.to_owned())));
        spend_row::tell_session(shown, of);
    }
    let (page, size) = (page.page, page.size);
    Ok(json!({
        "data": rows,
        "total": total,
        "page": page,
        "page_size": size,
        "total_pages": pages,
        "total_is_capped": capped,
    }))
}

/// `/spend/logs/ui/{request_id}`: what was asked and answered in a call, where that is kept
/// (`store_prompts_in_spend_logs`).
async fn said(job: &Job) -> Result<Value, Refusal> {
    let id = job.named.clone().unwrap_or_default();
    let page = PageRequest { page: 1, size: 1 };
    let query = SpendQuery {
        request_id: Some(id.clone()),
        from: None,
        until: None,
        ..spend_query::read(job, page).await?
    };
    let found = job.db.spend_rows(&query).await?.items;
    let row = found.first().ok_or_else(|| {
        Refusal::detail(StatusCode::NOT_FOUND, format!("no call with the id `{id}` is in the spend log"))
    })?;
    let told = spend_row::told(row);
    let said = |name: &str| told.get(name).cloned().unwrap_or_else(|| json!({}));
    Ok(json!({
        "request_id": row.request_id,
        "messages": said("messages"),
        "response": said("response"),
        "proxy_server_request": said("proxy_server_request"),
    }))
}

async fn keys(job: &Job) -> Result<Value, Refusal> {
    let mut keys = job.all_keys(KeyQuery { user_id: job.param("user_id"), ..KeyQuery::default() }).await?;
    keys.sort_by_key(|key| std::cmp::Reverse(key.spend));
    Ok(job.full_all(&keys).await?.into())
}

async fn users(job: &Job) -> Result<Value, Refusal> {
    let mut query = ScopeQuery::of(ScopeKind::User);
    query.ids.extend(job.param("user_id"));
    let mut users = job.db.list_scopes(&query).await?.items;
    users.sort_by_key(|user| std::cmp::Reverse(user.spend));
    let row = |user| Value::Object(scope_view::user(user, job.spent(user), &[]));
    let mut rows: Vec<Value> = users.iter().map(row).collect();
    job.tell_models(SpendBy::User, "user_id", &mut rows).await?;
    Ok(rows.into())
}

async fn tags(job: &Job, name: &str, spend: &str) -> Result<Vec<Value>, Refusal> {
    let rows = sums(job, Some(ScopeKind::Tag), &[SpendBy::Scope]).await?;
    let row = |row: ReportRow| json!({ name: row.names[0], spend: row.sums.cost.as_usd(), "log_count": row.sums.requests });
    Ok(rows.into_iter().map(row).collect())
}

async fn tag_names(job: &Job) -> Result<Value, Refusal> {
    let mut names: Vec<String> = sums(job, Some(ScopeKind::Tag), &[SpendBy::Scope])
        .await?
        .into_iter()
        .flat_map(|row| row.names)
        .collect();
    names.sort_unstable();
    Ok(json!({ "tag_names": names }))
}

async fn activity(job: &Job) -> Result<Value, Refusal> {
    days::both(job)?;
    Ok(activity_of(sums(job, None, &[SpendBy::Day]).await?))
}

async fn activity_by_model(job: &Job) -> Result<Value, Refusal> {
    days::both(job)?;
    let mut models: Vec<(String, Vec<ReportRow>)> = Vec::new();
    for mut row in sums(job, None, &[SpendBy::Day, SpendBy::ModelGroup]).await? {
        let model = row.names.pop().unwrap_or_default();
        match models.iter_mut().find(|(name, _)| *name == model) {
            Some((_, rows)) => rows.push(row),
            None => models.push((model, vec![row])),
        }
    }
    let models = models.into_iter().map(|(model, rows)| {
        let mut activity = activity_of(rows);
        activity["model"] = json!(model);
        activity
    });
    Ok(models.collect())
}

fn activity_of(mut rows: Vec<ReportRow>) -> Value {
    rows.sort_by_key(|row| row.names[0].parse::<i64>().unwrap_or(0));
    let tokens = |row: &ReportRow| row.sums.input_tokens + row.sums.output_tokens;
    let day = |row: &ReportRow| {
        let date = days::date(&row.names[0]).map(|date| date.strftime("%b %d").to_string());
        json!({ "date": date, "api_requests": row.sums.requests, "total_tokens": tokens(row) })
    };
    json!({
        "daily_data": rows.iter().map(day).collect::<Vec<_>>(),
        "sum_api_requests": rows.iter().map(|row| row.sums.requests).sum::<i64>(),
        "sum_total_tokens": rows.iter().map(tokens).sum::<i64>(),
    })
}
