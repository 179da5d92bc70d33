//! What the database tests share: a fresh database of each kind, and records to put into it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod postgres;

use gateway_db::{Db, DbOptions, KeySettings, NewKey};
use llm_types::{KeyHash, Money};

/// A fresh, migrated database and where it is; dropping it removes a SQLite file.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    pub(crate) url: String,
    _dir: Option<tempfile::TempDir>,
}

/// Runs a test on a fresh SQLite file, then on a fresh PostgreSQL database if there is a server.
pub(crate) async fn on_each(test: impl AsyncFn(&TestDb)) {
    test(&sqlite().await).await;
    if let Some(url) = postgres::fresh_database().await {
        test(&migrated(url, None).await).await;
    }
}

/// A fresh SQLite file.
pub(crate) async fn sqlite() -> TestDb {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", dir.path().join("data/gateway.db").display());
    migrated(url, Some(dir)).await
}

pub(crate) async fn migrated(url: String, dir: Option<tempfile::TempDir>) -> TestDb {
    let db = Db::connect(&url, &DbOptions::default()).await.expect("the database opens");
    db.migrate().await.expect("the schema is made");
    TestDb { db, url, _dir: dir }
}

/// A hash that is as long as a real one.
pub(crate) fn hash(number: u64) -> KeyHash {
    KeyHash::from(format!("{number:064x}"))
}

/// A key with no limits.
pub(crate) fn plain_key(number: u64) -> NewKey {
    NewKey {
        hash: hash(number),
        name: Some(format!("sk-...{number:04}")),
        settings: KeySettings::default(),
        spend: Money::ZERO,
        created_at: 1_000 + i64::try_from(number).expect("a small number"),
        created_by: Some("default_user_id".into()),
    }
}

/// A key with an alias.
pub(crate) fn named_key(number: u64, alias: &str) -> NewKey {
    let mut key = plain_key(number);
    key.settings.alias = Some(alias.into());
    key
}
