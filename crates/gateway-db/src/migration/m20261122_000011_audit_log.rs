//! The audit log, its checkpoints, and the count of its rows.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The two tables and the feed that numbers rows.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let script = "DROP TABLE audit_checkpoints; DROP TABLE audit_log; \
                      DELETE FROM change_feed WHERE name = 'audit'";
        run_script(manager, script).await
    }
}

/// Values are text and not JSON: PostgreSQL would write them anew, and their hash is over the text.
const SCHEMA: &str = "
CREATE TABLE audit_log (
    seq bigint NOT NULL PRIMARY KEY,
    id text NOT NULL,
    at bigint NOT NULL,
    changed_by text NOT NULL,
    changed_by_api_key text NOT NULL,
    user_id text NOT NULL,
    address text,
    action text NOT NULL,
    table_name text NOT NULL,
    object_id text NOT NULL,
    before_value text,
    updated_values text,
    previous text NOT NULL,
    hash text NOT NULL
);
CREATE UNIQUE INDEX audit_log_id ON audit_log (id);
CREATE INDEX audit_log_object ON audit_log (object_id);
CREATE INDEX audit_log_at ON audit_log (at);
CREATE TABLE audit_checkpoints (
    seq bigint NOT NULL PRIMARY KEY,
    hash text NOT NULL,
    at bigint NOT NULL,
    previous text NOT NULL,
    signature text NOT NULL
);
CREATE UNIQUE INDEX audit_checkpoints_previous ON audit_checkpoints (previous);
INSERT INTO change_feed (name, version) VALUES ('audit', 0)
";
