//! Virtual keys: every field comes back, names are unique, changes are seen by replicas.

use gateway_db::{Carry, Change, Db, DbErrorKind, JsonMap, KeyName, KeyPatch, KeySettings};
use llm_types::Money;
use serde_json::{Value, json};

use crate::support::{hash, named_key, on_each, plain_key};

fn map(value: &Value) -> JsonMap {
    value.as_object().expect("an object").clone()
}

fn full_settings() -> KeySettings {
    KeySettings {
        alias: Some("Büro \"1\"".into()),
        user_id: Some("user".into()),
        team_id: Some("team".into()),
        organization_id: Some("org".into()),
        project_id: Some("project".into()),
        agent_id: Some("agent".into()),
        models: vec!["gpt-4o".into(), "claude/*".into()],
        aliases: map(&json!({"fast": "gpt-4o-mini"})),
        config: map(&json!({"timeout": 1.5})),
        permissions: map(&json!({"get_spend_routes": true})),
        metadata: map(&json!({"logging": [{"callback_name": "x"}], "n": null})),
        max_budget: Some(Money(12_500_000_001)),
        soft_budget: Some(Money(1)),
        budget_duration: Some("30d".into()),
        budget_reset_at: Some(1_800_000_000_000),
        rpm_limit: Some(10),
        tpm_limit: Some(i64::MAX),
        tpd_limit: Some(0),
        max_parallel_requests: Some(3),
        model_max_budget: map(&json!({"gpt-4o": {"budget_limit": 1.0, "time_period": "1d"}})),
        model_rpm_limit: map(&json!({"gpt-4o": 5})),
        model_tpm_limit: map(&json!({"gpt-4o": 500})),
        allowed_routes: vec!["llm_api_routes".into()],
        key_type: Some("llm_api".into()),
        blocked: true,
        expires_at: Some(1_900_000_000_000),
        access_group_ids: vec!["beta".into()],
        auto_rotate: true,
        rotation_interval: Some("90d".into()),
        rotate_at: Some(1_850_000_000_000),
        extra: map(
            &json!({"guardrails": ["pii"], "tags": ["a"], "budget_id": "b", "router_settings": {"x": 1}}),
        ),
    }
}

#[tokio::test]
async fn every_field_comes_back() {
    on_each(async |fresh| {
        let mut key = plain_key(1);
        key.settings = full_settings();
        key.spend = Money(7);
        let stored = fresh.db.insert_key(key.clone()).await.unwrap();
        let read = fresh.db.key_by_hash(&key.hash).await.unwrap().unwrap();
        assert_eq!(read, stored);
        assert_eq!(read.settings, key.settings);
        assert_eq!((read.spend, read.total_spend), (Money(7), Money::ZERO));
        assert_eq!((read.created_at, read.updated_at), (1_001, 1_001));
        assert_eq!(read.created_by.as_deref(), Some("default_user_id"));
        let alias = KeyName::Alias("Büro \"1\"".into());
        assert_eq!(fresh.db.key_by_name(&alias).await.unwrap(), Some(read));
        assert_eq!(fresh.db.key_by_hash(&hash(2)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn hash_and_alias_are_unique_among_living_keys() {
    on_each(async |fresh| {
        let db = &fresh.db;
        db.insert_key(named_key(1, "a")).await.unwrap();
        let error = db.insert_key(named_key(1, "b")).await.expect_err("the hash is taken");
        assert_eq!(error.kind(), DbErrorKind::DuplicateKey, "{error}");
        let error = db.insert_key(named_key(2, "a")).await.expect_err("the alias is taken");
        assert_eq!(error.kind(), DbErrorKind::DuplicateAlias, "{error}");
        db.insert_key(plain_key(3)).await.unwrap();
        let patch = KeyPatch { alias: Change::Set("a".into()), ..KeyPatch::default() };
        let error = db.update_key(&hash(3), patch, 5, None).await.expect_err("the alias is taken");
        assert_eq!(error.kind(), DbErrorKind::DuplicateAlias, "{error}");

        db.delete_keys(&[KeyName::Alias("a".into())], 9, Some("admin")).await.unwrap();
        db.insert_key(named_key(1, "a")).await.expect("both are free after the deletion");
    })
    .await;
}

#[tokio::test]
async fn a_patch_keeps_clears_and_sets() {
    on_each(async |fresh| {
        let mut key = plain_key(1);
        key.settings = full_settings();
        let before = fresh.db.insert_key(key).await.unwrap();
        let patch = KeyPatch {
            max_budget: Change::Clear,
            rpm_limit: Change::Set(99),
            models: Some(Vec::new()),
            blocked: Some(false),
            extra: map(&json!({"tags": null, "policies": ["p"]})),
            ..KeyPatch::default()
        };
        let after = fresh.db.update_key(&before.hash, patch, 2_000, Some("admin")).await.unwrap();

        let mut expected = before.clone();
        expected.settings.max_budget = None;
        expected.settings.rpm_limit = Some(99);
        expected.settings.models = Vec::new();
        expected.settings.blocked = false;
        expected.settings.extra.shift_remove("tags");
        expected.settings.extra.insert("policies".into(), json!(["p"]));
        expected.updated_at = 2_000;
        expected.updated_by = Some("admin".into());
        expected.version = before.version + 1;
        assert_eq!(after, expected);
        assert_eq!(fresh.db.key_by_hash(&before.hash).await.unwrap(), Some(expected));

        let error =
            fresh.db.update_key(&hash(9), KeyPatch::default(), 1, None).await.expect_err("no such key");
        assert_eq!(error.kind(), DbErrorKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn replicas_follow_every_change() {
    on_each(async |fresh| {
        let db = &fresh.db;
        for number in 1..=3 {
            db.insert_key(named_key(number, &format!("k{number}"))).await.unwrap();
        }
        let all = db.all_keys().await.unwrap();
        assert_eq!(all.keys.len(), 3);
        assert!(db.keys_changed_since(all.version).await.unwrap().keys.is_empty());

        let patch = KeyPatch { blocked: Some(true), ..KeyPatch::default() };
        db.update_key(&hash(2), patch, 5, None).await.unwrap();
        let names = [KeyName::Alias("k3".into()), KeyName::Hash(hash(1)), KeyName::Alias("nobody".into())];
        let deleted = db.delete_keys(&names, 6, Some("admin")).await.unwrap();
        let hashes: Vec<_> = deleted.iter().map(|key| key.hash.clone()).collect();
        assert_eq!(hashes, [hash(3), hash(1)]);

        let changes = db.keys_changed_since(all.version).await.unwrap();
        let mut seen: Vec<_> =
            changes.keys.iter().map(|key| (key.hash.clone(), key.settings.blocked, key.deleted_at)).collect();
        seen.sort();
        assert_eq!(seen, [(hash(1), false, Some(6)), (hash(2), true, None), (hash(3), false, Some(6))]);
        assert!(db.keys_changed_since(changes.version).await.unwrap().keys.is_empty());
        assert_eq!(db.all_keys().await.unwrap().keys.len(), 1);
        assert_eq!(db.key_by_hash(&hash(1)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_takes_the_spend_along() {
    on_each(async |fresh| {
        let mut key = named_key(1, "a");
        key.spend = Money(50);
        fresh.db.insert_key(key).await.unwrap();
        let name = Some("sk-...new1".to_owned());
        let new = fresh.db.replace_key_hash(&hash(1), &hash(2), name, 77, Some("admin")).await.unwrap();
        assert_eq!((new.spend, new.rotation_count, new.last_rotation_at), (Money(50), 1, Some(77)));
        assert_eq!(new.settings.alias.as_deref(), Some("a"));
        assert_eq!(fresh.db.key_by_hash(&hash(1)).await.unwrap(), None);
        assert_eq!(fresh.db.key_by_hash(&hash(2)).await.unwrap(), Some(new));
    })
    .await;
}

#[tokio::test]
async fn an_ended_period_starts_anew_once() {
    on_each(async |fresh| {
        for (number, reset_at) in [(1, Some(100)), (2, Some(200)), (3, Some(301)), (4, None)] {
            let mut key = plain_key(number);
            key.spend = Money(5);
            key.settings.budget_duration = Some("1d".into());
            key.settings.budget_reset_at = reset_at;
            fresh.db.insert_key(key).await.unwrap();
        }
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let db: Db = fresh.db.clone();
            tasks.spawn(async move {
                db.reset_due_budgets(300, Carry::Nothing, |due| Some(due.reset_at + 1_000)).await.unwrap()
            });
        }
        let mut reset: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        reset.sort_by_key(|due| due.reset_at);
        let seen: Vec<_> = reset.iter().map(|due| (due.hash.clone(), due.reset_at, due.spend)).collect();
        assert_eq!(seen, [(hash(1), 100, Money(5)), (hash(2), 200, Money(5))]);

        let spends = async |number| {
            let key = fresh.db.key_by_hash(&hash(number)).await.unwrap().unwrap();
            (key.spend, key.settings.budget_reset_at)
        };
        assert_eq!(spends(1).await, (Money::ZERO, Some(1_100)));
        assert_eq!(spends(3).await, (Money(5), Some(301)));
        assert_eq!(spends(4).await, (Money(5), None));
    })
    .await;
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    on_each(async |fresh| {
        fresh.db.insert_key(plain_key(1)).await.unwrap();
        let start = fresh.db.all_keys().await.unwrap().version;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..20 {
            let db = fresh.db.clone();
            tasks.spawn(async move {
                let extra = map(&json!({ format!("field{number}"): number }));
                let patch = KeyPatch { extra, ..KeyPatch::default() };
                db.update_key(&hash(1), patch, number, None).await.unwrap().version
            });
        }
        let mut versions = tasks.join_all().await;
        versions.sort_unstable();
        assert_eq!(versions, (start + 1..=start + 20).collect::<Vec<_>>());
        let key = fresh.db.key_by_hash(&hash(1)).await.unwrap().unwrap();
        assert_eq!(key.settings.extra.len(), 20);
    })
    .await;
}
