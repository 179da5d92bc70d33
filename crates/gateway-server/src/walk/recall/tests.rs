//! Which ids are given out here.

use super::{is_ours, items};

#[test]
fn ids_given_out_here_are_told_from_providers() {
    assert!(is_ours("resp_0123456789abcdef0123456789abcdef"));
    for other in [
        "resp_68d1f2c4b0a48197a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "resp_0123456789abcdef0123456789abcdeg",
        "0123456789abcdef0123456789abcdef",
        "",
    ] {
        assert!(!is_ours(other), "{other}");
    }
}

#[test]
fn a_kept_list_that_is_none_has_no_items() {
    assert_eq!(items(Some(r#"[{"a":1}]"#)).len(), 1);
    assert!(items(Some("{}")).is_empty() && items(None).is_empty());
}
