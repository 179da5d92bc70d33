//! Every provider: its own key, its own host, or an error that says which is missing.

use llm_providers::cloud::Identity;
use llm_providers::{Auth, ProviderSpec, Registry};

use crate::config::{Env, Loaded, Severity, parse};

/// Keys and hosts of every other provider, in its own variables.
fn foreign(spec: &ProviderSpec) -> Vec<(String, String)> {
    let own = |name: &str| spec.key_env.iter().chain(spec.base_url_env.iter()).any(|mine| *mine == *name);
    let mut variables = Vec::new();
    for other in Registry::built_in().all() {
        let slug = other.id.as_str();
        let keys = other.key_env.iter().map(|name| (name.to_string(), format!("sk-of-{slug}")));
        let hosts = other.base_url_env.iter().map(|name| (name.to_string(), format!("https://{slug}.test")));
        variables.extend(keys.chain(hosts).filter(|(name, _)| !own(name)));
    }
    variables
}

fn load(spec: &ProviderSpec, params: &str, variables: &[(String, String)]) -> Loaded {
    let text =
        format!("model_list: [{{model_name: m, litellm_params: {{model: {}/some-model{params}}}}}]", spec.id);
    let master = [("LITELLM_MASTER_KEY".to_owned(), "sk-of-the-tests".to_owned())];
    let env: Env = variables.iter().cloned().chain(master).collect();
    parse(&text, &env, &Registry::built_in())
}

fn errors(loaded: &Loaded) -> Vec<&str> {
    let errors = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.path.rsplit('.').next().unwrap_or_default()).collect()
}

/// Providers that sign in by a key and have one host.
fn plain() -> Vec<std::sync::Arc<ProviderSpec>> {
    let all: Vec<_> = Registry::built_in().all().into_iter().cloned().collect();
    all.into_iter()
        .filter(|spec| {
            let identity = &spec.cloud.identity;
            matches!(
                identity,
                Identity::Key | Identity::Token(_) | Identity::Federation(_) | Identity::KeyPair
            )
        })
        .filter(|spec| spec.cloud.project.param.is_empty())
        .collect()
}

#[test]
fn another_providers_key_or_host_is_never_borrowed() {
    for spec in plain() {
        let variables = foreign(&spec);
        let loaded = load(&spec, "", &variables);
        let keyless = matches!(spec.auth, Auth::None | Auth::BearerOr(_));
        let placed = !spec.base_url.is_empty() && spec.account_env().next().is_none();
        let errors = errors(&loaded);
        assert_eq!(errors.contains(&"api_key"), !keyless, "{}: {errors:?}", spec.id);
        assert_eq!(errors.contains(&"api_base"), !placed, "{}: {errors:?}", spec.id);
        let Some(config) = loaded.config else { continue };
        let target = &config.models[0].deployment.target;
        assert!(target.key.is_none(), "{}", spec.id);
        assert!(target.base_url.starts_with(&*spec.base_url), "{}: {}", spec.id, target.base_url);
    }
}

#[test]
fn a_providers_own_key_and_host_are_taken() {
    for spec in plain() {
        let mut variables = foreign(&spec);
        variables.extend(spec.key_env.first().map(|name| (name.to_string(), "sk-own".to_owned())));
        variables.extend(spec.project_env().first().map(|name| (name.to_string(), "team".to_owned())));
        let loaded = load(&spec, ", api_base: 'https://own.test'", &variables);
        let config = loaded.config.unwrap_or_else(|| panic!("{}: {:?}", spec.id, loaded.problems));
        let target = &config.models[0].deployment.target;
        // Some speak another protocol over TLS than HTTP's usual one.
        let host = target.base_url.split_once("://").map_or("", |(_, host)| host);
        assert!(host.starts_with("own.test"), "{}: {}", spec.id, target.base_url);
        // OpenAI's key goes to OpenAI only, unless the entry names it.
        let expected = (spec.id.as_str() != "openai" && !spec.key_env.is_empty()).then_some("sk-own");
        let key = target.key.as_ref().map(|key| key.reveal().as_str());
        assert_eq!(key, expected, "{}", spec.id);
    }
}

/// Providers whose sign-in is their own, and a variable each of them needs.
const PLATFORMS: [(&str, &str); 6] = [
    ("databricks", "DATABRICKS_API_KEY"),
    ("gigachat", "GIGACHAT_CREDENTIALS"),
    ("oci", "OCI_TENANCY"),
    ("sap", "AICORE_SERVICE_KEY"),
    ("watsonx", "WX_API_KEY"),
    ("watsonx_text", "WX_API_KEY"),
];

#[test]
fn a_platform_without_its_own_sign_in_is_an_error_that_says_what_is_missing() {
    for (slug, variable) in PLATFORMS {
        let registry = Registry::built_in();
        let spec = registry.provider(slug).unwrap();
        let loaded = load(spec, ", api_base: 'https://own.test'", &foreign(spec));
        let told = loaded.problems.iter().any(|problem| {
            problem.severity == Severity::Error && problem.expected.contains(&format!("`{variable}`"))
        });
        assert!(told, "{slug}: {:?}", loaded.problems);
    }
}

#[test]
fn platforms_are_told_apart() {
    // No slug signs in as another: what is not of a plain key is listed above, or is one of the clouds.
    let own = |spec: &ProviderSpec| {
        matches!(spec.cloud.identity, Identity::Exchange(_) | Identity::Oci | Identity::Aicore)
    };
    for spec in Registry::built_in().all().into_iter().filter(|spec| own(spec)) {
        assert!(PLATFORMS.iter().any(|(slug, _)| spec.id.as_str() == *slug), "{}", spec.id);
    }
}

#[test]
fn an_application_signs_in_where_there_is_no_key() {
    let registry = Registry::built_in();
    let spec = registry.provider("databricks").unwrap();
    let application = [("DATABRICKS_CLIENT_ID", "app"), ("DATABRICKS_CLIENT_SECRET", "sk-of-the-app")];
    let mut variables: Vec<_> = application.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let base = ", api_base: 'https://own.test/serving-endpoints'";
    let credential = |variables: &[(String, String)]| {
        let loaded = load(spec, base, variables);
        let target = &loaded.config.unwrap().models[0].deployment.target;
        let shown = format!("{:?}", target.cloud);
        assert!(!shown.contains("sk-of-the-app"), "{shown}");
        (target.key.is_some(), shown.contains("https://own.test/oidc/v1/token"))
    };
    assert_eq!(credential(&variables), (false, true));
    variables.push(("DATABRICKS_API_KEY".to_owned(), "sk-own".to_owned()));
    assert_eq!(credential(&variables), (true, false), "a key needs no exchange");
}

#[test]
fn a_token_at_hand_is_not_exchanged() {
    let registry = Registry::built_in();
    let spec = registry.provider("watsonx").unwrap();
    let token = [("WATSONX_TOKEN".to_owned(), "sk-token".to_owned())];
    let params = ", api_base: 'https://own.test', project_id: p";
    let loaded = load(spec, params, &token);
    let target = &loaded.config.unwrap().models[0].deployment.target;
    assert!(format!("{:?}", target.cloud).contains("Token"), "{:?}", target.cloud);
    let loaded = load(spec, ", api_base: 'https://own.test'", &token);
    assert_eq!(errors(&loaded), ["project_id"], "somebody must be billed");
}

#[test]
fn every_slug_leads_to_its_own_provider() {
    let registry = Registry::built_in();
    let names = [
        "m",
        "org/model",
        "gpt-4o",
        "claude-3-opus",
        "eu.anthropic.claude-3:0",
        "replicate/x",
        "arn:aws:bedrock:us-east-1:1:inference-profile/p",
        "openai/gpt-oss-20b",
    ];
    for spec in registry.all() {
        for name in names {
            let whole = format!("{}/{name}", spec.id);
            let (found, model) = registry.split_model(&whole).unwrap();
            assert_eq!((found.id.as_str(), model), (spec.id.as_str(), name), "{whole}");
        }
    }
}

#[test]
fn an_account_stands_in_the_url() {
    let registry = Registry::built_in();
    let spec = registry.provider("cloudflare").unwrap();
    let key = ("CLOUDFLARE_API_KEY".to_owned(), "sk-own".to_owned());
    let loaded = load(spec, "", std::slice::from_ref(&key));
    let problem = &loaded.problems[0];
    assert!(problem.expected.contains("`CLOUDFLARE_ACCOUNT_ID`"), "{problem:?}");
    let account = ("CLOUDFLARE_ACCOUNT_ID".to_owned(), "acc1".to_owned());
    let base_url = |params: &str| {
        let loaded = load(spec, params, &[key.clone(), account.clone()]);
        loaded.config.unwrap().models[0].deployment.target.base_url.clone()
    };
    assert_eq!(base_url(""), "https://api.cloudflare.com/client/v4/accounts/acc1/ai/v1");
    assert_eq!(
        base_url(", api_base: 'https://x.test/accounts/a/ai/run/'"),
        "https://x.test/accounts/a/ai/v1"
    );
}
