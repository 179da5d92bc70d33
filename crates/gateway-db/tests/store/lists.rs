//! Lists of keys: filters, order, pages.

use gateway_db::{AliasQuery, Db, KeyName, KeyQuery, KeySort, PageRequest, SortOrder};
use llm_types::Money;

use crate::support::{hash, on_each, plain_key};

async fn fill(db: &Db) {
    for number in 1..=5 {
        let mut key = plain_key(number);
        key.spend = Money(i64::try_from(10 - number).unwrap());
        key.created_by = Some(if number == 5 { "eve" } else { "default_user_id" }.into());
        key.settings.alias = Some(
            ["", "Alpha", "beta_1", "beta%2", "gamma", "delta"][usize::try_from(number).unwrap()].into(),
        );
        key.settings.user_id = Some(if number < 3 { "u-one" } else { "u-two" }.into());
        key.settings.team_id = (number % 2 == 0).then(|| "team".into());
        key.settings.max_budget = (number == 2).then_some(Money(1));
        key.settings.access_group_ids =
            if number == 4 { vec!["a\"b".into(), "beta".into()] } else { Vec::new() };
        key.settings.expires_at = (number == 3).then_some(500);
        db.insert_key(key).await.unwrap();
    }
    db.insert_key(plain_key(6)).await.unwrap();
    db.delete_keys(&[KeyName::Hash(hash(6))], 9, None).await.unwrap();
}

async fn numbers(db: &Db, query: KeyQuery) -> Vec<u64> {
    let page = db.list_keys(&query).await.unwrap();
    page.items.iter().map(|key| u64::from_str_radix(key.hash.as_str(), 16).unwrap()).collect()
}

#[tokio::test]
async fn filters_find_what_they_name() {
    on_each(async |fresh| {
        let db = &fresh.db;
        fill(db).await;
        let all = KeyQuery::default();
        let cases: [(KeyQuery, &[u64]); 19] = [
            (all.clone(), &[5, 4, 3, 2, 1]),
            (KeyQuery { user_id: Some("u-one".into()), ..all.clone() }, &[2, 1]),
            (KeyQuery { user_id: Some("U-".into()), ..all.clone() }, &[]),
            (KeyQuery { user_id: Some("U-O".into()), user_substring: true, ..all.clone() }, &[2, 1]),
            (KeyQuery { team_id: Some("team".into()), user_id: Some("u-two".into()), ..all.clone() }, &[4]),
            (KeyQuery { alias: Some("beta_1".into()), ..all.clone() }, &[2]),
            (KeyQuery { search: Some("BETA_".into()), ..all.clone() }, &[2]),
            (KeyQuery { search: Some("beta%".into()), ..all.clone() }, &[3]),
            (KeyQuery { hash: Some(hash(3)), ..all.clone() }, &[3]),
            (KeyQuery { access_group_id: Some("a\"b".into()), ..all.clone() }, &[4]),
            (KeyQuery { expires_before: Some(501), ..all.clone() }, &[3]),
            (KeyQuery { expires_from: Some(501), ..all.clone() }, &[5, 4, 2, 1]),
            (KeyQuery { blocked: Some(true), or_team_ids: vec!["team".into()], ..all.clone() }, &[]),
            (
                KeyQuery {
                    user_id: Some("u-one".into()),
                    or_team_ids: vec!["team".into()],
                    blocked: Some(false),
                    ..all.clone()
                },
                &[4, 2, 1],
            ),
            (
                KeyQuery {
                    user_id: Some("u-one".into()),
                    or_created_by: Some(("eve".into(), Vec::new())),
                    ..all.clone()
                },
                &[5, 2, 1],
            ),
            (
                KeyQuery { user_id: Some("u-one".into()), or_team_ids: vec!["team".into()], ..all.clone() },
                &[4, 2, 1],
            ),
            (KeyQuery { user_id: Some("x".into()), or_services_of: vec!["team".into()], ..all.clone() }, &[]),
            (KeyQuery { alias: Some("A_".into()), alias_substring: true, ..all.clone() }, &[2]),
            (KeyQuery { deleted: true, ..all.clone() }, &[6]),
        ];
        for (query, expected) in cases {
            assert_eq!(numbers(db, query.clone()).await, expected, "{query:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn order_and_pages_cover_the_list_once() {
    on_each(async |fresh| {
        let db = &fresh.db;
        fill(db).await;
        let by = |sort, order| KeyQuery { sort, order, ..KeyQuery::default() };
        assert_eq!(numbers(db, by(KeySort::Spend, SortOrder::Ascending)).await, [5, 4, 3, 2, 1]);
        assert_eq!(numbers(db, by(KeySort::MaxBudget, SortOrder::Descending)).await, [2, 5, 4, 3, 1]);
        assert_eq!(numbers(db, by(KeySort::MaxBudget, SortOrder::Ascending)).await, [2, 1, 3, 4, 5]);
        assert_eq!(numbers(db, by(KeySort::CreatedAt, SortOrder::Ascending)).await, [1, 2, 3, 4, 5]);

        let mut seen = Vec::new();
        for page in 1..=3 {
            let query = KeyQuery { page: PageRequest { page, size: 2 }, ..KeyQuery::default() };
            let answer = db.list_keys(&query).await.unwrap();
            assert_eq!((answer.total, answer.pages(), answer.page), (5, 3, page));
            seen.extend(answer.items.into_iter().map(|key| key.created_at - 1_000));
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
    })
    .await;
}

#[tokio::test]
async fn aliases_are_listed_in_order() {
    on_each(async |fresh| {
        fill(&fresh.db).await;
        let all = AliasQuery { page: PageRequest { page: 1, size: 2 }, ..AliasQuery::default() };
        let answer =
            fresh.db.key_aliases(&AliasQuery { search: Some("eta".into()), ..all.clone() }).await.unwrap();
        assert_eq!(answer.total, 2);
        let mut items = answer.items;
        items.sort();
        assert_eq!(items, ["beta%2", "beta_1"]);
        assert_eq!(fresh.db.key_aliases(&all).await.unwrap().total, 5);

        let of_team = AliasQuery { team_id: Some("team".into()), ..all.clone() };
        assert_eq!(fresh.db.key_aliases(&of_team).await.unwrap().items, ["beta_1", "gamma"]);
        let seen = |user: &str, teams: &[&str]| {
            Some((user.to_owned(), teams.iter().map(|team| (*team).to_owned()).collect()))
        };
        for (seen_by, total) in [
            (seen("u-one", &[]), 2),
            (seen("u-one", &["team"]), 3),
            (seen("x", &["team"]), 2),
            (seen("x", &[]), 0),
        ] {
            let query = AliasQuery { seen_by: seen_by.clone(), ..all.clone() };
            assert_eq!(fresh.db.key_aliases(&query).await.unwrap().total, total, "{seen_by:?}");
        }
    })
    .await;
}
