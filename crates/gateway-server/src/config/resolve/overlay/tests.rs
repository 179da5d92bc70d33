//! What a key or a team may say of routing, and what it leaves as it is.

use std::time::Duration;

use llm_router::RouterSettings;
use serde_json::json;

use super::*;

fn base() -> RouterSettings {
    let mut base =
        RouterSettings { num_retries: 4, cooldown_time: Duration::from_secs(9), ..RouterSettings::default() };
    base.fallbacks.add("a", ["b".into()]);
    base
}

#[test]
fn what_is_said_wins_and_the_rest_stays() {
    let own = json!({
        "num_retries": 0, "timeout": 3, "retry_after": 2, "routing_strategy": "least-busy",
        "fallbacks": [{ "x": ["y"] }], "context_window_fallbacks": [{ "x": ["z"] }],
        "weights": { "g": { "one": 1, "two": 3 } }, "model_group_alias": { "fast": "g" },
        "enable_tag_filtering": true, "tag_routing_prefix": "r-", "retry_policy": { "RateLimitErrorRetries": 5 },
        "optional_pre_call_checks": ["session_affinity"], "redis_host": "elsewhere", "disable_cooldowns": true,
    });
    let settings = overlaid(&base(), &own).unwrap();
    assert_eq!((settings.num_retries, settings.timeout), (0, Some(Duration::from_secs(3))));
    assert_eq!(
        (settings.retry_after, settings.cooldown_time),
        (Duration::from_secs(2), Duration::from_secs(9))
    );
    assert_eq!(settings.strategy.name, "least-busy");
    assert!(settings.fallbacks.of("x").is_some() && settings.fallbacks.of("a").is_none());
    assert!(settings.context_window_fallbacks.of("x").is_some());
    assert_eq!(settings.weights["g"]["two"], 3.0);
    assert_eq!(settings.aliases["fast"].model, "g");
    assert!(settings.tag_filtering && settings.tag_prefix == "r-" && settings.affinity.session);
    assert!(settings.retry_policy.is_some());
    assert!(!settings.disable_cooldowns, "that is the operator's alone");
}

#[test]
fn what_is_empty_says_nothing() {
    let own = json!({
        "num_retries": null, "routing_strategy": null, "routing_strategy_args": null, "fallbacks": [],
        "model_group_alias": {}, "weights": null, "retry_policy": { "RateLimitErrorRetries": null },
    });
    assert_eq!(overlaid(&base(), &own).unwrap(), base());
    assert!(is_empty(&own));
    assert_eq!(overlaid(&base(), &json!("text")).unwrap(), base());
}

#[test]
fn what_is_wrong_is_told() {
    for (own, words) in [
        (json!({ "routing_strategy": "fastest" }), "expected one of"),
        (json!({ "num_retries": "many" }), "num_retries"),
        (json!({ "weights": { "g": { "one": -1 } } }), "weights.g.one"),
    ] {
        let problems = overlaid(&base(), &own).unwrap_err();
        let told = format!("{problems:?}");
        assert!(told.contains(words), "{own}: {told}");
    }
}

/// A request changes its own way only: nothing that rests deployments or leads to another model.
#[test]
fn what_a_request_may_say() {
    let own = json!({
        "num_retries": 1, "stream_timeout": 2, "content_policy_fallbacks": [{ "x": ["y"] }],
        "cooldown_time": 3600, "allowed_fails": 0, "model_group_alias": { "fast": "g" },
        "optional_pre_call_checks": ["session_affinity"], "weights": { "g": { "one": 1 } },
    });
    let settings = overridden(&base(), &own).unwrap();
    assert_eq!((settings.num_retries, settings.stream_timeout), (1, Some(Duration::from_secs(2))));
    assert!(settings.content_policy_fallbacks.of("x").is_some());
    let untouched = RouterSettings {
        num_retries: 4,
        stream_timeout: None,
        content_policy_fallbacks: llm_router::FallbackMap::default(),
        ..settings
    };
    assert_eq!(untouched, base());
    assert!(overridden(&base(), &json!({ "routing_strategy": "fastest" })).is_err());
    let tagged = RouterSettings { tag_filtering: true, ..base() };
    let off = json!({ "enable_tag_filtering": false });
    assert!(overridden(&tagged, &off).unwrap().tag_filtering, "tags keep callers where they belong");
    assert!(!overlaid(&tagged, &off).unwrap().tag_filtering, "a key's settings are the operator's word");
}
