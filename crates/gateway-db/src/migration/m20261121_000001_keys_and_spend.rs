//! First schema: keys, the spend log, daily sums, the ledger's positions, settings.

use sea_orm_migration::prelude::*;

use super::run_script;

/// Everything the gateway needs to run with keys and spend.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261121_000001_keys_and_spend.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            ["verification_keys", "change_feed", "spend_log", "daily_spend", "ledger_cursor", "settings"]
        {
            manager.get_connection().execute_unprepared(&format!("DROP TABLE {table}")).await?;
        }
        Ok(())
    }
}
