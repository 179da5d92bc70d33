//! Replies that callers may ask for later.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "responses")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: String,
    pub(crate) key_hash: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) model_group: String,
    pub(crate) deployment: String,
    pub(crate) previous: Option<String>,
    pub(crate) held: bool,
    pub(crate) input: Option<String>,
    pub(crate) reply: Option<String>,
    pub(crate) cancel: bool,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) lease_until: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
