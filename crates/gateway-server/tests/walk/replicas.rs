//! Time and company: budgets that start anew, and two gateways that share one database.

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Upstream, gateway, openai, wait_until};

#[test]
fn a_budget_starts_anew_when_its_period_ends() {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    let key = gateway.key(&json!({ "max_budget": 0.04, "budget_duration": "2s" }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    wait_until("a call to reach the budget", || {
        call.send().expect(200);
        call.send().status == 422
    });
    wait_until("the next period", || call.send().status == 200);
    assert!(gateway.spend(&key) <= 0.1, "what was spent before is forgotten");
}

#[test]
fn a_change_at_one_replica_holds_at_the_other() {
    let shared = TempDir::new().expect("a folder");
    let upstream = Upstream::always(openai::reply());
    let url = format!("sqlite:{}", shared.path().join("shared.db").display());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let setup = setup.set("general_settings", "database_url", url);
    let (one, two) = (setup.start(), setup.start());
    let key = one.key(&json!({}));
    let call = two.post(openai::PATH).key(&key).json(&openai::request("fast"));
    call.send().expect(200);
    one.manage("/key/block", &json!({ "key": key })).expect(200);
    wait_until("the other replica to hear of it", || call.send().status == 401);
    one.manage("/key/unblock", &json!({ "key": key })).expect(200);
    wait_until("the other replica to hear of it", || call.send().status == 200);
    one.manage("/key/delete", &json!({ "keys": [key] })).expect(200);
    wait_until("the other replica to hear of it", || call.send().status == 401);
}
