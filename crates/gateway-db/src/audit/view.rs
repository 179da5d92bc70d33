//! What the audit log says of an object, by LiteLLM's names.

use llm_types::Money;
use serde_json::{Value, json};

use super::Subject;
use crate::{ConfigEntry, EntryKind, KeyRecord, ScopeKind, ScopeRecord};

/// LiteLLM's name for the table of an object.
pub(super) fn table(subject: Subject<'_>) -> &'static str {
    match subject {
        Subject::Key(_) => "LiteLLM_VerificationToken",
        Subject::Entry(ConfigEntry { kind: EntryKind::Model, .. }) => "LiteLLM_ProxyModelTable",
        Subject::Entry(ConfigEntry { kind: EntryKind::Setting, .. }) => "LiteLLM_Config",
        Subject::Entry(_) => "LiteLLM_CredentialsTable",
        Subject::Told(told) => told.table,
        Subject::Scope(scope) => match scope.id.kind {
            ScopeKind::AccessGroup => "LiteLLM_AccessGroupTable",
            ScopeKind::Budget => "LiteLLM_BudgetTable",
            ScopeKind::Customer => "LiteLLM_EndUserTable",
            ScopeKind::ModelAccessGroup => "LiteLLM_ModelAccessGroupBudgetTable",
            ScopeKind::Organization => "LiteLLM_OrganizationTable",
            ScopeKind::OrganizationMember => "LiteLLM_OrganizationMembership",
            ScopeKind::Part => "gateway_part",
            ScopeKind::Project => "LiteLLM_ProjectTable",
            ScopeKind::Tag => "LiteLLM_TagTable",
            ScopeKind::Team => "LiteLLM_TeamTable",
            ScopeKind::TeamMember => "LiteLLM_TeamMembership",
            ScopeKind::User => "LiteLLM_UserTable",
        },
    }
}

/// The id of an object.
pub(super) fn object(subject: Subject<'_>) -> String {
    match subject {
        Subject::Key(key) => key.hash.as_str().to_owned(),
        Subject::Entry(entry) => entry.id.clone(),
        Subject::Told(told) => told.id.clone(),
        Subject::Scope(scope) if scope.id.member.is_empty() => scope.id.id.clone(),
        Subject::Scope(scope) => format!("{}:{}", scope.id.id, scope.id.member),
    }
}

/// Everything an operator can set on it. Secrets are still in it.
pub(super) fn shown(subject: Subject<'_>) -> Value {
    let whole = match subject {
        Subject::Key(record) => key(record),
        Subject::Scope(record) => scope(record),
        Subject::Entry(record) => entry(record),
        Subject::Told(told) => told.told.clone(),
    };
    let Value::Object(map) = whole else { return whole };
    Value::Object(map.into_iter().filter(|(_, value)| says_something(value)).collect())
}

/// What is not set takes no place.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    }
}

fn usd(money: Option<Money>) -> Option<f64> {
    money.map(Money::as_usd)
}

/// What limits a key or a scope: their settings have these under the same names.
macro_rules! limits {
    ($set:expr) => {
        json!({
            "max_budget": usd($set.max_budget),
            "soft_budget": usd($set.soft_budget),
            "budget_duration": $set.budget_duration,
            "budget_reset_at": $set.budget_reset_at,
            "rpm_limit": $set.rpm_limit,
            "tpm_limit": $set.tpm_limit,
            "tpd_limit": $set.tpd_limit,
            "max_parallel_requests": $set.max_parallel_requests,
            "model_max_budget": $set.model_max_budget,
            "model_rpm_limit": $set.model_rpm_limit,
            "model_tpm_limit": $set.model_tpm_limit,
        })
    };
}

fn key(record: &KeyRecord) -> Value {
    let set = &record.settings;
    let own = json!({
        "token": record.hash.as_str(),
        "key_name": record.name,
        "key_alias": set.alias,
        "user_id": set.user_id,
        "team_id": set.team_id,
        "organization_id": set.organization_id,
        "project_id": set.project_id,
        "agent_id": set.agent_id,
        "models": set.models,
        "aliases": set.aliases,
        "config": set.config,
        "permissions": set.permissions,
        "metadata": set.metadata,
        "allowed_routes": set.allowed_routes,
        "key_type": set.key_type,
        "blocked": set.blocked,
        "expires": set.expires_at,
        "access_group_ids": set.access_group_ids,
        "auto_rotate": set.auto_rotate,
        "rotation_interval": set.rotation_interval,
        "spend": record.spend.as_usd(),
    });
    with(with(own, members(&limits!(set))), &set.extra)
}

fn scope(record: &ScopeRecord) -> Value {
    let set = &record.settings;
    let own = json!({
        "id": record.id.id,
        "user_id": Some(&record.id.member).filter(|member| !member.is_empty()),
        "alias": set.alias,
        "email": set.email,
        "role": set.role,
        "organization_id": set.organization_id,
        "team_id": set.team_id,
        "budget_id": set.budget_id,
        "models": set.models,
        "metadata": set.metadata,
        "blocked": set.blocked,
        "spend": record.spend.as_usd(),
    });
    with(with(own, members(&limits!(set))), &set.extra)
}

fn entry(record: &ConfigEntry) -> Value {
    let secret = match record.kind {
        EntryKind::Model => json!({ "litellm_params": record.secret }),
        EntryKind::Credential => json!({ "credential_values": record.secret }),
        EntryKind::Setting => json!({}),
    };
    let own = json!({
        "id": record.id,
        "name": record.name,
        "info": record.info,
        "blocked": record.blocked,
    });
    with(own, members(&secret))
}

/// What an object has; nothing of what is none.
fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// An object with what another has beside it.
fn with<'v>(own: Value, more: impl IntoIterator<Item = (&'v String, &'v Value)>) -> Value {
    let Value::Object(mut map) = own else { return own };
    for (name, value) in more {
        map.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(map)
}
