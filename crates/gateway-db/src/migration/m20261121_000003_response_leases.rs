//! Until when whoever makes a reply in the background is at work on it.

use sea_orm_migration::prelude::*;

/// The column of leases.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's signature elides it, and the macro compares")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = "ALTER TABLE responses ADD COLUMN lease_until bigint";
        manager.get_connection().execute_unprepared(add).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let remove = "ALTER TABLE responses DROP COLUMN lease_until";
        manager.get_connection().execute_unprepared(remove).await.map(drop)
    }
}
