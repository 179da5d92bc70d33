//! One row per finished call.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "spend_log")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) request_id: String,
    pub(crate) call_id: Option<String>,
    pub(crate) started_at: i64,
    pub(crate) duration_us: i64,
    pub(crate) first_byte_us: Option<i64>,
    pub(crate) key_hash: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) end_user: Option<String>,
    pub(crate) model_group: String,
    pub(crate) model: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) deployment: Option<String>,
    pub(crate) call_type: String,
    pub(crate) outcome: String,
    pub(crate) status: i64,
    pub(crate) error: Option<String>,
    /// Bits: 1 stream, 2 estimated, 4 unpriced, 8 unknown outcome, 16 cache hit.
    pub(crate) flags: i64,
    pub(crate) input_tokens: i64,
    pub(crate) output_tokens: i64,
    pub(crate) cache_read_tokens: i64,
    pub(crate) cache_write_tokens: i64,
    pub(crate) reasoning_tokens: i64,
    pub(crate) usage: Option<String>,
    pub(crate) cost: Option<i64>,
    pub(crate) retries: i64,
    pub(crate) fallbacks: i64,
    pub(crate) tags: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) project_id: Option<String>,
    /// What it was booked at first, where its cost was derived anew.
    pub(crate) booked_cost: Option<i64>,
    pub(crate) session_id: Option<String>,
    /// The parts of budgets that paid besides, as JSON.
    pub(crate) parts: Option<String>,
    /// The tools that the answer invoked, as JSON.
    pub(crate) tools: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
