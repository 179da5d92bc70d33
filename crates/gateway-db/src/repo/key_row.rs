//! Between key records and rows of the key table.

use llm_types::{KeyHash, Money};
use sea_orm::{ActiveValue, Set, Value};
use serde_json::Value as Json;

use super::columns::Columns;
use crate::entity::verification_keys::{ActiveModel, Model};
use crate::error::DbError;
use crate::{Change, JsonMap, KeyPatch, KeyRecord, KeySettings, NewKey};

/// A row as a record.
pub(super) fn record(row: Model) -> Result<KeyRecord, DbError> {
    let field = Columns { what: "key", id: &row.hash };
    let settings = KeySettings {
        alias: row.alias,
        user_id: row.user_id,
        team_id: row.team_id,
        organization_id: row.organization_id,
        project_id: row.project_id,
        agent_id: row.agent_id,
        models: field.list("models", row.models)?,
        aliases: field.map("aliases", row.aliases)?,
        config: field.map("config", row.config)?,
        permissions: field.map("permissions", row.permissions)?,
        metadata: field.map("metadata", row.metadata)?,
        max_budget: row.max_budget.map(Money),
        soft_budget: row.soft_budget.map(Money),
        budget_duration: row.budget_duration,
        budget_reset_at: row.budget_reset_at,
        rpm_limit: row.rpm_limit,
        tpm_limit: row.tpm_limit,
        tpd_limit: row.tpd_limit,
        max_parallel_requests: row.max_parallel_requests,
        model_max_budget: field.map("model_max_budget", row.model_max_budget)?,
        model_rpm_limit: field.map("model_rpm_limit", row.model_rpm_limit)?,
        model_tpm_limit: field.map("model_tpm_limit", row.model_tpm_limit)?,
        allowed_routes: field.list("allowed_routes", row.allowed_routes)?,
        key_type: row.key_type,
        blocked: row.blocked,
        expires_at: row.expires_at,
        access_group_ids: field.list("access_group_ids", row.access_group_ids)?,
        auto_rotate: row.auto_rotate,
        rotation_interval: row.rotation_interval,
        rotate_at: row.rotate_at,
        extra: field.map("extra", row.extra)?,
    };
    Ok(KeyRecord {
        hash: KeyHash::from(row.hash),
        name: row.name,
        settings,
        spend: Money(row.spend),
        total_spend: Money(row.total_spend),
        created_at: row.created_at,
        created_by: row.created_by,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
        last_active: row.last_active,
        rotation_count: row.rotation_count,
        last_rotation_at: row.last_rotation_at,
        deleted_at: row.deleted_at,
        deleted_by: row.deleted_by,
        version: row.version,
    })
}

/// A new key as a row.
pub(super) fn row(key: NewKey, version: i64) -> Model {
    row_of(KeyRecord {
        hash: key.hash,
        name: key.name,
        settings: key.settings,
        spend: key.spend,
        total_spend: Money::ZERO,
        created_at: key.created_at,
        created_by: key.created_by.clone(),
        updated_at: key.created_at,
        updated_by: key.created_by,
        last_active: None,
        rotation_count: 0,
        last_rotation_at: None,
        deleted_at: None,
        deleted_by: None,
        version,
    })
}

/// A record as a row.
pub(crate) fn row_of(key: KeyRecord) -> Model {
    let settings = key.settings;
    Model {
        hash: key.hash.as_str().to_owned(),
        name: key.name,
        alias: settings.alias,
        user_id: settings.user_id,
        team_id: settings.team_id,
        organization_id: settings.organization_id,
        project_id: settings.project_id,
        agent_id: settings.agent_id,
        models: Json::from(settings.models),
        aliases: Json::from(settings.aliases),
        config: Json::from(settings.config),
        permissions: Json::from(settings.permissions),
        metadata: Json::from(settings.metadata),
        spend: key.spend.0,
        total_spend: key.total_spend.0,
        max_budget: settings.max_budget.map(|money| money.0),
        soft_budget: settings.soft_budget.map(|money| money.0),
        budget_duration: settings.budget_duration,
        budget_reset_at: settings.budget_reset_at,
        rpm_limit: settings.rpm_limit,
        tpm_limit: settings.tpm_limit,
        tpd_limit: settings.tpd_limit,
        max_parallel_requests: settings.max_parallel_requests,
        model_max_budget: Json::from(settings.model_max_budget),
        model_rpm_limit: Json::from(settings.model_rpm_limit),
        model_tpm_limit: Json::from(settings.model_tpm_limit),
        allowed_routes: Json::from(settings.allowed_routes),
        key_type: settings.key_type,
        blocked: settings.blocked,
        expires_at: settings.expires_at,
        access_group_ids: Json::from(settings.access_group_ids),
        auto_rotate: settings.auto_rotate,
        rotation_interval: settings.rotation_interval,
        rotate_at: settings.rotate_at,
        rotation_count: key.rotation_count,
        last_rotation_at: key.last_rotation_at,
        extra: Json::from(settings.extra),
        last_active: key.last_active,
        created_at: key.created_at,
        created_by: key.created_by,
        updated_at: key.updated_at,
        updated_by: key.updated_by,
        deleted_at: key.deleted_at,
        deleted_by: key.deleted_by,
        version: key.version,
    }
}

/// The columns a patch changes; spend is among them only when the patch sets it, because the shipper
/// may add to it at the same time.
pub(super) fn changes(patch: KeyPatch, old_extra: Json) -> ActiveModel {
    let mut extra = ActiveValue::NotSet;
    if !patch.extra.is_empty() {
        extra = Set(Json::from(merged(old_extra, patch.extra)));
    }
    ActiveModel {
        alias: optional(patch.alias),
        user_id: optional(patch.user_id),
        team_id: optional(patch.team_id),
        organization_id: optional(patch.organization_id),
        project_id: optional(patch.project_id),
        agent_id: optional(patch.agent_id),
        models: json(patch.models),
        aliases: json(patch.aliases),
        config: json(patch.config),
        permissions: json(patch.permissions),
        metadata: json(patch.metadata),
        max_budget: optional(money(patch.max_budget)),
        soft_budget: optional(money(patch.soft_budget)),
        budget_duration: optional(patch.budget_duration),
        budget_reset_at: optional(patch.budget_reset_at),
        rpm_limit: optional(patch.rpm_limit),
        tpm_limit: optional(patch.tpm_limit),
        tpd_limit: optional(patch.tpd_limit),
        max_parallel_requests: optional(patch.max_parallel_requests),
        model_max_budget: json(patch.model_max_budget),
        model_rpm_limit: json(patch.model_rpm_limit),
        model_tpm_limit: json(patch.model_tpm_limit),
        allowed_routes: json(patch.allowed_routes),
        key_type: optional(patch.key_type),
        blocked: patch.blocked.map_or(ActiveValue::NotSet, Set),
        expires_at: optional(patch.expires_at),
        access_group_ids: json(patch.access_group_ids),
        auto_rotate: patch.auto_rotate.map_or(ActiveValue::NotSet, Set),
        rotation_interval: optional(patch.rotation_interval),
        rotate_at: optional(patch.rotate_at),
        spend: patch.spend.map_or(ActiveValue::NotSet, |spend| Set(spend.0)),
        extra,
        ..<ActiveModel as sea_orm::ActiveModelTrait>::default()
    }
}

fn optional<T>(change: Change<T>) -> ActiveValue<Option<T>>
where
    Option<T>: Into<Value>,
{
    match change {
        Change::Keep => ActiveValue::NotSet,
        Change::Clear => Set(None),
        Change::Set(value) => Set(Some(value)),
    }
}

fn json<T: Into<Json>>(value: Option<T>) -> ActiveValue<Json> {
    value.map_or(ActiveValue::NotSet, |value| Set(value.into()))
}

fn money(change: Change<Money>) -> Change<i64> {
    match change {
        Change::Keep => Change::Keep,
        Change::Clear => Change::Clear,
        Change::Set(money) => Change::Set(money.0),
    }
}

fn merged(old: Json, new: JsonMap) -> JsonMap {
    let mut extra = match old {
        Json::Object(extra) => extra,
        _ => JsonMap::new(),
    };
    for (name, value) in new {
        if value.is_null() {
            extra.shift_remove(&name);
        } else {
            extra.insert(name, value);
        }
    }
    extra
}
