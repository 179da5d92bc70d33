//! What is read here is what `serde_json` wrote.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no such number", |number| number.is_finite())
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,4}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_body_is_read_as_it_was_meant(value in any_json()) {
        for body in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(&parse(body.as_bytes()).unwrap().into_value(), &value);
            prop_assert_eq!(&parse(body.as_bytes()).unwrap().read::<Value>().unwrap(), &value);
            prop_assert_eq!(&Json::from(value.clone()).into_value(), &value);
        }
    }
}

#[test]
fn a_name_given_twice_counts_as_given_last() {
    let body = br#"{"a": 1, "b": 2, "a": 3}"#;
    let Json::Object(mut members) = parse(body).unwrap() else { panic!("an object") };
    assert_eq!(members.get("a").and_then(Json::as_u64), Some(3));
    assert_eq!(members.clone().into_map(), json!({"a": 3, "b": 2}).as_object().unwrap().clone());
    assert_eq!(members.take("a").and_then(|value| value.as_u64()), Some(3));
    assert!(members.take("a").is_none(), "the first one was overwritten");
    assert_eq!(members.keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn numbers_are_what_they_are_written_as() {
    let value = |text: &'static str| parse(text.as_bytes()).unwrap();
    assert_eq!(value("18446744073709551615").as_u64(), Some(u64::MAX));
    assert_eq!((value("4096.0").as_u64(), value("4096.0").as_f64()), (None, Some(4096.0)));
    assert_eq!((value("-1").as_i64(), value("-1").as_u64()), (Some(-1), None));
    assert_eq!(value("1e3").as_f64(), Some(1000.0));
    assert_eq!((value("\"1\"").as_u64(), value("null").is_null()), (None, true));
}

#[test]
fn texts_stay_in_the_body_unless_they_are_escaped() {
    let body = br#"["plain", "with \"escapes\" \u00e9"]"#;
    let Json::Array(texts) = parse(body).unwrap() else { panic!("an array") };
    assert!(matches!(&texts[0], Json::String(Cow::Borrowed("plain"))));
    assert_eq!(texts[1].as_str(), Some("with \"escapes\" é"));
}

#[test]
fn faults_say_where_and_nesting_has_an_end() {
    let fault = parse(b"{\"a\": tru}").unwrap_err();
    assert_eq!((fault.offset, fault.expected), (6, "`true`, `false` or `null`"));
    assert!(parse(b"{} {}").is_err());
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(127).as_bytes()).is_ok());
    let fault = parse(nested(128).as_bytes()).unwrap_err();
    assert_eq!((fault.offset, fault.expected), (127, "at most 127 levels of nesting"));
}

#[test]
fn types_are_read_from_what_was_taken_apart() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Usage {
        tokens: Option<u64>,
        tier: Option<String>,
        #[serde(default)]
        kinds: Vec<Kind>,
    }
    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Text,
    }
    let read = |body: &'static str| parse(body.as_bytes()).unwrap().read::<Usage>();
    let usage = read(r#"{"tokens": 3, "tier": null, "kinds": ["text"], "more": {"x": [1]}}"#).unwrap();
    assert_eq!(usage, Usage { tokens: Some(3), tier: None, kinds: vec![Kind::Text] });
    let error = read(r#"{"tokens": "three"}"#).unwrap_err().to_string();
    assert!(error.contains("invalid type: string \"three\""), "{error}");
}
