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
fn a_model_behind_an_arn_is_asked_everything() {
    let model = Model::of("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc");
    assert_eq!((model.reasons, model.cache, model.forced), (Reasons::Unknown, true, Forced::Named));
}
