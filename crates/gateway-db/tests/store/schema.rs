//! Opening and migrating.

use std::time::{Duration, Instant};

use gateway_db::{Db, DbErrorKind, DbOptions};

use crate::support::{on_each, postgres, sqlite};

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    on_each(async |fresh| {
        let before = fresh.db.status().await.unwrap();
        let steps = [
            "m20261121_000001_keys_and_spend",
            "m20261121_000002_responses",
            "m20261121_000003_response_leases",
            "m20261121_000004_scopes",
            "m20261121_000005_leases",
            "m20261121_000006_daily_scope_spend",
            "m20261122_000010_config_entries",
            "m20261122_000011_audit_log",
            "m20261122_000012_lessons",
            "m20261122_000013_spend_partitions",
            "m20261122_000014_slips",
            "m20261122_000015_daily_calls",
            "m20261122_000016_invitations",
            "m20261122_000017_slip_sources",
            "m20261122_000018_spend_sessions",
            "m20261122_000019_spend_parts",
            "m20261123_000020_tools",
            "m20261123_000021_token_keys",
        ];
        assert_eq!(before.applied, steps);
        assert_eq!(before.pending, Vec::<String>::new());
        assert_eq!(fresh.db.migrate().await.unwrap(), Vec::<String>::new());
        assert_eq!(fresh.db.status().await.unwrap(), before);
        fresh.db.check().await.unwrap();
        fresh.db.ping().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_empty_database_fails_the_check_and_names_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("x.db").display());
    let mut urls = vec![url];
    urls.extend(postgres::fresh_database().await);
    for url in urls {
        let db = Db::connect(&url, &DbOptions::default()).await.unwrap();
        let error = db.check().await.expect_err("nothing is migrated");
        assert_eq!(error.kind(), DbErrorKind::Schema);
        assert!(error.to_string().contains("m20261121_000001_keys_and_spend"), "{error}");
        assert!(error.to_string().contains("gateway migrate"), "{error}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    on_each(async |fresh| {
        let other = sea_orm::Database::connect(&fresh.url).await.unwrap();
        let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000001_later', 1)";
        sea_orm::ConnectionTrait::execute_unprepared(&other, newer).await.unwrap();
        for error in [fresh.db.migrate().await.map(drop), fresh.db.check().await] {
            let error = error.expect_err("the schema is newer");
            assert_eq!(error.kind(), DbErrorKind::Schema, "{error}");
            assert!(error.to_string().contains("m20990101_000001_later"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn many_may_migrate_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", dir.path().join(name).display());
    let alone = Db::connect(&file("alone.db"), &DbOptions::default()).await.unwrap();
    let steps = alone.migrate().await.unwrap().len();
    let mut urls = vec![file("x.db")];
    urls.extend(postgres::fresh_database().await);
    for url in urls {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let url = url.clone();
            tasks.spawn(async move {
                let db = Db::connect(&url, &DbOptions::default()).await.unwrap();
                db.migrate().await.unwrap().len()
            });
        }
        assert_eq!(tasks.join_all().await.into_iter().sum::<usize>(), steps, "{url}");
    }
}

#[tokio::test]
async fn a_sqlite_file_is_private_and_in_wal_mode() {
    use std::os::unix::fs::PermissionsExt;
    let fresh = sqlite().await;
    let path = fresh.url.strip_prefix("sqlite:").unwrap();
    for file in [path.to_owned(), format!("{path}-wal")] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
    let folder = std::path::Path::new(path).parent().unwrap();
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_database_in_memory_keeps_what_it_is_given() {
    let db = Db::connect("sqlite::memory:", &DbOptions::default()).await.unwrap();
    db.migrate().await.unwrap();
    db.put_setting("name", &serde_json::json!("value"), 1).await.unwrap();
    assert_eq!(db.clone().setting("name").await.unwrap(), Some(serde_json::json!("value")));
}

/// Not a promise of the test machine: it only fails when something is wrong by an order of magnitude. A disk that
/// is busy with other tests spoils a measurement, so it is taken again, later.
#[tokio::test]
async fn a_fresh_sqlite_start_is_quick() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for wait in [0, 2, 5, 10] {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let url = format!("sqlite:{}", dir.path().join(format!("{wait}.db")).display());
        let start = Instant::now();
        Db::connect(&url, &DbOptions::default()).await.unwrap().migrate().await.unwrap();
        seen.push(start.elapsed());
        if seen.last().is_some_and(|took| took.as_millis() < 1_000) {
            println!("opened and migrated a new SQLite file in {seen:?}");
            return;
        }
    }
    panic!("opened and migrated new SQLite files in {seen:?}");
}
