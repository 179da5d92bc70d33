//! Between scope records and rows of their table.

use llm_types::Money;
use serde_json::Value as Json;

use super::columns::Columns;
use crate::entity::scopes::Model;
use crate::error::{DbError, DbErrorKind};
use crate::{NewScope, ScopeId, ScopeKind, ScopeRecord, ScopeSettings};

/// A row as a record.
pub(super) fn record(row: Model) -> Result<ScopeRecord, DbError> {
    let column = Columns { what: &row.kind, id: &row.id };
    let settings = ScopeSettings {
        alias: row.alias,
        email: row.email,
        role: row.role,
        organization_id: row.organization_id,
        team_id: row.team_id,
        budget_id: row.budget_id,
        models: column.list("models", row.models)?,
        metadata: column.map("metadata", row.metadata)?,
        max_budget: row.max_budget.map(Money),
        soft_budget: row.soft_budget.map(Money),
        budget_duration: row.budget_duration,
        budget_reset_at: row.budget_reset_at,
        rpm_limit: row.rpm_limit,
        tpm_limit: row.tpm_limit,
        tpd_limit: row.tpd_limit,
        max_parallel_requests: row.max_parallel_requests,
        model_max_budget: column.map("model_max_budget", row.model_max_budget)?,
        model_rpm_limit: column.map("model_rpm_limit", row.model_rpm_limit)?,
        model_tpm_limit: column.map("model_tpm_limit", row.model_tpm_limit)?,
        blocked: row.blocked,
        extra: column.map("extra", row.extra)?,
    };
    Ok(ScopeRecord {
        id: ScopeId { kind: kind(&row.kind)?, id: row.id, member: row.member },
        settings,
        spend: Money(row.spend),
        total_spend: Money(row.total_spend),
        created_at: row.created_at,
        created_by: row.created_by,
        updated_at: row.updated_at,
        updated_by: row.updated_by,
        deleted_at: row.deleted_at,
        deleted_by: row.deleted_by,
        version: row.version,
    })
}

pub(super) fn kind(word: &str) -> Result<ScopeKind, DbError> {
    ScopeKind::parse(word).ok_or_else(|| {
        DbError::new(DbErrorKind::Corrupt, format!("table `scopes` has a row of the unknown kind `{word}`"))
    })
}

/// A new scope as a row.
pub(super) fn row(scope: NewScope, version: i64) -> Model {
    let record = ScopeRecord {
        id: scope.id,
        settings: scope.settings,
        spend: scope.spend,
        total_spend: Money::ZERO,
        created_at: scope.created_at,
        created_by: scope.created_by.clone(),
        updated_at: scope.created_at,
        updated_by: scope.created_by,
        deleted_at: None,
        deleted_by: None,
        version,
    };
    row_of(record)
}

/// A record as a row.
pub(crate) fn row_of(record: ScopeRecord) -> Model {
    let ScopeSettings {
        alias,
        email,
        role,
        organization_id,
        team_id,
        budget_id,
        models,
        metadata,
        max_budget,
        soft_budget,
        budget_duration,
        budget_reset_at,
        rpm_limit,
        tpm_limit,
        tpd_limit,
        max_parallel_requests,
        model_max_budget,
        model_rpm_limit,
        model_tpm_limit,
        blocked,
        extra,
    } = record.settings;
    Model {
        kind: record.id.kind.as_str().to_owned(),
        id: record.id.id,
        member: record.id.member,
        alias,
        email,
        role,
        organization_id,
        team_id,
        budget_id,
        models: Json::from(models),
        metadata: Json::from(metadata),
        spend: record.spend.0,
        total_spend: record.total_spend.0,
        max_budget: max_budget.map(|money| money.0),
        soft_budget: soft_budget.map(|money| money.0),
        budget_duration,
        budget_reset_at,
        rpm_limit,
        tpm_limit,
        tpd_limit,
        max_parallel_requests,
        model_max_budget: Json::from(model_max_budget),
        model_rpm_limit: Json::from(model_rpm_limit),
        model_tpm_limit: Json::from(model_tpm_limit),
        blocked,
        extra: Json::from(extra),
        created_at: record.created_at,
        created_by: record.created_by,
        updated_at: record.updated_at,
        updated_by: record.updated_by,
        deleted_at: record.deleted_at,
        deleted_by: record.deleted_by,
        version: record.version,
    }
}
