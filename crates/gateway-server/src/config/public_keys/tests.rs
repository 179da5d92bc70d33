//! Whose public keys are told, and what is said of other credentials.

use gateway_db::EntryKind;
use llm_providers::Registry;
use serde_json::json;

use super::*;
use crate::config::{Env, parse};

/// The key of RFC 7515, appendix A.3, on one line as variables hold it.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\\n-----END PRIVATE KEY-----";

fn entry(values: Value, provider: &str) -> ConfigEntry {
    let map = |value: Value| value.as_object().cloned().unwrap();
    ConfigEntry {
        kind: EntryKind::Credential,
        id: "of-db".into(),
        name: "of-db".into(),
        secret: map(values),
        info: map(json!({ "custom_llm_provider": provider })),
        blocked: false,
        created_at: 0,
        created_by: None,
        updated_at: 0,
        updated_by: None,
    }
}

fn told(name: &str, stored: Option<&ConfigEntry>) -> String {
    let file = "
model_list: []
credential_list:
  - credential_name: of-file
    credential_values: {anthropic_identity_source: internal_issuer, anthropic_issuer_url: 'https://g', anthropic_issuer_subject: s, anthropic_issuer_signing_key_ref: os.environ/SIGNING}
    credential_info: {custom_llm_provider: Anthropic}
  - credential_name: keys-only
    credential_values: {api_key: k}
    credential_info: {custom_llm_provider: anthropic}
  - credential_name: of-openai
    credential_values: {anthropic_identity_source: internal_issuer}
    credential_info: {custom_llm_provider: openai}
";
    let env: Env = [("LITELLM_MASTER_KEY", "sk-of-the-tests"), ("SIGNING", KEY)].into_iter().collect();
    let loaded = parse(file, &env, &Registry::built_in());
    match loaded.config.expect("a configuration").origin.public_keys(name, stored) {
        PublicKeys::Set(set) => set.to_string(),
        PublicKeys::Missing => "missing".to_owned(),
        PublicKeys::Elsewhere => "elsewhere".to_owned(),
        PublicKeys::Wrong(why) => why,
    }
}

#[test]
fn issuers_of_file_and_database_tell_their_keys() {
    let values = json!({
        "anthropic_identity_source": "internal_issuer", "anthropic_issuer_url": "https://g",
        "anthropic_issuer_subject": "s", "anthropic_issuer_signing_key_ref": "os.environ/SIGNING",
    });
    let of_file = told("of-file", None);
    assert!(of_file.contains(r#""kid":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U""#), "{of_file}");
    assert_eq!(told("of-db", Some(&entry(values.clone(), "ANTHROPIC"))), of_file);
    let mut named = values;
    named["anthropic_issuer_signing_key_ref"] = "SIGNING".into();
    assert_eq!(told("of-db", Some(&entry(named, "anthropic"))), of_file);
    assert!(!of_file.contains("\"d\""), "{of_file}");
}

#[test]
fn others_have_none() {
    for (name, expected) in [("keys-only", "elsewhere"), ("of-openai", "missing"), ("nobody", "missing")] {
        assert_eq!(told(name, None), expected, "{name}");
    }
    let base = json!({
        "anthropic_identity_source": "internal_issuer", "anthropic_issuer_url": "https://g",
        "anthropic_issuer_subject": "s",
    });
    for (key, value, expected) in [
        ("anthropic_issuer_signing_key_ref", json!(KEY), "no reference to a secret"),
        ("anthropic_issuer_signing_key_ref", json!("os.environ/UNSET"), "found no reference to a secret"),
        ("anthropic_issuer_ttl_seconds", json!(9_999), "`anthropic_issuer_ttl_seconds`: found another life"),
        ("anthropic_issuer_url", json!(null), "`anthropic_issuer_url`: found nothing"),
        ("anthropic_issuer_subject", json!("s"), "`anthropic_issuer_signing_key_ref`: found no signing key"),
    ] {
        let mut values = base.clone();
        values[key] = value;
        let found = told("of-db", Some(&entry(values, "anthropic")));
        assert!(found.contains(expected), "{key}: {found}");
        assert!(!found.contains("BEGIN"), "{found}");
    }
}
