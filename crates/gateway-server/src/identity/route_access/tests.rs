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
        ("management_routes", "/key/{model}/regenerate", true),
        ("management_routes", "/team/new", true),
        ("management_routes", "/v1/chat/completions", false),
        ("info_routes", "/team/info", true),
        ("info_routes", "/team/new", false),
        ("info_routes", "/models/{model}:generateContent", false),
        ("spend_tracking_routes", "/spend/logs/v2", true),
        ("global_spend_tracking_routes", "/global/spend/report", true),
        ("/v1/chat", "/v1/chat/completions", true),
        ("/v1/chat", "/v1/chatter", false),
        ("/v1/*", "/v1/messages", true),
        ("/key/info", "/key/info", true),
    ] {
        assert_eq!(route_allowed(&[entry.to_owned()], path), expected, "{entry} {path}");
    }
}
