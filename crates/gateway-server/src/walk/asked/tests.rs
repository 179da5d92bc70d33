//! What is read of a body for the few deployments that want to know.

use super::*;

#[test]
fn tiers_and_searches() {
    for (body, tier, web_search) in [
        (r#"{"service_tier":"flex","tools":[{"type":"function"}]}"#, Some("flex"), false),
        (r#"{"tools":[{"type":"function"},{"type":"web_search_20250305","name":"w"}]}"#, None, true),
        (r#"{"service_tier":null,"tools":null}"#, None, false),
        ("no JSON", None, false),
    ] {
        let hints = Hints::of(body.as_bytes());
        assert_eq!((hints.tier.as_deref(), hints.web_search), (tier, web_search), "{body}");
    }
}

#[test]
fn what_has_a_price_of_its_own_is_read_from_the_body() {
    for (body, tier, search) in [
        ("{}", None, SearchContext::Medium),
        (r#"{"service_tier": "flex"}"#, Some("flex"), SearchContext::Medium),
        (r#"{"web_search_options": {"search_context_size": "high"}}"#, None, SearchContext::High),
        (r#"{"tools": [{"type": "x"}, {"search_context_size": "low"}]}"#, None, SearchContext::Low),
        (
            r#"{"service_tier": 7, "web_search_options": {"search_context_size": "vast"}}"#,
            None,
            SearchContext::Medium,
        ),
        ("no body", None, SearchContext::Medium),
    ] {
        let hints = Hints::of(body.as_bytes());
        assert_eq!((hints.tier.as_deref(), hints.search), (tier, search), "{body}");
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    for (body, found) in [
        (r#"{"service_tier":"priority"}"#, true),
        (r#"{"service_\u0074ier":"priority"}"#, true),
        (r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#, false),
    ] {
        assert_eq!(may_name(body.as_bytes(), "service_tier"), found, "{body}");
    }
}
