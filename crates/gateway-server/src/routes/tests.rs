//! Paths lead where the table says.

use std::sync::Arc;

use http::{Method, Request};
use hyper::body::Incoming;

use super::{Found, answer, find, pattern};
use crate::door::ConnState;
use crate::state::Core;

fn leads_to(method: &Method, path: &str) -> Option<(&'static str, Option<String>)> {
    match find(method, path) {
        Found::Route(route, (part, _)) => {
            Some((route.1, part.map(|part| pattern::decoded(part).into_owned())))
        }
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
        (
            Method::POST,
            "/v1beta/models/gemini/gemini-2.5-flash:streamGenerateContent",
            Some(("/v1beta/models/{model}:streamGenerateContent", model("gemini/gemini-2.5-flash"))),
        ),
        (
            Method::POST,
            "/vertex_ai/v1/projects/p-1/locations/us-central1/publishers/google/models/g@001:countTokens",
            Some((
                "/vertex_ai/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens",
                model("g@001"),
            )),
        ),
        (Method::GET, "/v1/responses/resp_1", Some(("/v1/responses/{response_id}", model("resp_1")))),
        (
            Method::GET,
            "/v1/responses/resp_1/input_items",
            Some(("/v1/responses/{response_id}/input_items", model("resp_1"))),
        ),
        (Method::GET, "/v1/responses/resp_1/other", None),
        (Method::POST, "/v1/projects/p/q/locations/l/publishers/google/models/m:generateContent", None),
        (Method::POST, "/v1/projects//locations/l/publishers/google/models/m:generateContent", None),
        (Method::POST, "/v1beta/models/:generateContent", None),
        (Method::POST, "/v1beta/models/m:embedContent", None),
        (Method::GET, "/v1/chat/completions", None),
        (Method::POST, "/nowhere", None),
    ] {
        assert_eq!(leads_to(&method, path), expected, "{method} {path}");
    }
    assert!(matches!(find(&Method::GET, "/v1/chat/completions"), Found::OtherMethod));
}

#[test]
fn nothing_variable_stands_behind_the_model() {
    for (_, path) in super::listing() {
        let behind = path.split_once("{model}").map_or("", |(_, behind)| behind);
        assert!(!behind.contains('{'), "{path}: the model takes all up to what is fixed behind it");
    }
}

/// The first route that fits is taken: one with a name in it stands behind those it would hide.
#[test]
fn no_route_hides_another() {
    for (method, path) in super::listing().into_iter().filter(|(_, path)| !path.contains('{')) {
        let method: Method = method.parse().expect("a method");
        assert_eq!(leads_to(&method, path).map(|(path, _)| path), Some(path), "{method} {path}");
    }
}

#[test]
fn a_path_names_two() {
    let Found::Route(route, named) = find(&Method::POST, "/team/t%201/member/u@x.org/reset_spend") else {
        panic!("it is in the table");
    };
    assert_eq!(route.1, "/team/{team_id}/member/{user_id}/reset_spend");
    assert_eq!(named, (Some("t%201"), Some("u@x.org")));
    assert!(matches!(find(&Method::POST, "/team//member/u/reset_spend"), Found::Nothing));
}

/// What a connection keeps ready for each call. Ways that few calls go are to live apart (`llm_types::seldom`).
#[test]
fn the_straight_way_stays_small() {
    fn room<'a, F, Fut>(_: F) -> usize
    where
        F: FnOnce(&'a Arc<Core>, &'a ConnState, Request<Incoming>) -> Fut,
    {
        size_of::<Fut>()
    }
    let room = room(answer);
    assert!(room <= 14_000, "a call takes {room} bytes of each connection");
}

#[test]
fn ids_of_users_are_starred() {
    for (user, shown) in [
        ("", "***"),
        ("anna", "***"),
        ("unknown", "*******"),
        ("ann@house", "ann@ho*se"),
        ("ännchen-tharau", "ännche******au"),
    ] {
        assert_eq!(super::starred(user), shown);
    }
}
