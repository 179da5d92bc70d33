//! Whole files: the examples, the invalid ones with what is said of them, the harness's, and anything.

use std::fs;
use std::path::{Path, PathBuf};

use llm_providers::Registry;
use proptest::prelude::*;

use serde_json::{Value, json};

use super::raw::{GENERAL, LITELLM, MODEL_PARAMS, ROUTER, Status, find};
use super::{Env, Loaded, Severity, check, load, parse};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

/// The environment in which the files of `deploy/` are tested.
fn env() -> Env {
    [
        ("LITELLM_MASTER_KEY", "sk-planted-secret-master"),
        ("OPENAI_API_KEY", "sk-planted-secret-openai"),
        ("GROQ_API_KEY", "gsk_planted-secret-groq"),
        ("MISTRAL_API_KEY", "planted-secret-mistral"),
        ("ANTHROPIC_API_KEY", "planted-secret-anthropic"),
        ("AZURE_API_KEY", "planted-secret-azure"),
        ("REDIS_HOST", "redis.internal"),
        ("REDIS_PASSWORD", "planted-secret-redis"),
        ("DATABASE_URL", "postgresql://user:planted-secret-db@db/gateway"),
    ]
    .into_iter()
    .collect()
}

/// For files that are wrong about keys: only what they need to be about something else.
fn bare_env() -> Env {
    [("OPENAI_API_KEY", "sk-planted-secret-openai")].into_iter().collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(deploy().join(folder))
        .expect("the folder of examples")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() > 4, "{folder} has its files");
    files
}

/// Everything a user may see of a load: problems in every form, and the configuration's `Debug` and maps.
fn visible(loaded: &Loaded) -> String {
    let mut text = check::text(&loaded.problems, false);
    text.push_str(&check::json(&loaded.problems, true).to_string());
    text.push_str(&format!("{loaded:?}"));
    for model in loaded.config.iter().flat_map(|config| &config.models) {
        text.push_str(&serde_json::to_string(&*model.deployment.params).unwrap());
        text.push_str(&serde_json::to_string(&*model.deployment.model_info).unwrap());
    }
    text
}

#[test]
fn examples_load() {
    for path in files("examples") {
        let loaded = load(&path, &env(), &Registry::built_in());
        let may_warn = fs::read_to_string(&path).unwrap().contains("# expect-warnings");
        let bad = |severity| severity == Severity::Error || !may_warn;
        let problems: Vec<_> = loaded.problems.iter().filter(|problem| bad(problem.severity)).collect();
        assert!(problems.is_empty(), "{}: {problems:#?}", path.display());
        assert_eq!(loaded.problems.is_empty(), !may_warn, "{}", path.display());
        let config = loaded.config.expect("a file without errors is a configuration");
        assert!(!config.models.is_empty(), "{}", path.display());
    }
}

/// Compares with `*.problems.txt`; `UPDATE_GOLDEN=1` writes them anew.
#[test]
fn invalid_files_are_told_what_is_wrong() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let folder = format!("{}/", deploy().join("invalid").display());
    for path in files("invalid") {
        let loaded = load(&path, &bare_env(), &Registry::built_in());
        assert!(!loaded.problems.is_empty(), "{} is invalid", path.display());
        let said = check::text(&loaded.problems, true).replace(&folder, "");
        let golden = path.with_extension("problems.txt");
        if update {
            fs::write(&golden, &said).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(said, expected, "{}", path.display());
    }
}

#[test]
fn secrets_are_never_shown() {
    for path in files("examples").into_iter().chain(files("invalid")) {
        for env in [env(), bare_env()] {
            let shown = visible(&load(&path, &env, &Registry::built_in()));
            assert!(!shown.contains("planted-secret"), "{}: {shown}", path.display());
        }
    }
}

#[test]
fn problems_have_the_line_of_what_is_wrong() {
    let text = "model_list: []\ngeneral_settings:\n  master_key: sk-some-key\n  global_max_parallel_requests: many\n";
    let loaded = parse(text, &Env::default(), &Registry::built_in());
    let [problem] = loaded.problems.as_slice() else { panic!("{:?}", loaded.problems) };
    assert_eq!(problem.path, "general_settings.global_max_parallel_requests");
    assert_eq!(problem.place.line, 4);
    assert_eq!(problem.found, "found `many`");
}

/// The form in which the conformance harness writes its files.
#[test]
fn the_harness_configuration_is_clean() {
    let text = "
model_list:
- model_name: groq
  litellm_params:
    model: groq/llama-3.3-70b
    api_key: sk-test-key
    api_base: http://127.0.0.1:4001/openai/v1
- model_name: claude-drop
  litellm_params:
    model: anthropic/claude-sonnet-4
    api_key: sk-test-key
    api_base: http://127.0.0.1:4002
    drop_params: true
- model_name: other
  litellm_params:
    model: together_ai/some/model
    api_key: sk-test-key
    api_base: http://127.0.0.1:4003/v1
general_settings:
  master_key: sk-conformance-7f3a9c1e5b2d
litellm_settings:
  num_retries: 0
  request_timeout: 60
  drop_params: false
  telemetry: false
  user_url_validation: false
router_settings:
  num_retries: 0
  disable_cooldowns: true
  allowed_fails: 1000000
";
    let loaded = parse(text, &Env::default(), &Registry::built_in());
    assert_eq!(loaded.problems, []);
    let config = loaded.config.unwrap();
    assert_eq!(config.models.len(), 3);
    assert_eq!(config.router.num_retries, 0);
    assert_eq!(config.router.timeout, Some(std::time::Duration::from_secs(60)));
    assert!(config.router.disable_cooldowns);
    assert_eq!(config.models[0].deployment.target.base_url, "http://127.0.0.1:4001/openai/v1");
    assert_eq!(config.models[0].deployment.target.model, "llama-3.3-70b");
    assert_eq!(config.models[2].deployment.target.model, "some/model");
    assert!(config.models[1].deployment.target.policy.drop);
    assert!(!config.models[0].deployment.target.policy.drop);
}

/// Some YAML, more likely than chance to be about something.
fn yaml() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "model_list",
        "litellm_params",
        "model",
        "model_name",
        "api_key",
        "general_settings",
        "master_key",
        "include",
        "router_settings",
        "fallbacks",
        "<<",
        "&a",
        "*a",
        "litellm_settings",
        "timeout",
        "environment_variables",
        "credential_list",
        "weights",
        "retry_policy",
        "input_cost_per_token",
        "model_info",
        "extra_headers",
        "tags",
    ]);
    let value = prop::sample::select(vec![
        "os.environ/X",
        "1e400",
        "-1",
        "0x",
        "[]",
        "{}",
        "*a",
        "&a [*a]",
        "!!int x",
        "openai/*",
        "~",
        "'",
        "\"",
        "|",
        ".nan",
        "999999999999999999999",
        "- a",
        "[{a: b}]",
        "{a: [b, {c: d}]}",
        "on",
        "?",
        "%",
        "@",
        "openai/",
        "/",
        "http://",
        "1_0",
    ]);
    let line = (0_usize..5, any::<bool>(), key, value).prop_map(|(depth, item, key, value)| {
        format!("{}{}{key}: {value}\n", "  ".repeat(depth), if item { "- " } else { "" })
    });
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        drop(parse(&text, &env(), &Registry::built_in()));
    }

    #[test]
    fn no_yaml_makes_it_panic(text in yaml()) {
        let loaded = parse(&text, &env(), &Registry::built_in());
        let failed = loaded.problems.iter().any(|problem| problem.severity == Severity::Error);
        prop_assert_eq!(loaded.config.is_none(), failed);
        prop_assert!(!visible(&loaded).contains("planted-secret"));
    }

    #[test]
    fn no_values_make_it_panic(number in any::<f64>(), word in "[ -~]{0,12}") {
        let word = serde_json::to_string(&word).unwrap();
        let mut text = String::from("general_settings:\n");
        for key in GENERAL {
            text.push_str(&format!("  {}: {number}\n", key.name));
        }
        text.push_str("litellm_settings:\n");
        for key in LITELLM {
            text.push_str(&format!("  {}: {word}\n", key.name));
        }
        text.push_str("router_settings:\n");
        for key in ROUTER {
            text.push_str(&format!("  {}: [{word}, {number}]\n", key.name));
        }
        text.push_str("model_list:\n- model_name: a\n  litellm_params:\n");
        for key in MODEL_PARAMS {
            text.push_str(&format!("    {}: {{a: {number}, b: {word}}}\n", key.name));
        }
        drop(parse(&text, &env(), &Registry::built_in()));
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    for bytes in [&b"\xff\xfe"[..], b"\0", b"", b"a: \xc3", b"\xef\xbb\xbfmodel_list: []\n"] {
        fs::write(&path, bytes).unwrap();
        let loaded = load(&path, &Env::default(), &Registry::built_in());
        assert!(loaded.config.is_none(), "there is no master key in any of them");
        assert!(!loaded.problems.is_empty());
    }
    let loaded = load(&folder.path().join("absent.yaml"), &Env::default(), &Registry::built_in());
    assert!(loaded.problems[0].found.contains("cannot be read"), "{:?}", loaded.problems);
}

/// A private key that signs nothing but tests.
fn signing_key() -> String {
    use base64::Engine as _;
    let der = include_bytes!("../../../llm-providers/src/signin/google/testing_key.der");
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// The deployments the conformance harness makes of LiteLLM's recorded requests.
#[test]
fn the_harness_deployments_have_no_errors() {
    let shared =
        std::env::var_os("GATEWAY_SHARED").map_or_else(|| deploy().join("../../shared"), PathBuf::from);
    let Ok(folder) = fs::read_dir(shared.join("vectors")) else {
        println!("skipped: there are no recorded requests in {}", shared.display());
        return;
    };
    let mut entries = Vec::new();
    for path in folder.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()) {
        let text = fs::read_to_string(&path).unwrap();
        let Some(head) = text.lines().next().and_then(|line| serde_json::from_str::<Value>(line).ok()) else {
            continue;
        };
        let Some(model) = head["model"].as_str() else { continue };
        let mut params = head["options"].as_object().cloned().unwrap_or_default();
        params.insert("model".into(), model.into());
        params.insert("api_base".into(), "http://127.0.0.1:4000".into());
        params.insert("api_key".into(), "sk-test-key".into());
        if params.shift_remove("oci_key").is_some() {
            params.insert("oci_key".into(), signing_key().into());
        }
        entries.push(json!({ "model_name": path.file_stem().unwrap().to_str(), "litellm_params": params }));
    }
    assert!(entries.len() > 100, "{}", entries.len());
    let text =
        json!({ "model_list": entries, "general_settings": { "master_key": "sk-conformance" } }).to_string();
    let home: Env = [("HOME".to_owned(), "/nowhere".to_owned())].into_iter().collect();
    let loaded = parse(&text, &home, &Registry::built_in());
    let errors: Vec<_> =
        loaded.problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let config = loaded.config.unwrap();
    assert_eq!(config.models.len() + config.unserved.len(), entries.len());
}

/// No key is `served` that nobody reads.
#[test]
fn served_settings_are_read_outside_the_configuration() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut code = String::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && path != source.join("config") && path.file_name() != Some("tests".as_ref()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                code.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let tables =
        [("general_settings", GENERAL, GENERAL_FIELDS), ("litellm_settings", LITELLM, LITELLM_FIELDS)];
    for (section, keys, fields) in tables {
        for (key, field) in fields {
            let key = find(keys, key).unwrap_or_else(|| panic!("{section}.{key} is no key"));
            let read = code.contains(&format!(".{field}"));
            let served = key.status == Status::Served;
            assert!(read || !served, "{section}.{} is `served`, but nobody reads `.{field}`", key.name);
        }
    }
}

/// Where the typed configuration has a key.
const GENERAL_FIELDS: &[(&str, &str)] = &[
    ("master_key", "master_key"),
    ("database_url", "database"),
    ("database_connection_pool_limit", "pool"),
    ("database_connection_timeout", "wait"),
    ("litellm_key_header_name", "key_header"),
    ("user_header_name", "user_headers"),
    ("user_header_mappings", "user_headers"),
    ("max_failed_login_attempts_per_source", "sign_ins"),
    ("max_failed_login_attempts_per_source_overrides", "sign_ins"),
    ("failed_login_window_seconds", "sign_ins"),
    ("failed_login_block_seconds", "sign_ins"),
    ("default_team_disabled", "teams_only"),
    ("block_robots", "block_robots"),
    ("disable_custom_api_keys", "no_chosen_secrets"),
    ("allow_public_health_readiness_details", "tells_readiness"),
    ("disable_spend_logs", "disable_spend_logs"),
    ("disable_error_logs", "disable_error_logs"),
    ("disable_reset_budget", "budgets_stay"),
    ("fail_closed_budget_enforcement", "whole_reservations"),
    ("database_socket_timeout", "statement"),
    ("coordination_redis", "config.redis"),
    ("enforce_user_param", "enforce_user"),
    ("completion_model", "default_model"),
    ("max_request_size_mb", "max_request_bytes"),
    ("max_parallel_requests", "max_parallel_per_key"),
    ("global_max_parallel_requests", "max_parallel"),
    ("token_rate_limit_type", "token_limit_counts"),
    ("allowed_routes", "allowed_routes"),
    ("admin_only_routes", "admin_only_routes"),
    ("disable_password_login_when_sso_enabled", "sso_only"),
    ("password_policy_min_length", "passwords"),
    ("password_policy_require_uppercase", "passwords"),
    ("password_policy_require_lowercase", "passwords"),
    ("password_policy_require_numbers", "passwords"),
    ("password_policy_require_special_characters", "passwords"),
    ("public_routes", "public_routes"),
    ("allow_client_side_credentials", "client_credentials"),
    ("provider_url_destination_allowed_hosts", "destinations"),
    ("store_prompts_in_spend_logs", "kept_words"),
    ("missing_session_id", "missing_session"),
    ("spend_logs_metadata_fields", "row_metadata"),
    ("team_metadata_schema", "team_fields"),
    ("enforced_params", "required"),
    ("service_account_settings", "required_of_services"),
    ("allowed_ips", "allowed_ips"),
    ("use_x_forwarded_for", "use_x_forwarded_for"),
    ("custom_auth", "auth_webhook"),
    ("custom_auth_settings", "auth_webhook"),
    ("enable_jwt_auth", "jwt"),
    ("litellm_jwtauth", "jwt"),
    ("enforce_rbac", "roles_only"),
    ("role_permissions", "role_grants"),
    ("trusted_proxy_ranges", "trusted_proxies"),
    ("audit_signing_key", "audit_key"),
    ("forward_client_headers_to_llm_api", "forward_client_headers"),
    ("forward_openai_org_id", "forward_openai_organization"),
    ("reject_clientside_metadata_tags", "reject_client_tags"),
    ("always_include_stream_usage", "always_stream_usage"),
    ("include_call_id_in_error_body", "call_id_in_errors"),
    ("disable_spend_logs", "disable_spend_logs"),
    ("disable_budget_reservation", "disable_budget_reservation"),
    ("fail_closed_rate_limit_enforcement", "refuse_without_rates"),
    ("apply_user_budget_to_team_keys", "user_budget_on_team_keys"),
    ("allow_requests_on_db_unavailable", "allow_without_database"),
    ("on_store_outage", "on_outage"),
    ("proxy_batch_write_at", "spend_flush"),
    ("user_api_key_cache_ttl", "key_cache_ttl"),
    ("proxy_config_reload_interval_seconds", "reload_interval"),
    ("store_model_in_db", "models_in_database"),
    ("alerting_threshold", "slow_from"),
    ("background_health_checks", "health"),
    ("health_check_interval", "health"),
];

/// Where the typed configuration has a key; what the router and the targets have is left out.
const LITELLM_FIELDS: &[(&str, &str)] = &[
    ("model_alias_map", "calls.aliases"),
    ("include_cost_in_streaming_usage", "cost_in_stream_usage"),
    ("block_requests_for_models_without_pricing", "refuse_unpriced"),
    ("extra_spend_tag_headers", "tag_headers"),
    ("global_disable_no_log_param", "logs_always"),
    ("priority_reservation", "calls.priorities"),
    ("priority_reservation_settings", "calls.priorities"),
    ("callbacks", "calls.priorities"),
    ("disable_add_user_agent_to_request_tags", "no_user_agent_tag"),
    ("require_auth_for_metrics_endpoint", "metrics_need_key"),
    ("public_model_groups", "public_groups"),
    ("public_model_groups_links", "public_links"),
    ("max_budget", "budgets.global"),
    ("budget_duration", "global_period"),
    ("budget_exceeded_status_code", "refusal_status"),
    ("timezone", "timezone"),
    ("budget_reset_time", "reset_time"),
    ("budget_rollover", "rollover"),
    ("budget_exceeded_throttle_percentage", "budgets.throttle"),
    ("key_generation_settings", "key_rules"),
    ("default_team_params", "team_defaults"),
    ("validate_end_user_id_in_db", "known_end_users_only"),
    ("disable_end_user_cost_tracking", "end_users_uncounted"),
    ("max_internal_user_budget", "budgets.internal_user"),
    ("internal_user_budget_duration", "internal_user_period"),
    ("max_end_user_budget", "end_user_max"),
    ("max_end_user_budget_id", "end_user_budget_id"),
    ("default_key_generate_params", "key_defaults"),
    ("upperbound_key_generate_params", "key_ceilings"),
    ("default_internal_user_params", "internal_user_defaults"),
];
