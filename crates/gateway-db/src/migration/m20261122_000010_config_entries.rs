//! Entries of the configuration that are made over the management API: models and credentials.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of entries and their feed.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE config_entries; DELETE FROM change_feed WHERE name = 'entries'").await
    }
}

const SCHEMA: &str = "
CREATE TABLE config_entries (
    kind text NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    sealed bytes_type NOT NULL,
    info json_type NOT NULL,
    blocked boolean NOT NULL,
    created_at bigint NOT NULL,
    created_by text,
    updated_at bigint NOT NULL,
    updated_by text,
    PRIMARY KEY (kind, id)
);
INSERT INTO change_feed (name, version) VALUES ('entries', 0)
";
