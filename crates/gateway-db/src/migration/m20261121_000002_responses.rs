//! Replies that callers may ask for later, by id.

use sea_orm_migration::prelude::*;

/// The table of replies.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in SCHEMA.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE responses").await?;
        Ok(())
    }
}

/// In the words both databases share. Input and reply are JSON kept as text: they are given back as they
/// are and never searched.
const SCHEMA: &str = "
CREATE TABLE responses (
    id text NOT NULL PRIMARY KEY,
    key_hash text,
    team_id text,
    model_group text NOT NULL,
    deployment text NOT NULL,
    previous text,
    held boolean NOT NULL,
    input text,
    reply text,
    cancel boolean NOT NULL DEFAULT FALSE,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX responses_expires ON responses (expires_at);
";
