//! Leases: replicas together never hold more than a budget, and what one gives back others get.

use gateway_db::{
    CallId, Db, LeaseAsk, Ledger, LedgerOptions, Outcome, Owner, Payer, Shipper, ShipperOptions,
};
use llm_types::Money;

use crate::support::{hash, on_each, plain_key};

const MINUTE: i64 = 60_000;

fn ask(want: i64, now: i64) -> LeaseAsk {
    LeaseAsk { max: Money(1_000), want: Money(want), lasts: MINUTE, now: Some(now) }
}

async fn take(db: &Db, node: &str, want: i64, now: i64) -> i64 {
    db.lease(&Payer::Key(hash(1)), node, ask(want, now)).await.unwrap().granted.0
}

#[tokio::test]
async fn slices_shrink_and_never_exceed_the_budget() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let mut key = plain_key(1);
        key.spend = Money(200);
        db.insert_key(key).await.unwrap();
        assert_eq!(take(db, "a", 10, 0).await, 100, "an eighth of 800");
        assert_eq!(take(db, "b", 10, 0).await, 87, "an eighth of 700");
        assert_eq!(take(db, "b", 600, 0).await, 600, "what is wanted");
        assert_eq!(take(db, "a", 50, 0).await, 13, "what is left");
        assert_eq!(take(db, "c", 50, 0).await, 0);
        db.return_lease(&Payer::Key(hash(1)), "b", || Some(Money(40))).await.unwrap();
        assert_eq!(take(db, "c", 50, 0).await, 40);
        assert_eq!(take(db, "c", 1, MINUTE - 1).await, 0);
        assert_eq!(take(db, "c", 1_000, MINUTE).await, 760, "what others took is over, one's own is not");
        let payer = Payer::Key(hash(1));
        assert!(db.extend_lease(&payer, "c", Some(MINUTE), 2 * MINUTE).await.unwrap());
        assert!(!db.extend_lease(&payer, "a", Some(MINUTE), 2 * MINUTE).await.unwrap(), "it is over");
        assert_eq!(take(db, "a", 5, 2 * MINUTE).await, -113, "what was over and others have taken is gone");
        db.drop_leases("c").await.unwrap();
        assert_eq!(take(db, "d", 900, 2 * MINUTE).await, 800);
    })
    .await;
}

#[tokio::test]
async fn racing_replicas_take_the_budget_once() {
    on_each(async |fresh| {
        fresh.db.insert_key(plain_key(1)).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for node in 0..6 {
            let db = fresh.db.clone();
            tasks.spawn(async move {
                let mut sum = 0;
                for _ in 0..20 {
                    sum += take(&db, &format!("node{node}"), 30, 0).await;
                }
                sum
            });
        }
        assert_eq!(tasks.join_all().await.into_iter().sum::<i64>(), 1_000);
    })
    .await;
}

#[tokio::test]
async fn what_is_shipped_is_leased_no_longer() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path(), 1, 1_000, LedgerOptions::default()).unwrap();
        let node = ledger.node().to_owned();
        assert_eq!(take(db, &node, 300, 0).await, 300);
        let mut writer = ledger.take_writers().pop().unwrap();
        let key = hash(1);
        let mut call = Outcome::of(CallId(1));
        call.owner = Owner { key: key.as_str(), ..Owner::default() };
        call.cost = Some(Money(120));
        let mut bytes = Vec::new();
        call.encode(&mut bytes);
        writer.append(&bytes, 1_000).unwrap();
        Shipper::new(&ledger, db.clone(), ShipperOptions::default()).flush().await.unwrap();
        // 120 are spent and 180 leased: 700 are left.
        assert_eq!(take(db, "other", 1_000, 1).await, 700);
        assert_eq!(db.key_by_hash(&key).await.unwrap().unwrap().spend, Money(120));
    })
    .await;
}

#[tokio::test]
async fn leases_end_by_the_clock_of_the_database() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(plain_key(1)).await.unwrap();
        let payer = Payer::Key(hash(1));
        let ask = |lasts| LeaseAsk { max: Money(1_000), want: Money(600), lasts, now: None };
        assert_eq!(db.lease(&payer, "a", ask(MINUTE)).await.unwrap().granted, Money(600));
        assert_eq!(db.lease(&payer, "b", ask(MINUTE)).await.unwrap().granted, Money(400));
        assert!(db.extend_lease(&payer, "a", None, MINUTE).await.unwrap());
        // One that is over counts no longer, whatever clocks of replicas say.
        db.clear_lease(&payer, "b").await.unwrap();
        assert_eq!(db.lease(&payer, "c", ask(-1)).await.unwrap().granted, Money(400));
        assert!(!db.extend_lease(&payer, "c", None, MINUTE).await.unwrap());
        assert_eq!(db.lease(&payer, "b", ask(MINUTE)).await.unwrap().granted, Money(400));
    })
    .await;
}
