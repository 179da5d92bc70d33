//! Costs derived anew, on a database in memory.

use gateway_db::{Db, DbOptions, SpendRow};
use llm_types::{KeyHash, Money};
use serde_json::json;

use super::{Kept, Prices, RepriceReport, days};

/// A LiteLLM map with one model, at this many dollars for a million tokens either way.
fn prices(dollars: f64) -> Prices {
    let per_token = dollars / 1e6;
    let map = json!({ "gpt-x": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": per_token,
        "output_cost_per_token": per_token, "cache_read_input_token_cost": per_token / 10.0,
    }});
    Prices::read(map.to_string().as_bytes(), "map.json", None).unwrap()
}

fn row(model: &str) -> SpendRow {
    SpendRow {
        request_id: "call".into(),
        provider: Some("openai".into()),
        model: Some(model.into()),
        key: Some(KeyHash::from("a".repeat(64))),
        input_tokens: 1_000,
        output_tokens: 500,
        cost: Some(Money(7)),
        ..SpendRow::default()
    }
}

#[test]
fn a_cost_is_derived_from_the_stored_usage() {
    let prices = prices(2.0);
    assert_eq!(prices.cost(&row("gpt-x")), Ok(Money(3_000_000)));
    let cached = SpendRow { cache_read_tokens: 1_000, ..row("gpt-x") };
    assert_eq!(prices.cost(&cached), Ok(Money(1_200_000)), "columns say what was cached");
    let usage = json!({ "input_tokens": 1_000, "output_tokens": 0, "cache_read_tokens": 500 });
    let told = SpendRow { usage: Some(usage.to_string()), ..row("gpt-x") };
    assert_eq!(prices.cost(&told), Ok(Money(1_100_000)), "the whole usage goes before the columns");
}

#[test]
fn a_tier_that_was_asked_for_counts_where_none_was_served() {
    let map = json!({ "gpt-x": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
        "input_cost_per_token_priority": 3e-6, "output_cost_per_token_priority": 3e-6,
    }});
    let prices = Prices::read(map.to_string().as_bytes(), "map.json", None).unwrap();
    let cost = |told: serde_json::Value| {
        prices.cost(&SpendRow { usage: Some(told.to_string()), ..row("gpt-x") }).unwrap()
    };
    let asked = json!({ "input_tokens": 1_000, "output_tokens": 0, "asked_tier": "priority" });
    assert_eq!(cost(asked.clone()), Money(3_000_000));
    let mut served = asked;
    served["service_tier"] = "default".into();
    assert_eq!(cost(served), Money(1_000_000));
}

#[test]
fn every_deployment_that_worked_for_a_call_is_priced() {
    let map = json!({
        "gpt-x": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6 },
        "gpt-y": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 5e-6, "output_cost_per_token": 5e-6 },
    });
    let prices = Prices::read(map.to_string().as_bytes(), "x", None).unwrap();
    let share = json!({
        "deployment": "d-y", "provider": "openai", "model": "gpt-y", "why": "cut", "cost": 0.5,
        "usage": { "input_tokens": 100, "output_tokens": 10 },
    });
    let call = |own: serde_json::Value| {
        let told = json!({ "input_tokens": 300, "output_tokens": 60, "shares": [share], "own": own });
        SpendRow { usage: Some(told.to_string()), ..row("gpt-x") }
    };
    let own = json!({ "input_tokens": 200, "output_tokens": 50 });
    assert_eq!(prices.cost(&call(own)), Ok(Money(550_000 + 300_000)));
    assert_eq!(prices.cost(&call(json!(null))), Ok(Money(550_000)), "its own use is among the shares");
    assert_eq!(prices.cost(&call(json!(5))), Err(Kept::Unreadable));
    let mut strange = share.clone();
    strange["model"] = "gpt-unheard-of".into();
    let told = json!({ "input_tokens": 1, "output_tokens": 1, "shares": [strange], "own": null }).to_string();
    assert_eq!(prices.cost(&SpendRow { usage: Some(told), ..row("gpt-x") }), Err(Kept::NoPrice));
}

#[test]
fn what_cannot_be_derived_is_kept_and_counted() {
    let prices = prices(2.0);
    let shares = json!({ "input_tokens": 1, "shares": [] }).to_string();
    let table = [
        (row("gpt-unheard-of"), Kept::NoPrice),
        (SpendRow { provider: None, ..row("gpt-x") }, Kept::NotAsked),
        (SpendRow { unknown_outcome: true, ..row("gpt-x") }, Kept::Unknown),
        (SpendRow { cache_hit: true, ..row("gpt-x") }, Kept::CacheHit),
        (SpendRow { call_type: "aimage_generation".into(), ..row("gpt-x") }, Kept::Picture),
        (SpendRow { usage: Some(shares), ..row("gpt-x") }, Kept::Several),
        (SpendRow { usage: Some("{".into()), ..row("gpt-x") }, Kept::Unreadable),
    ];
    let mut report = RepriceReport::default();
    for (row, kept) in &table {
        assert_eq!(prices.cost(row), Err(*kept));
        assert!(report.look_at(row, prices.cost(row)).is_none());
        assert_eq!(report.kept[kept], (1, Money(7)), "{}", kept.words());
    }
    assert!(report.models.is_empty());
}

#[test]
fn days_are_ranges_of_milliseconds() {
    let range = days(Some("2026-11-22"), Some("2026-11-22"), None).unwrap();
    assert_eq!((range.from, range.until), (Some(1_795_305_600_000), Some(1_795_392_000_000)));
    assert_eq!(days(None, Some("22.11.2026"), None), Err("22.11.2026".to_owned()));
}

#[test]
fn what_is_no_price_file_is_refused() {
    for text in ["", "[]", "{}", r#"{"models": {}}"#] {
        assert!(Prices::read(text.as_bytes(), "x", None).is_err(), "{text}");
    }
}

#[tokio::test]
async fn nothing_to_price_is_an_empty_report() {
    let db = Db::connect("sqlite::memory:", &DbOptions::default()).await.unwrap();
    db.migrate().await.unwrap();
    let range = days(None, None, None).unwrap();
    assert_eq!(super::reprice(&db, &prices(1.0), &range, false).await.unwrap(), RepriceReport::default());
}
