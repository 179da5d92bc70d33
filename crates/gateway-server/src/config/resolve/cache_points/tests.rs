//! Points as they are written.

use llm_providers::Registry;
use llm_types::{CacheMark, CacheTtl, Role};

use crate::config::{CachePoint, CacheSpot, Env, Loaded, parse};

fn load(points: &str) -> Loaded {
    let params =
        format!("model: anthropic/claude-opus-4-1, api_key: k, cache_control_injection_points: {points}");
    let text = format!("model_list: [{{model_name: m, litellm_params: {{{params}}}}}]");
    let env: Env = [("LITELLM_MASTER_KEY", "sk-of-the-tests")].into_iter().collect();
    parse(&text, &env, &Registry::built_in())
}

#[test]
fn points_are_read_as_litellm_writes_them() {
    let loaded = load(
        "[{location: message, role: system}, {location: message, index: '-1', role: user}, {location: tool_config}, \
          {location: message, index: 0, control: {type: ephemeral, ttl: 1h}}]",
    );
    let config = loaded.config.unwrap_or_else(|| panic!("{:#?}", loaded.problems));
    let usual = CacheMark::default();
    let hour = CacheMark { ttl: Some(CacheTtl::OneHour) };
    let expected = [
        CachePoint { spot: CacheSpot::Role(Role::System), mark: usual },
        CachePoint { spot: CacheSpot::Message(-1), mark: usual },
        CachePoint { spot: CacheSpot::Tools, mark: usual },
        CachePoint { spot: CacheSpot::Message(0), mark: hour },
    ];
    assert_eq!(*config.models[0].cache_points, expected);
    assert!(loaded.problems.iter().all(|problem| !problem.path.contains("cache")), "{:#?}", loaded.problems);
    assert!(load("[]").config.unwrap().models[0].cache_points.is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    for (points, path) in [
        ("[{location: system}]", "[0].location"),
        ("[{role: system}]", "[0].location"),
        ("[{location: message}]", "[0].role"),
        ("[{location: message, role: robot}]", "[0].role"),
        ("[{location: message, index: last}]", "[0].index"),
        ("[{location: message, index: 0, control: {type: forever}}]", "[0].control.type"),
        ("[{location: message, index: 0, control: {type: ephemeral, ttl: 1d}}]", "[0].control.ttl"),
        ("always", "cache_control_injection_points"),
    ] {
        let loaded = load(points);
        assert!(loaded.config.is_none(), "{points}");
        let named = loaded.problems.iter().any(|problem| problem.path.ends_with(path));
        assert!(named, "{points}: {:#?}", loaded.problems);
    }
}
