//! Exact routes, prefixes, wildcards and groups.

use super::route_allowed;

#[test]
fn entries_allow_what_the_table_says() {
    for (entry, path, expected) in [
        ("llm_api_routes", "/v1/chat/completions", true),
        ("llm_api_routes", "/v1/messages", true),
        ("llm_api_routes", "/key/list", false),
        ("info_routes", "/key/info", true),
        ("info_routes", "/chat/completions", false),
        ("management_routes", "/key/generate", true),
        ("/v1/chat", "/v1/chat/completions", true),
        ("/v1/chat", "/v1/chatter", false),
        ("/v1/*", "/v1/messages", true),
        ("/key/info", "/key/info", true),
    ] {
        assert_eq!(route_allowed(&[entry.to_owned()], path), expected, "{entry} {path}");
    }
}
