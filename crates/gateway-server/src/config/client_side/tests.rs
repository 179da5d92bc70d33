//! Which addresses callers may name.

use super::{BasePattern, ClientSide};

#[test]
fn an_address_matches_as_a_whole() {
    for (pattern, base, expected) in [
        ("https://a.example/v1", "https://a.example/v1", true),
        ("https://a.example/v1/", "https://a.example/v1", true),
        ("https://a.example/v1", "https://a.example/v1/more", false),
        ("https://a.example/*", "https://a.example/v1", true),
        // A beginning alone is another host.
        ("https://a.example/*", "https://a.example.evil.test/v1", false),
        ("https://a.example", "https://a.example.evil.test", false),
        (r"https://[a-z0-9-]+\.azure\.example", "https://mine-1.azure.example", true),
        (r"https://[a-z0-9-]+\.azure\.example", "https://evil.test/x.azure.example", false),
    ] {
        let allowed = ClientSide {
            bases: vec![BasePattern::new(pattern).unwrap()],
            key: true,
            ..ClientSide::default()
        };
        assert_eq!(allowed.allows(true, Some(base)), expected, "{pattern} {base}");
    }
    assert!(BasePattern::new("(").is_err());
    let key_only = ClientSide { key: true, ..ClientSide::default() };
    assert!(key_only.allows(true, None) && !key_only.allows(true, Some("https://a.example")));
    assert!(!ClientSide::default().any() && !ClientSide::default().allows(true, None));
}
