//! What the members of a team may do with its keys (`team_member_permissions`).

use gateway_db::{Change, JsonMap, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::scope_fields::ScopeEdit;
use super::super::shapes::PERMISSIONS;
use super::existing;

/// Where a team keeps them.
const NAME: &str = "team_member_permissions";

/// `/team/permissions_list`
pub(super) async fn list(job: &Job) -> Result<Value, Refusal> {
    let Some(id) = job.param("team_id") else {
        return Err(Refusal::missing("team_id"));
    };
    let team = existing(job, &id).await?;
    Ok(json!({
        "team_id": id,
        NAME: permitted(&team),
        "all_available_permissions": PERMISSIONS,
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
    super::row(job, &record).await
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
    match listed.iter().find(|route| !PERMISSIONS.contains(&route.as_str())) {
        None => Ok((name, listed)),
        Some(unknown) => {
            let message =
                format!("Invalid permission `{unknown}`: expected one of {}", PERMISSIONS.join(", "));
            Err(Refusal::detail(StatusCode::BAD_REQUEST, message))
        }
    }
}

async fn permit(job: &Job, team: &ScopeRecord, routes: &[String]) -> Result<ScopeRecord, Refusal> {
    let extra = JsonMap::from_iter([(NAME.to_owned(), json!(routes))]);
    job.edit(&team.id, ScopeEdit { extra, ..ScopeEdit::default() }).await
}
