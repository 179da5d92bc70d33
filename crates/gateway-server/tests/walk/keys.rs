//! Virtual keys: made, shown, changed, blocked, listed, deleted.

use serde_json::{Value, json};

use crate::support::{MASTER, Running, Upstream, gateway, openai};

fn ready() -> (Upstream, Running) {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    (upstream, gateway)
}

#[test]
fn a_key_is_made_and_shown_without_its_secret() {
    let (_upstream, gateway) = ready();
    let settings = json!({
        "key_alias": "batch", "models": ["fast"], "max_budget": 12.5, "rpm_limit": 7, "tpm_limit": 700,
        "max_parallel_requests": 3, "metadata": { "cost-centre": [1, "b"] }, "user_id": "u-1", "team_id": "t-1",
        "duration": "30d", "budget_duration": "1d", "x_unknown": { "kept": true },
    });
    let made = gateway.manage("/key/generate", &settings).expect(200).json();
    let secret = made["key"].as_str().expect("the secret, this once");
    assert!(secret.starts_with("sk-") && secret.len() == 25, "{secret}");
    assert_eq!(made["key_name"], format!("sk-...{}", &secret[secret.len() - 4..]));
    let token = made["token"].as_str().expect("the hash");
    assert_eq!(token.len(), 64);
    let by_secret = gateway.info(secret);
    let by_hash = gateway.info(token);
    assert_eq!(by_secret, by_hash);
    for (name, value) in settings.as_object().expect("an object") {
        if !matches!(&**name, "duration") {
            assert_eq!(by_secret[name], *value, "{name}");
        }
    }
    assert!(by_secret["expires"].is_string() && by_secret["budget_reset_at"].is_string());
    assert!(!by_secret.to_string().contains(secret));
    assert_eq!(by_secret["spend"], 0.0);
}

#[test]
fn an_operator_may_choose_the_secret() {
    let (_upstream, gateway) = ready();
    let chosen = gateway.key(&json!({ "key": "sk-chosen-by-hand-0001" }));
    assert_eq!(chosen, "sk-chosen-by-hand-0001");
    gateway.post(openai::PATH).key(&chosen).json(&openai::request("fast")).send().expect(200);
    let again = gateway.manage("/key/generate", &json!({ "key": "sk-chosen-by-hand-0001" }));
    assert_eq!(again.status, 400, "{}", again.text());
    for weak in ["sk-1", "no-prefix-but-long-enough", "sk-with space inside it"] {
        let refused = gateway.manage("/key/generate", &json!({ "key": weak }));
        assert_eq!(refused.status, 400, "{weak}: {}", refused.text());
        assert!(!refused.text().contains(weak), "{}", refused.text());
    }
}

#[test]
fn a_change_holds_at_once_and_keeps_the_rest() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({ "key_alias": "one", "rpm_limit": 1, "metadata": { "a": 1 } }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    call.send().expect(200);
    call.send().expect(429);
    gateway.manage("/key/update", &json!({ "key": key, "rpm_limit": 100 })).expect(200);
    call.send().expect(200);
    let info = gateway.info(&key);
    assert_eq!((&info["key_alias"], &info["metadata"]), (&json!("one"), &json!({ "a": 1 })));
    gateway.manage("/key/update", &json!({ "key": key, "rpm_limit": null, "models": ["other"] })).expect(200);
    assert_eq!(gateway.info(&key)["rpm_limit"], Value::Null);
    call.send().expect(403);
}

#[test]
fn spend_survives_changes_and_may_be_set() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({}));
    gateway.post(openai::PATH).key(&key).json(&openai::request("fast")).send().expect(200);
    gateway.manage("/key/update", &json!({ "key": key, "key_alias": "renamed" })).expect(200);
    assert_eq!(gateway.spend(&key), 0.05);
    gateway.manage("/key/update", &json!({ "key": key, "spend": 0 })).expect(200);
    assert_eq!(gateway.spend(&key), 0.0);
}

#[test]
fn a_blocked_key_works_again_when_unblocked() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({}));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    gateway.manage("/key/block", &json!({ "key": key })).expect(200);
    assert_eq!(gateway.info(&key)["blocked"], true);
    call.send().expect(401);
    gateway.manage("/key/unblock", &json!({ "key": key })).expect(200);
    call.send().expect(200);
}

#[test]
fn keys_are_listed_in_pages_and_found_by_alias() {
    let (_upstream, gateway) = ready();
    for number in 0..5 {
        gateway.key(&json!({ "key_alias": format!("list-{number}"), "team_id": "t" }));
    }
    gateway.key(&json!({ "key_alias": "other" }));
    let list = |query: &str| gateway.get(&format!("/key/list?{query}")).key(MASTER).send().expect(200).json();
    let page = list("team_id=t&size=2&page=3");
    assert_eq!(page["keys"].as_array().map(Vec::len), Some(1), "{page}");
    assert_eq!((&page["total_count"], &page["total_pages"]), (&json!(5), &json!(3)));
    let found = list("key_alias=other&return_full_object=true");
    assert_eq!(found["keys"][0]["key_alias"], "other", "{found}");
}

#[test]
fn a_deleted_key_is_gone() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({ "key_alias": "gone" }));
    let deleted = gateway.manage("/key/delete", &json!({ "keys": [key] })).expect(200);
    assert_eq!(deleted.json()["deleted_keys"], json!([key]));
    gateway.get(&format!("/key/info?key={key}")).key(MASTER).send().expect(404);
    gateway.manage("/key/delete", &json!({ "keys": [key] })).expect(404);
    gateway.key(&json!({ "key_alias": "gone" }));
}

#[test]
fn wrong_fields_are_named() {
    let (_upstream, gateway) = ready();
    let wrong = json!({ "models": "fast", "rpm_limit": "many", "metadata": [] });
    let refused = gateway.manage("/key/generate", &wrong).expect(422).json();
    let named: Vec<_> =
        refused["detail"].as_array().expect("a list").iter().map(|one| &one["loc"][1]).collect();
    assert_eq!(named.len(), 3, "{refused}");
    gateway.manage("/key/generate", &json!({ "max_budget": -1 })).expect(400);
    gateway.manage("/key/generate", &json!({ "duration": "soon" })).expect(400);
    gateway.post("/key/generate").key(MASTER).body("{").send().expect(400);
    gateway.key(&json!({ "key_alias": "twice" }));
    let twice = gateway.manage("/key/generate", &json!({ "key_alias": "twice" }));
    assert_eq!(twice.status, 400, "{}", twice.text());
}

#[test]
fn a_key_can_ask_how_it_is() {
    let (_upstream, gateway) = ready();
    let ask = |key: &str| gateway.post("/key/health").key(key).json(&json!({})).send();
    let plain = gateway.key(&json!({}));
    let healthy = json!({ "key": "healthy", "logging_callbacks": null });
    assert_eq!(ask(&plain).expect(200).json(), healthy);
    assert_eq!(ask(MASTER).expect(200).json(), healthy);
    let logging = json!({ "logging": [{ "callback_name": "langfuse", "callback_vars": { "key": "x" } }] });
    let told = ask(&gateway.key(&json!({ "metadata": logging }))).expect(200).json();
    assert_eq!(
        (&told["key"], &told["logging_callbacks"]["callbacks"]),
        (&json!("unhealthy"), &json!(["langfuse"]))
    );
    ask("sk-unknown-to-everybody").expect(401);
}
