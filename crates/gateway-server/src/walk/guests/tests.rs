//! Routes that need no key.

use super::is_public;

#[test]
fn what_is_public_opens_nothing_below_it() {
    let routes = ["/v1/models".to_owned(), "/docs/*".to_owned()];
    for (path, expected) in [
        ("/v1/models", true),
        ("/v1/models/gemini-2.5-flash:generateContent", false),
        ("/v1/modelsx", false),
        ("/docs/", true),
        ("/docs/a/b", true),
        ("/docs", false),
        ("/v1/chat/completions", false),
    ] {
        assert_eq!(is_public(&routes, path), expected, "{path}");
    }
    assert!(!is_public(&[], "/v1/models"));
}
