//! Scopes: every field comes back, ids are unique, replicas follow, periods end.

use gateway_db::{
    Carry, DbErrorKind, EndedPeriods, JsonMap, NewScope, PageRequest, ScopeId, ScopeKind, ScopeQuery,
    ScopeSettings,
};
use llm_types::Money;
use serde_json::{Value, json};

use crate::support::{hash, on_each, plain_key};

fn map(value: &Value) -> JsonMap {
    value.as_object().expect("an object").clone()
}

fn full_settings() -> ScopeSettings {
    ScopeSettings {
        alias: Some("Büro 'eins'".into()),
        email: Some("A.b@Example.org".into()),
        role: Some("internal_user".into()),
        organization_id: Some("org".into()),
        team_id: Some("team".into()),
        budget_id: Some("gold".into()),
        models: vec!["gpt-4o".into()],
        metadata: map(&json!({"n": null, "deep": {"x": [1]}})),
        max_budget: Some(Money(12_500_000_001)),
        soft_budget: Some(Money(1)),
        budget_duration: Some("30d".into()),
        budget_reset_at: Some(1_800_000_000_000),
        rpm_limit: Some(10),
        tpm_limit: Some(i64::MAX),
        tpd_limit: Some(0),
        max_parallel_requests: Some(3),
        model_max_budget: map(&json!({"gpt-4o": {"budget_limit": 1.0}})),
        model_rpm_limit: map(&json!({"gpt-4o": 5})),
        model_tpm_limit: map(&json!({"gpt-4o": 500})),
        blocked: true,
        extra: map(&json!({"guardrails": ["pii"]})),
    }
}

fn new(kind: ScopeKind, id: &str) -> NewScope {
    let id = ScopeId::new(kind, id);
    NewScope { id, settings: ScopeSettings::default(), spend: Money::ZERO, created_at: 1, created_by: None }
}

#[tokio::test]
async fn every_field_comes_back_and_ids_are_unique_per_kind() {
    on_each(async |fresh| {
        let db = &fresh.db;
        for kind in ScopeKind::ALL {
            let mut scope = new(kind, "a");
            scope.settings = full_settings();
            scope.spend = Money(7);
            scope.created_by = Some("admin".into());
            let stored = db.insert_scope(scope.clone()).await.unwrap();
            let read = db.scope(&scope.id).await.unwrap().unwrap();
            assert_eq!((&read, &read.settings), (&stored, &scope.settings));
            assert_eq!((read.spend, read.total_spend), (Money(7), Money::ZERO));
            let error = db.insert_scope(scope).await.expect_err("the id is taken");
            assert_eq!(error.kind(), DbErrorKind::DuplicateScope, "{error}");
        }
        let absent = ScopeId::member(ScopeKind::TeamMember, "a", "u");
        assert_eq!(db.scope(&absent).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn changes_leave_spend_alone_and_are_followed() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let start = db.scopes_changed_since(None).await.unwrap().version;
        let mut scope = new(ScopeKind::Team, "t");
        scope.spend = Money(5);
        db.insert_scope(scope.clone()).await.unwrap();
        db.insert_scope(new(ScopeKind::User, "u")).await.unwrap();
        let changed =
            db.update_scope(&scope.id, 9, Some("me"), |team| team.max_budget = Some(Money(3))).await.unwrap();
        assert_eq!((changed.spend, changed.settings.max_budget), (Money(5), Some(Money(3))));
        assert_eq!((changed.updated_at, changed.updated_by.as_deref()), (9, Some("me")));
        assert_eq!(db.scope(&scope.id).await.unwrap(), Some(changed));
        db.set_scope_spend(&scope.id, Money(1), 10).await.unwrap();
        assert_eq!(db.scope(&scope.id).await.unwrap().unwrap().spend, Money(1));

        let seen = db.scopes_changed_since(Some(start)).await.unwrap();
        let ids: Vec<&str> = seen.scopes.iter().map(|scope| scope.id.id.as_str()).collect();
        assert_eq!(ids, ["u", "t"], "each once, by its latest change");
        assert_eq!(db.scopes_changed_since(Some(seen.version)).await.unwrap().scopes, []);

        let gone = db.delete_scopes(std::slice::from_ref(&scope.id), 11, Some("me")).await.unwrap();
        assert_eq!(gone.len(), 1);
        assert_eq!(db.scope(&scope.id).await.unwrap(), None);
        let seen = db.scopes_changed_since(Some(seen.version)).await.unwrap();
        assert_eq!(seen.scopes[0].deleted_at, Some(11));
        let error = db.update_scope(&scope.id, 12, None, |_| {}).await.expect_err("it is deleted");
        assert_eq!(error.kind(), DbErrorKind::NotFound);
        db.insert_scope(scope.clone()).await.expect("a deleted id may be taken again");
    })
    .await;
}

#[tokio::test]
async fn lists_filter_and_page() {
    on_each(async |fresh| {
        let db = &fresh.db;
        for (number, user) in ["ann", "bob", "eve"].into_iter().enumerate() {
            let mut scope = new(ScopeKind::User, user);
            scope.created_at = i64::try_from(number).unwrap();
            scope.settings.email = Some(format!("{user}_1@Example.org"));
            db.insert_scope(scope).await.unwrap();
            let mut member = new(ScopeKind::TeamMember, "t");
            member.id.member = user.into();
            db.insert_scope(member).await.unwrap();
        }
        let ids = async |query: ScopeQuery| {
            let page = db.list_scopes(&query).await.unwrap();
            let ids: Vec<String> =
                page.items.iter().map(|scope| scope.id.id.clone() + &scope.id.member).collect();
            (ids.join(" "), page.total)
        };
        let users = ScopeQuery::of(ScopeKind::User);
        assert_eq!(ids(users.clone()).await, ("ann bob eve".into(), 3));
        assert_eq!(
            ids(ScopeQuery { page: PageRequest { page: 2, size: 2 }, ..users.clone() }).await,
            ("eve".into(), 3)
        );
        assert_eq!(
            ids(ScopeQuery { email: Some("BOB_1@example.ORG".into()), ..users.clone() }).await,
            ("bob".into(), 1)
        );
        assert_eq!(ids(ScopeQuery { email: Some("bob%".into()), ..users.clone() }).await, (String::new(), 0));
        assert_eq!(ids(ScopeQuery { search: Some("E_1@".into()), ..users.clone() }).await, ("eve".into(), 1));
        assert_eq!(ids(ScopeQuery { ids: vec!["ann".into(), "x".into()], ..users }).await, ("ann".into(), 1));
        let of_bob = ScopeQuery { member: Some("bob".into()), ..ScopeQuery::of(ScopeKind::TeamMember) };
        assert_eq!(ids(of_bob).await, ("tbob".into(), 1));
    })
    .await;
}

#[tokio::test]
async fn a_period_ends_for_a_scope_and_for_those_who_share_a_budget() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let mut budget = new(ScopeKind::Budget, "gold");
        budget.settings.budget_reset_at = Some(100);
        budget.settings.budget_duration = Some("1d".into());
        db.insert_scope(budget.clone()).await.unwrap();
        let mut own = new(ScopeKind::Team, "own");
        own.settings.budget_reset_at = Some(99);
        let mut sharer = new(ScopeKind::Customer, "sharer");
        sharer.settings.budget_id = Some("gold".into());
        let mut later = new(ScopeKind::Customer, "later");
        later.settings.budget_id = Some("gold".into());
        later.settings.budget_reset_at = Some(500);
        for scope in [&mut own, &mut sharer, &mut later] {
            scope.spend = Money(8);
            db.insert_scope(scope.clone()).await.unwrap();
        }
        for (number, budget) in [(1, "gold"), (2, "silver")] {
            let mut key = plain_key(number);
            key.spend = Money(6);
            key.settings.extra.insert("budget_id".into(), json!(budget));
            db.insert_key(key).await.unwrap();
        }
        let next = |duration: Option<&str>, at: i64| duration.map(|_| at + 1_000);
        let reset = db.reset_due_scopes(100, Carry::Nothing, next).await.unwrap();
        let ids: Vec<&str> = reset.scopes.iter().map(|due| due.id.id.as_str()).collect();
        assert_eq!(ids, ["gold", "own", "sharer"]);
        assert_eq!(reset.scopes[2].spend, Money(8));
        assert_eq!(
            reset.keys.iter().map(|due| (&due.hash, due.spend)).collect::<Vec<_>>(),
            [(&hash(1), Money(6))]
        );
        assert_eq!(db.key_by_hash(&hash(1)).await.unwrap().unwrap().spend, Money::ZERO);
        assert_eq!(db.key_by_hash(&hash(2)).await.unwrap().unwrap().spend, Money(6));
        let spend = async |scope: &NewScope| db.scope(&scope.id).await.unwrap().unwrap();
        assert_eq!(spend(&own).await.spend, Money::ZERO);
        assert_eq!(spend(&own).await.settings.budget_reset_at, None);
        assert_eq!(spend(&sharer).await.spend, Money::ZERO);
        assert_eq!(spend(&later).await.spend, Money(8));
        assert_eq!(spend(&budget).await.settings.budget_reset_at, Some(1_100));
        assert_eq!(db.reset_due_scopes(100, Carry::Nothing, next).await.unwrap(), EndedPeriods::default());
    })
    .await;
}

#[tokio::test]
async fn what_is_spent_beyond_a_budget_is_carried_over() {
    on_each(async |fresh| {
        let db = &fresh.db;
        let mut gold = new(ScopeKind::Budget, "gold");
        (gold.settings.max_budget, gold.settings.budget_reset_at) = (Some(Money(5)), Some(100));
        db.insert_scope(gold).await.unwrap();
        for (name, max, budget) in [("over", Some(5), None), ("under", Some(9), None), ("free", None, None)]
            .into_iter()
            .chain([("sharer", None, Some("gold"))])
        {
            let mut scope = new(ScopeKind::Team, name);
            scope.spend = Money(8);
            scope.settings.max_budget = max.map(Money);
            scope.settings.budget_id = budget.map(str::to_owned);
            scope.settings.budget_reset_at = budget.is_none().then_some(100);
            db.insert_scope(scope).await.unwrap();
        }
        let mut own = plain_key(1);
        (own.settings.max_budget, own.settings.budget_reset_at) = (Some(Money(4)), Some(100));
        let mut shared = plain_key(2);
        shared.settings.extra.insert("budget_id".into(), json!("gold"));
        for mut key in [own, shared] {
            key.spend = Money(6);
            db.insert_key(key).await.unwrap();
        }
        let ended = db.reset_due_scopes(100, Carry::Overspend, |_, _| None).await.unwrap();
        let spend =
            async |name: &str| db.scope(&ScopeId::new(ScopeKind::Team, name)).await.unwrap().unwrap().spend;
        for (name, carried) in [("over", 3), ("under", 0), ("free", 0), ("sharer", 3)] {
            assert_eq!(spend(name).await, Money(carried), "{name}");
            let due = ended.scopes.iter().find(|due| due.id.id == name).unwrap();
            assert_eq!(due.spend, Money(8 - carried), "what is forgotten of {name}");
        }
        assert_eq!(ended.keys.iter().map(|due| due.spend).collect::<Vec<_>>(), [Money(5)]);
        let due = db.reset_due_budgets(100, Carry::Overspend, |_| None).await.unwrap();
        assert_eq!(due.iter().map(|due| due.spend).collect::<Vec<_>>(), [Money(4)]);
        for (number, carried) in [(1, 2), (2, 1)] {
            assert_eq!(db.key_by_hash(&hash(number)).await.unwrap().unwrap().spend, Money(carried));
        }
    })
    .await;
}
