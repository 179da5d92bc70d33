//! Whose doing a slip is: one address must not take the room of all.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The column of sources.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "ALTER TABLE slips DROP COLUMN source").await
    }
}

const SCHEMA: &str = "ALTER TABLE slips ADD COLUMN source text NOT NULL DEFAULT ''";
