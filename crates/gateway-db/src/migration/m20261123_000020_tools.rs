//! Which functions a call's answer called, and what calls with them cost each day.

use sea_orm_migration::prelude::*;

use super::run_script;

/// A column of the spend log, and the daily sums by tool.
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

const SCHEMA: &str = "
ALTER TABLE spend_log ADD COLUMN tools text;
CREATE TABLE daily_tool_spend (
    day bigint NOT NULL,
    tool text NOT NULL,
    calls bigint NOT NULL,
    tokens bigint NOT NULL,
    cost bigint NOT NULL,
    PRIMARY KEY (day, tool)
)
";

const UNDO: &str = "
DROP TABLE daily_tool_spend;
ALTER TABLE spend_log DROP COLUMN tools
";
