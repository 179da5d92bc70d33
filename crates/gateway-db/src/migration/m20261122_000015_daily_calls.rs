//! What deployments did each day, and what a cache of replies answered.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The table of daily sums by deployment, and two more sums of the others.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, UNDO).await
    }
}

/// Calls from before are not in it: adding them up would read all of the log while everybody waits.
const SCHEMA: &str = "
CREATE TABLE daily_calls (
    day bigint NOT NULL,
    model_group text NOT NULL,
    deployment text NOT NULL,
    model text NOT NULL,
    provider text NOT NULL,
    status bigint NOT NULL,
    error text NOT NULL,
    slow_s bigint NOT NULL,
    calls bigint NOT NULL,
    cached bigint NOT NULL,
    output_tokens bigint NOT NULL,
    duration_us bigint NOT NULL,
    streamed bigint NOT NULL,
    first_byte_us bigint NOT NULL,
    PRIMARY KEY (day, model_group, deployment, model, provider, status, error, slow_s)
);
ALTER TABLE daily_spend ADD COLUMN cache_hits bigint NOT NULL DEFAULT 0;
ALTER TABLE daily_spend ADD COLUMN cached_output_tokens bigint NOT NULL DEFAULT 0;
ALTER TABLE daily_scope_spend ADD COLUMN cache_hits bigint NOT NULL DEFAULT 0;
ALTER TABLE daily_scope_spend ADD COLUMN cached_output_tokens bigint NOT NULL DEFAULT 0
";

const UNDO: &str = "
DROP TABLE daily_calls;
ALTER TABLE daily_spend DROP COLUMN cache_hits;
ALTER TABLE daily_spend DROP COLUMN cached_output_tokens;
ALTER TABLE daily_scope_spend DROP COLUMN cache_hits;
ALTER TABLE daily_scope_spend DROP COLUMN cached_output_tokens
";
