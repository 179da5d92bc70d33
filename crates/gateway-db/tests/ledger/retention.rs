//! Old rows of the spend log go, sums stay; on PostgreSQL ranges of time are made ahead and dropped.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway_db::{CleanUp, Cleaned, Db, LedgerOptions, ReportQuery, Shipper, ShipperOptions, SpendQuery};
use llm_types::Money;
use sea_orm::ConnectionTrait;

use crate::ship::{append, open, outcome};
use crate::support::{TestDb, on_each, postgres};

const DAY: i64 = 86_400_000;

/// The machine's day: a new database's first range ends there.
fn today() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    i64::try_from(now).unwrap().div_euclid(DAY) * DAY
}

fn clean_up(before: i64) -> CleanUp {
    CleanUp {
        before,
        batch_rows: 3,
        max_batches: 100,
        run_budget: Duration::from_secs(60),
        batch_timeout: Duration::from_secs(30),
    }
}

/// Ships a call of one nano-dollar for each of these times.
async fn ship(db: &Db, times: &[i64]) {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
    for at in times {
        let mut call = outcome(u128::from(fastrand::u64(..)), "", 1);
        call.started_ms = *at;
        append(&mut writer, &[call]);
    }
    Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
}

/// The times of all rows, oldest first.
async fn times(db: &Db) -> Vec<i64> {
    let mut rows = Vec::new();
    for page in 1.. {
        let page = gateway_db::PageRequest { page, size: 1_000 };
        let found = db.spend_rows(&SpendQuery { page, ..SpendQuery::default() }).await.unwrap().items;
        if found.is_empty() {
            break;
        }
        rows.extend(found.into_iter().map(|row| row.started_at));
    }
    rows.sort_unstable();
    rows
}

async fn booked(db: &Db) -> Money {
    db.spend_report(&ReportQuery::default()).await.unwrap()[0].sums.cost
}

#[tokio::test]
async fn old_rows_go_in_batches_and_sums_stay() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let today = today();
        let old: Vec<i64> = (0..8).map(|hour| today - 40 * DAY + hour * 3_600_000).collect();
        let kept = [today - 3 * DAY, today - 3 * DAY + 5, today + 7];
        ship(db, &old).await;
        ship(db, &kept).await;
        let short = CleanUp { max_batches: 2, ..clean_up(today - 30 * DAY + 5) };
        let cleaned = db.clean_spend_log(&short).await.unwrap();
        assert_eq!(cleaned, Cleaned { rows: 6, ..Cleaned::default() }, "two batches of three, oldest first");
        assert_eq!(times(db).await[..2], old[6..]);
        let cleaned = db.clean_spend_log(&clean_up(today - 30 * DAY)).await.unwrap();
        assert_eq!(cleaned, Cleaned { rows: 2, finished: true, ..Cleaned::default() });
        assert_eq!(times(db).await, kept);
        let cleaned = db.clean_spend_log(&clean_up(today - 3 * DAY + 5)).await.unwrap();
        assert_eq!(cleaned.rows, 0, "a day goes when all of it is too old");
        assert_eq!(booked(db).await, Money(11), "sums stay");
    })
    .await;
}

#[tokio::test]
async fn one_gateway_takes_on_a_run() {
    on_each(async |fresh| {
        let db = &fresh.db;
        assert_eq!(db.last_spend_cleanup(7).await.unwrap(), 7);
        assert_eq!(db.last_spend_cleanup(9).await.unwrap(), 7, "it is kept");
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            let db = db.clone();
            tasks.spawn(async move { db.claim_spend_cleanup(7, 100 + number).await.unwrap() });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|claimed| *claimed).count(), 1);
        assert!(db.last_spend_cleanup(0).await.unwrap() >= 100);
    })
    .await;
}

#[tokio::test]
async fn gateways_that_clean_up_at_once_remove_each_row_once() {
    on_each(async |fresh| {
        let today = today();
        ship(&fresh.db, &(0..60).map(|minute| today - 9 * DAY + minute * 60_000).collect::<Vec<_>>()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let db = fresh.db.clone();
            tasks.spawn(async move { db.clean_spend_log(&clean_up(today - DAY)).await.unwrap().rows });
        }
        let mut removed: u64 = tasks.join_all().await.into_iter().sum();
        // Those that found another at work gave up, and so may the last.
        while !times(&fresh.db).await.is_empty() {
            removed += fresh.db.clean_spend_log(&clean_up(today - DAY)).await.unwrap().rows;
        }
        assert_eq!(removed, 60);
    })
    .await;
}

/// Where each row is, by the name of its partition.
async fn places(fresh: &TestDb) -> Vec<(String, i64)> {
    let other = sea_orm::Database::connect(&fresh.url).await.unwrap();
    let sql = "SELECT tableoid::regclass::text, started_at FROM spend_log ORDER BY started_at, 1";
    let rows = other
        .query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql))
        .await
        .unwrap();
    rows.iter().map(|row| row.try_get_many_by_index().unwrap()).collect()
}

fn name(day: i64) -> String {
    let day = i32::try_from(day / DAY).unwrap();
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
    format!("spend_log_{}", date.strftime("%Y%m%d"))
}

async fn on_postgres() -> Option<TestDb> {
    let url = postgres::fresh_database().await?;
    Some(crate::support::migrated(url, None).await)
}

#[tokio::test]
async fn days_are_made_ahead_and_dropped_when_they_are_too_old() {
    let Some(fresh) = on_postgres().await else { return };
    let (db, today) = (&fresh.db, today());
    let made = db.make_spend_partitions(today + 5, true).await.unwrap();
    assert_eq!(made, (0..8).map(|day| name(today + day * DAY)).collect::<Vec<_>>());
    assert_eq!(db.make_spend_partitions(today + 5, true).await.unwrap(), Vec::<String>::new());
    ship(db, &[today - DAY, today, today + DAY - 1, today + 2 * DAY, today + 20 * DAY]).await;
    let expected = [
        ("spend_log_past".to_owned(), today - DAY),
        (name(today), today),
        (name(today), today + DAY - 1),
        (name(today + 2 * DAY), today + 2 * DAY),
        ("spend_log_default".to_owned(), today + 20 * DAY),
    ];
    assert_eq!(places(&fresh).await, expected);
    let cleaned = db.clean_spend_log(&clean_up(today + 2 * DAY + 99)).await.unwrap();
    let gone = vec!["spend_log_past".to_owned(), name(today), name(today + DAY)];
    assert_eq!(cleaned, Cleaned { partitions: gone, rows: 0, finished: true });
    assert_eq!(places(&fresh).await, expected[3..]);
    assert_eq!(booked(db).await, Money(5));
    // A gateway comes back after three weeks: what landed in the default partition moves to its range.
    let made = db.make_spend_partitions(today + 20 * DAY + 5, true).await.unwrap();
    assert_eq!(made.len(), 9, "{made:?}");
    assert_eq!(places(&fresh).await[1], (name(today + 20 * DAY), today + 20 * DAY));
    // Rows that come late belong nowhere, and go too.
    ship(db, &[today - 50 * DAY]).await;
    assert_eq!(places(&fresh).await[0], ("spend_log_default".to_owned(), today - 50 * DAY));
    assert_eq!(db.clean_spend_log(&clean_up(today)).await.unwrap().rows, 1);
}

#[tokio::test]
async fn ranges_are_months_where_rows_are_kept_for_long() {
    let Some(fresh) = on_postgres().await else { return };
    let made = fresh.db.make_spend_partitions(today(), false).await.unwrap();
    assert!((1..=2).contains(&made.len()), "{made:?}");
    assert_eq!(made[0], name(today()));
    assert!(made.iter().skip(1).all(|name| name.ends_with("01")), "{made:?}");
}

#[tokio::test]
async fn many_may_make_ranges_at_once() {
    let Some(fresh) = on_postgres().await else { return };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let db = fresh.db.clone();
        tasks.spawn(async move { db.make_spend_partitions(today() + 5, true).await.unwrap().len() });
    }
    assert_eq!(tasks.join_all().await.into_iter().max(), Some(8));
}

/// A database as the version before has it.
const BEFORE: &str = "
    CREATE TABLE whole (LIKE spend_log INCLUDING DEFAULTS);
    DROP TABLE spend_log;
    ALTER TABLE whole RENAME TO spend_log;
    ALTER TABLE spend_log DROP COLUMN booked_cost;
    ALTER TABLE spend_log ADD CONSTRAINT spend_log_pkey PRIMARY KEY (request_id);
    CREATE INDEX spend_log_time ON spend_log (started_at);
    CREATE INDEX spend_log_key ON spend_log (key_hash, started_at);
    CREATE INDEX spend_log_call ON spend_log (call_id) WHERE call_id IS NOT NULL;
    CREATE INDEX spend_log_end_user ON spend_log (end_user, started_at) WHERE end_user IS NOT NULL;
    DELETE FROM seaql_migrations WHERE version = 'm20261122_000013_spend_partitions'";

#[tokio::test]
async fn rows_of_an_older_version_are_carried_over() {
    let Some(fresh) = on_postgres().await else { return };
    let today = today();
    let other = sea_orm::Database::connect(&fresh.url).await.unwrap();
    other.execute_unprepared(BEFORE).await.unwrap();
    let rows = [today - 400 * DAY, today - DAY, today + 5, today + 900 * DAY];
    for (number, at) in rows.iter().enumerate() {
        let insert = format!(
            "INSERT INTO spend_log (request_id, started_at, duration_us, model_group, call_type, outcome, status, flags, \
             input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, retries, fallbacks) \
             VALUES ('call-{number}', {at}, 1, 'm', 'acompletion', 'completed', 200, 0, 1, 2, 0, 0, 0, 0, 0)"
        );
        other.execute_unprepared(&insert).await.unwrap();
    }
    assert_eq!(fresh.db.migrate().await.unwrap(), ["m20261122_000013_spend_partitions"]);
    let past = |at: i64| ("spend_log_past".to_owned(), at);
    let expected = [past(rows[0]), past(rows[1]), past(rows[2]), ("spend_log_default".to_owned(), rows[3])];
    assert_eq!(
        places(&fresh).await,
        expected,
        "a clock that was wrong keeps the range of the past from ending"
    );
    assert_eq!(fresh.db.make_spend_partitions(today, true).await.unwrap()[0], name(today + DAY));
    let found = SpendQuery { request_id: Some("call-2".into()), ..SpendQuery::default() };
    assert_eq!(fresh.db.spend_rows(&found).await.unwrap().items[0].started_at, rows[2]);
}
