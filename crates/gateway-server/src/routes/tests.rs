//! Paths lead where the table says.

use http::Method;

use super::{Found, find, pattern};

fn leads_to(method: &Method, path: &str) -> Option<(&'static str, Option<String>)> {
    match find(method, path) {
        Found::Route(route, part) => Some((route.1, part.map(|part| pattern::decoded(part).into_owned()))),
        Found::OtherMethod | Found::Nothing => None,
    }
}

#[test]
fn paths_lead_to_routes_and_models() {
    let model = |name: &str| Some(name.to_owned());
    for (method, path, expected) in [
        (Method::POST, "/v1/chat/completions", Some(("/v1/chat/completions", None))),
        (
            Method::POST,
            "/engines/openai%2Fgpt-4o/chat/completions",
            Some(("/engines/{model}/chat/completions", model("openai/gpt-4o"))),
        ),
        (
            Method::POST,
            "/openai/deployments/a/b/chat/completions",
            Some(("/openai/deployments/{model}/chat/completions", model("a/b"))),
        ),
        (Method::HEAD, "/health/liveliness", Some(("/health/liveliness", None))),
        (Method::GET, "/v1/models/x%ff", Some(("/v1/models/{model}", model("x%ff")))),
        (Method::GET, "/v1/chat/completions", None),
        (Method::POST, "/nowhere", None),
    ] {
        assert_eq!(leads_to(&method, path), expected, "{method} {path}");
    }
    assert!(matches!(find(&Method::GET, "/v1/chat/completions"), Found::OtherMethod));
}
