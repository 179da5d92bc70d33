//! An invitation serves once; passwords are replaced by who knows the old one, and go with their user.

use gateway_db::{Invitation, NewScope, ScopeId, ScopeKind, ScopeSettings};
use llm_types::Money;

use crate::support::on_each;

fn invitation(id: &str, user: &str) -> Invitation {
    Invitation {
        id: id.to_owned(),
        user_id: user.to_owned(),
        accepted_at: None,
        expires_at: 100,
        created_at: 1,
        created_by: "ann".to_owned(),
        updated_at: 1,
        updated_by: "ann".to_owned(),
    }
}

#[tokio::test]
async fn of_several_who_accept_an_invitation_one_does() {
    on_each(async |fresh| {
        let it = invitation("one", "mia");
        fresh.db.insert_invitation(&it).await.unwrap();
        assert_eq!(fresh.db.invitation("one").await.unwrap(), Some(it.clone()));
        let mut guests = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (db, it) = (fresh.db.clone(), it.clone());
            let hash = format!("hash {number}");
            guests.spawn(async move { (db.accept_invitation(&it, &hash, 50).await.unwrap(), hash) });
        }
        let came: Vec<String> =
            guests.join_all().await.into_iter().filter(|(came, _)| *came).map(|(_, hash)| hash).collect();
        assert_eq!(came.len(), 1);
        assert_eq!(fresh.db.password("mia").await.unwrap().as_ref(), came.first());
        let now = fresh.db.invitation("one").await.unwrap().unwrap();
        assert_eq!((now.accepted_at, now.updated_by.as_str()), (Some(50), "mia"));
    })
    .await;
}

#[tokio::test]
async fn what_is_over_or_taken_back_serves_nobody() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let (late, gone) = (invitation("late", "mia"), invitation("gone", "mia"));
        for it in [&late, &gone] {
            db.insert_invitation(it).await.unwrap();
        }
        assert!(!db.accept_invitation(&late, "x", 100).await.unwrap());
        assert_eq!(db.delete_invitation("gone").await.unwrap(), Some(gone.clone()));
        assert_eq!(db.delete_invitation("gone").await.unwrap(), None);
        assert!(!db.accept_invitation(&gone, "x", 50).await.unwrap());
        assert_eq!(db.password("mia").await.unwrap(), None);
        let marked = db.mark_invitation("late", Some(7), (8, "eve")).await.unwrap().unwrap();
        assert_eq!((marked.accepted_at, marked.updated_at), (Some(7), 8));
        assert_eq!(db.invitation("late").await.unwrap(), Some(marked));
        assert!(!db.accept_invitation(&late, "x", 50).await.unwrap());
        assert_eq!(db.mark_invitation("nobody", None, (8, "eve")).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_password_goes_with_its_user() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let mia = ScopeId::new(ScopeKind::User, "mia");
        let settings = ScopeSettings::default();
        let new = NewScope { id: mia.clone(), settings, spend: Money::ZERO, created_at: 1, created_by: None };
        db.insert_scope(new).await.unwrap();
        let it = invitation("one", "mia");
        db.insert_invitation(&it).await.unwrap();
        assert!(db.accept_invitation(&it, "old", 50).await.unwrap());
        assert!(!db.change_password("mia", ("wrong", "new"), 60).await.unwrap());
        assert!(db.change_password("mia", ("old", "new"), 60).await.unwrap());
        assert_eq!(db.password("mia").await.unwrap().as_deref(), Some("new"));
        db.delete_scopes(&[mia], 70, None).await.unwrap();
        assert_eq!(db.password("mia").await.unwrap(), None);
        assert_eq!(db.invitation("one").await.unwrap(), None);
    })
    .await;
}
