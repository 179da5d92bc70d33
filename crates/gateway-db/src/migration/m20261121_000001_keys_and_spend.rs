//! First schema: keys, the spend log, daily sums, the ledger's positions, settings.

use sea_orm_migration::prelude::*;

/// Everything the gateway needs to run with keys and spend.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let json = match manager.get_database_backend() {
            sea_orm::DatabaseBackend::Postgres => "jsonb",
            _ => "text",
        };
        let sql = SCHEMA.replace("json_type", json);
        for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
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

/// In the words both databases share; `json_type` is replaced.
const SCHEMA: &str = include_str!("m20261121_000001_keys_and_spend.sql");
