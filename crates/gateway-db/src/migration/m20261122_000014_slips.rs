//! Notes that hold for minutes: answers that were taken once, sign-ins that wait.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of slips.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE slips").await
    }
}

const SCHEMA: &str = "
CREATE TABLE slips (
    kind text NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX slips_expires_at ON slips (expires_at)
";
