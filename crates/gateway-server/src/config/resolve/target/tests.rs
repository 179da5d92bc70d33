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
    all.into_iter().filter(|spec| spec.cloud.identity == Identity::Key).collect()
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
        assert!(target.base_url.starts_with("https://own.test"), "{}: {}", spec.id, target.base_url);
        // OpenAI's key goes to OpenAI only, unless the entry names it.
        let expected = (spec.id.as_str() != "openai" && !spec.key_env.is_empty()).then_some("sk-own");
        let key = target.key.as_ref().map(|key| key.reveal().as_str());
        assert_eq!(key, expected, "{}", spec.id);
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
