//! The tables are whole, and misspellings find what was meant.

use std::collections::HashSet;

use super::{
    BODY, GENERAL, LITELLM, MODEL_INFO, MODEL_PARAMS, PRICES, PROVIDERS, ROUTER, SECTIONS, Shape, Status,
    find, home_of, nearest,
};

#[test]
fn every_key_stands_once_and_is_told_in_a_sentence() {
    for (section, keys) in SECTIONS {
        let mut names = HashSet::new();
        for key in *keys {
            assert!(names.insert(key.name), "{section}.{} stands twice", key.name);
            assert!(key.doc.ends_with('.') && key.doc.len() > 5, "{section}.{}: {}", key.name, key.doc);
            let first = key.doc.chars().next().unwrap();
            assert!(first.is_uppercase() || first == '`', "{section}.{}: {}", key.name, key.doc);
            if let Status::Later(instead) = key.status {
                assert!(!instead.is_empty() && !instead.ends_with('.'), "{section}.{}: {instead}", key.name);
            }
        }
    }
    for names in [PRICES, PROVIDERS, BODY] {
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }
}

/// The number of keys LiteLLM has in each section; fewer means that one got lost.
#[test]
fn every_key_of_litellm_is_known() {
    assert!(GENERAL.len() >= 197, "{}", GENERAL.len());
    assert!(LITELLM.len() >= 240, "{}", LITELLM.len());
    assert!(ROUTER.len() >= 52, "{}", ROUTER.len());
    assert!(MODEL_PARAMS.len() >= 140, "{}", MODEL_PARAMS.len());
    assert!(MODEL_INFO.len() >= 34, "{}", MODEL_INFO.len());
    assert_eq!(PRICES.len(), 129);
}

#[test]
fn secrets_are_secret() {
    for (keys, name) in [
        (GENERAL, "master_key"),
        (GENERAL, "database_url"),
        (GENERAL, "drain_endpoint_token"),
        (ROUTER, "redis_password"),
        (ROUTER, "redis_url"),
        (MODEL_PARAMS, "api_key"),
        (MODEL_PARAMS, "aws_secret_access_key"),
        (MODEL_PARAMS, "aws_session_token"),
        (MODEL_PARAMS, "client_secret"),
        (MODEL_PARAMS, "vertex_credentials"),
        (MODEL_PARAMS, "azure_ad_token"),
        (MODEL_PARAMS, "azure_password"),
        (MODEL_PARAMS, "valkey_password"),
        (MODEL_PARAMS, "s3_secret_access_key"),
    ] {
        assert_eq!(find(keys, name).map(|key| key.shape), Some(Shape::Secret), "{name}");
    }
}

#[test]
fn the_nearest_name_is_found_when_it_is_near() {
    let known = ["api_key", "api_base", "timeout", "model", "rpm", "input_cost_per_token"];
    for (name, expected) in [
        ("api_kye", Some("api_key")),
        ("apikey", Some("api_key")),
        ("API-KEY", Some("api_key")),
        ("time_out", Some("timeout")),
        ("modle", Some("model")),
        ("input_cost_per_tokn", Some("input_cost_per_token")),
        ("tpm", Some("rpm")),
        ("seed", None),
        ("a", None),
        ("", None),
        ("completely_different", None),
    ] {
        assert_eq!(nearest(name, known), expected, "{name}");
    }
}

/// LiteLLM's own examples write settings of the router into `litellm_settings`.
#[test]
fn settings_in_the_wrong_section_are_told_the_right_one() {
    assert_eq!(home_of("cooldown_time"), Some("router_settings"));
    assert_eq!(home_of("drop_params"), Some("litellm_settings"));
    assert_eq!((home_of("colour"), home_of("set_verbose_")), (None, None));
}
