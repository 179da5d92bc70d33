//! A stored key as LiteLLM's answers show it (surface §3.4).

use gateway_db::{KeyRecord, KeySettings};
use llm_types::Money;
use serde_json::{Map, Value, json};

/// A row without its secret or hash: the `info` of `/key/info`. `spent` is what the key has spent now.
pub(super) fn row(record: &KeyRecord, spent: Money, now: i64) -> Map<String, Value> {
    let settings = &record.settings;
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    put("key_name", json!(record.name));
    put("key_alias", json!(settings.alias));
    put("soft_budget_cooldown", json!(settings.soft_budget.is_some_and(|soft| spent >= soft)));
    put("spend", json!(spent.as_usd()));
    put("total_spend", json!(record.total_spend.as_usd()));
    put("expires", time(settings.expires_at));
    put("models", json!(settings.models));
    put("aliases", json!(settings.aliases));
    put("config", json!(settings.config));
    put("user_id", json!(settings.user_id));
    put("team_id", json!(settings.team_id));
    put("agent_id", json!(settings.agent_id));
    put("project_id", json!(settings.project_id));
    put("permissions", json!(settings.permissions));
    put("model_spend", json!({}));
    put("max_parallel_requests", json!(settings.max_parallel_requests));
    put("metadata", json!(settings.metadata));
    put("blocked", blocked(settings));
    put("tpm_limit", json!(settings.tpm_limit));
    put("rpm_limit", json!(settings.rpm_limit));
    put("tpd_limit", json!(settings.tpd_limit));
    put("max_budget", money(settings.max_budget));
    put("soft_budget", money(settings.soft_budget));
    put("budget_duration", json!(settings.budget_duration));
    put("budget_reset_at", time(settings.budget_reset_at));
    put("allowed_routes", json!(settings.allowed_routes));
    put("key_type", json!(settings.key_type.as_deref().unwrap_or("default")));
    put("access_group_ids", json!(settings.access_group_ids));
    put("model_max_budget", json!(settings.model_max_budget));
    put("model_rpm_limit", json!(settings.model_rpm_limit));
    put("model_tpm_limit", json!(settings.model_tpm_limit));
    put("organization_id", json!(settings.organization_id));
    put("created_at", time(Some(record.created_at)));
    put("created_by", json!(record.created_by));
    put("updated_at", time(Some(record.updated_at)));
    put("updated_by", json!(record.updated_by));
    put("settings_updated_at", time(Some(record.updated_at).filter(|at| *at > record.created_at)));
    put("last_active", time(record.last_active));
    put("rotation_count", json!(record.rotation_count));
    put("auto_rotate", json!(settings.auto_rotate));
    put("rotation_interval", json!(settings.rotation_interval));
    put("last_rotation_at", time(record.last_rotation_at));
    put("key_rotation_at", time(settings.rotate_at));
    put("status", json!(status(record, now)));
    for (name, value) in &settings.extra {
        row.entry(name.clone()).or_insert_with(|| value.clone());
    }
    row.entry("allowed_cache_controls").or_insert_with(|| json!([]));
    for name in ABSENT {
        row.entry(*name).or_insert(Value::Null);
    }
    row
}

/// Where a key keeps that somebody said it is not blocked: LiteLLM tells that from nobody having said anything.
pub(super) const SAID_UNBLOCKED: &str = "blocked";

fn blocked(settings: &KeySettings) -> Value {
    match settings.blocked {
        true => json!(true),
        false => settings.extra.get(SAID_UNBLOCKED).cloned().unwrap_or_default(),
    }
}

/// Fields of LiteLLM's rows that are null until something sets them.
const ABSENT: &[&str] = &[
    "budget_id",
    "budget_limits",
    "budget_fallbacks",
    "policies",
    "guardrails",
    "object_permission",
    "object_permission_id",
    "router_settings",
    "litellm_budget_table",
    "litellm_organization_table",
    "litellm_project_table",
    "jwt_key_mappings",
];

/// Fields of requests for keys that answers to these requests repeat, null where nothing was said.
pub(super) const REPEATED: &[&str] = &[
    "mcp_rpm_limit",
    "tag_rpm_limit",
    "prompts",
    "default_estimated_output_tokens",
    "default_estimated_output_tokens_per_model",
    "end_user_budget_id",
    "tags",
    "disable_global_guardrails",
    "enable_prompt_caching",
    "throttle_on_budget_exceeded",
    "enforced_params",
    "allowed_passthrough_routes",
    "denied_passthrough_routes",
    "allowed_vector_store_indexes",
    "rpm_limit_type",
    "tpm_limit_type",
];

/// The answer of `/key/generate`: the row, the secret (shown this once) and the hash.
pub(super) fn generated(record: &KeyRecord, secret: &str, now: i64) -> Value {
    let mut row = row(record, record.spend, now);
    for name in ["status", "soft_budget_cooldown", "total_spend", "last_active", "soft_budget", "model_spend"]
    {
        row.shift_remove(name);
    }
    for name in REPEATED {
        row.entry(*name).or_insert(Value::Null);
    }
    row.insert("soft_budget".to_owned(), money(record.settings.soft_budget));
    row.insert("duration".to_owned(), Value::Null);
    row.insert("key".to_owned(), json!(secret));
    row.insert("token".to_owned(), json!(record.hash.as_str()));
    row.insert("token_id".to_owned(), json!(record.hash.as_str()));
    Value::Object(row)
}

fn status(record: &KeyRecord, now: i64) -> &'static str {
    let settings = &record.settings;
    if record.deleted_at.is_some() {
        "deleted"
    } else if settings.blocked {
        "revoked"
    } else if settings.expires_at.is_some_and(|at| at <= now) {
        "expired"
    } else {
        "active"
    }
}

/// An amount in USD, or null.
pub(super) fn money(amount: Option<Money>) -> Value {
    amount.map_or(Value::Null, |amount| json!(amount.as_usd()))
}

/// A time as LiteLLM writes it: `2026-11-20T10:11:22.401000Z`.
pub(super) fn time(ms: Option<i64>) -> Value {
    let Some(at) = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) else { return Value::Null };
    json!(at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
}
