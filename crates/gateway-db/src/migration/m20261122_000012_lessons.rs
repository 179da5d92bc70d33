//! What adaptive routers have seen of groups.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of observations.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE lessons").await
    }
}

const SCHEMA: &str = "
CREATE TABLE lessons (
    router text NOT NULL,
    kind text NOT NULL,
    model text NOT NULL,
    good double precision NOT NULL,
    bad double precision NOT NULL,
    PRIMARY KEY (router, kind, model)
)
";
