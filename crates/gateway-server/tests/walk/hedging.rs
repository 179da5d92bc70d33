//! Two tries side by side: both are paid for.

use serde_json::{Value, json};

use crate::support::{Reply, Upstream, gateway, openai};

/// Streams of a deployment from which it is known how slow it may be.
const ENOUGH: usize = 20;

/// Unmet need D12: the slow one is cancelled and paid for by an estimate of its prompt, at its own price; the quick one by its
/// word. One call, one row.
#[test]
fn who_was_slower_is_paid_too() {
    let (slow, quick) = (Upstream::always(openai::stream()), Upstream::always(openai::stream()));
    let price = json!({ "input_cost_per_token": 0.01, "weight": 1 });
    let gateway = gateway()
        .model_at("any", "openai/gpt-4o", &slow.url(), &price)
        .model_at("any", "openai/gpt-4o-mini", &quick.url(), &json!({ "weight": 0 }))
        .set("router_settings", "hedging", json!({ "percentile": 100, "budget": 1 }))
        .start();
    let key = gateway.key(&json!({ "max_budget": 100 }));
    let ask = || gateway.post(openai::PATH).key(&key).json(&openai::streamed("any")).send().expect(200);
    while slow.seen().len() < ENOUGH + 1 {
        ask();
    }
    gateway.wait_for_rest();
    let before = gateway.spend(&key);
    slow.change(Reply::silence());
    let answer = ask();
    assert!(answer.text().contains(" there.") && answer.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(answer.must("x-litellm-attempted-retries"), "0");
    slow.wait_for_hang_up();
    gateway.wait_for_rest();
    let spent = gateway.spend(&key) - before;

    let rows = gateway.booked();
    let row = rows.iter().max_by_key(|row| (row.started_at, row.duration_us)).unwrap();
    let ids: std::collections::HashSet<&str> = rows.iter().map(|row| row.request_id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "no call is booked twice");
    let hedged: Vec<Value> =
        rows.iter().filter_map(|row| serde_json::from_str(row.usage.as_deref()?).ok()).collect();
    let details = hedged.last().unwrap_or_else(|| panic!("the slow one is on the bill: {row:#?}"));
    let share = &details["shares"][0];
    assert_eq!((&share["why"], &share["model"]), (&json!("cancelled"), &json!("gpt-4o")), "{details}");
    let prompt = share["usage"]["input_tokens"].as_i64().unwrap();
    assert!((1..=10).contains(&prompt), "an estimate of `Say hello.`: {details}");
    assert_eq!((&share["usage"]["estimated"], &share["usage"]["output_tokens"]), (&json!(true), &json!(0)));
    let cost = 0.01 * prompt as f64 + 0.05;
    assert!((share["cost"].as_f64().unwrap() - 0.01 * prompt as f64).abs() < 1e-9, "{share}");
    assert!((spent - cost).abs() < 1e-9, "spent {spent}, owed {cost}");
    let found = rows.iter().any(|row| {
        (row.input_tokens, row.output_tokens, row.estimated) == (prompt + 10, 20, true)
            && row.model.as_deref() == Some("gpt-4o-mini")
            && row.outcome == "completed"
    });
    assert!(found, "{rows:#?}");
}
