//! Virtual keys of LiteLLM's. They keep their hashes, so that secrets in use go on working.

use llm_types::KeyHash;
use serde_json::Value;

use super::row::Row;
use super::{Everything, ImportReport};
use crate::{JsonMap, KeyRecord, KeySettings, ScopeKind};

/// The table of keys.
pub(super) const TABLE: &str = "LiteLLM_VerificationToken";

/// Reads one key.
pub(super) fn read(row: &mut Row<'_>) -> Option<KeyRecord> {
    let hash = row.id("token")?;
    let created_at = row.time("created_at").unwrap_or(row.now);
    row.any("soft_budget_cooldown");
    let mut key = KeyRecord {
        hash: KeyHash::from(hash),
        name: row.text("key_name"),
        settings: settings(row),
        spend: row.money("spend").unwrap_or_default(),
        total_spend: row.money("total_spend").unwrap_or_default(),
        created_at,
        created_by: row.text("created_by"),
        updated_at: row.time("updated_at").unwrap_or(created_at),
        updated_by: row.text("updated_by"),
        last_active: row.time("last_active"),
        rotation_count: row.count("rotation_count").unwrap_or_default(),
        last_rotation_at: row.time("last_rotation_at"),
        deleted_at: None,
        deleted_by: None,
        version: 0,
    };
    key.settings.extra = row.rest();
    Some(key)
}

fn settings(row: &mut Row<'_>) -> KeySettings {
    let metadata = row.map("metadata");
    KeySettings {
        alias: row.text("key_alias"),
        user_id: row.text("user_id"),
        team_id: row.text("team_id"),
        organization_id: row.text("organization_id"),
        project_id: row.text("project_id"),
        agent_id: row.text("agent_id"),
        models: row.list("models"),
        aliases: row.map("aliases"),
        config: row.map("config"),
        permissions: row.map("permissions"),
        max_budget: row.money("max_budget"),
        soft_budget: None,
        budget_duration: row.text("budget_duration"),
        budget_reset_at: row.time("budget_reset_at"),
        rpm_limit: row.count("rpm_limit"),
        tpm_limit: row.count("tpm_limit"),
        tpd_limit: row.count("tpd_limit"),
        max_parallel_requests: row.count("max_parallel_requests"),
        model_max_budget: row.map("model_max_budget"),
        // LiteLLM keeps these two inside its metadata.
        model_rpm_limit: inner(&metadata, "model_rpm_limit"),
        model_tpm_limit: inner(&metadata, "model_tpm_limit"),
        metadata,
        allowed_routes: row.list("allowed_routes"),
        key_type: row.text("key_type"),
        blocked: row.flag("blocked"),
        expires_at: row.time("expires"),
        access_group_ids: row.list("access_group_ids"),
        auto_rotate: row.flag("auto_rotate"),
        rotation_interval: row.text("rotation_interval"),
        rotate_at: row.time("key_rotation_at"),
        extra: JsonMap::new(),
    }
}

fn inner(metadata: &JsonMap, name: &str) -> JsonMap {
    metadata.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Says of how many keys it is told that LiteLLM replaces them by itself: nothing does that here, and they go on.
pub(super) fn tell_rotation(everything: &Everything, report: &mut ImportReport) {
    let rotating = everything.keys.iter().filter(|(_, key)| key.settings.auto_rotate).count() as u64;
    if rotating > 0 {
        report.not_carried.insert(format!("{TABLE}.auto_rotate"), rotating);
    }
}

/// Gives keys the soft budget that LiteLLM keeps in a budget row of their own.
pub(super) fn join(everything: &mut Everything) {
    for (_, key) in &mut everything.keys {
        let Some(budget) = key.settings.extra.get("budget_id").and_then(Value::as_str) else { continue };
        let named = everything
            .scopes
            .iter()
            .find(|(_, scope)| scope.id.kind == ScopeKind::Budget && scope.id.id == budget);
        key.settings.soft_budget = named.and_then(|(_, scope)| scope.settings.soft_budget);
    }
}
