//! Invitations of users to set a password, and those passwords, hashed.

use sea_orm_migration::prelude::*;

use super::run_script;

/// The tables of invitations and passwords.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, SCHEMA).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run_script(manager, "DROP TABLE invitations; DROP TABLE passwords").await
    }
}

const SCHEMA: &str = "
CREATE TABLE invitations (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    accepted_at bigint,
    expires_at bigint NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    updated_at bigint NOT NULL,
    updated_by text NOT NULL
);
CREATE INDEX invitations_user_id ON invitations (user_id);
CREATE TABLE passwords (
    user_id text NOT NULL PRIMARY KEY,
    hash text NOT NULL,
    changed_at bigint NOT NULL
)
";
