//! What the members of a team may do with its keys (`team_member_permissions`).

use gateway_db::{Change, JsonMap, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::ScopeEdit;
use super::existing;

/// Where a team keeps them.
const NAME: &str = "team_member_permissions";

/// What may be permitted, as LiteLLM lists it (surface §3.5).
const AVAILABLE: &[&str] = &[
    "/key/generate",
    "/key/update",
    "/key/delete",
    "/key/info",
    "/key/regenerate",
    "/key/service-account/generate",
    "/key/{key_id}/regenerate",
    "/key/list",
    "/key/block",
    "/key/unblock",
    "/key/bulk_update",
    "/team/key/bulk_update",
    "/team/daily/activity",
    "/team/daily/activity/aggregated",
    "/team/daily/activity/aggregated/keys",
    "/team/daily/activity/aggregated/search",
    "/team/daily/activity/aggregated/model_top_keys",
    "/team/daily/activity/export",
    "/spend/logs",
    "/spend/logs/v2",
    "/key/{key_id}/reset_spend",
    "/key/aliases",
    "/key/access_group_assignment",
    "/auto_router/manage",
];

/// `/team/permissions_list`
pub(super) async fn list(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = job.param("team_id") else {
        return Err(Refusal::missing("team_id"));
    };
    let team = existing(job, &id).await?;
    Ok(json!({
        "team_id": id,
        NAME: permitted(&team),
        "all_available_permissions": AVAILABLE,
    }))
}

fn permitted(team: &ScopeRecord) -> Value {
    team.settings.extra.get(NAME).filter(|listed| listed.is_array()).cloned().unwrap_or_else(|| json!([]))
}

/// `/team/permissions_update`
pub(super) async fn set(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("team_id");
    let wanted = read(fields)?.1;
    let team = existing(job, &id).await?;
    let record = permit(job, &team, &wanted).await?;
    Ok(Value::Object(super::row(job, &record).await?))
}

/// `/team/permissions_bulk_update`: the same for several teams, or for all; what they permit already stays.
pub(super) async fn set_several(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let all = fields.flag("apply_to_all_teams") == Change::Set(true);
    let ids = match fields.texts("team_ids") {
        Change::Set(ids) => ids,
        Change::Keep | Change::Clear => Vec::new(),
    };
    if all != ids.is_empty() {
        let message = "Provide either `team_ids` or `apply_to_all_teams: true`";
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
    }
    let (name, wanted) = read(fields)?;
    let teams = match all {
        true => job.db.list_scopes(&ScopeQuery::of(ScopeKind::Team)).await?.items,
        false => {
            let mut teams = Vec::with_capacity(ids.len());
            for id in &ids {
                teams.push(existing(job, id).await?);
            }
            teams
        }
    };
    for team in &teams {
        let mut more = texts_of(&permitted(team));
        more.extend(wanted.iter().cloned());
        more.sort_unstable();
        more.dedup();
        permit(job, team, &more).await?;
    }
    let message = "Team member permissions updated successfully";
    Ok(json!({ "message": message, "teams_updated": teams.len(), name: wanted }))
}

fn texts_of(listed: &Value) -> Vec<String> {
    listed.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The permissions that a request lists, by which name; unknown ones are refused.
fn read(mut fields: Fields) -> Result<(&'static str, Vec<String>), Refusal> {
    let name = if fields.has("permissions") && !fields.has(NAME) { "permissions" } else { NAME };
    let listed = fields.required_texts(name);
    fields.finish()?;
    match listed.iter().find(|route| !AVAILABLE.contains(&route.as_str())) {
        None => Ok((name, listed)),
        Some(unknown) => {
            let message = format!("Invalid permission `{unknown}`: expected one of {}", AVAILABLE.join(", "));
            Err(Refusal::detail(StatusCode::BAD_REQUEST, message))
        }
    }
}

async fn permit(job: &Job, team: &ScopeRecord, routes: &[String]) -> Result<ScopeRecord, Refusal> {
    let extra = JsonMap::from_iter([(NAME.to_owned(), json!(routes))]);
    job.edit(&team.id, ScopeEdit { extra, ..ScopeEdit::default() }).await
}
