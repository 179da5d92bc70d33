//! Switches and lists that callers may send.

#[test]
fn a_switch_is_true_or_false() {
    let read = |text: &str| super::flag("drop_params", &serde_json::from_str(text).unwrap());
    assert_eq!((read("true").unwrap(), read("false").unwrap(), read("null").unwrap()), (true, false, false));
    let error = read("\"yes\"").unwrap_err();
    assert_eq!(error.message(), "`drop_params`: expected `true` or `false`, found `\"yes\"`");
}

#[test]
fn parameter_names_are_a_list_of_strings() {
    let read = |text: &str| super::names_of("additional_drop_params", &serde_json::from_str(text).unwrap());
    assert_eq!(read("[\"seed\", \"user\"]").unwrap(), ["seed", "user"]);
    assert!(read("null").unwrap().is_empty());
    for wrong in ["\"seed\"", "[1]", "{}"] {
        let error = read(wrong).unwrap_err();
        assert_eq!(error.message(), "`additional_drop_params`: expected a list of parameter names");
    }
}
