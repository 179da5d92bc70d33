//! Daily sums of those whom `daily_spend` has no column for: customers and tags.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of their daily sums.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE daily_scope_spend").await
    }
}

const SCHEMA: &str = "
CREATE TABLE daily_scope_spend (
    day bigint NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    key_hash text NOT NULL,
    model_group text NOT NULL,
    model text NOT NULL,
    provider text NOT NULL,
    call_type text NOT NULL,
    requests bigint NOT NULL,
    failed bigint NOT NULL,
    unpriced bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost bigint NOT NULL,
    duration_us bigint NOT NULL,
    PRIMARY KEY (day, kind, id, key_hash, model_group, model, provider, call_type)
);
CREATE INDEX daily_scope_spend_id ON daily_scope_spend (kind, id, day);
CREATE INDEX daily_spend_team ON daily_spend (team_id, day);
CREATE INDEX daily_spend_user ON daily_spend (user_id, day)
";
