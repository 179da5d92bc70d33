//! Calls that bring a key and an address of their own: only where they may, and never with anything of ours.

use serde_json::{Value, json};

use crate::support::{Setup, Upstream, anthropic, gateway, openai};

const OURS: &str = "sk-of-the-operator-0001";
const THEIRS: &str = "sk-of-the-caller-0002";

/// A model at `ours` with a key and a header of the operator's.
fn setup(ours: &Upstream, allowed: &Value) -> Setup {
    let more = json!({
        "api_key": OURS, "extra_headers": { "x-ours": "secret-of-ours" }, "extra_body": { "ours": 1 },
        "configurable_clientside_auth_params": allowed,
    });
    gateway().model_at("fast", "openai/gpt-4o-mini", &ours.url(), &more)
}

fn asking(members: &Value) -> Value {
    let mut body = openai::request("fast");
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

/// Lets callers name hosts at this machine.
fn near(setup: Setup) -> Setup {
    setup.set("general_settings", "user_url_allowed_hosts", json!(["127.0.0.1"]))
}

#[test]
fn nobody_brings_anything_unless_told() {
    let ours = Upstream::always(openai::reply());
    let gateway = setup(&ours, &json!([])).start();
    for members in
        [json!({ "api_key": THEIRS }), json!({ "api_base": "https://a.example", "api_key": THEIRS })]
    {
        let refused = gateway.chat(&asking(&members)).send().expect(401).text();
        assert!(refused.contains("is not allowed in request body") && !refused.contains(THEIRS), "{refused}");
    }
    // What another model takes this one does not.
    let both = setup(&ours, &json!(["api_key"])).model("other", "openai/gpt-4o-mini", &ours).start();
    let mut body = asking(&json!({ "api_key": THEIRS }));
    body["model"] = "other".into();
    both.chat(&body).send().expect(401);
    let placed = asking(&json!({ "api_key": THEIRS, "api_base": "https://a.example" }));
    both.chat(&placed).send().expect(401);
    assert!(ours.seen().is_empty());
}

#[test]
fn a_key_is_used_for_its_call_alone() {
    let ours = Upstream::always(openai::reply());
    let gateway = setup(&ours, &json!(["api_key"])).start();
    gateway.chat(&asking(&json!({ "api_key": THEIRS }))).send().expect(200);
    gateway.chat(&asking(&json!({}))).send().expect(200);
    let messages = gateway.post(anthropic::PATH).key(crate::support::MASTER);
    let mut body = anthropic::request("fast");
    body["api_key"] = THEIRS.into();
    messages.json(&body).send().expect(200);
    let seen = ours.seen();
    let keys: Vec<_> =
        seen.iter().map(|seen| seen.header("authorization").unwrap_or_default().to_owned()).collect();
    let [ours, theirs] = [OURS, THEIRS].map(|key| format!("Bearer {key}"));
    assert_eq!(keys, [theirs.clone(), ours, theirs]);
    assert!(
        seen.iter().all(|seen| seen.json().get("api_key").is_none()),
        "it is no member of the provider's body"
    );
}

#[test]
fn an_address_gets_nothing_of_ours() {
    let (ours, theirs) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let gateway = near(setup(&ours, &json!(["api_key", "api_base"]))).start();
    let alone = gateway.chat(&asking(&json!({ "api_base": theirs.url() }))).send().expect(400).text();
    assert!(alone.contains("needs `api_key`"), "{alone}");
    let members = json!({ "api_base": theirs.url(), "api_key": THEIRS });
    gateway.chat(&asking(&members)).send().expect(200);
    let seen = theirs.only();
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {THEIRS}")));
    assert_eq!(seen.header("x-ours"), None);
    assert_eq!(seen.json().get("ours"), None);
    assert!(ours.seen().is_empty());
    for wrong in [
        "ftp://a.example",
        "a.example",
        "https://me:word@a.example",
        "https://a.example/?key=1",
        "https://a.example/{HOME}",
    ] {
        let members = json!({ "api_base": wrong, "api_key": THEIRS });
        let refused = gateway.chat(&asking(&members)).send().expect(400).text();
        assert!(refused.contains("expected a URL"), "{wrong}: {refused}");
    }
}

#[test]
fn callers_lead_the_gateway_into_no_private_network() {
    let (ours, inside) = (Upstream::always(openai::reply()), Upstream::always(openai::reply()));
    let members = json!({ "api_base": inside.url(), "api_key": THEIRS, "num_retries": 0 });
    let guarded = setup(&ours, &json!(["api_key", "api_base"])).start();
    assert!(guarded.chat(&asking(&members)).send().status >= 400);
    let listed =
        near(setup(&ours, &json!([]))).set("general_settings", "allow_client_side_credentials", true);
    let elsewhere = json!(["api.example"]);
    let listed = listed.set("general_settings", "provider_url_destination_allowed_hosts", elsewhere).start();
    let refused = listed.chat(&asking(&members)).send().expect(400).text();
    assert!(refused.contains("none of the hosts"), "{refused}");
    assert!(inside.seen().is_empty() && ours.seen().is_empty());
}

#[test]
fn an_address_has_to_match_and_failures_are_the_callers() {
    let ours = Upstream::always(openai::reply());
    let theirs = Upstream::always(openai::error(401, "no such key"));
    let allowed = json!(["api_key", { "api_base": r"http://127\.0\.0\.1:\d+(/v1)?" }]);
    let gateway = near(setup(&ours, &allowed)).start();
    let elsewhere = json!({ "api_base": "http://127.0.0.1.example:80", "api_key": THEIRS });
    gateway.chat(&asking(&elsewhere)).send().expect(401);
    let members = json!({ "api_base": theirs.url(), "api_key": THEIRS });
    for _ in 0..4 {
        let refused = gateway.chat(&asking(&members)).send().expect(401).text();
        assert!(refused.contains("no such key") && !refused.contains(THEIRS), "{refused}");
    }
    // The deployment did not fail: others are served by it.
    gateway.chat(&asking(&json!({}))).send().expect(200);
    assert_eq!(ours.seen().len(), 1);
}
