//! Where the two settings may stand, and what they come to.

use llm_providers::Registry;

use crate::config::{Env, MediaFetch, parse};

fn media(text: &str, env: &[(&str, &str)]) -> MediaFetch {
    let env: Env = env.iter().copied().chain([("LITELLM_MASTER_KEY", "sk-media-test-1f2e3d")]).collect();
    let loaded = parse(text, &env, &Registry::built_in());
    assert_eq!(loaded.problems, []);
    loaded.config.expect("no problems").calls.media
}

#[test]
fn callers_urls_are_guarded_unless_the_operator_says_otherwise() {
    let usual = media("litellm_settings: {}", &[]);
    assert_eq!(usual.guard.expect("a guard").exempt, Vec::<String>::new());
    assert_eq!(usual.max_bytes, 50 * 1024 * 1024);
    assert!(media("litellm_settings: {user_url_validation: false}", &[]).guard.is_none());
    assert!(media("general_settings: {user_url_validation: false}", &[]).guard.is_none());
    let both =
        "litellm_settings: {user_url_validation: true}\ngeneral_settings: {user_url_validation: false}";
    assert!(media(both, &[]).guard.is_some());
}

#[test]
fn exempt_hosts_and_the_limit_are_read_where_litellm_reads_them() {
    let text = "litellm_settings: {user_url_allowed_hosts: [a.internal]}\n\
                general_settings: {user_url_allowed_hosts: ['10.0.0.1:8080', ' ']}";
    let found = media(text, &[("MAX_IMAGE_URL_DOWNLOAD_SIZE_MB", "0.5")]);
    assert_eq!(found.guard.expect("a guard").exempt, ["a.internal", "10.0.0.1:8080"]);
    assert_eq!(found.max_bytes, 512 * 1024);
    assert_eq!(media("{}", &[("MAX_IMAGE_URL_DOWNLOAD_SIZE_MB", "0")]).max_bytes, 0);
    assert_eq!(media("{}", &[("MAX_IMAGE_URL_DOWNLOAD_SIZE_MB", "many")]).max_bytes, 50 * 1024 * 1024);
}
