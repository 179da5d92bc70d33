//! Which credential counts, where identity tokens come from, what is refused.

use std::fs;

use super::super::tests::{load, problem, source, target};
use super::{Authority, api, is_safe};

const CLAUDE: &str = "model: anthropic/claude-sonnet-4-5";
const IDS: &str = ", anthropic_federation_rule_id: fdrl_1, anthropic_organization_id: org-1";
const ISSUER: &str = ", anthropic_identity_source: internal_issuer, anthropic_issuer_url: 'https://g.example', \
                      anthropic_issuer_subject: gateway, anthropic_issuer_signing_key_ref: SIGNING_KEY";
const KEYCLOAK: &str = ", anthropic_identity_source: keycloak, anthropic_keycloak_token_url: 'https://k.example/token', \
                        anthropic_keycloak_client_id: c, anthropic_keycloak_client_secret_ref: os.environ/KEYCLOAK_SECRET";

/// The key of RFC 7515, appendix A.3.
fn signing_key() -> String {
    let der = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4n\
               cPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
    format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")
}

/// Every variable that a test may want.
fn variables<'v>(key: &'v str, more: &[(&'v str, &'v str)]) -> Vec<(&'v str, &'v str)> {
    let usual = [("SIGNING_KEY", key), ("KEYCLOAK_SECRET", "s-of-keycloak"), ("TOKEN", "an-identity-token")];
    usual.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn what_is_said_first_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "t").unwrap();
    let (file, dir) = (file.to_str().unwrap(), folder.path().to_str().unwrap());
    let key = signing_key();
    let ids = [("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_e"), ("ANTHROPIC_ORGANIZATION_ID", "org-e")];
    let inline = ("ANTHROPIC_IDENTITY_TOKEN", "the-token");
    let dirs = ("LITELLM_OIDC_ALLOWED_CREDENTIAL_DIRS", dir);
    let by_file = format!("{IDS}, anthropic_identity_token_file: '{file}'");
    let by_env = format!("{IDS}, anthropic_identity_token: oidc/env/TOKEN");
    for (more, variables, expected) in [
        (by_file, variables(&key, &[dirs]), "identity: File(Place"),
        (by_env.clone(), variables(&key, &[]), "identity: Subject(Given(Text(***)))"),
        (
            String::new(),
            variables(&key, &[ids[0], ids[1], inline]),
            "rule: \"fdrl_e\", organization: \"org-e\"",
        ),
        (
            String::new(),
            variables(&key, &[ids[0], ids[1], inline, ("ANTHROPIC_IDENTITY_TOKEN_FILE", file), dirs]),
            "identity: File(Place",
        ),
        (
            format!("{IDS}{ISSUER}"),
            variables(&key, &[]),
            "identity: Issued(Issuer { url: \"https://g.example\"",
        ),
        (
            format!("{IDS}{ISSUER}").replace("ref: SIGNING_KEY", "ref: os.environ/SIGNING_KEY"),
            variables(&key, &[]),
            "life: 300s, key: EcKey(***)",
        ),
        (format!("{IDS}{ISSUER}, anthropic_issuer_ttl_seconds: 60"), variables(&key, &[]), "life: 60s"),
        (format!("{IDS}{KEYCLOAK}"), variables(&key, &[]), "secret: ***, proof: Header"),
        (
            format!("{IDS}{KEYCLOAK}, anthropic_keycloak_auth_method: client_secret_post"),
            variables(&key, &[]),
            "proof: Form",
        ),
        // The entry's own token stays, whatever the environment says for all.
        (by_env.clone(), variables(&key, &[("ANTHROPIC_IDENTITY_SOURCE", "keycloak")]), "identity: Subject("),
        (format!("{by_env}, api_key: k"), variables(&key, &[]), "key k"),
        (by_env.clone(), variables(&key, &[("ANTHROPIC_API_KEY", "env-key")]), "key env-key"),
        (by_env, variables(&key, &[("ANTHROPIC_AUTH_TOKEN", "env-token")]), "Token(***)"),
    ] {
        let found = source(&format!("{CLAUDE}{more}"), &variables);
        assert!(found.contains(expected), "{more}: {found}");
        for secret in ["the-token", "an-identity-token", "s-of-keycloak", "MIGH"] {
            assert!(!found.contains(secret), "{found}");
        }
    }
}

#[test]
fn references_lead_where_litellm_leads() {
    for (reference, variables, expected) in [
        ("google/aud:1", vec![], "identity?audience=aud%3A1\""),
        ("google/a", vec![("GCE_METADATA_HOST", "meta:80")], "url: \"http://meta:80/computeMetadata"),
        (
            "github/a",
            vec![
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://git.example/token?v=2"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "tok"),
            ],
            "url: \"https://git.example/token?v=2&audience=a\"",
        ),
        ("circleci/", vec![("CIRCLE_OIDC_TOKEN", "tok")], "Given(Text(***))"),
        ("circleci_v2/", vec![("CIRCLE_OIDC_TOKEN_V2", "tok")], "Given(Text(***))"),
        ("azure/x", vec![("AZURE_FEDERATED_TOKEN_FILE", "/var/x")], "Given(File(\"/var/x\"))"),
        ("azure/x", vec![("AZURE_CREDENTIAL", "ManagedIdentityCredential")], "Entra(Managed"),
    ] {
        let params = format!("{CLAUDE}{IDS}, anthropic_identity_token: 'oidc/{reference}'");
        let found = source(&params, &variables);
        assert!(found.contains(expected), "{reference}: {found}");
    }
}

#[test]
fn what_is_wrong_is_told_at_its_field() {
    let key = signing_key();
    let wrong_key = ISSUER.replace("ref: SIGNING_KEY", "ref: TOKEN");
    let pasted = KEYCLOAK.replace("os.environ/KEYCLOAK_SECRET", "a-pasted-secret");
    let vault = ISSUER.replace("ref: SIGNING_KEY", "ref: hashicorp_vault/key");
    let rule = ", anthropic_federation_rule_id: fdrl_1";
    for (more, expected) in [
        (IDS.to_owned(), "anthropic_identity_token_file: found federation without an identity token"),
        (
            format!("{rule}, anthropic_identity_token: oidc/env/TOKEN"),
            "anthropic_organization_id: found nothing, though `anthropic_identity_token` asks for federation",
        ),
        (
            ", anthropic_identity_source: keycloak".to_owned(),
            "anthropic_federation_rule_id: found nothing, though `anthropic_identity_source` asks",
        ),
        (
            format!("{IDS}, anthropic_identity_token: eyJ.raw.token"),
            "anthropic_identity_token: found no reference",
        ),
        (format!("{IDS}, anthropic_identity_token: oidc/env_path/X"), "found no reference to a token"),
        (format!("{IDS}, anthropic_identity_token: oidc/env/UNSET"), "that the environment does not have"),
        (format!("{IDS}, anthropic_identity_token: oidc/azure/x"), "names no identity of Azure"),
        (
            format!("{IDS}, anthropic_identity_token_file: /etc/hostname"),
            "anthropic_identity_token_file: found a file outside of",
        ),
        (format!("{IDS}, anthropic_identity_token_file: token"), "does not begin with `/`"),
        (format!("{IDS}, anthropic_identity_source: spiffe"), "expected `internal_issuer` or `keycloak`"),
        (
            format!("{IDS}{ISSUER}, anthropic_keycloak_scope: s"),
            "anthropic_keycloak_scope: found a setting of another",
        ),
        (
            format!("{IDS}{KEYCLOAK}, anthropic_issuer_url: u"),
            "anthropic_issuer_url: found a setting of another",
        ),
        (format!("{IDS}{ISSUER}, anthropic_issuer_ttl_seconds: 3601"), "expected 1 to 3600 seconds"),
        (format!("{IDS}{ISSUER}, anthropic_issuer_ttl_seconds: 0"), "expected 1 to 3600 seconds"),
        (format!("{IDS}{wrong_key}"), "anthropic_issuer_signing_key_ref: found no private key in PEM"),
        (format!("{IDS}{vault}"), "found a reference to a secret manager"),
        (format!("{IDS}, anthropic_identity_source: internal_issuer"), "anthropic_issuer_url: found nothing"),
        (
            format!("{IDS}, anthropic_identity_source: keycloak"),
            "anthropic_keycloak_token_url: found nothing",
        ),
        (format!("{IDS}{pasted}"), "anthropic_keycloak_client_secret_ref: found no reference to a secret"),
        (
            format!("{IDS}{}", KEYCLOAK.replace("https://k", "http://k")),
            "anthropic_keycloak_token_url: found no URL with TLS",
        ),
        (
            format!("{IDS}{KEYCLOAK}, anthropic_keycloak_auth_method: x"),
            "expected one of `client_secret_basic`",
        ),
        (
            format!("{IDS}{ISSUER}, api_base: 'https://api.anthropic.com.evil.test'"),
            "which federation does not trust",
        ),
        (format!("{IDS}{ISSUER}, api_base: 'http://api.anthropic.com'"), "api_base: found a URL without TLS"),
        (
            format!("{IDS}{ISSUER}, anthropic_disable_workload_identity_federation: true"),
            "found no key for provider",
        ),
    ] {
        let found = problem(&format!("{CLAUDE}{more}"), &variables(&key, &[]));
        assert!(found.contains(expected), "{more}: {found}");
        assert!(!found.contains("a-pasted-secret") && !found.contains("eyJ"), "{found}");
    }
    let asked = [("ANTHROPIC_IDENTITY_SOURCE", "internal_issuer")];
    let found = problem(CLAUDE, &variables(&key, &asked));
    assert!(found.contains("though `ANTHROPIC_IDENTITY_SOURCE` asks for federation"), "{found}");
}

#[test]
fn federation_beside_a_key_is_warned_of() {
    let key = signing_key();
    let loaded = load(&format!("{CLAUDE}{IDS}{ISSUER}, api_key: k"), &variables(&key, &[]));
    assert!(loaded.config.is_some());
    let [problem] = &loaded.problems[..] else { panic!("one warning: {:#?}", loaded.problems) };
    assert!(problem.found.contains("workload identity federation beside a key"), "{problem}");
}

#[test]
fn tokens_go_to_trusted_hosts_only() {
    let key = signing_key();
    let hosts = "gateway.internal:8443, https://claude.example, 127.0.0.1";
    for (base, url) in [
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/oauth/token"),
        ("https://API.anthropic.com:443/v1/", "https://API.anthropic.com:443/v1/oauth/token"),
        ("https://gateway.internal:8443/claude", "https://gateway.internal:8443/claude/v1/oauth/token"),
        ("https://claude.example:9/v1", "https://claude.example:9/v1/oauth/token"),
        ("http://127.0.0.1:4010", "http://127.0.0.1:4010/v1/oauth/token"),
    ] {
        let variables = variables(&key, &[("LITELLM_ANTHROPIC_WIF_ALLOWED_HOSTS", hosts)]);
        let found = source(&format!("{CLAUDE}{IDS}{ISSUER}, api_base: '{base}'"), &variables);
        assert!(found.contains(&format!("url: \"{url}\"")), "{base}: {found}");
    }
    for base in ["https://gateway.internal", "https://other.internal:8443", "https://sub.claude.example"] {
        let variables = variables(&key, &[("LITELLM_ANTHROPIC_WIF_ALLOWED_HOSTS", hosts)]);
        let found = problem(&format!("{CLAUDE}{IDS}{ISSUER}, api_base: '{base}'"), &variables);
        assert!(found.contains("which federation does not trust"), "{base}: {found}");
    }
    assert_eq!(api("https://h/v1/v1/messages/"), "https://h");
    assert!(is_safe("http://[::1]:8/x") && !is_safe("http://h/x") && !is_safe("ftp://h"));
    assert_eq!(Authority::of("h:0x"), None);
}

#[test]
fn a_callers_key_never_meets_federations_token() {
    let key = signing_key();
    let target = target(&format!("{CLAUDE}{IDS}{ISSUER}"), &variables(&key, &[]));
    let credential = target.cloud.as_ref().and_then(|cloud| cloud.credential.clone());
    assert!(credential.is_some());
    let brought = llm_providers::Target { key: Some(llm_types::Secret::new("k".into())), ..target };
    let prepared = llm_providers::PreparedTarget::new(std::sync::Arc::new(brought));
    assert!(prepared.credential().is_none(), "the key signs in, and no token goes to its host");
}
