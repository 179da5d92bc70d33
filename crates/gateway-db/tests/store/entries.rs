//! Entries of the configuration: sealed, replaced, followed.

use gateway_db::{ConfigEntry, DbErrorKind, EntryKind, JsonMap, Seal};
use serde_json::{Value, json};

use crate::support::on_each;

fn map(value: Value) -> JsonMap {
    serde_json::from_value(value).unwrap()
}

fn model(id: &str, key: &str) -> ConfigEntry {
    ConfigEntry {
        kind: EntryKind::Model,
        id: id.to_owned(),
        name: "gpt".to_owned(),
        secret: map(json!({ "model": "openai/gpt-4o", "api_key": key, "tpm": 5 })),
        info: map(json!({ "mode": "chat", "ä": [1, null] })),
        blocked: false,
        created_at: 1,
        created_by: Some("me".to_owned()),
        updated_at: 1,
        updated_by: Some("me".to_owned()),
    }
}

#[tokio::test]
async fn an_entry_is_what_was_put_last() {
    on_each(async |fresh| {
        let (db, seal) = (&fresh.db, Seal::new("salt").unwrap());
        let before = db.entries_version().await.unwrap();
        db.put_entry(&model("a", "sk-1"), &seal).await.unwrap();
        let changed = ConfigEntry { updated_at: 2, created_at: 9, blocked: true, ..model("a", "sk-2") };
        db.put_entry(&changed, &seal).await.unwrap();
        let found = db.entry(EntryKind::Model, "a", &seal).await.unwrap().unwrap();
        assert_eq!(found, ConfigEntry { created_at: 1, ..changed });
        assert_eq!(db.entries_version().await.unwrap(), before + 2);
        assert_eq!(db.entry(EntryKind::Credential, "a", &seal).await.unwrap(), None);
        assert!(db.delete_entry(EntryKind::Model, "a").await.unwrap());
        assert!(!db.delete_entry(EntryKind::Model, "a").await.unwrap());
        assert!(db.entries(&seal).await.unwrap().entries.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_opened_does_not_hide_the_rest() {
    on_each(async |fresh| {
        let (db, seal, other) = (&fresh.db, Seal::new("salt").unwrap(), Seal::new("other").unwrap());
        db.put_entry(&model("a", "sk-1"), &other).await.unwrap();
        db.put_entry(&model("b", "sk-2"), &seal).await.unwrap();
        let found = db.entries(&seal).await.unwrap();
        assert_eq!(found.entries, [model("b", "sk-2")]);
        let [error] = found.unreadable.as_slice() else { panic!("{:?}", found.unreadable) };
        assert_eq!(error.kind(), DbErrorKind::Corrupt);
        assert!(error.to_string().contains("`model/a`"), "{error}");
        assert!(!format!("{:?}", found.entries).contains("sk-2"));
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_replaced_only_as_it_was_read() {
    on_each(async |fresh| {
        let (db, seal) = (&fresh.db, Seal::new("salt").unwrap());
        let read = model("a", "sk-1");
        db.put_entry(&read, &seal).await.unwrap();
        let mut theirs = read.clone();
        theirs.info.insert("mode".into(), "embedding".into());
        let mut ours = read.clone();
        ours.blocked = !ours.blocked;
        assert!(db.replace_entry(&read, &theirs, &seal).await.unwrap());
        assert!(!db.replace_entry(&read, &ours, &seal).await.unwrap(), "others were quicker");
        assert_eq!(db.entry(EntryKind::Model, "a", &seal).await.unwrap(), Some(theirs.clone()));
        db.delete_entry(EntryKind::Model, "a").await.unwrap();
        assert!(!db.replace_entry(&theirs, &ours, &seal).await.unwrap(), "it is gone");
        assert_eq!(db.entry(EntryKind::Model, "a", &seal).await.unwrap(), None);
    })
    .await;
}
