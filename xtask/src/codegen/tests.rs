//! From dumps to pages.

use super::first_difference;
use super::page;

#[test]
fn tables_come_from_lists_of_objects() {
    let dump = r#"[{"name":"gateway_calls_total","kind":"counter","labels":["model","status"],"help":"Calls | all"}]"#;
    let page = page::metrics(dump).expect("a page");
    assert!(page.contains("| name | kind | labels | help |\n|---|---|---|---|\n"), "{page}");
    assert!(
        page.contains("| `gateway_calls_total` | counter | `model`, `status` | Calls \\| all |\n"),
        "{page}"
    );
    assert!(page.ends_with("\n1 in all.\n"));
    let bare = page::metrics(r#"[{"name":"up","help":"Is it?"}]"#).expect("a page");
    assert!(bare.contains("| name | help |\n|---|---|\n| `up` | Is it? |\n"), "{bare}");
}

#[test]
fn dumps_of_another_shape_are_refused() {
    for dump in ["", "{}", "[]", "[{\"kind\":\"counter\"}]", "[{\"name\":\"x\"},{\"name\":1}]"] {
        assert!(page::metrics(dump).is_err(), "{dump}");
    }
    assert!(page::markdown("no heading").is_err());
    assert!(page::json("{").is_err());
}

#[test]
fn schemas_are_laid_out() {
    assert_eq!(
        page::json(r#"{"b":1,"a":[2]}"#).expect("JSON"),
        "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}\n"
    );
}

#[test]
fn the_first_difference_is_shown() {
    assert_eq!(first_difference("", "a"), "is missing");
    assert_eq!(first_difference("a\nb\n", "a\nc\n"), "line 2 is `b`, expected `c`");
    assert_eq!(first_difference("a\n", "a\nb\n"), "line 2 is `(end)`, expected `b`");
}
