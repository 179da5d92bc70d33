//! Teams that are looked for: to be joined, to be picked, and what their users spent.

use std::collections::HashMap;

use gateway_db::{PageRequest, ReportQuery, ScopeKind, ScopeQuery, SpendBy};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::{days, scope_view as view};
use super::{row, teams_of};
use crate::walk::{Caller, Role};

/// The teams that users may join by themselves (`default_internal_user_params.available_teams`).
pub(in crate::admin) fn open_teams(job: &Job) -> Vec<String> {
    let snapshot = job.shared.snapshot();
    let listed = snapshot.config.budgets.internal_user_defaults.get("available_teams");
    let listed = listed.and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `/team/available`: those the caller is not in yet.
pub(super) async fn available(job: &Job) -> Result<Value, Refusal> {
    let mut ids = open_teams(job);
    let user = match &job.caller {
        Caller::Operator => None,
        Caller::Key(entry) => entry.record.settings.user_id.as_deref(),
    };
    if let Some(user) = user {
        let own = teams_of(job, user).await?;
        ids.retain(|id| !own.contains(id));
    }
    if ids.is_empty() {
        return Ok(json!([]));
    }
    let found = job.db.list_scopes(&ScopeQuery { ids, ..ScopeQuery::of(ScopeKind::Team) }).await?.items;
    let mut rows = Vec::with_capacity(found.len());
    for team in &found {
        let members = job.members(ScopeKind::TeamMember, &team.id.id).await?;
        let members = view::team(team, job.spent(team), &members).remove("members_with_roles");
        rows.push(json!({
            "team_id": team.id.id,
            "team_alias": team.settings.alias,
            "description": team.settings.metadata.get("description"),
            "members_with_roles": members,
            "models": team.settings.models,
        }));
    }
    Ok(Value::Array(rows))
}

/// `/team/filter/ui`: teams by a part of their id or alias.
pub(super) async fn filtered(job: &Job) -> Result<Value, Refusal> {
    let (id, alias) = (job.param("team_id"), job.param("team_alias"));
    let mut query = ScopeQuery::of(ScopeKind::Team);
    query.search = alias.or_else(|| id.clone());
    query.page = page(job);
    let mut rows = Vec::new();
    for team in job.db.list_scopes(&query).await?.items {
        if id.as_ref().is_none_or(|id| team.id.id.contains(id.as_str()) || query.search.as_ref() == Some(id))
        {
            rows.push(row(job, &team).await?);
        }
    }
    Ok(Value::Array(rows))
}

/// The page that somebody picks from.
pub(in crate::admin) fn page(job: &Job) -> PageRequest {
    let number = |name: &str, usual: u64| job.param(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    PageRequest { page: number("page", 1).max(1), size: number("page_size", 50).clamp(1, 100) }
}

/// `/team/spend/by_user`: what the users of teams spent there in a range of days.
pub(super) async fn spend_by_user(job: &Job) -> Result<Value, Refusal> {
    let bad = |words: &str| Refusal::detail(StatusCode::BAD_REQUEST, words);
    let (Some(from), Some(to)) = days::range(job)? else {
        return Err(bad("Please provide start_date and end_date"));
    };
    let listed = job.param("team_ids").unwrap_or_default();
    let teams: Vec<String> =
        listed.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if teams.is_empty() {
        return Err(bad("Please provide team_ids"));
    }
    if job.caller.role() == Role::Other {
        let seen = job.teams_seen().await?.unwrap_or_default();
        if let Some(other) = teams.iter().find(|team| !seen.contains(team)) {
            let message = format!("Team not found, passed team_id={other}");
            return Err(Refusal::detail(StatusCode::NOT_FOUND, message));
        }
    }
    let query = ReportQuery {
        from_day: Some(from),
        to_day: Some(to),
        only: vec![(SpendBy::Team, teams)],
        by: vec![SpendBy::Team, SpendBy::User],
        ..ReportQuery::default()
    };
    let found = job.db.spend_report(&query).await?;
    let id = |at: usize| found.iter().filter_map(move |row| row.names.get(at).cloned());
    let teams = names(job, ScopeKind::Team, id(0).collect()).await?;
    let users = names(job, ScopeKind::User, id(1).collect()).await?;
    let rows: Vec<Value> = found
        .iter()
        .map(|row| {
            let [team, user] = [0, 1].map(|at| row.names.get(at).map_or("", String::as_str));
            let (sums, person) = (&row.sums, users.get(user));
            json!({
                "team_id": team,
                "team_alias": teams.get(team).and_then(|(alias, _)| alias.as_ref()),
                "user_id": user,
                "user_email": person.and_then(|(_, email)| email.as_ref()),
                "user_alias": person.and_then(|(alias, _)| alias.as_ref()),
                "spend": sums.cost.as_usd(),
                "prompt_tokens": sums.input_tokens,
                "completion_tokens": sums.output_tokens,
                "total_tokens": sums.input_tokens + sums.output_tokens,
                "api_requests": sums.requests,
                "successful_requests": sums.requests - sums.failed,
                "failed_requests": sums.failed,
            })
        })
        .collect();
    let text = |day: i64| days::text(&day.to_string());
    Ok(json!({ "start_date": text(from), "end_date": text(to), "results": rows }))
}

/// Alias and mail address of each, by id.
async fn names(
    job: &Job,
    kind: ScopeKind,
    mut ids: Vec<String>,
) -> Result<HashMap<String, (Option<String>, Option<String>)>, Refusal> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = job.db.list_scopes(&ScopeQuery { ids, ..ScopeQuery::of(kind) }).await?.items;
    Ok(found
        .into_iter()
        .map(|record| (record.id.id, (record.settings.alias, record.settings.email)))
        .collect())
}
