//! Which session a call belongs to.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The column, and an index for those who ask for one session.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, ADD).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, REMOVE).await
    }
}

/// Rows without a session, which most are, are not in the index.
const ADD: &str = "
ALTER TABLE spend_log ADD COLUMN session_id text;
CREATE INDEX spend_log_session ON spend_log (session_id, started_at) WHERE session_id IS NOT NULL
";

const REMOVE: &str = "DROP INDEX spend_log_session; ALTER TABLE spend_log DROP COLUMN session_id";
