//! `/team/info`: a team with its keys and members, and what the caller may do with it.

use std::collections::HashMap;

use gateway_db::{KeyQuery, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use serde_json::{Map, Value, json};

use super::super::job::Job;
use super::super::refusal::Refusal;
use super::super::{rights, scope_view as view};
use super::{existing, member_budget, row};
use crate::identity::parts_of_scope;
use crate::walk::{Caller, Role};

/// What those who run a team change of it by `/team/update`; the rest is for administrators of the gateway.
const EDITABLE: [&str; 14] = [
    "default_team_member_models",
    "guardrails",
    "metadata",
    "model_aliases",
    "policies",
    "prompts",
    "router_settings",
    "tags",
    "team_alias",
    "team_member_budget",
    "team_member_budget_duration",
    "team_member_key_duration",
    "team_member_rpm_limit",
    "team_member_tpm_limit",
];

pub(super) async fn info(job: &Job) -> Result<Value, Refusal> {
    let id = job.param("team_id").ok_or_else(|| Refusal::missing("team_id"))?;
    let team = existing(job, &id).await?;
    let members = job.members(ScopeKind::TeamMember, &id).await?;
    let keys = job.all_keys(KeyQuery { team_id: Some(id.clone()), ..KeyQuery::default() }).await?;
    let budget = match member_budget(&team) {
        Some(id) => job.db.scope(&ScopeId::new(ScopeKind::Budget, id)).await?,
        None => None,
    };
    let mut info = row(job, &team).await?;
    tell_aliases(job, &mut info).await?;
    for (name, value) in granted(job, &team).await? {
        info[name] = value;
    }
    let access = access(job, &team, &members).await?;
    info["organization_models"] = match access["kind"] == "none" {
        true => Value::Null,
        false => models_of_organization(job, &team).await?,
    };
    info["caller_edit_access"] = access;
    info["team_member_budget_table"] =
        budget.as_ref().map_or(Value::Null, |budget| view::budget(budget).into());
    let budgets = parts_of_scope(&team.settings);
    info["model_max_budget_usage"] = job.model_budgets_spent(&team.id.as_owner(), budgets).await?;
    Ok(json!({
        "team_id": id,
        "team_info": info,
        "keys": job.full_all(&keys).await?,
        "team_memberships": memberships(job, &members, budget.as_ref()),
    }))
}

/// Members with where their budgets come from; who has none of their own is shown the team's.
fn memberships(job: &Job, members: &[ScopeRecord], budget: Option<&ScopeRecord>) -> Value {
    let shown = |member: &ScopeRecord| {
        let mut row = view::membership(member, job.spent(member));
        let source = source(member, budget.map(|budget| budget.id.id.as_str()));
        if let (Some(budget), "team_default", true) = (budget, source, row["litellm_budget_table"].is_null())
        {
            row["litellm_budget_table"] = view::budget(budget).into();
        }
        row["budget_source"] = json!(source);
        row
    };
    members.iter().map(shown).collect()
}

/// Where a member's budget comes from: its own limits, those the team has for all members, or nowhere.
pub(super) fn source(member: &ScopeRecord, of_team: Option<&str>) -> &'static str {
    let named = member.settings.budget_id.as_deref().filter(|id| Some(*id) != of_team);
    match (named, of_team) {
        (Some(_), _) => "custom",
        _ if has_limits(member) => "custom",
        (None, Some(_)) => "team_default",
        (None, None) => "none",
    }
}

/// Whether a member has limits that nobody else has.
fn has_limits(member: &ScopeRecord) -> bool {
    let own = &member.settings;
    let counts = [own.rpm_limit, own.tpm_limit, own.tpd_limit, own.max_parallel_requests];
    own.max_budget.or(own.soft_budget).is_some()
        || own.budget_duration.is_some()
        || counts.iter().any(Option::is_some)
        || !own.model_max_budget.is_empty()
}

/// Names the members of a team by what their users are called.
async fn tell_aliases(job: &Job, info: &mut Value) -> Result<(), Refusal> {
    let Some(members) = info["members_with_roles"].as_array_mut().filter(|members| !members.is_empty())
    else {
        return Ok(());
    };
    let ids = members.iter().filter_map(|member| member["user_id"].as_str().map(str::to_owned)).collect();
    let users = job.db.list_scopes(&ScopeQuery { ids, ..ScopeQuery::of(ScopeKind::User) }).await?.items;
    let users: HashMap<&str, &ScopeRecord> = users.iter().map(|user| (user.id.id.as_str(), user)).collect();
    for member in members {
        let user = member["user_id"].as_str().and_then(|id| users.get(id)).map(|user| &user.settings);
        member["user_alias"] = json!(user.and_then(|user| user.alias.as_deref()));
        if member["user_email"].is_null() {
            member["user_email"] = json!(user.and_then(|user| user.email.as_deref()));
        }
    }
    Ok(())
}

/// What a team may use because of its access groups; nulls where it is in none.
pub(super) async fn granted(job: &Job, team: &ScopeRecord) -> Result<Map<String, Value>, Refusal> {
    let names =
        ["models", "mcp_server_ids", "agent_ids", "details"].map(|name| format!("access_group_{name}"));
    let ids = texts(team.settings.extra.get("access_group_ids"));
    if ids.is_empty() {
        return Ok(names.map(|name| (name, Value::Null)).into_iter().collect());
    }
    let groups =
        job.db.list_scopes(&ScopeQuery { ids, ..ScopeQuery::of(ScopeKind::AccessGroup) }).await?.items;
    let (mut models, mut servers, mut agents, mut details) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for group in groups {
        let kept = |name: &str| texts(group.settings.extra.get(name));
        let (own_servers, own_agents) = (kept("access_mcp_server_ids"), kept("access_agent_ids"));
        details.push(json!({
            "access_group_id": group.id.id,
            "access_group_name": group.settings.alias,
            "models": group.settings.models,
            "mcp_server_ids": own_servers,
            "agent_ids": own_agents,
        }));
        models.extend(group.settings.models);
        servers.extend(own_servers);
        agents.extend(own_agents);
    }
    for list in [&mut models, &mut servers, &mut agents] {
        list.sort_unstable();
        list.dedup();
    }
    let values = [json!(models), json!(servers), json!(agents), Value::Array(details)];
    Ok(names.into_iter().zip(values).collect())
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

async fn models_of_organization(job: &Job, team: &ScopeRecord) -> Result<Value, Refusal> {
    let Some(id) = &team.settings.organization_id else { return Ok(Value::Null) };
    let found = job.db.scope(&ScopeId::new(ScopeKind::Organization, id)).await?;
    Ok(found.map_or(Value::Null, |organization| json!(organization.settings.models)))
}

/// What the caller may change by `/team/update`.
async fn access(job: &Job, team: &ScopeRecord, members: &[ScopeRecord]) -> Result<Value, Refusal> {
    match job.caller.role() {
        Role::Admin => return Ok(json!({ "kind": "unrestricted" })),
        Role::Viewer => return Ok(json!({ "kind": "none" })),
        Role::Other => {}
    }
    let user = match &job.caller {
        Caller::Operator => None,
        Caller::Key(entry) => entry.record.settings.user_id.as_deref(),
    };
    let is_admin = |member: &ScopeRecord| {
        Some(member.id.member.as_str()) == user && member.settings.role.as_deref() == Some("admin")
    };
    let run = rights::organizations(job).await?;
    let owner = team.settings.organization_id.as_ref();
    if owner.is_some_and(|owner| run.contains(owner)) {
        return Ok(json!({ "kind": "unrestricted" }));
    }
    Ok(match members.iter().any(is_admin) {
        true => json!({ "kind": "team_admin", "editable_fields": EDITABLE }),
        false => json!({ "kind": "none" }),
    })
}
