//! Whom else a call is charged to: teams, users, organisations, customers, tags, projects, memberships.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of scopes, its feed, and the project of a call in the spend log.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, include_str!("m20261121_000004_scopes.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = "ALTER TABLE spend_log DROP COLUMN project_id; DROP TABLE scopes; \
                      DELETE FROM change_feed WHERE name = 'scopes'";
        run_script(manager, script).await
    }
}
