//! Which virtual keys the bearers of tokens call with.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE token_keys").await
    }
}

const SCHEMA: &str = "
CREATE TABLE token_keys (
    id text NOT NULL PRIMARY KEY,
    issuer text NOT NULL,
    claim text NOT NULL,
    value text NOT NULL,
    key_hash text NOT NULL,
    description text,
    active boolean NOT NULL,
    created_at bigint NOT NULL,
    created_by text,
    updated_at bigint NOT NULL,
    updated_by text,
    UNIQUE (claim, value, issuer)
);
CREATE INDEX token_keys_by_key ON token_keys (key_hash)
";
