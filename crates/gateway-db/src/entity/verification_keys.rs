//! Virtual keys, and the tombstones of deleted ones.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "verification_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) hash: String,
    pub(crate) name: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) project_id: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) models: Json,
    pub(crate) aliases: Json,
    pub(crate) config: Json,
    pub(crate) permissions: Json,
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
    pub(crate) allowed_routes: Json,
    pub(crate) key_type: Option<String>,
    pub(crate) blocked: bool,
    pub(crate) expires_at: Option<i64>,
    pub(crate) access_group_ids: Json,
    pub(crate) auto_rotate: bool,
    pub(crate) rotation_interval: Option<String>,
    pub(crate) rotate_at: Option<i64>,
    pub(crate) rotation_count: i64,
    pub(crate) last_rotation_at: Option<i64>,
    pub(crate) extra: Json,
    pub(crate) last_active: Option<i64>,
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
