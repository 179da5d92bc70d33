//! What is shown and what is not.

use std::sync::Arc;

use super::{name_is_secret, public, shown};
use crate::config::raw::MODEL_PARAMS;
use crate::config::source::{Node, read_text};

fn node(text: &str) -> Node {
    read_text(text, &Arc::from(""), &mut Vec::new()).expect("a tree")
}

#[test]
fn names_of_secrets_are_recognised() {
    for name in
        ["api_key", "API-Key", "my_secret", "auth_token", "Authorization", "db_password", "x-goog-api-key"]
    {
        assert!(name_is_secret(name), "{name}");
    }
    for name in [
        "max_tokens",
        "input_cost_per_token",
        "max_completion_tokens",
        "temperature",
        "model",
        "tags",
        "code_keywords",
    ] {
        assert!(!name_is_secret(name), "{name}");
    }
}

#[test]
fn maps_lose_their_secrets() {
    let params = node(
        "model: openai/x\napi_key: a-secret\napi_kye: a-secret\naws_secret_access_key: a-secret\n\
         api_base: https://user:a-secret@host/v1?key=a-secret\nextra_headers: {authorization: a-secret, x-team: red}\n\
         seed: 1\nother: sk-a-secret\nextra_body: {deep: [{token: a-secret}]}\n",
    );
    let shown = serde_json::to_string(&public(&params, MODEL_PARAMS, false)).unwrap();
    assert_eq!(
        shown,
        r#"{"model":"openai/x","api_base":"https://host/v1","extra_headers":{"authorization":"***","x-team":"red"},"seed":1,"other":"***","extra_body":{"deep":[{"token":"***"}]}}"#
    );
}

#[test]
fn messages_show_values_that_are_no_secrets() {
    let show = |text: &str, key: &str| shown(&node(&format!("a: {text}")).members()[0].value, key, None);
    assert_eq!(show("many", "rpm"), "`many`");
    assert_eq!(show("1.5", "rpm"), "`1.5`");
    assert_eq!(show("many", "api_key"), "text");
    assert_eq!(show("12345", "password"), "a number");
    assert_eq!(show("sk-1234", "rpm"), "text");
    assert_eq!(show("[a-secret]", "rpm"), "a list");
    assert_eq!(show(&"x".repeat(70), "rpm"), format!("`{}…`", "x".repeat(60)));
}
