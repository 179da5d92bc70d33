//! What LiteLLM's request models take is taken, and what they refuse is refused under the same name.

use serde_json::{Value, json};

use super::{boolean, count, number};

#[test]
fn booleans_are_words_too() {
    for said in
        [json!(true), json!(1), json!(1.0), json!("yes"), json!("YES"), json!("t"), json!("on"), json!("1")]
    {
        assert_eq!(boolean(&said), Ok(true), "{said}");
    }
    for said in
        [json!(false), json!(0), json!(0.0), json!("No"), json!("n"), json!("F"), json!("off"), json!("0")]
    {
        assert_eq!(boolean(&said), Ok(false), "{said}");
    }
    for said in [json!(2), json!("maybe"), json!(""), json!(" yes"), json!(1.5)] {
        assert_eq!(boolean(&said).unwrap_err().0, "bool_parsing", "{said}");
    }
    assert_eq!(boolean(&json!([])).unwrap_err().0, "bool_type");
}

#[test]
fn whole_numbers_are_texts_and_floats_too() {
    for (said, is) in [
        (json!(5), 5),
        (json!("5"), 5),
        (json!(" +5 "), 5),
        (json!("05"), 5),
        (json!("5.0"), 5),
        (json!(5.0), 5),
        (json!("1_000"), 1000),
        (json!(true), 1),
        (json!(i64::MAX), i64::MAX),
    ] {
        assert_eq!(count(&said), Ok(is), "{said}");
    }
    for (said, kind) in [
        (json!(-1), "greater_than_equal"),
        (json!("-1"), "greater_than_equal"),
        (json!(1.5), "int_from_float"),
        (json!("5.5"), "int_parsing"),
        (json!("5."), "int_parsing"),
        (json!("1e3"), "int_parsing"),
        (json!("1__0"), "int_parsing"),
        (json!("_1"), "int_parsing"),
        (json!(""), "int_parsing"),
        (json!(1e30), "int_parsing_size"),
        (json!(u64::MAX), "int_parsing_size"),
        (json!("99999999999999999999"), "int_parsing_size"),
        (json!([]), "int_type"),
    ] {
        assert_eq!(count(&said).unwrap_err().0, kind, "{said}");
    }
}

#[test]
fn numbers_are_texts_too() {
    for (said, is) in [(json!(1), 1.0), (json!(true), 1.0), (json!("1e3"), 1000.0), (json!(" 1_0.5 "), 10.5)]
    {
        assert_eq!(number(&said), Ok(is), "{said}");
    }
    assert!(number(&json!("nan")).unwrap().is_nan());
    assert_eq!(number(&json!("1e400")), Ok(f64::INFINITY));
    for (said, kind) in
        [(json!("ten"), "float_parsing"), (json!(""), "float_parsing"), (Value::Null, "float_type")]
    {
        assert_eq!(number(&said).unwrap_err().0, kind, "{said}");
    }
}
