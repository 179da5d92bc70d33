//! Which parts of budgets paid for a call, so that they follow when its cost is derived anew.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The column.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE spend_log ADD COLUMN parts text").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE spend_log DROP COLUMN parts").await
    }
}
