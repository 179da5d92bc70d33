//! Which model belongs to which family.

use super::{Forced, Model, Reasons, TopK};

#[test]
fn regions_and_arns_do_not_hide_the_family() {
    for name in [
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ] {
        let model = Model::of(name);
        assert_eq!(
            (model.reasons, model.forced, model.schema),
            (Reasons::Claude, Forced::Named, true),
            "{name}"
        );
    }
    assert_eq!(Model::of("us.amazon.nova-pro-v1:0").top_k, TopK::Nova);
    assert_eq!(Model::of("global.amazon.nova-2-lite-v1:0").reasons, Reasons::Nova);
    assert!(!Model::of("us.deepseek.r1-v1:0").tools);
    assert!(Model::of("deepseek.v3-v1:0").tools);
    assert_eq!(Model::of("us.meta.llama3-3-70b-instruct-v1:0").forced, Forced::No);
}

#[test]
fn marks_have_lifetimes_where_caches_last_an_hour() {
    for (name, ttl) in [
        ("anthropic.claude-3-sonnet-20240229-v1:0", false),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", false),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", false),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", true),
        ("us.anthropic.claude-opus-4-7-v1:0", true),
    ] {
        assert_eq!((Model::of(name).ttl, Model::of(name).cache), (ttl, true), "{name}");
    }
}

#[test]
fn a_model_behind_an_arn_is_asked_everything() {
    let model = Model::of("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc");
    assert_eq!((model.reasons, model.cache, model.forced), (Reasons::Unknown, true, Forced::Named));
}
