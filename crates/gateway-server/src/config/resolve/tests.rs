//! Sections, one table each.

use std::time::Duration;

use llm_providers::{Auth, Registry};
use llm_types::{Meter, Money};

use crate::config::{Config, Cron, Env, Loaded, Model, Schedule, Severity, TokenCount, parse};

fn load_with(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let env: Env = variables.iter().copied().chain([("LITELLM_MASTER_KEY", "sk-of-the-tests")]).collect();
    parse(text, &env, &Registry::built_in())
}

/// A text without errors.
fn config(text: &str) -> Config {
    let loaded = load_with(text, &[]);
    loaded.config.unwrap_or_else(|| panic!("{text}: {:#?}", loaded.problems))
}

/// The one model of an entry with these parameters.
fn model(params: &str, variables: &[(&str, &str)]) -> Model {
    let loaded =
        load_with(&format!("model_list: [{{model_name: m, litellm_params: {{{params}}}}}]"), variables);
    let mut config = loaded.config.unwrap_or_else(|| panic!("{params}: {:#?}", loaded.problems));
    config.models.remove(0)
}

/// What is wrong with an entry with these parameters.
fn wrong(params: &str, variables: &[(&str, &str)]) -> Vec<(Severity, String)> {
    let loaded =
        load_with(&format!("model_list: [{{model_name: m, litellm_params: {{{params}}}}}]"), variables);
    loaded.problems.into_iter().map(|problem| (problem.severity, problem.path)).collect()
}

/// Surface §7.2: a deployment's limits are read from the entry, then `litellm_params`, then `model_info`, each by
/// itself.
#[test]
fn who_sets_the_limits_of_a_deployment() {
    for (entry, limits) in [
        ("litellm_params: {model: openai/x, api_key: k}", [None; 4]),
        (
            "litellm_params: {model: openai/x, api_key: k}, model_info: {rpm: 1, tpm: 2, itpm: 3, otpm: 4}",
            [Some(1), Some(2), Some(3), Some(4)],
        ),
        (
            "litellm_params: {model: openai/x, api_key: k, rpm: 10, otpm: 40}, model_info: {rpm: 1, tpm: 2, itpm: 3, otpm: 4}",
            [Some(10), Some(2), Some(3), Some(40)],
        ),
        (
            "rpm: 100, tpm: 200, litellm_params: {model: openai/x, api_key: k, rpm: 10, tpm: 20}, model_info: {rpm: 1, itpm: 3}",
            [Some(100), Some(200), Some(3), None],
        ),
    ] {
        let one = &config(&format!("model_list: [{{model_name: m, {entry}}}]")).models[0].deployment;
        assert_eq!([one.rpm, one.tpm, one.itpm, one.otpm], limits, "{entry}");
    }
}

#[test]
fn defaults_are_litellms() {
    let config = config("model_list: []");
    let general = &config.general;
    assert_eq!(general.master_key.as_ref().map(|key| key.reveal().as_str()), Some("sk-of-the-tests"));
    assert_eq!(general.salt_key, general.master_key);
    assert!(
        general.database.is_none()
            && general.health.interval.is_none()
            && general.max_request_bytes.is_none()
    );
    assert_eq!(general.spend_flush, Duration::from_secs(10));
    assert_eq!(general.key_cache_ttl, Duration::from_secs(60));
    assert_eq!(general.token_limit_counts, TokenCount::Total);
    assert_eq!(config.budgets.refusal_status, 422);
    assert_eq!(config.budgets.timezone, "UTC");
    assert!(config.calls.metrics_need_key && config.calls.router_debug_in_errors);
    assert_eq!(config.router, llm_router::RouterSettings::default());
}

#[test]
fn general_settings_are_read() {
    let config = config(
        "general_settings: {master_key: sk-another-key, database_url: 'postgresql://u:p@h/d', \
         database_connection_pool_limit: 3, max_request_size_mb: 0.5, max_parallel_requests: 7, \
         background_health_checks: true, health_check_interval: 30, token_rate_limit_type: output, \
         allowed_ips: [10.0.0.1, '::1'], litellm_key_header_name: X-My-Key, user_header_name: X-User, \
         forward_client_headers_to_llm_api: 'true', allowed_routes: /v1/models}",
    );
    let general = config.general;
    assert_eq!(general.master_key.unwrap().reveal(), "sk-another-key");
    let database = general.database.unwrap();
    assert_eq!((database.url.reveal().as_str(), database.pool), ("postgresql://u:p@h/d", 3));
    assert_eq!(general.max_request_bytes, Some(524_288));
    assert_eq!(general.max_parallel_per_key, Some(7));
    assert_eq!(general.health.interval, Some(Duration::from_secs(30)));
    assert_eq!(general.token_limit_counts, TokenCount::Output);
    assert_eq!(general.allowed_ips.len(), 2);
    assert_eq!(general.key_header.unwrap(), "x-my-key");
    assert!(general.forward_client_headers);
    assert_eq!(general.allowed_routes, ["/v1/models"]);
}

#[test]
fn old_rows_of_the_spend_log_go_as_told() {
    assert_eq!(
        config("general_settings: {maximum_spend_logs_cleanup_cron: 0 4 * * *}").general.log_retention,
        None
    );
    let kept = |settings: &str| {
        let period = "maximum_spend_logs_retention_period: 30d";
        config(&format!("general_settings: {{{period}{settings}}}")).general.log_retention.unwrap()
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let plain = kept("");
    assert_eq!((plain.keep, plain.batch_rows, plain.max_batches), (minutes(30 * 24 * 60), 1_000, 500));
    assert_eq!((plain.run_budget, plain.batch_timeout), (minutes(5), Duration::from_secs(30)));
    assert_eq!(plain.schedule, Schedule::Every(minutes(24 * 60)));
    let often =
        kept(", maximum_spend_logs_retention_interval: 2h, maximum_spend_logs_cleanup_run_budget: 10m");
    assert_eq!((often.schedule, often.run_budget), (Schedule::Every(minutes(120)), minutes(10)));
    let cron = kept(", maximum_spend_logs_cleanup_cron: '30 4 * * sun'");
    assert_eq!(cron.schedule, Schedule::Cron(Cron::parse("30 4 * * 6").unwrap()));
}

#[test]
fn the_environment_fills_what_the_file_leaves_out() {
    let loaded = load_with(
        "model_list: []",
        &[
            ("LITELLM_SALT_KEY", "salt"),
            ("DATABASE_HOST", "db:5432"),
            ("DATABASE_USERNAME", "me"),
            ("DATABASE_PASSWORD", "p@ss/word"),
            ("DATABASE_NAME", "gateway"),
            ("STORE_MODEL_IN_DB", "True"),
            ("PROXY_BATCH_WRITE_AT", "3"),
            ("REQUEST_TIMEOUT", "90"),
        ],
    );
    let config = loaded.config.unwrap();
    assert_eq!(config.general.salt_key.unwrap().reveal(), "salt");
    assert_eq!(
        config.general.database.unwrap().url.reveal(),
        "postgresql://me:p%40ss%2Fword@db:5432/gateway"
    );
    assert!(config.general.models_in_database);
    assert_eq!(config.general.spend_flush, Duration::from_secs(3));
    assert_eq!(config.router.timeout, Some(Duration::from_secs(90)));
}

#[test]
fn environment_variables_of_the_file_are_found_by_the_rest() {
    let config = config(
        "environment_variables: {MY_KEY: sk-from-the-file, TWICE: os.environ/LITELLM_MASTER_KEY}\n\
         model_list: [{model_name: m, litellm_params: {model: openai/x, api_key: os.environ/MY_KEY, user: os.environ/TWICE}}]",
    );
    let target = &config.models[0].deployment.target;
    assert_eq!(target.key.as_ref().unwrap().reveal(), "sk-from-the-file");
    assert_eq!(target.defaults["user"], "sk-of-the-tests");
    assert!(
        !config.models[0].deployment.params.contains_key("user"),
        "a value of the environment is not shown"
    );
}

#[test]
fn weak_master_keys_need_permission() {
    let text = "general_settings: {master_key: sk-1234}";
    assert!(load_with(text, &[]).config.is_none());
    let permit = [("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true")];
    assert!(load_with(text, &permit).config.is_some());
    let text = "general_settings: {master_key: sk-1234, dangerously_permit_weak_or_unset_master_key: true}";
    assert!(load_with(text, &[]).config.is_some());
    let unset = parse("model_list: []", &permit.into_iter().collect(), &Registry::built_in());
    assert!(unset.config.is_some_and(|config| config.general.master_key.is_none()));
}

#[test]
fn budgets_are_read() {
    let budgets = config(
        "litellm_settings: {max_budget: 1.5, budget_duration: monthly, budget_exceeded_status_code: 400, \
         max_end_user_budget: '0.25', max_end_user_budget_id: guests, max_internal_user_budget: 0, internal_user_budget_duration: 30d, \
         upperbound_key_generate_params: {max_budget: 3}}",
    )
    .budgets;
    assert_eq!(budgets.global, Some(Money::from_usd(1.5)));
    assert_eq!(budgets.global_period.as_deref(), Some("1mo"));
    assert_eq!(budgets.refusal_status, 400);
    assert_eq!(budgets.end_user_max, Some(Money::from_usd(0.25)));
    assert_eq!(budgets.end_user_budget_id.as_deref(), Some("guests"));
    assert_eq!(budgets.internal_user, Some(Money::ZERO));
    assert_eq!(budgets.key_ceilings["max_budget"], 3);
    // LiteLLM's default of zero means that there is no budget.
    assert_eq!(config("litellm_settings: {max_budget: 0}").budgets.global, None);
}

#[test]
fn what_calls_must_have_is_read() {
    let text = "general_settings: {enforced_params: [user, metadata.run], service_account_settings: {enforced_params: [tags]}}";
    let general = config(text).general;
    assert_eq!(general.required, ["user", "metadata.run"]);
    assert_eq!(general.required_of_services, ["tags"]);
    let wrong = load_with("general_settings: {service_account_settings: {enforced_params: user}}", &[]);
    assert!(wrong.config.is_none());
}

#[test]
fn router_settings_win_over_litellm_settings() {
    let router = config(
        "litellm_settings: {num_retries: 5, allowed_fails: 9, request_timeout: 10, default_fallbacks: [a], \
         fallbacks: [{a: [b]}]}\n\
         router_settings: {num_retries: 1, timeout: 20, fallbacks: [{a: [c, {model: b, temperature: 1}]}]}\n\
         model_list: [{model_name: '*', litellm_params: {model: 'openai/*', api_key: k}}]",
    )
    .router;
    assert_eq!(router.num_retries, 1);
    assert_eq!(router.allowed_fails, Some(9));
    assert_eq!(router.timeout, Some(Duration::from_secs(10)));
    let targets = router.fallbacks.of("a").unwrap();
    assert_eq!((&*targets[0].model, &*targets[1].model), ("c", "b"));
    assert_eq!(targets[1].params.as_ref().unwrap()["temperature"], 1);
    assert_eq!(&*router.default_fallbacks[0].model, "a");
    assert_eq!(config("router_settings: {allowed_fails: 3}").router.allowed_fails, None);
}

#[test]
fn providers_are_found_by_prefix_name_or_setting() {
    for (params, provider, name) in [
        ("model: openai/gpt-4o, api_key: k", "openai", "gpt-4o"),
        ("model: gpt-4o, api_key: k", "openai", "gpt-4o"),
        ("model: claude-sonnet-4-5, api_key: k", "anthropic", "claude-sonnet-4-5"),
        ("model: together_ai/meta/llama, api_key: k", "together_ai", "meta/llama"),
        ("model: meta/llama, custom_llm_provider: groq, api_key: k", "groq", "meta/llama"),
        ("model: groq/llama, custom_llm_provider: groq, api_key: k", "groq", "llama"),
        ("model: 'openai/*', api_key: k", "openai", "*"),
        ("model: ollama_chat/llama3", "ollama_chat", "llama3"),
    ] {
        let model = model(params, &[]);
        let target = &model.deployment.target;
        assert_eq!((target.spec.id.as_str(), target.model.as_str()), (provider, name), "{params}");
    }
}

#[test]
fn base_urls_and_keys_belong_to_the_provider() {
    let env = [
        ("OPENAI_API_KEY", "of-openai"),
        ("OPENAI_BASE_URL", "https://proxy.example/v1/"),
        ("GROQ_API_KEY", "of-groq"),
    ];
    let openai = model("model: openai/x", &env).deployment.target;
    assert_eq!(openai.base_url, "https://proxy.example/v1");
    assert_eq!(openai.key.as_ref().unwrap().reveal(), "of-openai");
    let groq = model("model: groq/x, api_base: 'https://g.example/openai/v1/chat/completions'", &env)
        .deployment
        .target;
    assert_eq!(groq.base_url, "https://g.example/openai/v1");
    assert_eq!(groq.key.as_ref().unwrap().reveal(), "of-groq");
    // A key of OpenAI's in the environment does not go to another host.
    let other = model("model: openai/x, api_base: 'http://vllm:8000/v1'", &env).deployment.target;
    assert_eq!((other.key.as_ref(), &other.spec.auth), (None, &Auth::None));
    let ollama = model("model: ollama/x", &[]).deployment.target;
    assert!(ollama.key.is_none() && ollama.base_url.ends_with(":11434"), "{}", ollama.base_url);
    let ollama = model("model: ollama/x, api_base: 'http://box:11434/v1'", &[]).deployment.target;
    assert_eq!(ollama.base_url, "http://box:11434", "as written for its imitation of OpenAI's API");
    let path = "model_list[0].litellm_params.api_key".to_owned();
    assert_eq!(wrong("model: anthropic/x", &env), [(Severity::Error, path.clone())]);
    assert_eq!(wrong("model: openai/x, api_key: os.environ/NOPE", &env), [(Severity::Error, path)]);
}

#[test]
fn parameters_become_body_fields_headers_and_policy() {
    let model = model(
        "model: openai/x, api_key: k, temperature: 0.5, my_field: {a: 1}, extra_body: {b: 2}, organization: org-1, \
         extra_headers: {X-Team: red}, drop_params: true, additional_drop_params: [seed], allowed_openai_params: [tools], \
         rpm: 10, tpm: 20, weight: 2, order: 1, max_parallel_requests: 4, num_retries: 0, timeout: 1.5, tags: [a], \
         mock_response: hi",
        &[],
    );
    let target = &model.deployment.target;
    assert_eq!(
        serde_json::to_string(&target.defaults).unwrap(),
        r#"{"temperature":0.5,"my_field":{"a":1},"b":2}"#
    );
    assert_eq!(target.headers["x-team"], "red");
    assert_eq!(target.headers["openai-organization"], "org-1");
    assert!(target.headers.values().next().unwrap().is_sensitive());
    assert!(target.policy.drop);
    assert_eq!(
        (target.policy.always_drop.as_slice(), target.policy.allow.as_slice()),
        (&["seed".to_owned()][..], &["tools".to_owned()][..])
    );
    assert_eq!(target.timeouts.read, Some(Duration::from_millis(1500)));
    let deployment = &model.deployment;
    assert_eq!((deployment.rpm, deployment.tpm, deployment.order), (Some(10), Some(20), Some(1)));
    assert_eq!((deployment.weight, deployment.max_parallel_requests), (Some(2.0), Some(4)));
    assert_eq!((deployment.num_retries, deployment.tags.as_slice()), (Some(0), &["a".to_owned()][..]));
    assert_eq!(model.mock_response.as_deref(), Some("hi"));
    assert!(!deployment.params.contains_key("api_key"));
}

#[test]
fn a_misspelt_secret_is_not_sent() {
    let model = model("model: openai/x, api_key: k, api_kye: secret", &[]);
    assert!(model.deployment.target.defaults.is_empty());
    assert!(!model.deployment.params.contains_key("api_kye"));
}

#[test]
fn prices_of_the_parameters_win() {
    let config = config(
        "model_list: [{model_name: m, litellm_params: {model: openai/x, api_key: k, input_cost_per_token: 1e-6}, \
         model_info: {input_cost_per_token: 5, output_cost_per_token: '0.000002', max_input_tokens: 100, base_model: b}}]",
    );
    let price = &config.models[0].overrides.price;
    assert_eq!(price.usd_per_unit(Meter::Input), Some(1e-6));
    assert_eq!(price.usd_per_unit(Meter::Output), Some(2e-6));
    assert_eq!(config.models[0].overrides.max_input, Some(100));
    assert_eq!(config.models[0].deployment.base_model.as_deref(), Some("b"));
}

#[test]
fn ids_are_given_or_derived() {
    let entry = |params: &str| model(params, &[]).deployment.id.to_string();
    let id = entry("model: openai/x, api_key: k");
    assert_eq!(id.len(), 64);
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
    assert_eq!(id, entry("model: openai/x, api_key: k"), "stable");
    assert_ne!(id, entry("model: openai/x, api_key: other"));
    assert_ne!(id, entry("model: openai/x, api_key: k, rpm: 1"));
    let config = config(
        "model_list: [{model_name: m, litellm_params: {model: openai/x, api_key: k}, model_info: {id: mine, x: 1}}]",
    );
    let model = &config.models[0];
    assert_eq!((model.deployment.id.as_str(), model.derived_id), ("mine", false));
    assert_eq!(
        serde_json::to_string(&*model.deployment.model_info).unwrap(),
        r#"{"id":"mine","x":1,"db_model":false}"#
    );
}

#[test]
fn credentials_fill_what_an_entry_leaves_out() {
    let config = config(
        "credential_list: [{credential_name: c, credential_values: {api_key: shared, organization: org-c}}]\n\
         model_list: [{model_name: m, litellm_params: {model: openai/x, litellm_credential_name: c}}, \
         {model_name: n, litellm_params: {model: openai/x, litellm_credential_name: c, api_key: own}}]",
    );
    let key = |index: usize| config.models[index].deployment.target.key.as_ref().unwrap().reveal().clone();
    assert_eq!((key(0).as_str(), key(1).as_str()), ("shared", "own"));
    assert_eq!(config.models[1].deployment.target.headers["openai-organization"], "org-c");
}

#[test]
fn what_is_not_served_is_kept_with_its_reason() {
    let config =
        config("model_list: [{model_name: m, litellm_params: {model: petals/x, aws_region_name: r}}]");
    assert!(config.models.is_empty());
    assert_eq!(config.unserved[0].name, "m");
    assert_eq!(config.unserved[0].reason, "provider `petals` is not served yet");
}

#[test]
fn invalid_entries_may_be_left_out() {
    let text = "model_list: [{model_name: good, litellm_params: {model: openai/x, api_key: k}}, \
                {model_name: bad, litellm_params: {model: groq/x}}]";
    assert!(load_with(text, &[]).config.is_none());
    let loaded = load_with(&format!("{text}\nrouter_settings: {{ignore_invalid_deployments: true}}"), &[]);
    assert_eq!(loaded.problems.len(), 1);
    let config = loaded.config.unwrap();
    assert_eq!((config.models.len(), config.unserved[0].name.as_str()), (1, "bad"));
}

#[test]
fn parameters_are_added_to_the_dsn() {
    let said = "database_socket_timeout: 5, database_extra_connection_params: {sslmode: require, application_name: 'a b'}";
    let of = |dsn: &str| {
        let text = format!("general_settings: {{database_url: '{dsn}', {said}}}");
        config(&text).general.database.unwrap()
    };
    let database = of("postgresql://u:p@h/d");
    assert_eq!(database.url.reveal(), "postgresql://u:p@h/d?sslmode=require&application_name=a%20b");
    assert_eq!(database.statement, Some(Duration::from_secs(5)));
    let more = of("postgresql://u:p@h/d?schema=s");
    assert_eq!(more.url.reveal(), "postgresql://u:p@h/d?schema=s&sslmode=require&application_name=a%20b");
    let unknown = "general_settings: {database_url: 'sqlite::memory:', database_extra_connection_params: {pgbouncer: true}}";
    let loaded = load_with(unknown, &[]);
    assert!(
        loaded.problems.iter().any(|problem| problem.found.contains("pgbouncer")),
        "{:#?}",
        loaded.problems
    );
}

#[test]
fn a_redis_for_coordination_is_found_first() {
    let router = "router_settings: {redis_host: there}";
    let of = |said: &str| {
        config(&format!("general_settings: {{coordination_redis: {said}}}\n{router}")).redis.unwrap()
    };
    let redis = of("{host: here, port: '6380', password: secret, username: me, ssl: true, db: 2}");
    assert_eq!((redis.host.as_str(), redis.port, redis.tls, redis.database), ("here", 6380, true, 2));
    assert_eq!(redis.user.as_deref(), Some("me"));
    assert_eq!(of("{url: 'redis://here:1/3'}").port, 1);
    assert_eq!(of("{}").host, "there");
    let wrong = load_with("general_settings: {coordination_redis: {port: 1}}", &[]);
    assert!(wrong.problems.iter().any(|problem| problem.path.ends_with("coordination_redis")));
}

/// Settings of groups that are not there are told; the name of a routing group can be called as any other.
#[test]
fn settings_of_groups_name_groups_that_are_there() {
    let text = "model_list: [{model_name: m, litellm_params: {model: openai/x, api_key: k}}]\n\
        router_settings: {routing_groups: [{group_name: both, models: [m, n], routing_strategy: least-busy}], \
        fallbacks: [{m: [both]}], weights: {w: {d: 1}, m: {d: 1}}, \
        model_group_retry_policy: {r: {RateLimitErrorRetries: 1}}, \
        model_group_affinity_config: {a: [session_affinity]}}";
    let told: Vec<String> = load_with(text, &[]).problems.into_iter().map(|problem| problem.path).collect();
    let settings =
        ["routing_groups.both", "weights.w", "model_group_retry_policy.r", "model_group_affinity_config.a"];
    assert_eq!(told, settings.map(|name| format!("router_settings.{name}")));
}
