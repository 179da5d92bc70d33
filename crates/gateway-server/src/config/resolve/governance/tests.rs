//! What is said of people, as it is written.

use std::time::Duration;

use llm_providers::Registry;
use llm_types::Money;

use crate::config::{Config, Env, KeyRule, Loaded, RowMetadata, parse};

fn load(text: &str) -> Loaded {
    let env: Env = [("LITELLM_MASTER_KEY", "sk-of-the-tests")].into_iter().collect();
    parse(text, &env, &Registry::built_in())
}

fn config(text: &str) -> Config {
    let loaded = load(text);
    assert!(loaded.problems.is_empty(), "{:#?}", loaded.problems);
    loaded.config.unwrap()
}

#[test]
fn rules_of_keys_are_read() {
    let rules = "{team_key_generation: {allowed_team_member_roles: [admin], required_params: [tags]}, \
                 personal_key_generation: {allowed_user_roles: [proxy_admin]}}";
    let budgets = config(&format!("litellm_settings: {{key_generation_settings: {rules}}}")).budgets;
    let [admin, proxy_admin] = ["admin", "proxy_admin"].map(|role| Some(vec![role.to_owned()]));
    let team = KeyRule { roles: admin, required: vec!["tags".to_owned()] };
    assert_eq!(budgets.key_rules.team, Some(team));
    assert_eq!(budgets.key_rules.personal, Some(KeyRule { roles: proxy_admin, required: Vec::new() }));
    assert!(!budgets.key_rules.teams_only);
    assert!(config("general_settings: {default_team_disabled: true}").budgets.key_rules.teams_only);
}

#[test]
fn what_teams_begin_with_is_read() {
    let said = "{models: [gpt], max_budget: 2.5, budget_duration: 30d, tpm_limit: 10, rpm_limit: 2, \
                team_member_permissions: [/key/generate]}";
    let usual = config(&format!("litellm_settings: {{default_team_params: {said}}}")).budgets.team_defaults;
    assert_eq!((usual.models, usual.max_budget), (vec!["gpt".to_owned()], Some(Money::from_usd(2.5))));
    assert_eq!((usual.tpm_limit, usual.rpm_limit), (Some(10), Some(2)));
    assert_eq!((usual.budget_duration.as_deref(), usual.member_permissions.len()), (Some("30d"), 1));
}

#[test]
fn limits_of_wrong_passwords_are_litellms_unless_told() {
    let usual = config("model_list: []").general.sign_ins;
    assert_eq!((usual.per_source, usual.window, usual.block), (10, MINUTE, 5 * MINUTE));
    let said = "{max_failed_login_attempts_per_source: 3, failed_login_window_seconds: 60, \
                failed_login_block_seconds: 300, max_failed_login_attempts_per_source_overrides: \
                {'10.0.0.0/8': 100, '10.1.2.3': 0}}";
    let limits = config(&format!("general_settings: {said}")).general.sign_ins;
    let of = |address: &str| limits.of(Some(address.parse().unwrap()));
    assert_eq!((of("192.0.2.1"), of("10.9.9.9"), of("10.1.2.3"), limits.of(None)), (3, 100, 0, 3));
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn headers_that_name_users_are_read_in_order() {
    let said = "{user_header_name: x-old, user_header_mappings: [{header_name: X-Mail, litellm_user_role: customer}, \
                {header_name: X-Id, litellm_user_role: internal_user}]}";
    let headers = config(&format!("general_settings: {said}")).general.user_headers;
    assert_eq!(headers.end_user, ["x-mail", "x-old"]);
    assert_eq!(headers.internal_user.unwrap(), "x-id");
    let one = "{user_header_mappings: {header_name: X-Mail, litellm_user_role: customer}}";
    assert_eq!(config(&format!("general_settings: {one}")).general.user_headers.end_user, ["x-mail"]);
}

#[test]
fn what_is_wrong_is_named() {
    for (section, said, key) in [
        (
            "litellm_settings",
            "{key_generation_settings: {team_key_generation: [a]}}",
            "key_generation_settings",
        ),
        (
            "litellm_settings",
            "{key_generation_settings: {personal_key_generation: {allowed_user_roles: admin}}}",
            "key_generation_settings",
        ),
        ("litellm_settings", "{default_team_params: {max_budget: much}}", "default_team_params"),
        // More than can be counted in nano-dollars.
        ("litellm_settings", "{default_team_params: {max_budget: 1.0e+300}}", "default_team_params"),
        ("litellm_settings", "{max_budget: 9223372037}", "max_budget"),
        ("litellm_settings", "{max_end_user_budget: 1.0e+300}", "max_end_user_budget"),
        (
            "router_settings",
            "{provider_budget_config: {openai: {budget_limit: 1.0e+300, time_period: 1d}}}",
            "provider_budget_config",
        ),
        ("litellm_settings", "{default_team_params: {budget_duration: often}}", "default_team_params"),
        ("litellm_settings", "{default_team_params: {rpm_limit: -1}}", "default_team_params"),
        (
            "general_settings",
            "{max_failed_login_attempts_per_source_overrides: {somewhere: 3}}",
            "max_failed_login_attempts_per_source_overrides",
        ),
        (
            "general_settings",
            "{user_header_mappings: [{header_name: x, litellm_user_role: boss}]}",
            "user_header_mappings",
        ),
        ("general_settings", "{user_header_mappings: x-user}", "user_header_mappings"),
    ] {
        let loaded = load(&format!("{section}: {said}"));
        assert!(loaded.config.is_none(), "{said}");
        let named = loaded.problems.iter().any(|problem| problem.path.ends_with(key));
        assert!(named, "{said}: {:#?}", loaded.problems);
    }
}

#[test]
fn members_of_rows_are_listed_or_left_out() {
    let read = |said: &str| {
        let text = format!("general_settings: {{spend_logs_metadata_fields: {said}}}");
        config(&text).general.row_metadata.expect("it is said")
    };
    let (only, without) = (read("{include: [usage_object]}"), read("{exclude: [usage_object]}"));
    let has = |fields: &RowMetadata| [fields.has("usage_object"), fields.has("outcome")];
    assert_eq!((has(&only), has(&without)), ([true, false], [false, true]));
    assert_eq!(config("general_settings: {}").general.row_metadata, None);
    for (wrong, words) in [
        ("{}", "neither"),
        ("{include: [outcome], exclude: [outcome]}", "both"),
        ("{include: outcome}", "list of texts"),
        ("{exclude: [usage_object.input]}", "`usage_object.input`"),
        ("{exclude: [status]}", "always there"),
    ] {
        let problems = load(&format!("general_settings: {{spend_logs_metadata_fields: {wrong}}}")).problems;
        assert!(format!("{problems:?}").contains(words), "{wrong}: {problems:?}");
    }
}

#[test]
fn fields_of_teams_are_read_and_wrong_ones_named() {
    let fields = config(
        "general_settings: {team_metadata_schema: [{key: cost_center, label: Cost center}, {key: owner}]}",
    )
    .general
    .team_fields;
    let shown: Vec<_> = fields.iter().map(|field| (&*field.key, field.label.as_deref())).collect();
    assert_eq!(shown, [("cost_center", Some("Cost center")), ("owner", None)]);
    for (wrong, words) in [
        ("{type: object}", "expected a list"),
        ("[{label: x}]", "without `key`"),
        ("[{key: a}, {key: a}]", "`a` twice"),
        ("[{key: a, required: true}]", "`required`"),
    ] {
        let problems = load(&format!("general_settings: {{team_metadata_schema: {wrong}}}")).problems;
        assert!(format!("{problems:?}").contains(words), "{wrong}: {problems:?}");
    }
}
