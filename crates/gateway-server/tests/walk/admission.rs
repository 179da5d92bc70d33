//! Who is let in, and in which words others are refused, at both doors.

use serde_json::{Value, json};

use crate::support::{Answer, Call, MASTER, Running, Upstream, anthropic, gateway, openai, wait_until};

fn ready() -> (Upstream, Running) {
    let upstream = Upstream::always(openai::reply());
    let gateway = gateway().model("fast", "openai/gpt-4o-mini", &upstream).start();
    (upstream, gateway)
}

/// LiteLLM's form: `{"error":{"message","type","param","code"}}`, the code a string of the status.
#[track_caller]
fn openai_error(answer: &Answer, status: u16, kind: &str, words: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.must("content-type"), "application/json");
    let error = answer.json()["error"].clone();
    assert_eq!(error["type"], kind, "{error}");
    assert_eq!(error["code"], status.to_string(), "{error}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{error}");
    error
}

#[track_caller]
fn anthropic_error(answer: &Answer, status: u16, kind: &str, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["type"], "error", "{body}");
    assert_eq!(body["error"]["type"], kind, "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|message| message.contains(words)), "{body}");
}

fn doors(gateway: &Running) -> [Call; 2] {
    [
        gateway.post(openai::PATH).json(&openai::request("fast")),
        gateway.post(anthropic::PATH).json(&anthropic::request("fast")),
    ]
}

#[test]
fn no_key_is_told_so_in_the_dialect_of_the_door() {
    let (upstream, gateway) = ready();
    let [chat, messages] = doors(&gateway);
    let error = openai_error(&chat.send(), 401, "auth_error", "No api key passed in.");
    assert_eq!(error["param"], "None");
    anthropic_error(&messages.send(), 401, "authentication_error", "No api key passed in.");
    assert!(upstream.seen().is_empty());
}

#[test]
fn without_a_master_key_any_secret_opens_and_keys_keep_their_limits() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let (key, dir) = {
        let closed = setup.start();
        let key = closed.key(&json!({"models": ["slow"]}));
        (key, closed.stop())
    };
    let open = setup
        .set("general_settings", "master_key", Value::Null)
        .set("general_settings", "dangerously_permit_weak_or_unset_master_key", true)
        .start_in(dir);
    let chat = open.post(openai::PATH).json(&openai::request("fast"));
    chat.send().expect(200);
    for secret in ["sk-unknown-to-everybody", "nonsense"] {
        chat.clone().key(secret).send().expect(200);
    }
    openai_error(&chat.key(&key).send(), 403, "key_model_access_denied", "fast");
}

#[test]
fn wrong_keys_are_told_apart() {
    let (_upstream, gateway) = ready();
    let [chat, messages] = doors(&gateway);
    let send = |key: &str| chat.clone().key(key).send();
    openai_error(&send("nonsense"), 401, "auth_error", "expected to start with 'sk-'");
    let unknown = send("sk-unknown-to-everybody");
    let error = openai_error(&unknown, 401, "token_not_found_in_db", "Received API Key = sk-...body");
    assert_eq!(error["param"], "key");
    assert!(!unknown.text().contains("sk-unknown-to-everybody"));
    let malformed = chat.clone().header("authorization", "Bearer ").send();
    openai_error(&malformed, 401, "auth_error", "Malformed API Key");
    let unknown = messages.key("sk-unknown-to-everybody").send();
    anthropic_error(&unknown, 401, "authentication_error", "Invalid proxy server token");
}

#[test]
fn a_key_may_come_in_any_of_the_usual_headers() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({}));
    let chat = gateway.post(openai::PATH).json(&openai::request("fast"));
    for name in ["x-litellm-api-key", "api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key"] {
        chat.clone().header(name, key.as_str()).send().expect(200);
    }
    chat.clone().header("authorization", key.as_str()).send().expect(200);
    // The first place that has one decides.
    chat.key(MASTER).header("x-litellm-api-key", "sk-wrong-wrong-wrong").send().expect(401);
}

#[test]
fn a_blocked_key_and_a_deleted_key_stop_at_once_even_on_an_open_connection() {
    let (_upstream, gateway) = ready();
    for (path, body, words) in
        [("/key/block", "key", "Key is blocked"), ("/key/delete", "keys", "Invalid proxy server token")]
    {
        let key = gateway.key(&json!({}));
        let call = gateway.chat(&openai::request("fast")).header("x-litellm-api-key", key.as_str());
        let (_, mut connection) = call.open().rest_and_connection();
        let named = if body == "keys" { json!({ "keys": [key] }) } else { json!({ "key": key }) };
        gateway.manage(path, &named).expect(200);
        std::io::Write::write_all(&mut connection, &call.bytes()).expect("the connection is open");
        let refused = crate::support::Flow::read(connection).rest();
        assert_eq!(refused.status, 401);
        assert!(refused.text().contains(words), "{}", refused.text());
    }
}

#[test]
fn an_expired_key_is_refused() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({ "duration": "1s" }));
    let call = gateway.post(openai::PATH).key(&key).json(&openai::request("fast"));
    wait_until("the key to expire", || call.send().status == 401);
    openai_error(&call.send(), 401, "expired_key", "Authentication Error - Expired Key. Key Expiry time");
}

#[test]
fn models_a_key_does_not_list_are_refused() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.model("slow", "openai/gpt-4o", &upstream).start();
    let key = gateway.key(&json!({ "models": ["fast"] }));
    let chat = |model| gateway.post(openai::PATH).key(&key).json(&openai::request(model)).send();
    chat("fast").expect(200);
    let error = openai_error(&chat("slow"), 403, "key_model_access_denied", "'slow' is not available");
    assert_eq!(error["param"], "model");
    let messages = gateway.post(anthropic::PATH).key(&key).json(&anthropic::request("slow")).send();
    anthropic_error(&messages, 403, "permission_error", "'slow' is not available");
    let listed = gateway.get("/v1/models").key(&key).send().expect(200).json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(listed["data"][0]["id"], "fast");
}

#[test]
fn routes_a_key_does_not_list_are_refused() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({ "allowed_routes": ["/v1/messages"] }));
    let [chat, messages] = doors(&gateway);
    let refused = chat.key(&key).send();
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("not allowed to call this route"), "{}", refused.text());
    messages.key(&key).send().expect(200);
    let info = gateway.key(&json!({ "key_type": "read_only" }));
    let [chat, _] = doors(&gateway);
    chat.key(&info).send().expect(403);
}

#[test]
fn management_is_for_operators() {
    let (_upstream, gateway) = ready();
    let key = gateway.key(&json!({}));
    let refused = gateway.post("/key/generate").key(&key).json(&json!({})).send();
    openai_error(&refused, 401, "auth_error", "Only proxy admin can be used");
    gateway.get("/key/info").key(&key).send().expect(200);
    let other = gateway.key(&json!({}));
    gateway.get(&format!("/key/info?key={other}")).key(&key).send().expect(403);
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let (_upstream, gateway) = ready();
    assert_eq!(gateway.get("/v1/nothing").send().expect(404).json(), json!({ "detail": "Not Found" }));
    let other = gateway.get(openai::PATH).send().expect(405);
    assert_eq!(other.json(), json!({ "detail": "Method Not Allowed" }));
}

#[test]
fn probes_need_no_key() {
    let (_upstream, gateway) = ready();
    for path in ["/health/liveliness", "/health/liveness", "/health/readiness"] {
        gateway.get(path).send().expect(200);
    }
    assert_eq!(gateway.get("/health/readiness").send().json()["db"], "connected");
    gateway.get("/health").send().expect(401);
    gateway.get("/metrics").send().expect(401);
}

#[test]
fn the_model_may_stand_in_the_path() {
    let (upstream, gateway) = ready();
    let body = json!({ "messages": [{ "role": "user", "content": "Say hello." }] });
    for path in ["/engines/fast/chat/completions", "/openai/deployments/fast/chat/completions"] {
        gateway.post(path).key(MASTER).json(&body).send().expect(200);
    }
    assert!(upstream.seen().iter().all(|seen| seen.json()["model"] == "gpt-4o-mini"));
}

#[test]
fn a_public_route_needs_no_key_and_opens_no_other() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let closed = setup.start();
    closed.get("/v1/models").send().expect(401);
    let public = json!(["/v1/models", openai::PATH, "/key/*"]);
    let gateway = setup.set("general_settings", "public_routes", public).start();
    let listed = gateway.get("/v1/models").send().expect(200).json();
    assert_eq!(listed["data"][0]["id"], "fast");
    gateway.get("/v1/models").key("sk-unknown-to-everybody").send().expect(200);
    let [chat, messages] = doors(&gateway);
    chat.send().expect(200);
    messages.send().expect(401);
    // Nobody in particular changes nothing and sees nobody's keys.
    let key = gateway.key(&json!({}));
    gateway.post("/key/generate").json(&json!({})).send().expect(401);
    gateway.post("/key/delete").json(&json!({ "keys": [key.as_str()] })).send().expect(401);
    gateway.get(&format!("/key/info?key={key}")).send().expect(403);
    gateway.get("/key/list").send().expect(401);
    assert_eq!(upstream.seen().len(), 1);
    let rows = gateway.booked();
    assert_eq!(rows.len(), 1, "what nobody pays for is booked, too");
    assert!(rows[0].key.is_some() && rows[0].user_id.is_none());
}

#[test]
fn fields_of_teams_are_told_to_everybody() {
    let upstream = Upstream::always(openai::reply());
    let setup = gateway().model("fast", "openai/gpt-4o-mini", &upstream);
    let gateway = setup.start();
    let asked = gateway.get("/team/metadata_schema");
    assert_eq!(asked.clone().key(MASTER).send().expect(200).json(), json!({ "fields": [] }));
    asked.send().expect(401);
    let fields = json!([{ "key": "cost_center", "label": "Cost center" }, { "key": "owner" }]);
    let gateway = setup.set("general_settings", "team_metadata_schema", fields).start();
    let key = gateway.key(&json!({}));
    let told = gateway.get("/team/metadata_schema").key(&key).send().expect(200).json();
    let expected =
        json!([{ "key": "cost_center", "label": "Cost center" }, { "key": "owner", "label": null }]);
    assert_eq!(told["fields"], expected);
}
