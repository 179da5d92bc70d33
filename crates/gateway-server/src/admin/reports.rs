//! `/key|user|team|organization/spend/report`: what somebody's keys spent in a range of days, key by key and
//! model by model (surface §3.8). Everybody sees their own; an administrator all.

use std::collections::HashMap;

use gateway_db::{ReportQuery, ReportRow, ScopeKind, ScopeQuery, SpendBy, SpendSums};
use http::StatusCode;
use serde_json::{Value, json};

use super::job::Job;
use super::keys::hash_of;
use super::refusal::Refusal;
use super::{days, rights};
use crate::walk::{Caller, Role};

/// Whose spend is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportOf {
    Key,
    User,
    Team,
    Organization,
}

impl ReportOf {
    /// The parameter that names one.
    const fn param(self) -> &'static str {
        match self {
            Self::Key => "api_key",
            Self::User => "internal_user_id",
            Self::Team => "team_id",
            Self::Organization => "organization_id",
        }
    }
}

/// Answers with a report.
pub(super) async fn run(job: Job, of: ReportOf) -> Result<Value, Refusal> {
    let range = range(&job)?;
    let id = whose(&job, of).await?;
    let with_teams = of == ReportOf::Organization;
    let mut rows = Vec::new();
    for only in selections(&job, of, id).await? {
        let by = vec![SpendBy::Key, SpendBy::Model, SpendBy::Team];
        let query = ReportQuery {
            from_day: Some(range.0),
            to_day: Some(range.1),
            only: only.0,
            without: only.1,
            by,
            ..ReportQuery::default()
        };
        rows.extend(job.db.spend_report(&query).await?);
    }
    Ok(written(rows, with_teams))
}

fn refused(status: StatusCode, words: impl Into<String>) -> Refusal {
    Refusal::Detail(status, Value::String(words.into()))
}

/// The range of days, which must be given.
fn range(job: &Job) -> Result<(i64, i64), Refusal> {
    let bad = |words: &str| refused(StatusCode::BAD_REQUEST, words);
    let wrong = |_| bad("start_date and end_date must be in YYYY-MM-DD format");
    let range = days::range(job).map_err(wrong)?;
    match range {
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err(bad("Please provide start_date and end_date")),
    }
}

/// Whom the report is of: who is named, or the caller itself. `None` is everybody, for administrators.
async fn whose(job: &Job, of: ReportOf) -> Result<Option<String>, Refusal> {
    let named = job.param(of.param()).map(|id| match of {
        ReportOf::Key => hash_of(&id).to_string(),
        _ => id,
    });
    if job.caller.role() != Role::Other {
        return Ok(named);
    }
    let Caller::Key(entry) = &job.caller else { return Ok(named) };
    let settings = &entry.record.settings;
    if of == ReportOf::Organization {
        let id = named.or_else(|| settings.organization_id.clone());
        let administered = rights::organizations(job).await?;
        return match id.filter(|id| administered.contains(id)) {
            Some(id) => Ok(Some(id)),
            None => Err(refused(StatusCode::FORBIDDEN, "You do not have access to this organization")),
        };
    }
    let own = match of {
        ReportOf::Key => Some(entry.record.hash.to_string()),
        ReportOf::User => settings.user_id.clone(),
        _ => settings.team_id.clone(),
    };
    match (named, own) {
        (None, Some(own)) => Ok(Some(own)),
        (Some(named), Some(own)) if named == own => Ok(Some(own)),
        (None, None) => {
            let words = format!("this key belongs to no {}: there is nothing to report", of.param());
            Err(refused(StatusCode::FORBIDDEN, words))
        }
        (Some(_), _) => {
            let words = format!("Not authorized to view spend for a {} other than your own", of.param());
            Err(refused(StatusCode::FORBIDDEN, words))
        }
    }
}

type Filter = Vec<(SpendBy, Vec<String>)>;

/// What is to be added up: what has these values, and not those. An organisation has keys of its own and keys
/// of its teams.
async fn selections(job: &Job, of: ReportOf, id: Option<String>) -> Result<Vec<(Filter, Filter)>, Refusal> {
    let Some(id) = id else { return Ok(vec![(Vec::new(), Vec::new())]) };
    let only = |by, values| vec![(by, values)];
    Ok(match of {
        ReportOf::Key => vec![(only(SpendBy::Key, vec![id]), Vec::new())],
        ReportOf::User => vec![(only(SpendBy::User, vec![id]), Vec::new())],
        ReportOf::Team => vec![(only(SpendBy::Team, vec![id]), Vec::new())],
        ReportOf::Organization => {
            let teams = teams_of(job, &id).await?;
            let direct = only(SpendBy::Organization, vec![id]);
            let mut selections = vec![(direct.clone(), Vec::new())];
            if !teams.is_empty() {
                selections.push((only(SpendBy::Team, teams), direct));
            }
            selections
        }
    })
}

async fn teams_of(job: &Job, organization: &str) -> Result<Vec<String>, Refusal> {
    let query =
        ScopeQuery { organization_id: Some(organization.to_owned()), ..ScopeQuery::of(ScopeKind::Team) };
    Ok(job.db.list_scopes(&query).await?.items.into_iter().map(|team| team.id.id).collect())
}

/// One element per key, the dearest first, with its models in it.
fn written(rows: Vec<ReportRow>, with_teams: bool) -> Value {
    let mut keys: Vec<(String, SpendSums, Vec<Value>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in merged(rows, with_teams) {
        let [key, model, team] = &row.names[..] else { continue };
        let mut detail = figures(&row.sums);
        detail["model"] = json!(model);
        if with_teams {
            detail["team_id"] = json!(team);
        }
        let place = *places.entry(key.clone()).or_insert(keys.len());
        match keys.get_mut(place) {
            Some((_, sums, models)) => {
                sums.add(&row.sums);
                models.push(detail);
            }
            None => keys.push((key.clone(), row.sums, vec![detail])),
        }
    }
    keys.sort_by_key(|(_, sums, _)| std::cmp::Reverse(sums.cost));
    let element = |(key, sums, models): (String, SpendSums, Vec<Value>)| {
        let mut element = figures(&sums);
        element["api_key"] = json!(key);
        element["model_details"] = Value::Array(models);
        element
    };
    keys.into_iter().map(element).collect()
}

/// Without teams, the sums of a key that changed its team are one.
fn merged(rows: Vec<ReportRow>, with_teams: bool) -> Vec<ReportRow> {
    if with_teams {
        return rows;
    }
    let mut merged: Vec<ReportRow> = Vec::new();
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    for row in rows {
        let place = *places.entry(row.names[..2].to_vec()).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(known) => known.sums.add(&row.sums),
            None => merged.push(row),
        }
    }
    merged
}

fn figures(sums: &SpendSums) -> Value {
    json!({
        "total_cost": sums.cost.as_usd(),
        "total_input_tokens": sums.input_tokens,
        "total_output_tokens": sums.output_tokens,
    })
}
