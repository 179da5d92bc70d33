//! Stored scopes as LiteLLM's answers show them (surface §3.5–§3.7).

use gateway_db::{ScopeId, ScopeKind, ScopeRecord};
use llm_types::Money;
use serde_json::{Map, Value, json};

use super::view::{money, time};

/// A scope's row under construction.
pub(super) struct Row(Map<String, Value>);

impl Row {
    /// The columns that every kind shows: spend, limits, times; `spent` is what it has spent now.
    pub(super) fn of(record: &ScopeRecord, spent: Money) -> Self {
        let settings = &record.settings;
        let mut row = Self(Map::new());
        row.put("models", json!(settings.models));
        row.put("metadata", json!(settings.metadata));
        row.put("spend", json!(spent.as_usd()));
        row.put("blocked", json!(settings.blocked));
        row.put("budget_id", json!(settings.budget_id));
        row.put("model_rpm_limit", json!(settings.model_rpm_limit));
        row.put("model_tpm_limit", json!(settings.model_tpm_limit));
        row.put("created_at", time(Some(record.created_at)));
        row.put("created_by", json!(record.created_by));
        row.put("updated_at", time(Some(record.updated_at)));
        row.put("updated_by", json!(record.updated_by));
        for (name, value) in limits(record) {
            row.0.insert(name, value);
        }
        row
    }

    /// One more column.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// What the columns do not hold, and nulls where LiteLLM's rows have a column that nothing set.
    pub(super) fn finish(mut self, record: &ScopeRecord, absent: &[&str]) -> Map<String, Value> {
        for (name, value) in &record.settings.extra {
            self.0.entry(name.clone()).or_insert_with(|| value.clone());
        }
        for name in absent {
            self.0.entry(*name).or_insert(Value::Null);
        }
        self.0
    }
}

/// The columns of a budget.
fn limits(record: &ScopeRecord) -> Map<String, Value> {
    let settings = &record.settings;
    let fields = [
        ("max_budget", money(settings.max_budget)),
        ("soft_budget", money(settings.soft_budget)),
        ("budget_duration", json!(settings.budget_duration)),
        ("budget_reset_at", time(settings.budget_reset_at)),
        ("rpm_limit", json!(settings.rpm_limit)),
        ("tpm_limit", json!(settings.tpm_limit)),
        ("tpd_limit", json!(settings.tpd_limit)),
        ("max_parallel_requests", json!(settings.max_parallel_requests)),
        ("model_max_budget", json!(settings.model_max_budget)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A team. Its members are memberships.
pub(super) fn team(record: &ScopeRecord, spent: Money, members: &[ScopeRecord]) -> Map<String, Value> {
    let settings = &record.settings;
    let mut row = Row::of(record, spent);
    row.put("team_id", json!(record.id.id));
    row.put("team_alias", json!(settings.alias));
    row.put("metadata", json!(super::teams::callbacks::shown(&settings.metadata)));
    row.put("organization_id", json!(settings.organization_id));
    row.put("admins", json!([]));
    row.put("members", json!([]));
    row.put("members_with_roles", members.iter().map(member).collect());
    row.put("model_spend", json!({}));
    let mut row = row.finish(
        record,
        &[
            "team_member_permissions",
            "budget_limits",
            "router_settings",
            "object_permission",
            "litellm_model_table",
            "model_id",
            "object_permission_id",
        ],
    );
    for name in ["access_group_ids", "default_team_member_models", "policies"] {
        row.entry(name).or_insert_with(|| json!([]));
    }
    row.entry("allow_team_guardrail_config").or_insert(Value::Bool(false));
    row
}

/// A member as its team names it.
pub(super) fn member(record: &ScopeRecord) -> Value {
    json!({
        "user_id": record.id.member,
        "user_email": record.settings.email,
        "role": record.settings.role.as_deref().unwrap_or("user"),
    })
}

/// A membership of a team or an organisation.
pub(super) fn membership(record: &ScopeRecord, spent: Money) -> Value {
    let id = if record.id.kind == ScopeKind::TeamMember { "team_id" } else { "organization_id" };
    let mut row = Map::new();
    row.insert("user_id".to_owned(), json!(record.id.member));
    row.insert(id.to_owned(), json!(record.id.id));
    row.insert("user_role".to_owned(), json!(record.settings.role));
    row.insert("spend".to_owned(), json!(spent.as_usd()));
    row.insert("total_spend".to_owned(), json!(record.total_spend.as_usd()));
    row.insert("budget_id".to_owned(), json!(record.settings.budget_id));
    row.insert("litellm_budget_table".to_owned(), own_budget(record));
    Value::Object(row)
}

/// The limits a scope sets itself, where LiteLLM shows a budget of its own.
pub(super) fn own_budget(record: &ScopeRecord) -> Value {
    let limits = limits(record);
    let nothing = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    if limits.values().all(nothing) {
        return Value::Null;
    }
    let mut budget = limits;
    budget.insert("budget_id".to_owned(), json!(record.settings.budget_id));
    budget.insert("allowed_models".to_owned(), json!(record.settings.models));
    Value::Object(budget)
}

/// A user. `teams` are the ids of its teams.
pub(super) fn user(record: &ScopeRecord, spent: Money, teams: &[String]) -> Map<String, Value> {
    let settings = &record.settings;
    let mut row = Row::of(record, spent);
    row.put("user_id", json!(record.id.id));
    row.put("user_alias", json!(settings.alias));
    row.put("user_email", json!(settings.email));
    row.put("user_role", json!(settings.role));
    row.put("organization_id", json!(settings.organization_id));
    row.put("teams", json!(teams));
    row.put("model_spend", json!({}));
    let mut row = row.finish(
        record,
        &[
            "sso_user_id",
            "team_id",
            "object_permission",
            "object_permission_id",
            "organization_memberships",
            "password_reset_required",
            "last_breach_check_at",
        ],
    );
    for name in ["allowed_cache_controls", "policies"] {
        row.entry(name).or_insert_with(|| json!([]));
    }
    row
}

/// A customer.
pub(super) fn customer(record: &ScopeRecord, spent: Money) -> Map<String, Value> {
    let settings = &record.settings;
    let row = Row(Map::from_iter([
        ("user_id".to_owned(), json!(record.id.id)),
        ("alias".to_owned(), json!(settings.alias)),
        ("blocked".to_owned(), json!(settings.blocked)),
        ("spend".to_owned(), json!(spent.as_usd())),
        ("models".to_owned(), json!(settings.models)),
        ("budget_id".to_owned(), json!(settings.budget_id)),
        ("litellm_budget_table".to_owned(), own_budget(record)),
    ]));
    row.finish(
        record,
        &["allowed_model_region", "default_model", "object_permission", "object_permission_id"],
    )
}

/// A shared budget.
pub(super) fn budget(record: &ScopeRecord) -> Map<String, Value> {
    let mut row = Row(limits(record));
    row.put("budget_id", json!(record.id.id));
    row.put("allowed_models", json!(record.settings.models));
    row.put("created_at", time(Some(record.created_at)));
    row.put("created_by", json!(record.created_by));
    row.put("updated_at", time(Some(record.updated_at)));
    row.put("updated_by", json!(record.updated_by));
    row.finish(record, &["temp_budget_increase", "temp_budget_expiry"])
}

/// An organisation, its members and its teams.
pub(super) fn organization(
    record: &ScopeRecord,
    spent: Money,
    members: Vec<Value>,
    teams: Vec<Value>,
) -> Map<String, Value> {
    let mut row = Row::of(record, spent);
    row.put("organization_id", json!(record.id.id));
    row.put("organization_alias", json!(record.settings.alias));
    row.put("litellm_budget_table", own_budget(record));
    row.put("members", Value::Array(members));
    row.put("teams", Value::Array(teams));
    row.finish(record, &["object_permission"])
}

/// A project of a team.
pub(super) fn project(record: &ScopeRecord, spent: Money) -> Map<String, Value> {
    let settings = &record.settings;
    let mut row = Row::of(record, spent);
    row.put("project_id", json!(record.id.id));
    row.put("project_alias", json!(settings.alias));
    row.put("team_id", json!(settings.team_id));
    row.put("model_spend", json!({}));
    row.put("litellm_budget_table", own_budget(record));
    let rest =
        ["description", "object_permission", "object_permission_id", "model_itpm_limit", "model_otpm_limit"];
    row.finish(record, &rest)
}

/// A tag.
pub(super) fn tag(record: &ScopeRecord, spent: Money) -> Map<String, Value> {
    let settings = &record.settings;
    let mut row = Row(Map::new());
    row.put("name", json!(record.id.id));
    row.put("models", json!(settings.models));
    row.put("spend", json!(spent.as_usd()));
    row.put("budget_id", json!(settings.budget_id));
    row.put("litellm_budget_table", own_budget(record));
    row.put("created_at", time(Some(record.created_at)));
    row.put("created_by", json!(record.created_by));
    row.put("updated_at", time(Some(record.updated_at)));
    row.finish(record, &["description", "model_info"])
}

/// The id of a scope in messages: of a membership, both of its parts.
pub(super) fn name(id: &ScopeId) -> String {
    if id.member.is_empty() { id.id.clone() } else { format!("{}:{}", id.member, id.id) }
}
