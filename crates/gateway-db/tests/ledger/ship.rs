//! What is appended arrives once, whatever happens in between.

use gateway_db::{
    CallId, Db, DbErrorKind, End, Flags, Intent, Ledger, LedgerOptions, NewScope, Outcome, Owner,
    ReportQuery, ScopeId, ScopeKind, ScopeSettings, Shipper, ShipperOptions, SpendBy, SpendQuery, Tokens,
    Writer, encode_cancel,
};
use llm_types::Money;

use crate::support::{TestDb, hash, on_each, plain_key, sqlite};

const DAY: i64 = 86_400_000;

pub(crate) fn intent<'a>(id: u128, key: &'a str) -> Intent<'a> {
    Intent {
        id: CallId(id),
        started_ms: 5 * DAY + 1,
        reserved: Money(1_000),
        reserved_input_tokens: 3,
        reserved_output_tokens: 4,
        owner: Owner { key, user_id: "u", ..Owner::default() },
        model_group: "group",
        call_type: "acompletion",
        stream: false,
    }
}

pub(crate) fn outcome<'a>(id: u128, key: &'a str, cost: i64) -> Outcome<'a> {
    let mut outcome = Outcome::of(CallId(id));
    outcome.started_ms = 5 * DAY + 1;
    outcome.owner = Owner { key, user_id: "u", ..Owner::default() };
    outcome.model_group = "group";
    outcome.model = "model";
    outcome.provider = "openai";
    outcome.call_type = "acompletion";
    outcome.tokens = Tokens { input: 10, output: 5, ..Tokens::default() };
    outcome.cost = Some(Money(cost));
    outcome
}

/// Opens a ledger. A child that another test is just starting may hold our files, and so the lock of the
/// ledger that was open before, until it becomes another program: it is waited for.
pub(crate) fn reopen(dir: &std::path::Path, options: LedgerOptions) -> Ledger {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        match Ledger::open(dir, 1, 1_000, options) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                assert!(std::time::Instant::now() < deadline, "{error}");
                std::thread::yield_now();
            }
            opened => return opened.expect("the ledger opens"),
        }
    }
}

pub(crate) fn open(dir: &std::path::Path, options: LedgerOptions) -> (Ledger, Writer) {
    let mut ledger = reopen(dir, options);
    let writer = ledger.take_writers().pop().expect("a writer");
    (ledger, writer)
}

pub(crate) fn append(writer: &mut Writer, outcomes: &[Outcome<'_>]) {
    let mut batch = Vec::new();
    for outcome in outcomes {
        outcome.encode(&mut batch);
    }
    writer.append(&batch, 1_000).expect("the disk has room");
}

async fn spend(db: &Db, number: u64) -> (Money, Money, Option<i64>) {
    let key = db.key_by_hash(&hash(number)).await.unwrap().unwrap();
    (key.spend, key.total_spend, key.last_active)
}

fn segments(dir: &std::path::Path) -> usize {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "ledger")).count()
}

#[tokio::test]
async fn rows_sums_and_spend_agree() {
    on_each(async |fresh: &TestDb| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        db.insert_key(plain_key(2)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let (one, two, gone) = (hash(1), hash(2), hash(3));
        let mut failed = outcome(4, two.as_str(), 0);
        failed.end = End::Failed;
        failed.status = 429;
        failed.error = "rate_limited";
        let mut unpriced = outcome(5, two.as_str(), 0);
        unpriced.cost = None;
        unpriced.flags.unpriced = true;
        unpriced.started_ms = 6 * DAY;
        append(
            &mut writer,
            &[
                outcome(1, one.as_str(), 10),
                outcome(2, one.as_str(), 5),
                outcome(3, gone.as_str(), 7),
                failed,
                unpriced,
            ],
        );
        let shipper = Shipper::new(&ledger, db.clone(), ShipperOptions::default());
        shipper.flush().await.unwrap();
        shipper.flush().await.unwrap();

        assert_eq!(spend(db, 1).await, (Money(15), Money(15), Some(5 * DAY + 1)));
        assert_eq!(spend(db, 2).await, (Money::ZERO, Money::ZERO, Some(6 * DAY)));
        let status = shipper.status();
        assert_eq!((status.shipped_rows, status.duplicate_rows, status.backlog_bytes), (5, 0, 0));

        let daily = db.daily_spend(&Default::default()).await.unwrap();
        assert_eq!(daily.iter().map(|day| day.requests).sum::<i64>(), 5);
        let of_one = daily.iter().find(|day| day.key == one.as_str()).unwrap();
        assert_eq!((of_one.day, of_one.requests, of_one.input_tokens, of_one.cost), (5, 2, 20, Money(15)));
        let of_two: Vec<_> = daily.iter().filter(|day| day.key == two.as_str()).collect();
        assert_eq!(
            of_two.iter().map(|day| (day.day, day.failed, day.unpriced)).collect::<Vec<_>>(),
            [(5, 1, 0), (6, 0, 1)]
        );
        let rows =
            db.spend_rows(&SpendQuery { key: Some(two.clone()), ..SpendQuery::default() }).await.unwrap();
        assert_eq!(rows.items[0].cost, None);
        assert!(rows.items[0].unpriced);
        assert_eq!((rows.items[1].outcome.as_str(), rows.items[1].status), ("failed", 429));
        assert_eq!(rows.items[1].error.as_deref(), Some("rate_limited"));
        let models = db.spend_by_model(&one).await.unwrap();
        assert_eq!((models[0].model.as_str(), models[0].requests, models[0].cost), ("model", 2, Money(15)));
    })
    .await;
}

#[tokio::test]
async fn every_field_of_a_call_is_in_its_row() {
    on_each(async |fresh: &TestDb| {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let mut call = outcome(7, "litellm_proxy_master_key", 42);
        call.owner = Owner { team_id: "t", organization_id: "o", end_user: "nul\0 ö 'q'", ..call.owner };
        call.call_id = "from-the-caller";
        call.first_byte_us = Some(12);
        call.duration_us = 34;
        call.deployment = "d";
        call.flags = Flags { stream: true, estimated: true, cache_hit: true, ..Flags::default() };
        call.tokens = Tokens { input: 1, output: 2, cache_read: 3, cache_write: 4, reasoning: u64::MAX };
        (call.retries, call.fallbacks) = (5, 6);
        (call.usage, call.tags, call.metadata) = ("{\"x\":1}", "[\"a\"]", "{\"k\":\"\\u0000\"}");
        append(&mut writer, &[call]);
        Shipper::new(&ledger, fresh.db.clone(), ShipperOptions::default()).flush().await.unwrap();

        let by_id = SpendQuery { request_id: Some("from-the-caller".into()), ..SpendQuery::default() };
        let row = fresh.db.spend_rows(&by_id).await.unwrap().items.remove(0);
        assert_eq!(row.request_id, CallId(7).to_string());
        assert_eq!(row.key.as_ref().map(llm_types::KeyHash::as_str), Some("litellm_proxy_master_key"));
        assert_eq!(row.end_user.as_deref(), Some("nul\u{fffd} ö 'q'"));
        assert_eq!((row.team_id.as_deref(), row.organization_id.as_deref()), (Some("t"), Some("o")));
        assert_eq!(
            (row.first_byte_us, row.duration_us, row.deployment.as_deref()),
            (Some(12), 34, Some("d"))
        );
        assert_eq!(
            (row.stream, row.estimated, row.unpriced, row.unknown_outcome, row.cache_hit),
            (true, true, false, false, true)
        );
        assert_eq!(
            (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens),
            (1, 2, 3, 4)
        );
        assert_eq!((row.reasoning_tokens, row.retries, row.fallbacks), (i64::MAX, 5, 6));
        assert_eq!(row.usage.as_deref(), Some("{\"x\":1}"));
        assert_eq!(
            (row.tags.as_deref(), row.metadata.as_deref()),
            (Some("[\"a\"]"), Some("{\"k\":\"\\u0000\"}"))
        );
        assert_eq!(row.cost, Some(Money(42)));
    })
    .await;
}

#[tokio::test]
async fn a_call_counts_once_however_often_it_is_appended() {
    on_each(async |fresh: &TestDb| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let shipper = Shipper::new(&ledger, db.clone(), ShipperOptions::default());
        append(&mut writer, &[outcome(1, key.as_str(), 10), outcome(1, key.as_str(), 10)]);
        shipper.flush().await.unwrap();
        append(
            &mut writer,
            &[outcome(1, key.as_str(), 10), outcome(2, key.as_str(), 1), outcome(1, key.as_str(), 99)],
        );
        shipper.flush().await.unwrap();
        assert_eq!(spend(db, 1).await.0, Money(11));
        assert_eq!(shipper.status().shipped_rows, 2);
        assert_eq!(shipper.status().duplicate_rows, 3);
        let daily = db.daily_spend(&Default::default()).await.unwrap();
        assert_eq!((daily[0].requests, daily[0].cost), (2, Money(11)));
    })
    .await;
}

#[tokio::test]
async fn segments_go_when_their_calls_have_ended() {
    let fresh = sqlite().await;
    let dir = tempfile::tempdir().unwrap();
    let options = LedgerOptions { segment_bytes: 4_096, ..LedgerOptions::default() };
    let (ledger, mut writer) = open(dir.path(), options);
    let shipper = Shipper::new(
        &ledger,
        fresh.db.clone(),
        ShipperOptions { batch_rows: 7, ..ShipperOptions::default() },
    );
    let mut first = Vec::new();
    intent(1_000_000, "k").encode(&mut first);
    intent(1_000_001, "k").encode(&mut first);
    writer.append(&first, 1).unwrap();
    for id in 0..100 {
        append(&mut writer, &[outcome(id, "k", 1)]);
    }
    let before = segments(dir.path());
    assert!(before > 2, "{before}");
    shipper.flush().await.unwrap();
    assert_eq!(segments(dir.path()), before, "a call of the oldest segment is open");
    assert_eq!((shipper.status().open_calls, shipper.status().shipped_rows), (2, 100));

    let mut last = Vec::new();
    encode_cancel(CallId(1_000_000), &mut last);
    outcome(1_000_001, "k", 1).encode(&mut last);
    writer.append(&last, 1).unwrap();
    shipper.flush().await.unwrap();
    assert_eq!(segments(dir.path()), 1, "the one that is written");
    drop(writer);
    shipper.flush().await.unwrap();
    assert_eq!(segments(dir.path()), 0);
    assert_eq!((shipper.status().open_calls, shipper.status().shipped_rows), (0, 101));
}

#[tokio::test]
async fn a_shipped_segment_is_kept_for_its_retention_and_not_shipped_again() {
    let fresh = sqlite().await;
    let dir = tempfile::tempdir().unwrap();
    let hour = std::time::Duration::from_secs(3_600);
    let keep = ShipperOptions { retention: hour, ..ShipperOptions::default() };
    for run in 0..2 {
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        append(&mut writer, &[outcome(run, "k", 1)]);
        drop(writer);
        let shipper = Shipper::new(&ledger, fresh.db.clone(), keep);
        shipper.flush().await.unwrap();
        let status = shipper.status();
        assert_eq!((status.shipped_rows, status.duplicate_rows, status.backlog_bytes), (1, 0, 0));
    }
    assert_eq!(segments(dir.path()), 2);
    let (ledger, _writer) = open(dir.path(), LedgerOptions::default());
    Shipper::new(&ledger, fresh.db.clone(), ShipperOptions::default()).flush().await.unwrap();
    assert_eq!(segments(dir.path()), 1, "without retention they go");
}

#[tokio::test]
async fn an_old_segment_is_closed_by_the_timer() {
    let dir = tempfile::tempdir().unwrap();
    let age = std::time::Duration::from_secs(60);
    let (ledger, mut writer) =
        open(dir.path(), LedgerOptions { segment_age: age, ..LedgerOptions::default() });
    append(&mut writer, &[outcome(1, "k", 1)]);
    ledger.sync(60_999).unwrap();
    append(&mut writer, &[outcome(2, "k", 1)]);
    assert_eq!(segments(dir.path()), 1);
    ledger.sync(61_000).unwrap();
    append(&mut writer, &[outcome(3, "k", 1)]);
    assert_eq!(segments(dir.path()), 2);
}

#[tokio::test]
async fn an_outage_keeps_the_backlog_and_says_so() {
    let fresh = sqlite().await;
    fresh.db.insert_key(plain_key(1)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
    let key = hash(1);
    append(&mut writer, &[outcome(1, key.as_str(), 10)]);

    // Another program holds the database's write lock for longer than we wait.
    let impatient =
        gateway_db::DbOptions { acquire_timeout: std::time::Duration::from_millis(50), ..Default::default() };
    let db = Db::connect(&fresh.url, &impatient).await.unwrap();
    let shipper = Shipper::new(&ledger, db, ShipperOptions::default());
    let other = sea_orm::Database::connect(&fresh.url).await.unwrap();
    sea_orm::ConnectionTrait::execute_unprepared(&other, "BEGIN IMMEDIATE").await.unwrap();
    let error = shipper.flush().await.expect_err("the database is locked");
    assert_eq!(error.kind(), DbErrorKind::Timeout, "{error}");
    let status = shipper.status();
    assert!(status.backlog_bytes > 0 && status.last_error.is_some() && status.failures == 1, "{status:?}");

    sea_orm::ConnectionTrait::execute_unprepared(&other, "ROLLBACK").await.unwrap();
    shipper.flush().await.unwrap();
    assert_eq!(spend(&fresh.db, 1).await.0, Money(10));
    let status = shipper.status();
    assert_eq!((status.backlog_bytes, status.last_error, status.failures), (0, None, 0));
}

#[tokio::test]
async fn a_commit_nobody_heard_of_is_not_repeated() {
    on_each(async |fresh: &TestDb| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let shipper =
            Shipper::new(&ledger, db.clone(), ShipperOptions { batch_rows: 5, ..ShipperOptions::default() });
        for round in 0..40 {
            append(&mut writer, &[outcome(round, key.as_str(), 1), outcome(1_000 + round, key.as_str(), 1)]);
            // The future is dropped wherever it is after so many polls, commits included.
            let patience = std::time::Duration::from_micros(200 * u64::try_from(round).unwrap());
            let _ = tokio::time::timeout(patience, shipper.flush()).await;
        }
        shipper.flush().await.unwrap();
        assert_eq!(spend(db, 1).await.0, Money(80));
        assert_eq!(db.daily_spend(&Default::default()).await.unwrap()[0].requests, 80);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_ledgers_ship_to_the_same_keys_while_they_are_patched() {
    on_each(async |fresh: &TestDb| {
        for number in 1..=5 {
            fresh.db.insert_key(plain_key(number)).await.unwrap();
        }
        let mut tasks = tokio::task::JoinSet::new();
        for node in 0..4_u32 {
            let db = fresh.db.clone();
            tasks.spawn(async move {
                let dir = tempfile::tempdir().unwrap();
                let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
                let options = ShipperOptions { batch_rows: 13, ..ShipperOptions::default() };
                let shipper = Shipper::new(&ledger, db.clone(), options);
                for round in 0..10_u32 {
                    for call in 0..20_u32 {
                        let id = u128::from(node * 1_000_000 + round * 1_000 + call);
                        append(&mut writer, &[outcome(id, hash(u64::from(call % 5) + 1).as_str(), 3)]);
                    }
                    while let Err(error) = shipper.flush().await {
                        assert!(error.is_temporary(), "{error}");
                    }
                    let patch = gateway_db::KeyPatch { blocked: Some(round % 2 == 0), ..Default::default() };
                    db.update_key(&hash(u64::from(round % 5) + 1), patch, 1, None).await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        for number in 1..=5 {
            assert_eq!(spend(&fresh.db, number).await.0, Money(4 * 10 * 4 * 3));
        }
        let daily = fresh.db.daily_spend(&Default::default()).await.unwrap();
        assert_eq!(daily.iter().map(|day| day.requests).sum::<i64>(), 800);
    })
    .await;
}

#[tokio::test]
async fn every_scope_of_a_call_is_charged_once() {
    on_each(async |fresh: &TestDb| {
        let db = &fresh.db;
        let make = async |id: ScopeId| {
            let settings = ScopeSettings::default();
            let scope =
                NewScope { id: id.clone(), settings, spend: Money(1), created_at: 1, created_by: None };
            db.insert_scope(scope).await.unwrap();
            id
        };
        let mut scopes = Vec::new();
        for (kind, id) in [
            (ScopeKind::Team, "t"),
            (ScopeKind::User, "u"),
            (ScopeKind::Organization, "o"),
            (ScopeKind::Project, "p"),
            (ScopeKind::Tag, "red"),
        ] {
            scopes.push(make(ScopeId::new(kind, id)).await);
        }
        scopes.push(make(ScopeId::member(ScopeKind::TeamMember, "t", "u")).await);
        scopes.push(make(ScopeId::member(ScopeKind::OrganizationMember, "o", "u")).await);
        let other = make(ScopeId::new(ScopeKind::Team, "other")).await;
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let ids = Owner { user_id: "u", team_id: "t", organization_id: "o", ..Owner::default() };
        let owner = Owner { key: key.as_str(), end_user: "c", project_id: "p", ..ids };
        let mut calls = [outcome(1, "", 10), outcome(2, "", 5)];
        for call in &mut calls {
            call.owner = owner;
            call.tags = r#"["red","unknown","red"]"#;
        }
        calls[1].tags = "";
        append(&mut writer, &calls);
        let shipper = Shipper::new(&ledger, db.clone(), ShipperOptions::default());
        shipper.flush().await.unwrap();
        shipper.flush().await.unwrap();

        for id in scopes {
            let scope = db.scope(&id).await.unwrap().unwrap();
            let cost = if id.kind == ScopeKind::Tag { 10 } else { 15 };
            assert_eq!((scope.spend, scope.total_spend), (Money(1 + cost), Money(cost)), "{id:?}");
        }
        assert_eq!(db.scope(&other).await.unwrap().unwrap().spend, Money(1));
        let customer = db.scope(&ScopeId::new(ScopeKind::Customer, "c")).await.unwrap().unwrap();
        assert_eq!((customer.spend, customer.created_at), (Money(15), 5 * DAY + 1));
        assert_eq!(db.scope(&ScopeId::new(ScopeKind::Tag, "unknown")).await.unwrap(), None);

        let by = async |of, by: &[SpendBy]| {
            let query = ReportQuery { of, by: by.to_vec(), ..ReportQuery::default() };
            let rows = db.spend_report(&query).await.unwrap();
            rows.iter()
                .map(|row| format!("{}:{}:{}", row.names.join("/"), row.sums.requests, row.sums.cost.0))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(by(None, &[]).await, ":2:15");
        assert_eq!(by(None, &[SpendBy::Day, SpendBy::Team, SpendBy::Organization]).await, "5/t/o:2:15");
        assert_eq!(by(Some(ScopeKind::Customer), &[SpendBy::Scope, SpendBy::Model]).await, "c/model:2:15");
        assert_eq!(by(Some(ScopeKind::Tag), &[SpendBy::Scope]).await, "red:1:10 unknown:1:10");
        let mut query = ReportQuery { from_day: Some(5), to_day: Some(5), ..ReportQuery::default() };
        for (list, requests) in
            [(vec!["t".to_owned(), "x".to_owned()], 2), (vec!["x".to_owned()], 0), (vec![], 0)]
        {
            query.only = vec![(SpendBy::Team, list)];
            assert_eq!(db.spend_report(&query).await.unwrap()[0].sums.requests, requests);
        }
        query.only.clear();
        query.without = vec![(SpendBy::Team, vec!["t".into()])];
        assert_eq!(db.spend_report(&query).await.unwrap()[0].sums.requests, 0);
    })
    .await;
}
