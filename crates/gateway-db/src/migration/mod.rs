//! The schema's history: append-only, one file per step.

mod m20261121_000001_keys_and_spend;
mod m20261121_000002_responses;
mod m20261121_000003_response_leases;
mod m20261121_000004_scopes;
mod m20261121_000005_leases;
mod m20261121_000006_daily_scope_spend;
mod m20261122_000010_config_entries;
mod m20261122_000011_audit_log;
mod m20261122_000012_lessons;
mod m20261122_000013_spend_partitions;
mod m20261122_000014_slips;
mod m20261122_000015_daily_calls;
mod m20261122_000016_invitations;
mod m20261122_000017_slip_sources;
mod m20261122_000018_spend_sessions;
mod m20261122_000019_spend_parts;
mod m20261123_000020_tools;
mod m20261123_000021_token_keys;

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

use crate::error::{DbError, DbErrorKind};
use crate::{Backend, Db, SchemaStatus};

/// PostgreSQL advisory lock of migrations: `gateway` in ASCII.
const LOCK: i64 = 0x67_61_74_65_77_61_79;

struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_keys_and_spend::Migration),
            Box::new(m20261121_000002_responses::Migration),
            Box::new(m20261121_000003_response_leases::Migration),
            Box::new(m20261121_000004_scopes::Migration),
            Box::new(m20261121_000005_leases::Migration),
            Box::new(m20261121_000006_daily_scope_spend::Migration),
            Box::new(m20261122_000010_config_entries::Migration),
            Box::new(m20261122_000011_audit_log::Migration),
            Box::new(m20261122_000012_lessons::Migration),
            Box::new(m20261122_000013_spend_partitions::Migration),
            Box::new(m20261122_000014_slips::Migration),
            Box::new(m20261122_000015_daily_calls::Migration),
            Box::new(m20261122_000016_invitations::Migration),
            Box::new(m20261122_000017_slip_sources::Migration),
            Box::new(m20261122_000018_spend_sessions::Migration),
            Box::new(m20261122_000019_spend_parts::Migration),
            Box::new(m20261123_000020_tools::Migration),
            Box::new(m20261123_000021_token_keys::Migration),
        ]
    }
}

/// Runs what has not run, in one transaction that others wait for.
pub(crate) async fn up(db: &Db) -> Result<Vec<String>, DbError> {
    let failed = |error| failed("cannot migrate the database", error);
    let transaction = db.begin_write().await?;
    if db.backend() == Backend::Postgres {
        let wait = format!("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})");
        transaction.execute_unprepared(&wait).await.map_err(failed)?;
    }
    let pending = names(&Migrator::get_pending_migrations(&transaction).await.map_err(failed)?);
    if !pending.is_empty() {
        Migrator::up(&transaction, None).await.map_err(failed)?;
    }
    sea_orm::TransactionSession::commit(transaction).await.map_err(failed)?;
    Ok(pending)
}

pub(crate) async fn status(db: &Db) -> Result<SchemaStatus, DbError> {
    let failed = |error| failed("cannot read the schema's history", error);
    let applied = names(&Migrator::get_applied_migrations_read_only(&db.conn).await.map_err(failed)?);
    let pending = names(&Migrator::get_pending_migrations_read_only(&db.conn).await.map_err(failed)?);
    Ok(SchemaStatus { applied, pending })
}

fn names(migrations: &[sea_orm_migration::Migration]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_owned()).collect()
}

/// Runs statements in the words both databases share, one after the other; `json_type` and
/// `bytes_type` become the types that each has for JSON and for bytes.
async fn run_script(manager: &SchemaManager<'_>, script: &str) -> Result<(), DbErr> {
    let (json, bytes) = match manager.get_database_backend() {
        sea_orm::DatabaseBackend::Postgres => ("jsonb", "bytea"),
        _ => ("text", "blob"),
    };
    let script = script.replace("json_type", json).replace("bytes_type", bytes);
    for statement in script.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// The migrator's own complaint is about steps in the history that this program does not have.
fn failed(context: &str, error: DbErr) -> DbError {
    match error {
        DbErr::Custom(text) => {
            let words = format!("{context}: it was written by a newer program or another one ({text})");
            DbError::new(DbErrorKind::Schema, words)
        }
        error => DbError::from_sea(context, error),
    }
}
