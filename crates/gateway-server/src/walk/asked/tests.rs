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
