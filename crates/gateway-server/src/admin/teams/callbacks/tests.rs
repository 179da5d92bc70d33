//! Callbacks in metadata: which counts, what is shown, what comes back.

use gateway_db::JsonMap;
use serde_json::{Value, json};

use super::{restore, shown, told, vars};

fn map(value: &Value) -> JsonMap {
    value.as_object().expect("an object").clone().into_iter().collect()
}

fn logged() -> JsonMap {
    map(&json!({
        "note": "kept",
        "logging": [
            { "callback_name": "one", "callback_type": "success",
              "callback_vars": { "one_secret_key": "s1", "one_host": "h", "one_public_key": "p" } },
            { "callback_name": "one", "callback_type": "failure", "callback_vars": { "one_secret_key": "s2" } },
            { "callback_name": "two", "callback_type": "success_and_failure" },
        ],
        "callback_settings": { "success_callback": ["old"], "callback_vars": { "old_api_key": "s3" } },
    }))
}

#[test]
fn the_list_counts_before_the_older_map() {
    let metadata = logged();
    assert_eq!(told(&metadata), [vec!["one", "two"], vec!["one", "two"]]);
    let told_vars = vars(&metadata);
    assert_eq!(told_vars["one_secret_key"], "***REDACTED***");
    assert_eq!((&told_vars["one_host"], &told_vars["one_public_key"]), (&json!("h"), &json!("p")));
    assert!(!told_vars.contains_key("old_api_key"));

    let mut older = metadata;
    older.shift_remove("logging");
    assert_eq!(told(&older), [vec!["old"], vec![]]);
    assert_eq!(vars(&older)["old_api_key"], "***REDACTED***");
    older.insert("logging".to_owned(), json!([]));
    assert_eq!(told(&older), [Vec::<&str>::new(), vec![]], "an empty list says that none is wanted");
}

#[test]
fn what_is_shown_has_no_secret_and_comes_back_whole() {
    let metadata = logged();
    let page = shown(&metadata);
    let text = Value::Object(page.clone().into_iter().collect()).to_string();
    for secret in ["s1", "s2", "s3"] {
        assert!(!text.contains(&format!("\"{secret}\"")), "{text}");
    }
    let mut back = page;
    back.insert("note".to_owned(), json!("changed"));
    back["logging"][0]["callback_vars"]["one_host"] = json!("other");
    back["logging"][1]["callback_vars"]["one_secret_key"] = json!("new");
    restore(&mut back, &metadata);
    assert_eq!(back["logging"][0]["callback_vars"]["one_secret_key"], "s1");
    assert_eq!(back["logging"][0]["callback_vars"]["one_host"], "other");
    assert_eq!(back["logging"][1]["callback_vars"]["one_secret_key"], "new");
    assert_eq!(back["callback_settings"]["callback_vars"]["old_api_key"], "s3");
}
