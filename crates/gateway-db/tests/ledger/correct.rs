//! Costs that are derived anew: rows, sums and totals follow, once.

use gateway_db::{
    Actor, AuditQuery, Corrected, Correction, CostRange, Db, LedgerOptions, NewScope, Owner, PageRequest,
    ReportQuery, ScopeId, ScopeKind, ScopeSettings, Shipper, ShipperOptions, SortOrder, SpendBy, SpendRow,
};
use llm_types::Money;
use serde_json::json;

use crate::ship::{append, open, outcome};
use crate::support::{hash, on_each, plain_key};

const DAY: i64 = 86_400_000;

/// Three calls of a key, 100 nano-dollars each, the last without a price; a customer, a team and a tag pay too.
async fn ship(db: &Db) {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
    let key = hash(1);
    for number in 0..3 {
        let mut call = outcome(number + 1, key.as_str(), 100);
        call.started_ms = (5 + i64::try_from(number).unwrap()) * DAY;
        call.owner = Owner { key: key.as_str(), team_id: "team", end_user: "customer", ..Owner::default() };
        call.tags = r#"["tag"]"#;
        if number == 2 {
            (call.cost, call.flags.unpriced) = (None, true);
        }
        append(&mut writer, &[call]);
    }
    Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
}

async fn all(db: &Db) -> Vec<SpendRow> {
    db.calls_to_price(&CostRange::default(), None, 100).await.unwrap()
}

async fn sum(db: &Db, of: Option<ScopeKind>) -> Money {
    let by = if of.is_some() { vec![SpendBy::Scope] } else { Vec::new() };
    db.spend_report(&ReportQuery { of, by, ..ReportQuery::default() }).await.unwrap()[0].sums.cost
}

async fn totals(db: &Db) -> (Money, Money, Money, Money) {
    let key = db.key_by_hash(&hash(1)).await.unwrap().unwrap();
    let team = db.scope(&ScopeId::new(ScopeKind::Team, "team")).await.unwrap().unwrap();
    (key.spend, key.total_spend, team.spend, team.total_spend)
}

#[tokio::test]
async fn a_correction_reaches_everybody_who_paid_and_counts_once() {
    on_each(async |fresh| {
        let actor = Actor {
            changed_by: "command line".into(),
            api_key: String::new(),
            user: "command line".into(),
            address: None,
            at: 9 * DAY,
        };
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        // The team's budget has a period: what counts for it is not changed afterwards.
        let settings = ScopeSettings { budget_duration: Some("30d".into()), ..ScopeSettings::default() };
        let id = ScopeId::new(ScopeKind::Team, "team");
        let team = NewScope { id, settings, spend: Money::ZERO, created_at: 1, created_by: None };
        db.insert_scope(team).await.unwrap();
        ship(db).await;
        let db = &db.acting(actor);
        assert_eq!(totals(db).await, (Money(200), Money(200), Money(200), Money(200)));
        let rows = all(db).await;
        let corrections: Vec<Correction<'_>> =
            rows.iter().map(|row| Correction { row, cost: Money(130) }).collect();
        let done = db.correct_costs(&corrections, &json!("new prices")).await.unwrap();
        assert_eq!(done, Corrected { calls: 3, difference: Money(190) });
        // By another that read the rows before, and once more.
        assert_eq!(db.correct_costs(&corrections, &json!("new prices")).await.unwrap(), Corrected::default());

        let now = all(db).await;
        assert!(now.iter().all(|row| row.cost == Some(Money(130)) && !row.unpriced));
        let booked: Vec<_> = now.iter().map(|row| row.booked_cost).collect();
        assert_eq!(booked, [Some(Money(100)), Some(Money(100)), None], "what it was booked at first stays");
        assert_eq!(totals(db).await, (Money(390), Money(390), Money(200), Money(390)));
        for of in [None, Some(ScopeKind::Customer), Some(ScopeKind::Tag)] {
            assert_eq!(sum(db, of).await, Money(390), "{of:?}");
        }
        let unpriced: i64 =
            db.daily_spend(&Default::default()).await.unwrap().iter().map(|day| day.unpriced).sum();
        assert_eq!(unpriced, 0);

        let query = AuditQuery {
            changed_by: None,
            api_key: None,
            action: None,
            table_name: None,
            object_id: None,
            from: None,
            to: None,
            order: SortOrder::Descending,
            page: PageRequest::default(),
        };
        let audit = db.audit_rows(&query).await.unwrap();
        assert_eq!(audit.items.len(), 1, "{audit:?}");
        let row = &audit.items[0];
        assert_eq!((row.table_name.as_str(), row.action.as_str()), ("LiteLLM_SpendLogs", "updated"));
        assert_eq!(row.after.as_ref().unwrap()["cost"], "$0.000000390");
        assert!(db.verify_audit(None, None).await.unwrap().faults.is_empty());
    })
    .await;
}

#[tokio::test]
async fn parts_of_budgets_follow_and_shares_by_their_share() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let key = hash(1);
        let part =
            |member: &str| ScopeId::member(ScopeKind::Part, ScopeId::owner_of_key(key.as_str()), member);
        let group = ScopeId::new(ScopeKind::ModelAccessGroup, "fast");
        let made = NewScope {
            id: group.clone(),
            settings: ScopeSettings::default(),
            spend: Money::ZERO,
            created_at: 1,
            created_by: None,
        };
        db.insert_scope(made).await.unwrap();
        db.part(&part("whole"), None, None, 1).await.unwrap();
        db.part(&part("share"), None, None, 1).await.unwrap();
        db.part(&part("month"), Some("30d"), Some(9 * DAY), 1).await.unwrap();
        let owner = ScopeId::owner_of_key(key.as_str());
        let parts =
            json!([[owner, "whole"], [owner, "month"], [owner, "share", 25], [group.as_owner(), ""],])
                .to_string();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let mut call = outcome(1, key.as_str(), 100);
        call.owner = Owner { key: key.as_str(), parts: &parts, ..Owner::default() };
        append(&mut writer, &[call]);
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        let spent = async || {
            let mut all = Vec::new();
            for id in [part("whole"), part("month"), part("share"), group.clone()] {
                let scope = db.scope(&id).await.unwrap().unwrap();
                all.push((scope.spend.0, scope.total_spend.0));
            }
            all
        };
        assert_eq!(spent().await, [(100, 100), (100, 100), (25, 25), (100, 100)]);
        for (cost, expected) in [
            (200, [(200, 200), (100, 200), (50, 50), (200, 200)]),
            // Once more: a share stays the share of what was booked at first.
            (60, [(60, 60), (100, 60), (15, 15), (60, 60)]),
        ] {
            let rows = all(db).await;
            let correction = Correction { row: &rows[0], cost: Money(cost) };
            db.correct_costs(&[correction], &json!("new prices")).await.unwrap();
            assert_eq!(spent().await, expected, "{cost}");
        }
    })
    .await;
}

#[tokio::test]
async fn calls_are_read_by_time_model_and_page() {
    on_each(async |fresh| {
        let db = &fresh.db;
        ship(db).await;
        let first = db.calls_to_price(&CostRange::default(), None, 2).await.unwrap();
        let last = first.last().unwrap();
        let rest = db
            .calls_to_price(&CostRange::default(), Some((last.started_at, &last.request_id)), 2)
            .await
            .unwrap();
        let times: Vec<i64> = first.iter().chain(&rest).map(|row| row.started_at / DAY).collect();
        assert_eq!(times, [5, 6, 7]);
        let range = CostRange { from: Some(6 * DAY), until: Some(7 * DAY), model: Some("group".into()) };
        assert_eq!(db.calls_to_price(&range, None, 9).await.unwrap().len(), 1);
        let other = CostRange { model: Some("other".into()), ..CostRange::default() };
        assert_eq!(db.calls_to_price(&other, None, 9).await.unwrap().len(), 0);
    })
    .await;
}
