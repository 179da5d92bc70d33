//! Teams, users, organisations, customers, tags, projects, memberships and budgets of LiteLLM's.

use std::collections::{BTreeMap, BTreeSet};

use llm_types::Money;
use serde_json::Value;

use super::row::Row;
use crate::{Invitation, ScopeId, ScopeKind, ScopeRecord, ScopeSettings};

/// Reads one row; a team's is also its memberships.
type Reader = fn(&mut Row<'_>) -> Vec<ScopeRecord>;

/// Each table and how its rows are read. Memberships come before the teams whose lists name them again.
pub(super) const READERS: &[(&str, Reader)] = &[
    ("LiteLLM_BudgetTable", budget),
    ("LiteLLM_OrganizationTable", organization),
    ("LiteLLM_UserTable", user),
    ("LiteLLM_OrganizationMembership", organization_member),
    ("LiteLLM_TeamMembership", team_member),
    ("LiteLLM_TeamTable", team),
    ("LiteLLM_ProjectTable", project),
    ("LiteLLM_EndUserTable", customer),
    ("LiteLLM_TagTable", tag),
    ("LiteLLM_AccessGroupTable", access_group),
    ("LiteLLM_ModelAccessGroupBudgetTable", model_access_group),
];

/// The table of invitations.
pub(super) const INVITATIONS: &str = "LiteLLM_InvitationLink";

/// Where a user's row has the hash of its password.
const PASSWORD: &str = "password";

/// Takes the hash of a user's password out of what is left of its row: it is kept apart.
pub(super) fn password_of(user: &mut ScopeRecord) -> Option<String> {
    let hash = user.settings.extra.shift_remove(PASSWORD).filter(|_| user.id.kind == ScopeKind::User)?;
    hash.as_str().map(str::to_owned)
}

/// An invitation. Its id opens an account, so its hash is kept.
pub(super) fn invitation(row: &mut Row<'_>) -> Option<Invitation> {
    let id = row.id("id")?;
    let (user_id, expires_at) = (row.text("user_id")?, row.time("expires_at")?);
    let created_at = row.time("created_at").unwrap_or(row.now);
    let accepted_at = row.time("accepted_at");
    let accepted = row.flag("is_accepted");
    let created_by = row.text("created_by").unwrap_or_default();
    Some(Invitation {
        id: sha256(id.as_bytes()),
        user_id,
        accepted_at: accepted.then(|| accepted_at.unwrap_or(created_at)),
        expires_at,
        created_at,
        updated_at: row.time("updated_at").unwrap_or(created_at),
        updated_by: row.text("updated_by").unwrap_or_else(|| created_by.clone()),
        created_by,
    })
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a team notes which row of the aliases is its own.
const MODEL_ID: &str = "model_id";

/// A scope without spend whose times are the row's.
fn scope(row: &mut Row<'_>, id: ScopeId, settings: ScopeSettings) -> ScopeRecord {
    let created_at = row.time("created_at").unwrap_or(row.now);
    let spend = row.money("spend").unwrap_or_default();
    ScopeRecord {
        id,
        settings,
        spend,
        // Where LiteLLM counts no sum of all time, the period's is the least that was spent.
        total_spend: row.money("total_spend").unwrap_or(spend),
        created_at,
        created_by: row.text("created_by"),
        updated_at: row.time("updated_at").unwrap_or(created_at),
        updated_by: row.text("updated_by"),
        deleted_at: None,
        deleted_by: None,
        version: 0,
    }
}

/// A scope with what is left of its row.
fn finish(row: &mut Row<'_>, id: ScopeId, settings: ScopeSettings) -> ScopeRecord {
    let mut scope = scope(row, id, settings);
    scope.settings.extra = row.rest();
    scope
}

fn budget(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("budget_id") else { return Vec::new() };
    let mut settings = ScopeSettings { models: row.list("allowed_models"), ..ScopeSettings::default() };
    row.limits(&mut settings);
    vec![finish(row, ScopeId::new(ScopeKind::Budget, id), settings)]
}

fn organization(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("organization_id") else { return Vec::new() };
    let settings = ScopeSettings {
        alias: row.text("organization_alias"),
        budget_id: row.text("budget_id"),
        models: row.list("models"),
        metadata: row.map("metadata"),
        ..ScopeSettings::default()
    };
    vec![finish(row, ScopeId::new(ScopeKind::Organization, id), settings)]
}

fn user(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("user_id") else { return Vec::new() };
    let mut settings = ScopeSettings {
        alias: row.text("user_alias"),
        email: row.text("user_email"),
        role: row.text("user_role"),
        organization_id: row.text("organization_id"),
        models: row.list("models"),
        metadata: row.map("metadata"),
        ..ScopeSettings::default()
    };
    row.limits(&mut settings);
    let teams = row.list("teams");
    let user = finish(row, ScopeId::new(ScopeKind::User, &id), settings);
    let created_at = user.created_at;
    let member = |team| bare_member(ScopeId::member(ScopeKind::TeamMember, team, &id), created_at);
    let memberships: Vec<ScopeRecord> = teams.into_iter().map(member).collect();
    std::iter::once(user).chain(memberships).collect()
}

fn organization_member(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let (Some(id), Some(user)) = (row.id("organization_id"), row.text("user_id")) else { return Vec::new() };
    row.call(format!("{user}:{id}"));
    let settings = ScopeSettings {
        role: row.text("user_role"),
        budget_id: row.text("budget_id"),
        ..ScopeSettings::default()
    };
    vec![finish(row, ScopeId::member(ScopeKind::OrganizationMember, id, user), settings)]
}

fn team_member(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let (Some(id), Some(user)) = (row.id("team_id"), row.text("user_id")) else { return Vec::new() };
    row.call(format!("{user}:{id}"));
    let settings = ScopeSettings { budget_id: row.text("budget_id"), ..ScopeSettings::default() };
    vec![finish(row, ScopeId::member(ScopeKind::TeamMember, id, user), settings)]
}

fn team(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("team_id") else { return Vec::new() };
    let mut settings = ScopeSettings {
        alias: row.text("team_alias"),
        organization_id: row.text("organization_id"),
        models: row.list("models"),
        metadata: row.map("metadata"),
        blocked: row.flag("blocked"),
        ..ScopeSettings::default()
    };
    row.limits(&mut settings);
    let members = row.any("members_with_roles");
    let team = finish(row, ScopeId::new(ScopeKind::Team, &id), settings);
    let created_at = team.created_at;
    let members = members.as_ref().and_then(Value::as_array).into_iter().flatten();
    let members: Vec<ScopeRecord> =
        members.filter_map(|entry| listed_member(&id, entry, created_at)).collect();
    std::iter::once(team).chain(members).collect()
}

fn listed_member(team: &str, entry: &Value, created_at: i64) -> Option<ScopeRecord> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut member = bare_member(ScopeId::member(ScopeKind::TeamMember, team, text("user_id")?), created_at);
    member.settings.role = text("role");
    member.settings.email = text("user_email");
    Some(member)
}

fn bare_member(id: ScopeId, created_at: i64) -> ScopeRecord {
    ScopeRecord {
        id,
        settings: ScopeSettings::default(),
        spend: Money::ZERO,
        total_spend: Money::ZERO,
        created_at,
        created_by: None,
        updated_at: created_at,
        updated_by: None,
        deleted_at: None,
        deleted_by: None,
        version: 0,
    }
}

fn project(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("project_id") else { return Vec::new() };
    let settings = ScopeSettings {
        alias: row.text("project_alias"),
        team_id: row.text("team_id"),
        budget_id: row.text("budget_id"),
        models: row.list("models"),
        metadata: row.map("metadata"),
        blocked: row.flag("blocked"),
        model_rpm_limit: row.map("model_rpm_limit"),
        model_tpm_limit: row.map("model_tpm_limit"),
        ..ScopeSettings::default()
    };
    vec![finish(row, ScopeId::new(ScopeKind::Project, id), settings)]
}

fn customer(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("user_id") else { return Vec::new() };
    let settings = ScopeSettings {
        alias: row.text("alias"),
        budget_id: row.text("budget_id"),
        models: row.list("models"),
        blocked: row.flag("blocked"),
        ..ScopeSettings::default()
    };
    vec![finish(row, ScopeId::new(ScopeKind::Customer, id), settings)]
}

fn tag(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("tag_name") else { return Vec::new() };
    let settings = ScopeSettings { budget_id: row.text("budget_id"), ..ScopeSettings::default() };
    // A tag's `models` are the deployments it is written on, not a list of what it may use.
    vec![finish(row, ScopeId::new(ScopeKind::Tag, id), settings)]
}

fn access_group(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("access_group_id") else { return Vec::new() };
    let settings = ScopeSettings {
        alias: row.text("access_group_name"),
        models: row.list("access_model_names"),
        ..ScopeSettings::default()
    };
    vec![finish(row, ScopeId::new(ScopeKind::AccessGroup, id), settings)]
}

fn model_access_group(row: &mut Row<'_>) -> Vec<ScopeRecord> {
    let Some(id) = row.id("access_group_name") else { return Vec::new() };
    let settings = ScopeSettings { budget_id: row.text("budget_id"), ..ScopeSettings::default() };
    vec![finish(row, ScopeId::new(ScopeKind::ModelAccessGroup, id), settings)]
}

/// Makes one record of the several that name a membership, and gives teams their own model aliases.
pub(super) fn join(scopes: &mut Vec<(&'static str, ScopeRecord)>, aliases: &BTreeMap<i64, Value>) {
    let mut roles: BTreeMap<ScopeId, ScopeSettings> = BTreeMap::new();
    for (_, scope) in scopes.iter().filter(|(_, scope)| scope.settings.role.is_some()) {
        roles.insert(scope.id.clone(), scope.settings.clone());
    }
    for (_, scope) in scopes.iter_mut() {
        if let Some(listed) = roles.get(&scope.id) {
            scope.settings.role = scope.settings.role.take().or_else(|| listed.role.clone());
            scope.settings.email = scope.settings.email.take().or_else(|| listed.email.clone());
        }
        let own =
            scope.settings.extra.shift_remove(MODEL_ID).and_then(|id| aliases.get(&id.as_i64()?).cloned());
        if let Some(own) = own.filter(|own| !own.is_null()) {
            scope.settings.extra.insert("model_aliases".to_owned(), own);
        }
    }
    // The row of memberships comes first and knows what was spent; users' and teams' lists name it again.
    scopes.sort_by_key(|(table, _)| {
        usize::from(*table == "LiteLLM_UserTable" || *table == "LiteLLM_TeamTable")
    });
    let mut seen = BTreeSet::new();
    scopes.retain(|(_, scope)| seen.insert(scope.id.clone()));
}
