//! The scanner against `serde_json`, and patches against rebuilt trees.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Kind, MAX_DEPTH, Patch, object, unescape, value};

/// JSON values, nested a little, with awkward strings and numbers.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 64.0)),
        "\\PC{0,80}".prop_map(Value::from),
        "[\\x00-\\x7f\"\\\\]{0,60}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-e\"\\\\é]{0,3}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("[a-z\"\\\\é]{0,4}", any_json()), 0..8).prop_map(|m| m.into_iter().collect())
}

fn members_of(body: &[u8]) -> Vec<(String, Value)> {
    let mut seen = Vec::new();
    object(body, |member| {
        assert_eq!(member.value.text.as_bytes(), &body[member.value.span()]);
        assert_eq!(body[member.start], b'"');
        seen.push((member.name.into_owned(), serde_json::from_str(member.value.text).unwrap()));
    })
    .unwrap();
    seen
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    }
}

proptest! {
    #[test]
    fn valid_json_is_accepted_and_its_members_found(map in any_object(), pretty: bool) {
        let body = if pretty { serde_json::to_vec_pretty(&map) } else { serde_json::to_vec(&map) }.unwrap();
        prop_assert_eq!(members_of(&body), map.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn one_changed_byte_is_judged_as_serde_json_judges_it(json in any_json(), at: prop::sample::Index, byte: u8) {
        let mut body = serde_json::to_vec(&json).unwrap();
        let at = at.index(body.len());
        body[at] = byte;
        prop_assert_eq!(value(&body).is_ok(), serde_json::from_slice::<Value>(&body).is_ok(),
            "{}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn text_near_json_is_judged_as_serde_json_judges_it(body in "[\\[\\]{}:,\"\\\\0-9eE+.u\\-dDfFalsetrunl \\n]{0,24}") {
        prop_assert_eq!(value(body.as_bytes()).is_ok(), serde_json::from_str::<Value>(&body).is_ok());
    }

    #[test]
    fn cut_json_is_refused(map in any_object(), at: prop::sample::Index) {
        let body = serde_json::to_vec(&map).unwrap();
        let cut = object(&body[..at.index(body.len())], |_| {});
        prop_assert!(cut.is_err());
    }

    #[test]
    fn removing_replacing_and_adding_gives_the_object_one_would_build(
        map in any_object(), pretty: bool, choices in prop::collection::vec(0..3u8, 8), add: bool,
    ) {
        let body = if pretty { serde_json::to_vec_pretty(&map) } else { serde_json::to_vec(&map) }.unwrap();
        let body = Bytes::from(body);
        let mut patch = Patch::new(&body);
        let mut expected = Map::new();
        let mut number = 0;
        object(&body, |member| {
            match choices[number] {
                0 => patch.remove(member.span()),
                1 => {
                    patch.replace(member.value.span(), b"[17]".as_slice());
                    expected.insert(member.name.into_owned(), json!([17]));
                }
                _ => {
                    let kept = serde_json::from_str(member.value.text).unwrap();
                    expected.insert(member.name.into_owned(), kept);
                }
            }
            number += 1;
        }).unwrap();
        if add {
            patch.add("added one", b"true");
            patch.add("added \"two\"", b"null");
            expected.insert("added one".into(), json!(true));
            expected.insert("added \"two\"".into(), json!(null));
        }
        let patched = patch.finish();
        prop_assert_eq!(members_of(&patched), expected.into_iter().collect::<Vec<_>>(),
            "{}", String::from_utf8_lossy(&patched));
    }
}

#[test]
fn kinds_and_values_are_told() {
    for text in ["null", "true", "false", "-0.5e3", "12", "\"a\\nb\"", "[1,{}]", "{\"a\":[]}"] {
        let item = value(text.as_bytes()).unwrap();
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(item.kind, kind_of(&read));
        assert_eq!(item.as_u64(), read.as_u64(), "{text}");
        assert_eq!(item.as_bool(), read.as_bool());
        assert_eq!(item.as_str().as_deref(), read.as_str());
    }
}

#[test]
fn paths_are_followed_and_spans_are_those_of_the_body() {
    let body = br#" {"usage": {"details": {"cached": 7}}, "list": [1, "two", {"x": 3}]}"#;
    let item = value(body).unwrap();
    let cached = item.at(&["usage", "details", "cached"]).unwrap();
    assert_eq!((cached.as_u64(), &body[cached.span()]), (Some(7), b"7".as_slice()));
    let mut texts = Vec::new();
    item.member("list").unwrap().elements(|element| {
        assert_eq!(element.text.as_bytes(), &body[element.span()]);
        texts.push(element.text);
    });
    assert_eq!(texts, ["1", "\"two\"", "{\"x\": 3}"]);
    assert!(item.at(&["usage", "nothing"]).is_none());
}

#[test]
fn escaped_names_are_unescaped() {
    assert_eq!(members_of(br#"{"mod\u0065l":1}"#), [("model".to_owned(), json!(1))]);
}

#[test]
fn surrogates_must_come_in_pairs() {
    for (text, fine) in [
        (r#""\ud83d\ude00""#, true),
        (r#""\ud83d""#, false),
        (r#""\ude00""#, false),
        (r#""\ud83d\u0041""#, false),
        (r#""\ud83d x""#, false),
    ] {
        assert_eq!(value(text.as_bytes()).is_ok(), fine, "{text}");
        assert_eq!(serde_json::from_str::<Value>(text).is_ok(), fine, "{text}");
    }
    assert_eq!(unescape(r#""\ud83d\ude00""#).as_deref(), Some("😀"));
}

#[test]
fn names_are_noted_at_every_depth_and_escaped_ones_as_they_read() {
    let body = br#"{"a":[{"image_url":{"cache_control" : 1}}],"tool\u005fcall_id":{"a name longer than the wide step":0}}"#;
    let names = object(body, |_| {}).unwrap();
    for held in ["a", "image_url", "cache_control", "tool_call_id", "a name longer than the wide step"] {
        assert!(names.may_hold(held), "{held}");
    }
    for absent in ["file_id", "url", ""] {
        assert!(!names.may_hold(absent), "{absent}");
    }
    let plain =
        br#"{"model":"m","messages":[{"role":"user","content":"image_url"}],"stream":true,"max_tokens":1,"temperature":1}"#;
    let names = object(plain, |_| {}).unwrap();
    let rare = "image_url tool_call_id cache_control file_id url response_format tools service_tier serviceTier \
                speed inference_geo search_context_size input_audio file video_url source inlineData inline_data \
                fileData file_data image document";
    let held: Vec<_> = rare.split_whitespace().filter(|name| names.may_hold(name)).collect();
    assert!(held.is_empty(), "an ordinary body is not looked through for {held:?}");
}

#[test]
fn nesting_is_limited_where_serde_json_limits_it() {
    for levels in [MAX_DEPTH as usize, MAX_DEPTH as usize + 1] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            assert_eq!(
                value(text.as_bytes()).is_ok(),
                serde_json::from_str::<Value>(&text).is_ok(),
                "{levels}"
            );
            assert_eq!(value(text.as_bytes()).is_ok(), levels <= MAX_DEPTH as usize);
        }
        let members = format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert_eq!(object(members.as_bytes(), |_| {}).is_ok(), levels <= MAX_DEPTH as usize);
    }
}

#[test]
fn numbers_beyond_floats_are_refused() {
    for (text, fine) in [("1e308", true), ("1e309", false), ("1e-999", true), ("-1E+400", false)] {
        assert_eq!(value(text.as_bytes()).is_ok(), fine, "{text}");
    }
    let long = "9".repeat(400);
    assert!(value(long.as_bytes()).is_err() && serde_json::from_str::<Value>(&long).is_err());
}

#[test]
fn faults_say_where_what_was_found_and_what_was_expected() {
    for (body, message) in [
        ("[1]", "expected a JSON object, found `[` at line 1 column 1 (byte 0)"),
        ("{\n  \"a\": x}", "expected a JSON value, found `x` at line 2 column 8 (byte 9)"),
        ("{\"a\":1", "expected `,` or `}`, found the end of the text at line 1 column 7 (byte 6)"),
        ("{\"a\":1}}", "expected the end of the body, found `}` at line 1 column 8 (byte 7)"),
        ("{\"a\":[1 2]}", "expected `,` or `]`, found `2` at line 1 column 9 (byte 8)"),
        ("{'a':1}", "expected a member name in double quotes, found `'` at line 1 column 2 (byte 1)"),
    ] {
        assert_eq!(object(body.as_bytes(), |_| {}).unwrap_err().to_string(), message);
    }
    let fault = object(b"{\"a\":\"\xff\"}", |_| {}).unwrap_err();
    assert_eq!(fault.to_string(), "expected UTF-8 text, found byte 0xff at line 1 column 7 (byte 6)");
}

#[test]
fn nothing_to_change_returns_the_same_bytes() {
    let body = Bytes::from_static(b"{\"a\":1}");
    assert_eq!(Patch::new(&body).finish().as_ptr(), body.as_ptr());
}

#[test]
fn members_are_merged_in_place_or_at_the_end() {
    let members = serde_json::json!({"b": [1], "new": {"x": null}});
    let members = members.as_object().unwrap();
    for (body, expected) in [
        (r#"{"a":1, "b" : 2 }"#, r#"{"a":1, "b" : [1],"new":{"x":null}}"#),
        (r#"{"\u0062":2,"a":1,"b":3}"#, r#"{"\u0062":[1],"a":1,"new":{"x":null}}"#),
        ("{}", r#"{"b":[1],"new":{"x":null}}"#),
    ] {
        let merged = super::merge(&Bytes::from(body), members).unwrap();
        let value: Value = serde_json::from_slice(&merged).unwrap();
        assert_eq!((value["b"][0].as_u64(), value["new"]["x"].is_null()), (Some(1), true), "{body}");
        assert_eq!(merged, expected, "{body}");
    }
    assert!(super::merge(&Bytes::from_static(b"[]"), members).is_err());
}
