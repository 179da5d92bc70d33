//! Slips are written once, taken once, and hold for a while.

use gateway_db::SlipName;

use crate::support::on_each;

fn named(name: &str) -> SlipName {
    SlipName { kind: "test", name: name.to_owned() }
}

#[tokio::test]
async fn of_several_who_write_or_take_a_slip_one_does() {
    on_each(async |fresh| {
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let db = fresh.db.clone();
            writers.spawn(async move { db.put_slip(&named("one"), "a", 100, 0).await.unwrap() });
        }
        assert_eq!(writers.join_all().await.into_iter().filter(|written| *written).count(), 1);
        let mut takers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let db = fresh.db.clone();
            takers.spawn(async move { db.take_slip(&named("one"), "a", 50).await.unwrap() });
        }
        assert_eq!(takers.join_all().await.into_iter().filter(|taken| *taken).count(), 1);
        assert_eq!(fresh.db.slip(&named("one"), 50).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_slip_holds_until_its_time_is_over() {
    on_each(async |fresh| {
        let (db, slip) = (&fresh.db, named("two"));
        assert!(db.put_slip(&slip, "a", 100, 0).await.unwrap());
        assert!(!db.put_slip(&slip, "b", 100, 99).await.unwrap(), "it holds");
        assert!(db.change_slip(&slip, ("a", "c"), 99).await.unwrap());
        assert!(!db.change_slip(&slip, ("a", "d"), 99).await.unwrap(), "it says something else by now");
        assert_eq!(db.slip(&slip, 99).await.unwrap().as_deref(), Some("c"));
        assert_eq!(db.slip(&slip, 100).await.unwrap(), None);
        assert!(!db.take_slip(&slip, "c", 100).await.unwrap());
        assert!(db.put_slip(&slip, "e", 200, 100).await.unwrap(), "what is over makes room");
        assert!(!db.take_slip(&slip, "c", 150).await.unwrap());
        assert!(db.take_slip(&slip, "e", 150).await.unwrap());
    })
    .await;
}
