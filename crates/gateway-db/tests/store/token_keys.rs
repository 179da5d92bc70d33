//! Which virtual keys the bearers of tokens call with.

use gateway_db::{Db, DbErrorKind, KeyName, PageRequest, TokenKey};

use crate::support::{hash, on_each, plain_key};

fn rule(id: &str, issuer: &str, value: &str, key: u64) -> TokenKey {
    TokenKey {
        id: id.to_owned(),
        issuer: issuer.to_owned(),
        claim: "azp".to_owned(),
        value: value.to_owned(),
        key: hash(key),
        description: None,
        active: true,
        created_at: 7,
        created_by: Some("admin".to_owned()),
        updated_at: 7,
        updated_by: None,
    }
}

async fn key_of(db: &Db, issuer: &str, value: &str) -> Option<u64> {
    let found = db.key_of_token(issuer, "azp", value).await.unwrap()?;
    (1..9).find(|number| hash(*number) == found)
}

#[tokio::test]
async fn an_issuers_own_rule_goes_before_the_one_for_all_and_keys_take_theirs_along() {
    on_each(async |fresh| {
        let db = &fresh.db;
        for number in [1, 2] {
            db.insert_key(plain_key(number)).await.unwrap();
        }
        let (all, own) = (rule("all", "", "app", 1), rule("own", "https://one", "app", 2));
        let before = db.keys_changed_since(0).await.unwrap().version;
        assert!(db.insert_token_key(&all).await.unwrap());
        assert!(db.insert_token_key(&own).await.unwrap());
        let changed = db.keys_changed_since(before).await.unwrap();
        assert_eq!(changed.keys.len(), 2, "replicas look at both keys anew");
        assert!(!db.insert_token_key(&rule("third", "", "app", 2)).await.unwrap(), "there is one");
        let gone = db.insert_token_key(&rule("fourth", "", "other", 5)).await.unwrap_err();
        assert_eq!(gone.kind(), DbErrorKind::NotFound);

        assert_eq!(key_of(db, "https://one", "app").await, Some(2));
        assert_eq!(key_of(db, "https://two", "app").await, Some(1));
        assert_eq!(key_of(db, "https://two", "nobody").await, None);
        let off = TokenKey { active: false, description: Some("away".to_owned()), ..own.clone() };
        assert!(db.replace_token_key(&own, &off).await.unwrap());
        assert_eq!(db.token_key("own").await.unwrap(), Some(off.clone()));
        assert_eq!(key_of(db, "https://one", "app").await, Some(1));
        let clash = TokenKey { issuer: String::new(), ..off.clone() };
        assert!(!db.replace_token_key(&off, &clash).await.unwrap(), "there is one");

        db.replace_key_hash(&hash(1), &hash(3), None, 9, None).await.unwrap();
        assert_eq!(key_of(db, "", "app").await, Some(3), "a new secret is the same key");
        let page = db.token_keys(PageRequest { page: 1, size: 1 }).await.unwrap();
        assert_eq!((page.items.len(), page.total), (1, 2));
        db.delete_keys(&[KeyName::Hash(hash(3))], 9, None).await.unwrap();
        assert_eq!(key_of(db, "", "app").await, None, "a deleted key has no bearers");
        assert!(db.delete_token_key(&off).await.unwrap());
        assert!(!db.delete_token_key(&off).await.unwrap());
        assert_eq!(db.token_keys(PageRequest::default()).await.unwrap().total, 0);
    })
    .await;
}
