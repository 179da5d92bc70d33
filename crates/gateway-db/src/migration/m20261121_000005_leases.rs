//! Slices of budgets that replicas have taken to spend from on their own.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of leases.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE budget_leases").await
    }
}

/// `kind` is a scope's, or `key` with the hash as `id`. `outstanding` is what the node may still spend and
/// what it has spent but not shipped.
const SCHEMA: &str = "
CREATE TABLE budget_leases (
    kind text NOT NULL,
    id text NOT NULL,
    member text NOT NULL,
    node text NOT NULL,
    outstanding bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (kind, id, member, node)
);
CREATE INDEX budget_leases_node ON budget_leases (node)
";
