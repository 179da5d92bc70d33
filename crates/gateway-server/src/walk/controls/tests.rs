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

/// What a caller asks of the router is heard or refused, never passed over.
#[test]
fn what_is_asked_of_the_router_is_of_its_kind() {
    use llm_providers::dialect::Control;
    use serde_json::json;

    let asked = |control, value| {
        let mut controls = super::Controls::default();
        super::ask_router(&mut controls, control, &value).map(|()| controls)
    };
    for (control, wrong) in [
        (Control::NumRetries, json!("many")),
        (Control::NumRetries, json!(-1)),
        (Control::NumRetries, json!(1.5)),
        (Control::Timeout, json!("soon")),
        (Control::Timeout, json!(-3)),
        (Control::StreamTimeout, json!([1])),
        (Control::Priority, json!("high")),
        (Control::EnableTagFiltering, json!("yes")),
        (Control::DisableFallbacks, json!(1)),
        (Control::AllowedModelRegion, json!(7)),
        (Control::Fallbacks, json!("gpt-4o")),
        (Control::Fallbacks, json!(["gpt-4o", 7])),
        (Control::Fallbacks, json!([{"gpt-4o": 7}])),
        (Control::ContextWindowFallbacks, json!([{"gpt-4o": [{"temperature": 1}]}])),
    ] {
        assert!(asked(control, wrong.clone()).is_err(), "{control:?}: {wrong}");
        assert!(asked(control, json!(null)).is_ok(), "{control:?}: null says nothing");
    }
    let times = (
        asked(Control::Timeout, json!("2.5")).unwrap().timeout,
        asked(Control::Timeout, json!(0)).unwrap().timeout,
    );
    assert_eq!(times, (Some(std::time::Duration::from_millis(2_500)), None));
    let alone = asked(Control::Fallbacks, json!([{"gpt-4o": "claude"}])).unwrap().fallbacks;
    assert_eq!(alone, asked(Control::Fallbacks, json!([{"gpt-4o": ["claude"]}])).unwrap().fallbacks);
    assert_eq!(asked(Control::NumRetries, json!("3")).unwrap().num_retries, Some(3));
}
