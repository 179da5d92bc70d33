//! Providers of the operator's own: callable by their slug, and clear about what is wrong.

use llm_providers::{Amendment, Auth, DialectId, Quirks, Registry};
use serde_json::Value;

use crate::config::raw::QUIRKS;
use crate::config::{Env, Loaded, Severity, parse};

fn load(providers: &str, model: &str, variables: &[(&str, &str)]) -> Loaded {
    let text = format!(
        "providers: {providers}\nmodel_list: [{{model_name: m, litellm_params: {{model: {model}}}}}]"
    );
    let env: Env = variables.iter().copied().chain([("LITELLM_MASTER_KEY", "sk-of-the-tests")]).collect();
    parse(&text, &env, &Registry::built_in())
}

fn target(providers: &str, model: &str, variables: &[(&str, &str)]) -> llm_providers::Target {
    let loaded = load(providers, model, variables);
    let config = loaded.config.unwrap_or_else(|| panic!("{providers}: {:#?}", loaded.problems));
    (*config.models[0].deployment.target).clone()
}

#[test]
fn an_own_record_is_called_by_its_slug() {
    let providers = "{house: {base_url: 'https://llm.house.test/v1/', key_env: [HOUSE_KEY], \
        quirks: {unsupported: [seed], max_completion_tokens_as_max_tokens: true, \
        headers: {x-team: blue}, amend: [no_strict, {required: any}, {temperature_at_most: 1}]}}}";
    let target = target(providers, "house/big-model", &[("HOUSE_KEY", "sk-house"), ("OPENAI_API_KEY", "no")]);
    assert_eq!((target.spec.id.as_str(), target.model.as_str()), ("house", "big-model"));
    assert_eq!(target.base_url, "https://llm.house.test/v1");
    assert_eq!(target.key.as_ref().map(|key| key.reveal().as_str()), Some("sk-house"));
    assert_eq!((&target.spec.auth, target.spec.dialect), (&Auth::Bearer, DialectId::OpenaiChat));
    let quirks = &target.spec.quirks;
    assert!(!quirks.takes("seed") && quirks.takes("stop") && quirks.max_completion_tokens_as_max_tokens);
    assert_eq!(quirks.headers.as_ref(), [("x-team".into(), "blue".into())]);
    let amend = [Amendment::NoStrict, Amendment::Required("any".into()), Amendment::TemperatureAtMost(1.0)];
    assert_eq!(quirks.amend.as_ref(), amend);
}

#[test]
fn another_record_is_the_beginning_but_its_key_and_host_are_not() {
    let providers = "{house: {like: deepseek, base_url: 'https://llm.house.test', auth: none, \
        quirks: {seed_as_random_seed: true}}}";
    let target = target(providers, "house/m", &[("DEEPSEEK_API_KEY", "sk-deepseek")]);
    let deepseek = Registry::built_in().provider("deepseek").unwrap().quirks.clone();
    assert_eq!(target.spec.quirks, Quirks { seed_as_random_seed: true, ..deepseek });
    assert_eq!((target.key.is_some(), target.base_url.as_str()), (false, "https://llm.house.test"));
}

#[test]
fn a_built_in_record_may_be_changed() {
    let providers = "{groq: {like: groq, quirks: {ignored: [stop]}}}";
    let target = target(providers, "groq/m", &[("GROQ_API_KEY", "sk-groq")]);
    assert_eq!(target.base_url, "https://api.groq.com/openai/v1");
    assert_eq!(target.spec.quirks.ignored.as_ref(), ["stop"]);
    assert!(target.key.is_some());
}

#[test]
fn other_dialects_and_sign_ins_can_be_named() {
    let providers = "{house: {base_url: 'https://llm.house.test', dialect: anthropic, \
        auth: {header: x-api-key}, key_env: HOUSE_KEY}}";
    let target = target(providers, "house/m", &[("HOUSE_KEY", "k")]);
    assert_eq!(target.spec.dialect, DialectId::Anthropic);
    assert_eq!(target.spec.auth, Auth::Header("x-api-key".into()));
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let cases = [
        ("{House: {base_url: 'https://x.test'}}", "providers.House"),
        ("{house: 7}", "providers.house"),
        ("{house: {base_url: 'x.test/v1'}}", "providers.house"),
        ("{house: {base_url: 'https://x.test', auth: basic}}", "providers.house.auth"),
        ("{house: {base_url: 'https://x.test', dialect: grpc}}", "providers.house.dialect"),
        ("{house: {like: deepsek}}", "providers.house.like"),
        (
            "{house: {base_url: 'https://x.test', quirks: {unsupported: 3}}}",
            "providers.house.quirks.unsupported",
        ),
        ("{house: {base_url: 'https://x.test', quirks: {amend: [be_nice]}}}", "providers.house.quirks.amend"),
    ];
    for (providers, path) in cases {
        let loaded = load(providers, "gpt-4o", &[("OPENAI_API_KEY", "sk")]);
        assert!(loaded.config.is_none(), "{providers}");
        let errors: Vec<_> =
            loaded.problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        assert_eq!(errors.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [path]);
    }
}

#[test]
fn a_misspelt_key_is_a_warning_with_a_hint() {
    let providers = "{house: {base_url: 'https://x.test', auth: none, quirks: {unsuported: [seed]}}}";
    let loaded = load(providers, "house/m", &[]);
    let problem = loaded.problems.iter().find(|problem| problem.path.ends_with("unsuported")).unwrap();
    assert_eq!(problem.hint.as_deref(), Some("did you mean `unsupported`?"));
}

#[test]
fn every_quirk_stands_in_the_reference() {
    let Value::Object(fields) = serde_json::to_value(Quirks::NONE).unwrap() else { panic!("no object") };
    let mut quirks: Vec<_> = fields.keys().map(String::as_str).collect();
    let mut told: Vec<_> = QUIRKS.iter().map(|key| key.name).collect();
    quirks.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, quirks, "a quirk needs a line in `config/raw/provider.rs`");
}
