//! Replies are kept by id, until their time is over.

use gateway_db::StoredResponse;

use crate::support::on_each;

fn stored(id: &str) -> StoredResponse {
    StoredResponse {
        id: id.into(),
        key_hash: Some("ab".into()),
        team_id: Some("blue".into()),
        model_group: "fast".into(),
        deployment: "d1".into(),
        previous: Some("resp_0".into()),
        held: true,
        input: Some(r#"[{"type":"message"}]"#.into()),
        reply: Some(r#"{"status":"queued"}"#.into()),
        cancel: false,
        created_at: 1_000,
        expires_at: 5_000,
        lease_until: None,
    }
}

#[tokio::test]
async fn a_reply_is_what_was_put_last() {
    on_each(async |fresh| {
        let db = &fresh.db;
        assert_eq!(db.response("resp_1", 1_000).await.unwrap(), None);
        db.put_response(&stored("resp_1")).await.unwrap();
        assert_eq!(db.response("resp_1", 1_000).await.unwrap(), Some(stored("resp_1")));
        let done = StoredResponse { reply: Some(r#"{"status":"completed"}"#.into()), ..stored("resp_1") };
        db.put_response(&done).await.unwrap();
        assert_eq!(db.response("resp_1", 1_000).await.unwrap(), Some(done));
    })
    .await;
}

#[tokio::test]
async fn a_wish_to_stop_survives_what_the_maker_writes() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.put_response(&stored("resp_1")).await.unwrap();
        db.cancel_response("resp_1").await.unwrap();
        db.put_response(&stored("resp_1")).await.unwrap();
        assert!(db.response("resp_1", 1_000).await.unwrap().unwrap().cancel);
    })
    .await;
}

#[tokio::test]
async fn a_reply_is_gone_when_deleted_or_over() {
    on_each(async |fresh| {
        let db = &fresh.db;
        for id in ["resp_1", "resp_2", "resp_3"] {
            db.put_response(&stored(id)).await.unwrap();
        }
        let long = StoredResponse { expires_at: 9_000, ..stored("resp_3") };
        db.put_response(&long).await.unwrap();
        assert!(db.delete_response("resp_1").await.unwrap());
        assert!(!db.delete_response("resp_1").await.unwrap(), "it is gone");
        assert_eq!(db.response("resp_2", 5_000).await.unwrap(), None, "its time is over");
        assert_eq!(db.expire_responses(5_000).await.unwrap(), 1);
        assert_eq!(db.response("resp_3", 5_000).await.unwrap(), Some(long));
    })
    .await;
}

#[tokio::test]
async fn only_a_reply_being_made_takes_a_lease() {
    on_each(async |fresh| {
        let db = &fresh.db;
        assert!(!db.lease_response("resp_1", 3_000).await.unwrap(), "there is none");
        db.put_response(&stored("resp_1")).await.unwrap();
        assert!(!db.lease_response("resp_1", 3_000).await.unwrap(), "nobody makes it");
        db.put_response(&StoredResponse { lease_until: Some(2_000), ..stored("resp_1") }).await.unwrap();
        assert!(db.lease_response("resp_1", 3_000).await.unwrap());
        assert_eq!(db.response("resp_1", 1_000).await.unwrap().unwrap().lease_until, Some(3_000));
        db.put_response(&stored("resp_1")).await.unwrap();
        assert_eq!(db.response("resp_1", 1_000).await.unwrap().unwrap().lease_until, None, "it is made");
    })
    .await;
}
