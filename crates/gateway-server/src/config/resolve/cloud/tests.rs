//! Parameters of clouds: what signs in, where requests go, what is reported.

use std::fs;

use llm_providers::signin::Credential;
use llm_providers::{Registry, Target};

use crate::config::{Env, Loaded, parse};

pub(super) fn load(params: &str, variables: &[(&str, &str)]) -> Loaded {
    let env: Env = variables.iter().copied().chain([("LITELLM_MASTER_KEY", "sk-of-the-tests")]).collect();
    let (params, settings) = params.split_once(" | ").unwrap_or((params, ""));
    let text = format!(
        "model_list: [{{model_name: m, litellm_params: {{{params}}}}}]\nlitellm_settings: {{{settings}}}"
    );
    parse(&text, &env, &Registry::built_in())
}

pub(super) fn target(params: &str, variables: &[(&str, &str)]) -> Target {
    let loaded = load(params, variables);
    let config = loaded.config.unwrap_or_else(|| panic!("{params}: {:#?}", loaded.problems));
    Target::clone(&config.models[0].deployment.target)
}

/// What signs in, in words.
pub(super) fn source(params: &str, variables: &[(&str, &str)]) -> String {
    let target = target(params, variables);
    match (&target.key, target.cloud.as_ref().and_then(|cloud| cloud.credential.as_deref())) {
        (Some(key), None) => format!("key {}", key.reveal()),
        (None, Some(credential)) => words(credential),
        other => panic!("{params}: {other:?}"),
    }
}

/// The beginning of a source's `Debug`, which names its kinds.
fn words(credential: &Credential) -> String {
    let text = format!("{credential:?}");
    text.trim_start_matches("Credential { source: ").to_owned()
}

pub(super) fn problem(params: &str, variables: &[(&str, &str)]) -> String {
    let loaded = load(params, variables);
    assert!(loaded.config.is_none(), "{params}: expected an error");
    let error =
        loaded.problems.iter().find(|problem| problem.severity == crate::config::Severity::Error).unwrap();
    format!("{}: {}, {}", error.path, error.found, error.expected)
}

const AZURE: &str = "model: azure/m, api_base: 'https://r.openai.azure.com'";

#[test]
fn azure_signs_in_by_what_is_said_first() {
    let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c"), ("AZURE_CLIENT_SECRET", "s")];
    for (more, variables, expected) in [
        (", api_key: k", &application[..], "key k"),
        ("", &[("AZURE_API_KEY", "env-key")], "key env-key"),
        (", azure_ad_token: tok", &[("AZURE_API_KEY", "env-key")], "Token(***)"),
        (
            ", tenant_id: t, client_id: c, client_secret: s",
            &[("AZURE_API_KEY", "k")],
            "Entra(Application { authority: \"https://login.microsoftonline.com\", tenant: \"t\", client: \"c\", proof: Secret(***)",
        ),
        ("", &application[..], "Entra(Application {"),
        (", azure_username: u, azure_password: p, tenant_id: t, client_id: c", &[], "Entra(Application {"),
        (", azure_ad_token: oidc/file/x, tenant_id: t, client_id: c", &[], "Entra(Application {"),
        (
            "",
            &[("AZURE_FEDERATED_TOKEN_FILE", "/t"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")],
            "Entra(Application {",
        ),
        (
            "",
            &[("IDENTITY_ENDPOINT", "http://e"), ("IDENTITY_HEADER", "h")],
            "Entra(Managed { endpoint: \"http://e\"",
        ),
        (
            "",
            &[("AZURE_CREDENTIAL", "ManagedIdentityCredential")],
            "Entra(Managed { endpoint: \"http://169.254.169.254",
        ),
    ] {
        let found = source(&format!("{AZURE}{more}"), variables);
        assert!(found.starts_with(expected), "{more} {variables:?}: {found}");
    }
    for (more, expected) in [
        ("", "model_list[0].litellm_params.api_key: found no key for provider `azure`"),
        (", client_secret: s", "model_list[0].litellm_params.client_secret: found no tenant or application"),
        (
            ", azure_ad_token: oidc/github/x",
            "model_list[0].litellm_params.azure_ad_token: found an `oidc/` reference",
        ),
    ] {
        let found = problem(&format!("{AZURE}{more}"), &[]);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn azures_version_and_base_model_are_kept() {
    let target = target(
        &format!("{AZURE}, api_key: k, base_model: azure/gpt-5"),
        &[("AZURE_API_VERSION", "2024-10-21")],
    );
    let cloud = target.cloud.as_ref().unwrap();
    assert_eq!(cloud.version.as_deref(), Some("2024-10-21"));
    assert_eq!(target.family(), "gpt-5");
    let pasted = "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-06-01";
    let target = super::tests::target(&format!("model: azure/m, api_key: k, api_base: '{pasted}'"), &[]);
    assert_eq!(target.base_url, "https://r.openai.azure.com/openai/deployments/d");
    assert_eq!(target.cloud.unwrap().version.as_deref(), Some("2024-06-01"));
}

#[test]
fn an_endpoints_model_is_told_by_its_name_on_hugging_face() {
    let target = target(
        "model: sagemaker/my-endpoint, aws_access_key_id: a, aws_secret_access_key: s, hf_model_name: meta-llama/Llama-2-7b-chat-hf",
        &[],
    );
    assert_eq!((target.model.as_str(), target.family()), ("my-endpoint", "Llama-2-7b-chat-hf"));
}

const USER: &str = r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r","quota_project_id":"of-the-file"}"#;

#[test]
fn google_signs_in_by_what_is_said_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("user.json");
    fs::write(&path, USER).unwrap();
    let path = path.to_str().unwrap();
    let vertex = "model: vertex_ai/meta/x, vertex_project: p";
    for (more, variables, expected) in [
        (format!(", vertex_credentials: '{USER}'"), vec![], "Google(User {"),
        (format!(", vertex_credentials: {USER}"), vec![], "Google(User {"),
        (format!(", vertex_credentials: '{path}'"), vec![], "Google(User {"),
        (String::new(), vec![("GOOGLE_APPLICATION_CREDENTIALS", path)], "Google(User {"),
        (String::new(), vec![("VERTEXAI_CREDENTIALS", USER)], "Google(User {"),
        (String::new(), vec![], "Google(Metadata { host: \"metadata.google.internal\" }"),
    ] {
        let found = source(&format!("{vertex}{more}"), &variables);
        assert!(found.starts_with(expected), "{more} {variables:?}: {found}");
    }
    let found = problem(&format!("{vertex}, vertex_credentials: /nowhere.json"), &[]);
    assert!(found.contains("vertex_credentials: found a path to a file that cannot be read"), "{found}");
    let found = problem(&format!("{vertex}, vertex_credentials: '{{}}'"), &[]);
    assert!(found.contains("found JSON without `type`, expected Google credentials"), "{found}");
}

#[test]
fn googles_project_and_place() {
    let of = |more: &str, variables: &[(&str, &str)]| {
        let target = target(&format!("model: vertex_ai/claude-x{more}"), variables);
        let cloud = target.cloud.clone().unwrap();
        (cloud.project, target.region().to_owned())
    };
    let credentials = format!(", vertex_credentials: '{USER}'");
    let project = |name: &str| Some(name.to_owned());
    assert_eq!(of(", vertex_project: p, vertex_location: us-east5", &[]), (project("p"), "us-east5".into()));
    assert_eq!(
        of("", &[("VERTEXAI_PROJECT", "e"), ("VERTEXAI_LOCATION", "eu")]),
        (project("e"), "eu".into())
    );
    assert_eq!(of(&credentials, &[]), (project("of-the-file"), "us-central1".into()));
    // What `litellm_settings` says counts before the environment and after the entry.
    let all = ", vertex_location: us-east5 | vertex_project: all, vertex_location: asia-east1";
    assert_eq!(of(all, &[("VERTEXAI_PROJECT", "e")]), (project("all"), "us-east5".into()));
    assert_eq!(of(" | vertex_location: asia-east1, vertex_project: p", &[]).1, "asia-east1");
    let found = problem("model: vertex_ai/claude-x", &[]);
    assert!(
        found.contains("vertex_project: found no project, expected `vertex_project`, or `VERTEXAI_PROJECT`"),
        "{found}"
    );
}

#[test]
fn googles_voices_need_no_models_name() {
    let target = target("model: vertex_ai/, vertex_project: p", &[]);
    assert_eq!((target.spec.id.as_str(), &*target.model), ("vertex_ai", ""));
    let found = problem("model: gemini/", &[]);
    assert!(found.contains("found `gemini/`, expected the name of a model behind it"), "{found}");
}

#[test]
fn aws_signs_in_by_what_is_said_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials");
    fs::write(&path, "[default]\naws_access_key_id=A\naws_secret_access_key=s\n[dev]\naws_access_key_id=B\naws_secret_access_key=s\n").unwrap();
    let path = path.to_str().unwrap();
    let mantle = "model: bedrock_mantle/openai.gpt-oss-120b";
    let keys = ", aws_access_key_id: AKIA1, aws_secret_access_key: s";
    for (more, variables, expected) in [
        (
            ", api_key: k".to_owned(),
            vec![("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "s")],
            "key k",
        ),
        (keys.to_owned(), vec![("AWS_BEARER_TOKEN_BEDROCK", "b")], "Aws(Keys(AwsKeys { id: \"AKIA1\""),
        (String::new(), vec![("AWS_BEARER_TOKEN_BEDROCK", "b")], "key b"),
        (
            String::new(),
            vec![("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "s")],
            "Aws(Keys(AwsKeys { id: \"E\"",
        ),
        (format!("{keys}, aws_role_name: 'arn:r'"), vec![], "Aws(Role { by: Keys(AwsKeys { id: \"AKIA1\""),
        (
            ", aws_role_name: 'arn:r', aws_web_identity_token: /var/token".to_owned(),
            vec![],
            "Aws(WebIdentity { token: File(\"/var/token\")",
        ),
        (
            ", aws_profile_name: dev".to_owned(),
            vec![("AWS_SHARED_CREDENTIALS_FILE", path)],
            "Aws(Profile { name: \"dev\"",
        ),
        (String::new(), vec![("AWS_SHARED_CREDENTIALS_FILE", path)], "Aws(Profile { name: \"default\""),
        (
            String::new(),
            vec![("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:r")],
            "Aws(WebIdentity { token: File(\"/t\")",
        ),
        (
            String::new(),
            vec![("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")],
            "Aws(Nearby(Container { url: \"http://169.254.170.2/v2/x\"",
        ),
        (String::new(), vec![], "Aws(Nearby(Instance"),
    ] {
        let found = source(&format!("{mantle}{more}"), &variables);
        assert!(found.starts_with(expected), "{more} {variables:?}: {found}");
    }
    for (more, expected) in [
        (", aws_access_key_id: A", "aws_access_key_id: found no secret of the key"),
        (", aws_profile_name: dev", "aws_profile_name: found that sign-in:"),
        (", aws_web_identity_token: t", "aws_web_identity_token: found a token without a role"),
        (", aws_role_name: r, aws_session_tags: [x]", "aws_session_tags: found a list"),
    ] {
        let found = problem(&format!("{mantle}{more}"), &[]);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn equal_settings_share_one_credential() {
    let params = "model: bedrock_mantle/x, aws_access_key_id: SHARED, aws_secret_access_key: s";
    let of = |params: &str| target(params, &[]).cloud.unwrap().credential.unwrap();
    let (one, other) = (of(params), of(params));
    assert!(std::sync::Arc::ptr_eq(&one, &other));
}

/// A private key, made once.
fn signing_key() -> &'static str {
    static PEM: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        let der = include_bytes!("../../../../../llm-providers/src/signin/google/testing_key.der");
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    });
    &PEM
}

#[test]
fn oracles_cloud_is_signed_in_to_by_what_is_said_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    fs::write(&file, signing_key()).unwrap();
    let file = file.to_str().unwrap();
    let one_line = signing_key().replace('\n', "\\n");
    let oci = "model: oci/meta.llama-3.3-70b-instruct, oci_compartment_id: c";
    let user = ", oci_tenancy: t, oci_user: u, oci_fingerprint: f";
    let principal = [
        ("OCI_RESOURCE_PRINCIPAL_RPST", "/opt/rpst"),
        ("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM", one_line.as_str()),
    ];
    for (more, variables, expected) in [
        (format!("{user}, oci_key_file: '{file}'"), vec![], "Oci(OciKey { tenancy: \"t\""),
        (user.to_owned(), vec![("OCI_KEY", one_line.as_str())], "Oci(OciKey { tenancy: \"t\""),
        (
            format!(", oci_security_token_file: /s/token, oci_key_file: '{file}'"),
            vec![],
            "OciSession(Session { token: File(\"/s/token\"), key: File(",
        ),
        (String::new(), principal.to_vec(), "OciSession(Session { token: File(\"/opt/rpst\"), key: Text("),
        (format!("{user}, oci_key_file: '{file}'"), principal.to_vec(), "Oci(OciKey { tenancy: \"t\""),
        (
            format!("{user}, oci_instance_principal: true"),
            vec![("OCI_METADATA_BASE_URL", "http://meta/opc/v2")],
            "OciInstance(Instance { metadata: \"http://meta/opc/v2\", tokens: None })",
        ),
        (
            String::new(),
            vec![
                ("OCI_CLI_AUTH", "instance_principal"),
                ("OCI_SDK_AUTH_CLIENT_REGION_URL", "https://auth.house"),
            ],
            "OciInstance(Instance { metadata: \"http://169.254.169.254/opc/v2\", tokens: Some(\"https://auth.house\") })",
        ),
        (
            format!("{user}, oci_key_file: '{file}'"),
            vec![("OCI_CLI_AUTH", "instance_principal")],
            "Oci(OciKey { tenancy: \"t\"",
        ),
    ] {
        let found = source(&format!("{oci}{more}"), &variables);
        assert!(found.starts_with(expected), "{more} {variables:?}: {found}");
    }
    for (more, expected) in [
        (
            "",
            "oci_key: found no API key of Oracle Cloud, or not all of it, expected `oci_tenancy` (or `OCI_TENANCY`)",
        ),
        ("", "on an instance of Oracle's `oci_instance_principal: true`"),
        (", oci_instance_principal: maybe", "oci_instance_principal"),
        (
            ", oci_security_token_file: /s/token",
            "oci_security_token_file: found a session's token without its key",
        ),
    ] {
        let found = problem(&format!("{oci}{more}"), &[]);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn a_key_pair_signs_in_where_there_is_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.p8");
    fs::write(&file, signing_key()).unwrap();
    let file = file.to_str().unwrap();
    let snowflake = "model: snowflake/llama3.1-70b";
    let pair = format!(", snowflake_user: robot, snowflake_private_key_file: '{file}'");
    let account = ("SNOWFLAKE_ACCOUNT_ID", "acme-prod1");
    let of_robot = "KeyPair(KeyPair { account: \"acme-prod1\", user: \"robot\"";
    let named = ", api_base: 'https://acme-prod1.snowflakecomputing.com/api/v2'";
    for (more, variables, expected) in [
        (pair.clone(), vec![account], of_robot),
        (format!("{pair}{named}"), vec![], of_robot),
        (pair.clone(), vec![account, ("SNOWFLAKE_JWT", "j")], of_robot),
        (
            String::new(),
            vec![account, ("SNOWFLAKE_USER", "robot"), ("SNOWFLAKE_PRIVATE_KEY_FILE", file)],
            of_robot,
        ),
        (String::new(), vec![account, ("SNOWFLAKE_USER", "robot"), ("SNOWFLAKE_JWT", "j")], "key j"),
        (format!("{pair}, api_key: k"), vec![account], "key k"),
    ] {
        let found = source(&format!("{snowflake}{more}"), &variables);
        assert!(found.starts_with(expected), "{more} {variables:?}: {found}");
    }
    for (more, expected) in [
        (", snowflake_user: robot", "snowflake_private_key_file: found a user's key pair, and not all of it"),
        (
            ", snowflake_user: robot, snowflake_private_key: nonsense",
            "snowflake_private_key: found no private key in PEM",
        ),
        ("", "api_key: found no key for provider `snowflake`"),
    ] {
        let found = problem(&format!("{snowflake}{more}"), &[account]);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn one_version_may_count_for_all_of_azure() {
    let azure = "model: azure/gpt, api_base: 'https://x.openai.azure.com', api_key: k";
    let watsonx = "model: watsonx/m, api_key: k, project_id: p, token: t, api_base: 'https://w.example'";
    let shared = "api_version: '2024-06-01'";
    let variables = [("AZURE_API_VERSION", "2023-05-15")];
    for (params, settings, version) in [
        (azure, shared, Some("2024-06-01")),
        (azure, "", Some("2023-05-15")),
        (&*format!("{azure}, api_version: '2025-01-01'"), shared, Some("2025-01-01")),
        (watsonx, shared, None),
    ] {
        let target = target(&format!("{params} | {settings}"), &variables);
        let found = target.cloud.and_then(|cloud| cloud.version);
        assert_eq!(found.as_deref(), version, "{params} | {settings}");
    }
}
