//! What rows of the spend log tell beside figures: sessions, metadata, what was said.

use serde_json::{Value, json};

use crate::support::{MASTER, Running, Setup, Upstream, anthropic, gateway, openai, wait_until};

fn setup(upstream: &Upstream) -> Setup {
    let setup = gateway().model("fast", "openai/gpt-4o-mini", upstream);
    setup.set("general_settings", "proxy_batch_write_at", 0.05)
}

fn keeping(upstream: &Upstream) -> Setup {
    setup(upstream).set("general_settings", "store_prompts_in_spend_logs", true)
}

/// The rows of a session, newest first.
#[track_caller]
fn rows(gateway: &Running, session: &str, count: usize) -> Vec<Value> {
    let ask = || gateway.get(&format!("/spend/logs/session/ui?session_id={session}")).key(MASTER).send();
    wait_until("the rows of the session", || ask().json()["total"] == count);
    ask().json()["data"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_session_and_what_is_noted_of_its_calls_are_found_again() {
    let upstream = Upstream::always(openai::reply());
    let gateway = setup(&upstream).start();
    let noted = json!({ "spend_logs_metadata": { "of": "key", "cost_center": 7 } });
    let key = gateway.key(&json!({ "metadata": noted }));
    let mut body = openai::request("fast");
    body["metadata"] = json!({ "spend_logs_metadata": { "of": "call" } });
    let call = gateway.post(openai::PATH).key(&key).json(&body);
    call.clone().header("x-litellm-session-id", "s-1").send().expect(200);
    body["litellm_session_id"] = "s-1".into();
    gateway.post(openai::PATH).key(&key).json(&body).send().expect(200);
    call.clone().header("x-litellm-session-id", "s-2").send().expect(200);
    call.send().expect(200);
    for row in rows(&gateway, "s-1", 2) {
        assert_eq!(row["session_id"], "s-1");
        let expected = json!({ "of": "call", "cost_center": 7 });
        assert_eq!(row["metadata"]["spend_logs_metadata"], expected);
        assert_eq!((&row["messages"], &row["response"]), (&json!({}), &json!({})), "nobody asked for them");
    }
    rows(&gateway, "s-2", 1);
    assert_eq!(rows(&gateway, "s-3", 0).len(), 0);
    gateway.get("/spend/logs/session/ui").key(MASTER).send().expect(422);
    body["metadata"] = json!({ "spend_logs_metadata": "text" });
    let refused = gateway.chat(&body).send().expect(400).text();
    assert!(refused.contains("spend_logs_metadata") && refused.contains("mapping"), "{refused}");
}

#[test]
fn rows_have_the_members_that_the_operator_wants() {
    let upstream = Upstream::always(openai::reply());
    let members = |said: Value, session: &str| {
        let gateway = setup(&upstream).set("general_settings", "spend_logs_metadata_fields", said).start();
        let mut body = openai::request("fast");
        body["metadata"] = json!({ "spend_logs_metadata": { "secret": "words" } });
        let call = gateway.post(openai::PATH).key(MASTER).json(&body);
        call.header("x-litellm-session-id", session).send().expect(200);
        let row = rows(&gateway, session, 1).remove(0);
        assert!(row["prompt_tokens"].as_u64() > Some(0), "figures stay: {row}");
        row["metadata"].as_object().unwrap().clone()
    };
    let some = members(json!({ "include": ["usage_object", "outcome"] }), "some");
    assert_eq!(some.keys().collect::<Vec<_>>(), ["status", "usage_object", "outcome"]);
    let others = members(json!({ "exclude": ["spend_logs_metadata"] }), "others");
    assert!(!others.contains_key("spend_logs_metadata") && others.contains_key("user_api_key"), "{others:?}");
}

#[test]
fn what_is_said_is_kept_where_that_is_wanted() {
    let upstream = Upstream::in_turn([openai::reply(), openai::stream(), openai::stream(), openai::reply()]);
    let gateway = keeping(&upstream).start();
    let key = gateway.key(&json!({}));
    let mut body = openai::request("fast");
    body["messages"][0]["content"] = "the key is sk-live-0123456789abcdef, \u{2026}".into();
    let chat = |body: &Value| gateway.post(openai::PATH).key(&key).json(body);
    chat(&body).header("x-litellm-session-id", "whole").send().expect(200);
    let row = &rows(&gateway, "whole", 1)[0];
    assert_eq!(row["messages"][0]["content"], "the key is ****, \u{2026}");
    let answer = row["response"]["choices"][0]["message"]["content"].as_str().expect("an answer").to_owned();
    assert!(!answer.is_empty());
    let said = gateway.get(&format!("/spend/logs/ui/{}", row["request_id"].as_str().unwrap())).key(MASTER);
    assert_eq!(said.send().expect(200).json()["response"], row["response"]);
    let streamed = chat(&openai::streamed("fast"));
    let heard = streamed.header("x-litellm-session-id", "stream").send().expect(200).text();
    let row = &rows(&gateway, "stream", 1)[0];
    let text = row["response"]["choices"][0]["message"]["content"].as_str().expect("an answer");
    assert!(!text.is_empty() && heard.contains(text.split(' ').next().unwrap()), "{text}: {heard}");
    // A translated stream, too, in the caller's own dialect.
    let messages = gateway.post(anthropic::PATH).key(&key).json(&anthropic::streamed("fast"));
    messages.header("x-litellm-session-id", "translated").send().expect(200);
    let row = &rows(&gateway, "translated", 1)[0];
    assert_eq!(row["response"]["choices"][0]["message"]["content"], text);
    assert!(row["messages"].is_array());
    // Whoever reads the spend of others' keys still sees only what is theirs.
    gateway.get("/spend/logs/session/ui?session_id=whole").key(&key).send().expect(401);
}

#[test]
fn a_key_and_a_call_can_keep_what_they_say_out_of_it() {
    let upstream = Upstream::always(openai::reply());
    let gateway = keeping(&upstream).start();
    let silent = gateway.key(&json!({ "metadata": { "turn_off_message_logging": true } }));
    let open = gateway.key(&json!({}));
    let mut body = openai::request("fast");
    let call = |key: &str, body: &Value, session: &str| {
        let call = gateway.post(openai::PATH).key(key).json(body);
        call.header("x-litellm-session-id", session).send().expect(200);
        rows(&gateway, session, 1)[0]["messages"].clone()
    };
    assert_eq!(call(&silent, &body, "of-the-key"), json!({}));
    body["no-log"] = true.into();
    assert_eq!(call(&open, &body, "of-the-call"), json!({}));
    assert!(upstream.seen().iter().all(|seen| seen.json().get("no-log").is_none()));
    body["no-log"] = false.into();
    assert!(call(&open, &body, "of-neither").is_array());
    let always = keeping(&upstream).set("litellm_settings", "global_disable_no_log_param", true).start();
    body["no-log"] = true.into();
    let call = always.post(openai::PATH).key(MASTER).json(&body);
    call.header("x-litellm-session-id", "always").send().expect(200);
    assert!(rows(&always, "always", 1)[0]["messages"].is_array());
}

#[test]
fn calls_without_a_session_are_refused_or_given_one_where_that_is_wanted() {
    let upstream = Upstream::always(openai::reply());
    let strict = setup(&upstream).set("general_settings", "missing_session_id", "reject").start();
    let refused = strict.chat(&openai::request("fast")).send().expect(400).text();
    assert!(refused.contains("x-litellm-session-id"), "{refused}");
    strict.chat(&openai::request("fast")).header("x-litellm-session-id", "mine").send().expect(200);
    let giving = setup(&upstream).set("general_settings", "missing_session_id", "generate").start();
    giving.chat(&openai::request("fast")).header("x-litellm-call-id", "call-77").send().expect(200);
    assert_eq!(rows(&giving, "call-77", 1)[0]["session_id"], "call-77");
    let usual = setup(&upstream).start();
    usual.chat(&openai::request("fast")).send().expect(200);
    assert_eq!(usual.booked()[0].session_id, None);
}
