//! Parts of budgets: charged by the ledger, reset by their periods, kept when their key gets a new secret.

use gateway_db::{
    Carry, End, LedgerOptions, LogRows, NewScope, Outcome, ScopeId, ScopeKind, ScopeSettings, Shipper,
    ShipperOptions, SpendQuery,
};
use llm_types::Money;

use super::ship::{intent, open, outcome, reopen};
use crate::support::{hash, on_each, plain_key};

fn part(owner: &str, which: &str) -> ScopeId {
    ScopeId::member(ScopeKind::Part, owner, which)
}

#[tokio::test]
async fn parts_are_charged_reset_and_moved() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let owner = ScopeId::owner_of_key(hash(1).as_str());
        let (day, hour) = (part(&owner, "gpt@1d"), part(&owner, "@1h"));
        let made = db.part(&day, Some("1d"), Some(500), 1).await.unwrap();
        assert_eq!((made.spend, made.settings.budget_reset_at), (Money::ZERO, Some(500)));
        db.part(&hour, Some("1h"), Some(900), 1).await.unwrap();
        let again = db.part(&day, Some("1d"), Some(999), 2).await.unwrap();
        assert_eq!(again.settings.budget_reset_at, Some(500), "the first one stays");

        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let parts =
            serde_json::to_string(&[(&owner, "gpt@1d"), (&owner, "@1h"), (&owner, "gone@1d")]).unwrap();
        let mut bytes = Vec::new();
        let mut call = outcome(1, key.as_str(), 10);
        call.owner.parts = &parts;
        call.encode(&mut bytes);
        outcome(2, key.as_str(), 7).encode(&mut bytes);
        // Announced and never ended: booked at its reservation when the ledger is opened again.
        let mut lost = intent(3, key.as_str());
        lost.owner.parts = &parts;
        lost.encode(&mut bytes);
        writer.append(&bytes, 1_000).unwrap();
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        assert_eq!(db.scope(&day).await.unwrap().unwrap().spend, Money(10));
        drop((writer, ledger));
        let ledger = reopen(dir.path(), LedgerOptions::default());
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        for id in [&day, &hour] {
            assert_eq!(db.scope(id).await.unwrap().unwrap().spend, Money(1_010), "{id:?}");
        }
        assert_eq!(db.scope(&part(&owner, "gone@1d")).await.unwrap(), None);

        let ended = db
            .reset_due_scopes(600, Carry::Nothing, |duration, _| (duration == Some("1d")).then_some(1_500))
            .await
            .unwrap();
        assert_eq!(
            ended.scopes.iter().map(|due| (&due.id, due.spend)).collect::<Vec<_>>(),
            [(&day, Money(1_010))]
        );

        db.replace_key_hash(&key, &hash(2), None, 5, None).await.unwrap();
        let moved = ScopeId::owner_of_key(hash(2).as_str());
        assert_eq!(db.scope(&hour).await.unwrap(), None);
        assert_eq!(db.scope(&part(&moved, "@1h")).await.unwrap().unwrap().spend, Money(1_010));
    })
    .await;
}

#[tokio::test]
async fn a_soft_budget_is_passed_once() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let mut new = plain_key(1);
        new.settings.soft_budget = Some(Money(15));
        db.insert_key(new).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let shipper = Shipper::new(&ledger, db.clone(), ShipperOptions::default());
        let key = hash(1);
        let mut passed = Vec::new();
        for id in 1..=3 {
            let call: Outcome<'_> = outcome(id, key.as_str(), 10);
            let mut bytes = Vec::new();
            call.encode(&mut bytes);
            writer.append(&bytes, 1_000).unwrap();
            shipper.flush().await.unwrap();
            passed.push(shipper.status().soft_budgets_passed);
        }
        assert_eq!(passed, [0, 1, 1]);
    })
    .await;
}

/// Several deployments worked for one call: each part pays its own share, and those that pay the whole the whole.
#[tokio::test]
async fn parts_pay_their_shares() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let (whole, first, second) =
            (part("key", "@1d"), part("deployment:a", "@1d"), part("provider:p", "@1d"));
        for id in [&whole, &first, &second] {
            db.part(id, Some("1d"), Some(500), 1).await.unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let mut bytes = Vec::new();
        let mut call = outcome(1, key.as_str(), 10);
        call.owner.parts = r#"[["key","@1d"],["deployment:a","@1d",4],["provider:p","@1d",9]]"#;
        call.encode(&mut bytes);
        writer.append(&bytes, 1_000).unwrap();
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        for (id, paid) in [(&whole, 10), (&first, 4), (&second, 9)] {
            assert_eq!(db.scope(id).await.unwrap().unwrap().spend, Money(paid), "{id:?}");
        }
    })
    .await;
}

/// A call that is announced again, with a deployment's part, is booked there too when its end is never known;
/// in whatever segment the second word stands.
#[tokio::test]
async fn the_last_announcement_counts() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let asked = part("deployment:a", "@1d");
        db.part(&asked, Some("1d"), Some(500), 1).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let mut lost = intent(3, key.as_str());
        let mut told = |parts: &'static str| {
            lost.owner.parts = parts;
            let mut bytes = Vec::new();
            lost.encode(&mut bytes);
            writer.append(&bytes, 1_000).unwrap();
        };
        told("");
        told(r#"[["deployment:a","@1d"]]"#);
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        assert_eq!(db.scope(&asked).await.unwrap().unwrap().spend, Money(0));
        drop((writer, ledger));
        let ledger = reopen(dir.path(), LedgerOptions::default());
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        assert_eq!(db.scope(&asked).await.unwrap().unwrap().spend, Money(1_000));
    })
    .await;
}

/// A pair without a member is another scope by its name as an owner, whatever is in its id.
#[tokio::test]
async fn groups_of_models_are_charged() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let group = ScopeId::new(ScopeKind::ModelAccessGroup, "tier: a/ß");
        let settings = ScopeSettings { max_budget: Some(Money(100)), ..ScopeSettings::default() };
        let new =
            NewScope { id: group.clone(), settings, spend: Money::ZERO, created_at: 1, created_by: None };
        db.insert_scope(new).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
        let key = hash(1);
        let parts = serde_json::to_string(&[(group.as_owner(), "")]).unwrap();
        let mut bytes = Vec::new();
        let mut call = outcome(1, key.as_str(), 10);
        call.owner.parts = &parts;
        call.encode(&mut bytes);
        writer.append(&bytes, 1_000).unwrap();
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        assert_eq!(db.scope(&group).await.unwrap().unwrap().spend, Money(10));
    })
    .await;
}

#[tokio::test]
async fn sums_hold_where_rows_are_left_out() {
    for (kept, rows) in [(LogRows::All, 2), (LogRows::Successes, 1), (LogRows::None, 0)] {
        on_each(async |fresh| {
            let db = &fresh.db;
            db.insert_key(plain_key(1)).await.unwrap();
            let dir = tempfile::tempdir().unwrap();
            let (ledger, mut writer) = open(dir.path(), LedgerOptions::default());
            let key = hash(1);
            let mut bytes = Vec::new();
            outcome(1, key.as_str(), 10).encode(&mut bytes);
            Outcome { end: End::Failed, ..outcome(2, key.as_str(), 7) }.encode(&mut bytes);
            writer.append(&bytes, 1_000).unwrap();
            let shipper = Shipper::new(&ledger, db.clone(), ShipperOptions::default());
            shipper.keep(kept);
            shipper.flush().await.unwrap();
            assert_eq!(shipper.status().shipped_rows, 2);
            assert_eq!(db.key_by_hash(&key).await.unwrap().unwrap().spend, Money(17));
            let found = db.spend_rows(&SpendQuery::default()).await.unwrap().items;
            assert_eq!(found.len(), rows, "{kept:?}");
            // Nothing is shipped twice for want of a row.
            shipper.flush().await.unwrap();
            drop((writer, shipper, ledger));
            let ledger = reopen(dir.path(), LedgerOptions::default());
            Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
            assert_eq!(db.key_by_hash(&key).await.unwrap().unwrap().spend, Money(17));
        })
        .await;
    }
}
