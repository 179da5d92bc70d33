//! Slips are written once, taken once, and hold for a while.

use gateway_db::{SlipName, SlipPut};

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
            writers.spawn(async move { db.put_slip(&named("one"), "a", "here", (100, 0)).await.unwrap() });
        }
        assert_eq!(writers.join_all().await.into_iter().filter(|put| *put == SlipPut::Written).count(), 1);
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
        assert_eq!(db.put_slip(&slip, "a", "here", (100, 0)).await.unwrap(), SlipPut::Written);
        assert_eq!(db.put_slip(&slip, "b", "there", (100, 99)).await.unwrap(), SlipPut::Exists, "it holds");
        assert!(db.change_slip(&slip, ("a", "c"), 99).await.unwrap());
        assert!(!db.change_slip(&slip, ("a", "d"), 99).await.unwrap(), "it says something else by now");
        assert_eq!(db.slip(&slip, 99).await.unwrap().as_deref(), Some("c"));
        assert_eq!(db.slip(&slip, 100).await.unwrap(), None);
        assert!(!db.take_slip(&slip, "c", 100).await.unwrap());
        let again = db.put_slip(&slip, "e", "here", (200, 100)).await.unwrap();
        assert_eq!(again, SlipPut::Written, "what is over makes room");
        assert!(!db.take_slip(&slip, "c", 150).await.unwrap());
        assert!(db.take_slip(&slip, "e", 150).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn one_source_does_not_take_the_room_of_all() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let put = async |number: u32, source: &str, times| {
            db.put_slip(&named(&number.to_string()), "", source, times).await.unwrap()
        };
        for number in 0..1_000 {
            assert_eq!(put(number, "stranger", (100, 0)).await, SlipPut::Written);
        }
        assert_eq!(put(5_000, "stranger", (100, 1)).await, SlipPut::TooMany);
        assert_eq!(put(5_001, "somebody", (100, 1)).await, SlipPut::Written, "others have room");
        assert_eq!(put(5_000, "stranger", (200, 100)).await, SlipPut::Written, "what is over makes room");
    })
    .await;
}
