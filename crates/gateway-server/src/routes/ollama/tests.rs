//! Which model is asked for.

use super::{asked, entry};

#[test]
fn the_model_is_named_in_either_way() {
    assert_eq!(asked(br#"{"model":"m"}"#).unwrap(), "m");
    assert_eq!(asked(br#"{"name":"n"}"#).unwrap(), "n");
    for body in ["", "[]", "{}", r#"{"model":""}"#] {
        assert!(asked(body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(asked(b"{}").unwrap_err().param(), Some("model"));
}

#[test]
fn a_listed_model_has_what_clients_read() {
    let entry = entry("gpt-4o");
    for member in ["name", "model", "modified_at", "size", "digest", "details"] {
        assert!(entry.get(member).is_some(), "{member}");
    }
}
