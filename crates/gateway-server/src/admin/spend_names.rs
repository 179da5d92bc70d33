//! `/management/v1/spend_logs/*`: who is named in the calls of some days, for lists to choose from. The names come
//! from daily sums, so that a window of hours is looked at as the days it lies in.

use std::collections::BTreeSet;

use gateway_db::{KeyQuery, ReportQuery, ScopeKind, SpendBy};
use http::StatusCode;
use serde_json::{Value, json};

use super::job::Job;
use super::refusal::Refusal;
use super::rights::{self, SpendScope};
use super::{days, query};

/// Whose names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamesOf {
    Customers,
    Users,
}

impl NamesOf {
    const fn path(self) -> &'static str {
        match self {
            Self::Customers => "/management/v1/spend_logs/end_users",
            Self::Users => "/management/v1/spend_logs/users",
        }
    }
}

const FROM: &str = "filter[startTime][gte]";
const TO: &str = "filter[startTime][lte]";
/// What may be asked.
const ALLOWED: [&str; 5] = [FROM, TO, "page", "page_size", "q"];
/// Names of a page unless told, and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

/// Answers with a page of names.
pub(super) async fn run(job: &Job, of: NamesOf) -> Result<Value, Refusal> {
    query::only(job.query.as_deref(), &ALLOWED)?;
    let range = (day(job, FROM)?, day(job, TO)?);
    let (page, size) = (number(job, "page", 1, usize::MAX)?, number(job, "page_size", PAGE, LARGEST_PAGE)?);
    let mut names = found(job, of, range).await?;
    if let Some(text) = job.param("q").map(|text| text.to_lowercase()) {
        names.retain(|name| name.to_lowercase().contains(&text));
    }
    let first = (page - 1).saturating_mul(size);
    let has_more = names.len() > first.saturating_add(size);
    let shown: Vec<String> = names.into_iter().skip(first).take(size).collect();
    let link = |page: usize| {
        let query = query::with(job.query.as_deref(), "page", &page.to_string());
        format!("{}?{}", of.path(), query::with(Some(&query), "page_size", &size.to_string()))
    };
    Ok(json!({
        "data": shown,
        "meta": { "page": page, "page_size": size, "has_more": has_more },
        "links": {
            "self": link(page),
            "prev": (page > 1).then(|| link(page - 1)),
            "next": has_more.then(|| link(page + 1)),
        },
    }))
}

fn invalid(name: &str, words: &str) -> Refusal {
    let words = format!("{name}: {words}");
    Refusal::problem(StatusCode::BAD_REQUEST, "invalid-query-parameter", &words, &ALLOWED)
}

/// The day of a bound of the window, which must be given.
fn day(job: &Job, name: &str) -> Result<i64, Refusal> {
    match days::param(job, name) {
        Ok(Some(day)) => Ok(day),
        Ok(None) => Err(invalid(name, "Field required")),
        Err(_) => Err(invalid(name, "expected a time such as `2026-11-20T08:00:00Z`")),
    }
}

fn number(job: &Job, name: &str, usual: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = job.param(name) else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| invalid(name, &format!("is `{text}`, expected a number from 1 to {most}")))
}

/// The names, each once, in order: all of them for administrators, else those in calls of the caller and of the
/// teams it runs.
async fn found(job: &Job, of: NamesOf, (from, to): (i64, i64)) -> Result<BTreeSet<String>, Refusal> {
    let (kind, by) = match of {
        NamesOf::Customers => (Some(ScopeKind::Customer), SpendBy::Scope),
        NamesOf::Users => (None, SpendBy::User),
    };
    let base = ReportQuery {
        of: kind,
        from_day: Some(from),
        to_day: Some(to),
        by: vec![by],
        brief: true,
        ..ReportQuery::default()
    };
    let mut names = BTreeSet::new();
    for only in narrowed(job, of).await? {
        let query = ReportQuery { only, ..base.clone() };
        let rows = job.db.spend_report(&query).await?;
        names.extend(rows.into_iter().flat_map(|row| row.names).filter(|name| !name.is_empty()));
    }
    Ok(names)
}

type Only = Vec<(SpendBy, Vec<String>)>;

/// What sums are looked at: everybody's, or those of the caller and of its teams. Sums of customers name keys, but not
/// whose they are.
async fn narrowed(job: &Job, of: NamesOf) -> Result<Vec<Only>, Refusal> {
    let (user, teams) = match rights::spend_scope(job).await? {
        SpendScope::All => return Ok(vec![Vec::new()]),
        SpendScope::Own { user, teams } => (user, teams),
    };
    if of == NamesOf::Users {
        let own = vec![(SpendBy::User, vec![user])];
        let of_teams = (!teams.is_empty()).then(|| vec![(SpendBy::Team, teams)]);
        return Ok(std::iter::once(own).chain(of_teams).collect());
    }
    let mut keys = job.all_keys(KeyQuery { user_id: Some(user), ..KeyQuery::default() }).await?;
    for team in teams {
        keys.extend(job.all_keys(KeyQuery { team_id: Some(team), ..KeyQuery::default() }).await?);
    }
    Ok(vec![vec![(SpendBy::Key, keys.iter().map(|key| key.hash.to_string()).collect())]])
}
