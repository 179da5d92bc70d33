//! `/v1/access_group` and `/v1/unified_access_group`: models that teams and keys may use besides their own
//! lists, by belonging to a group (surface §3.7, §14.5).

use gateway_db::{
    Change, DbErrorKind, JsonMap, KeyPatch, KeyQuery, ScopeId, ScopeKind, ScopeQuery, ScopeRecord,
};
use http::StatusCode;
use llm_types::Money;
use serde_json::{Value, json};

use super::fields::{Fields, always};
use super::job::Job;
use super::keys::hash_of;
use super::refusal::Refusal;
use super::scope_fields::ScopeEdit;
use super::view::time;
use crate::identity::new_id;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessGroupAction {
    New,
    List,
    Info,
    Update,
    Delete,
}

impl AccessGroupAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::Info | Self::List)
    }

    /// The status of success.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::New => StatusCode::CREATED,
            Self::Delete => StatusCode::NO_CONTENT,
            Self::List | Self::Info | Self::Update => StatusCode::OK,
        }
    }
}

/// Where a scope keeps the groups it belongs to.
const MEMBERSHIPS: &str = "access_group_ids";
/// What is kept for those who grant agents and servers, as it came.
const KEPT: [&str; 3] = ["access_mcp_server_ids", "access_agent_ids", "description"];

/// Does what is asked about access groups.
pub(super) async fn run(job: Job, action: AccessGroupAction) -> Result<Value, Refusal> {
    match action {
        AccessGroupAction::New => new(&job).await,
        AccessGroupAction::List => list(&job).await,
        AccessGroupAction::Info => shown(&job, &existing(&job).await?).await,
        AccessGroupAction::Update => update(&job).await,
        AccessGroupAction::Delete => delete(&job).await,
    }
}

/// A request: what the group becomes, and who is to belong to it; `None` leaves them as they are.
struct Asked {
    edit: ScopeEdit,
    teams: Option<Vec<String>>,
    keys: Option<Vec<String>>,
}

fn read(mut fields: Fields) -> Result<Asked, Refusal> {
    let alias = fields.text("access_group_name");
    let models = always(fields.texts("access_model_names"));
    let (teams, keys) = (always(fields.texts("assigned_team_ids")), always(fields.texts("assigned_key_ids")));
    let mut extra: JsonMap = fields.finish()?;
    extra.retain(|name, _| KEPT.contains(&name.as_str()));
    Ok(Asked { edit: ScopeEdit { alias, models, extra, ..ScopeEdit::default() }, teams, keys })
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let name = fields.required("access_group_name");
    fields.put("access_group_name", json!(name));
    let asked = read(fields)?;
    free(job, &name, None).await?;
    teams_exist(job, asked.teams.as_deref()).await?;
    let made = job.make_unlike(group(&new_id()), asked.edit.settings(), Money::ZERO, &[named(&name)]).await;
    let record = made.map_err(|refusal| match refusal.is_about(DbErrorKind::DuplicateName) {
        true => taken(&name),
        false => refusal,
    })?;
    assign(job, &record.id.id, asked.teams, asked.keys).await?;
    shown(job, &record).await
}

async fn update(job: &Job) -> Result<Value, Refusal> {
    let old = existing(job).await?;
    let asked = read(job.fields()?)?;
    if let Change::Set(name) = &asked.edit.alias {
        free(job, name, Some(&old.id)).await?;
    }
    teams_exist(job, asked.teams.as_deref()).await?;
    let record = job.edit(&old.id, asked.edit).await?;
    assign(job, &record.id.id, asked.teams, asked.keys).await?;
    shown(job, &record).await
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let record = existing(job).await?;
    assign(job, &record.id.id, Some(Vec::new()), Some(Vec::new())).await?;
    job.remove(std::slice::from_ref(&record.id)).await?;
    Ok(Value::Null)
}

/// All of them, the newest first.
async fn list(job: &Job) -> Result<Value, Refusal> {
    let mut found = job.db.list_scopes(&ScopeQuery::of(ScopeKind::AccessGroup)).await?.items;
    found.sort_by_key(|record| std::cmp::Reverse(record.created_at));
    let teams = all_teams(job).await?;
    let mut rows = Vec::with_capacity(found.len());
    for record in &found {
        rows.push(row(record, &within(&teams, &record.id.id), &keys_in(job, &record.id.id).await?));
    }
    Ok(Value::Array(rows))
}

fn group(id: &str) -> ScopeId {
    ScopeId::new(ScopeKind::AccessGroup, id)
}

async fn existing(job: &Job) -> Result<ScopeRecord, Refusal> {
    let id = job.named.clone().unwrap_or_default();
    let found = job.db.scope(&group(&id)).await?;
    found.ok_or_else(|| {
        Refusal::Detail(StatusCode::NOT_FOUND, json!(format!("Access group '{id}' not found")))
    })
}

/// A name belongs to one group.
async fn free(job: &Job, name: &str, own: Option<&ScopeId>) -> Result<(), Refusal> {
    let found = job.db.list_scopes(&named(name)).await?.items;
    match found.iter().any(|record| Some(&record.id) != own) {
        true => Err(taken(name)),
        false => Ok(()),
    }
}

fn named(name: &str) -> ScopeQuery {
    ScopeQuery { alias: Some(name.to_owned()), ..ScopeQuery::of(ScopeKind::AccessGroup) }
}

fn taken(name: &str) -> Refusal {
    Refusal::Detail(StatusCode::CONFLICT, json!(format!("Access group '{name}' already exists")))
}

async fn teams_exist(job: &Job, teams: Option<&[String]>) -> Result<(), Refusal> {
    let mut unknown = Vec::new();
    for id in teams.unwrap_or_default() {
        if job.db.scope(&ScopeId::new(ScopeKind::Team, id)).await?.is_none() {
            unknown.push(id.as_str());
        }
    }
    unknown.sort_unstable();
    match unknown.is_empty() {
        true => Ok(()),
        false => {
            let message = format!("Unknown team ids: {}", unknown.join(", "));
            Err(Refusal::Detail(StatusCode::BAD_REQUEST, json!(message)))
        }
    }
}

/// The groups a team says it belongs to.
fn groups_of(team: &ScopeRecord) -> Vec<String> {
    let listed = team.settings.extra.get(MEMBERSHIPS).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

async fn all_teams(job: &Job) -> Result<Vec<ScopeRecord>, Refusal> {
    Ok(job.db.list_scopes(&ScopeQuery::of(ScopeKind::Team)).await?.items)
}

/// Those of these teams that belong to a group.
fn within<'a>(teams: &'a [ScopeRecord], id: &str) -> Vec<&'a ScopeRecord> {
    teams.iter().filter(|team| groups_of(team).iter().any(|group| group == id)).collect()
}

async fn keys_in(job: &Job, id: &str) -> Result<Vec<gateway_db::KeyRecord>, Refusal> {
    job.all_keys(KeyQuery { access_group_id: Some(id.to_owned()), ..KeyQuery::default() }).await
}

/// Lets exactly these teams and keys belong to a group.
async fn assign(
    job: &Job,
    id: &str,
    teams: Option<Vec<String>>,
    keys: Option<Vec<String>>,
) -> Result<(), Refusal> {
    if let Some(wanted) = teams {
        assign_teams(job, id, &wanted).await?;
    }
    if let Some(wanted) = keys {
        assign_keys(job, id, &wanted).await?;
    }
    Ok(())
}

async fn assign_teams(job: &Job, id: &str, wanted: &[String]) -> Result<(), Refusal> {
    let teams = all_teams(job).await?;
    let have = within(&teams, id);
    for team in have.iter().filter(|team| !wanted.contains(&team.id.id)) {
        let left = groups_of(team).into_iter().filter(|group| group != id).collect();
        belong(job, &team.id, left).await?;
    }
    for name in wanted.iter().filter(|name| have.iter().all(|team| team.id.id != **name)) {
        let scope = ScopeId::new(ScopeKind::Team, name);
        let Some(team) = job.db.scope(&scope).await? else { continue };
        let mut groups = groups_of(&team);
        groups.push(id.to_owned());
        belong(job, &scope, groups).await?;
    }
    Ok(())
}

async fn belong(job: &Job, team: &ScopeId, groups: Vec<String>) -> Result<(), Refusal> {
    let extra = JsonMap::from_iter([(MEMBERSHIPS.to_owned(), json!(groups))]);
    job.edit(team, ScopeEdit { extra, ..ScopeEdit::default() }).await?;
    Ok(())
}

async fn assign_keys(job: &Job, id: &str, wanted: &[String]) -> Result<(), Refusal> {
    let wanted: Vec<_> = wanted.iter().map(|key| hash_of(key)).collect();
    let have = keys_in(job, id).await?;
    let patch = |groups: Vec<String>| KeyPatch { access_group_ids: Some(groups), ..KeyPatch::default() };
    for key in have.iter().filter(|key| !wanted.contains(&key.hash)) {
        let mut groups = key.settings.access_group_ids.clone();
        groups.retain(|group| group != id);
        job.change(&key.hash, patch(groups)).await?;
    }
    for hash in wanted.iter().filter(|hash| have.iter().all(|key| key.hash != **hash)) {
        let Some(key) = job.db.key_by_hash(hash).await? else { continue };
        let mut groups = key.settings.access_group_ids;
        groups.push(id.to_owned());
        job.change(hash, patch(groups)).await?;
    }
    Ok(())
}

/// A group with those who belong to it now.
async fn shown(job: &Job, record: &ScopeRecord) -> Result<Value, Refusal> {
    let id = &record.id.id;
    Ok(row(record, &within(&all_teams(job).await?, id), &keys_in(job, id).await?))
}

/// A group as LiteLLM shows it, with names beside ids.
fn row(record: &ScopeRecord, teams: &[&ScopeRecord], keys: &[gateway_db::KeyRecord]) -> Value {
    let id = &record.id.id;
    let kept = |name: &str| record.settings.extra.get(name).filter(|value| !value.is_null()).cloned();
    let listed = |name: &str| kept(name).unwrap_or_else(|| json!([]));
    let named = |name: &str| -> Value {
        let ids = listed(name);
        ids.as_array().into_iter().flatten().map(|id| json!({ "id": id, "name": null })).collect()
    };
    json!({
        "access_group_id": id,
        "access_group_name": record.settings.alias,
        "description": kept("description"),
        "access_model_names": record.settings.models,
        "access_mcp_server_ids": listed("access_mcp_server_ids"),
        "access_agent_ids": listed("access_agent_ids"),
        "assigned_team_ids": teams.iter().map(|team| &team.id.id).collect::<Vec<_>>(),
        "assigned_key_ids": keys.iter().map(|key| key.hash.as_str()).collect::<Vec<_>>(),
        "access_mcp_servers": named("access_mcp_server_ids"),
        "access_agents": named("access_agent_ids"),
        "assigned_teams": teams
            .iter()
            .map(|team| json!({ "id": team.id.id, "name": team.settings.alias }))
            .collect::<Vec<_>>(),
        "assigned_keys": keys
            .iter()
            .map(|key| json!({ "id": key.hash.as_str(), "name": key.settings.alias }))
            .collect::<Vec<_>>(),
        "created_at": time(Some(record.created_at)),
        "created_by": record.created_by,
        "updated_at": time(Some(record.updated_at)),
        "updated_by": record.updated_by,
    })
}
