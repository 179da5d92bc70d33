//! Settings are values by name.

use serde_json::json;

use crate::support::on_each;

#[tokio::test]
async fn a_setting_is_what_was_put_last() {
    on_each(async |fresh| {
        let db = &fresh.db;
        assert_eq!(db.setting("salt").await.unwrap(), None);
        db.put_setting("salt", &json!({"hash": "ab"}), 1).await.unwrap();
        db.put_setting("salt", &json!({"hash": "cd", "list": [1, null]}), 2).await.unwrap();
        assert_eq!(db.setting("salt").await.unwrap(), Some(json!({"hash": "cd", "list": [1, null]})));
    })
    .await;
}

#[tokio::test]
async fn replicas_agree_on_the_first_value() {
    on_each(async |fresh| {
        let mut tasks = tokio::task::JoinSet::new();
        for replica in 0..8 {
            let db = fresh.db.clone();
            tasks.spawn(async move { db.setting_or_insert("node", &json!(replica), 1).await.unwrap() });
        }
        let mut seen = tasks.join_all().await;
        seen.dedup();
        assert_eq!(seen.len(), 1, "{seen:?}");
    })
    .await;
}
