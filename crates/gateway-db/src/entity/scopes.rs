//! Teams, users, organisations, customers, tags, projects, their members, and shared budgets.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scopes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) member: String,
    pub(crate) alias: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) budget_id: Option<String>,
    pub(crate) models: Json,
    pub(crate) metadata: Json,
    pub(crate) spend: i64,
    pub(crate) total_spend: i64,
    pub(crate) max_budget: Option<i64>,
    pub(crate) soft_budget: Option<i64>,
    pub(crate) budget_duration: Option<String>,
    pub(crate) budget_reset_at: Option<i64>,
    pub(crate) rpm_limit: Option<i64>,
    pub(crate) tpm_limit: Option<i64>,
    pub(crate) tpd_limit: Option<i64>,
    pub(crate) max_parallel_requests: Option<i64>,
    pub(crate) model_max_budget: Json,
    pub(crate) model_rpm_limit: Json,
    pub(crate) model_tpm_limit: Json,
    pub(crate) blocked: bool,
    pub(crate) extra: Json,
    pub(crate) created_at: i64,
    pub(crate) created_by: Option<String>,
    pub(crate) updated_at: i64,
    pub(crate) updated_by: Option<String>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) deleted_by: Option<String>,
    pub(crate) version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
