//! `general_settings`: the server itself.

use std::time::Duration;

use http::HeaderName;
use llm_types::Secret;

use super::section::text_of;
use super::{Context, Section, governance};
use crate::config::raw::GENERAL;
use crate::config::source::Node;
use crate::config::{Database, General, HealthChecks, MissingSession, OnOutage, TokenCount, UserHeaders};
use crate::identity::{Network, PasswordPolicy};
use crate::limits::parse_duration_ms;

/// Keys that stand in public documentation: anybody would try them. LiteLLM surface, "Weak master keys".
const PUBLIC_KEYS: &[&str] = &[
    "sk-1234",
    "sk-12345",
    "sk-123456",
    "sk-12345678",
    "sk-master",
    "sk-master-key",
    "sk-litellm",
    "sk-litellm-master-key",
    "sk-admin",
    "sk-test",
    "sk-password",
    "sk-changeme",
    "sk-change-me",
    "sk-your-master-key",
    "changeme",
    "password",
    "master",
    "admin",
    "secret",
];

/// Lets a weak or missing master key pass, for development. LiteLLM surface §2.4.
const PERMIT_WEAK: &str = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY";

/// The fewest characters that the shortest allowed password has.
const FLOOR: usize = 8;

/// What users' passwords must be like.
fn passwords(section: &mut Section<'_, '_, '_>) -> PasswordPolicy {
    let mut is_on = |name: &str| section.flag(name).unwrap_or(true);
    let (upper, lower) =
        (is_on("password_policy_require_uppercase"), is_on("password_policy_require_lowercase"));
    let (digit, special) =
        (is_on("password_policy_require_numbers"), is_on("password_policy_require_special_characters"));
    let length = section.count("password_policy_min_length").unwrap_or(12).max(FLOOR);
    PasswordPolicy { length, upper, lower, digit, special }
}

/// The section, with what the environment adds.
pub(crate) fn resolve(cx: &mut Context<'_>, node: Option<&Node>) -> General {
    let env = cx.env;
    let mut section = Section::open(cx, "general_settings", node, GENERAL);
    section.review();
    let master_key = master_key(&mut section);
    General {
        jwt: None,
        log_retention: None,
        auth_webhook: None,
        salt_key: secret_of(env.value("LITELLM_SALT_KEY")).or_else(|| master_key.clone()),
        master_key,
        capture_rate: governance::capture_rate(&mut section),
        database: database(&mut section),
        key_header: header(&mut section, "litellm_key_header_name"),
        user_headers: user_headers(&mut section),
        enforce_user: section.is_on("enforce_user_param"),
        default_model: section.text("completion_model"),
        max_request_bytes: section.number("max_request_size_mb").map(bytes_of_mb),
        stream_uploads: section.is_on("stream_uploads"),
        max_parallel_per_key: section.count("max_parallel_requests"),
        max_parallel: section.count("global_max_parallel_requests"),
        token_limit_counts: token_count(&mut section),
        allowed_routes: section.texts("allowed_routes"),
        admin_only_routes: section.texts("admin_only_routes"),
        sign_ins: governance::sign_ins(&mut section),
        teams_only: is_on(&mut section, "default_team_disabled", "PROXY_DEFAULT_TEAM_DISABLED"),
        no_chosen_secrets: section.is_on("disable_custom_api_keys"),
        block_robots: section.is_on("block_robots"),
        sso_only: section.is_on("disable_password_login_when_sso_enabled"),
        passwords: passwords(&mut section),
        team_fields: governance::team_fields(&mut section),
        client_credentials: section.is_on("allow_client_side_credentials"),
        destinations: section.texts("provider_url_destination_allowed_hosts"),
        public_routes: section.texts("public_routes"),
        required: section.texts("enforced_params"),
        required_of_services: required_of_services(&mut section),
        allowed_ips: networks(&mut section, "allowed_ips"),
        trusted_proxies: networks(&mut section, "trusted_proxy_ranges"),
        audit_key: section
            .secret("audit_signing_key")
            .or_else(|| secret_of(env.value("GATEWAY_AUDIT_SIGNING_KEY"))),
        use_x_forwarded_for: section.is_on("use_x_forwarded_for"),
        forward_client_headers: section.is_on("forward_client_headers_to_llm_api"),
        forward_openai_organization: section.is_on("forward_openai_org_id"),
        reject_client_tags: section.is_on("reject_clientside_metadata_tags"),
        always_stream_usage: section.is_on("always_include_stream_usage"),
        call_id_in_errors: section.is_on("include_call_id_in_error_body"),
        disable_spend_updates: section.is_on("disable_spend_updates"),
        disable_spend_logs: section.is_on("disable_spend_logs"),
        disable_error_logs: section.is_on("disable_error_logs"),
        budgets_stay: section.is_on("disable_reset_budget"),
        whole_reservations: section.is_on("fail_closed_budget_enforcement"),
        refuse_without_rates: section.is_on("fail_closed_rate_limit_enforcement"),
        disable_budget_reservation: section.is_on("disable_budget_reservation"),
        user_budget_on_team_keys: section.is_on("apply_user_budget_to_team_keys"),
        on_outage: section.choice("on_store_outage", &OUTAGES).unwrap_or_default(),
        allow_without_database: section.is_on("allow_requests_on_db_unavailable"),
        enforce_fallback_access: section.is_on("enforce_fallback_model_access"),
        spend_flush: seconds(&mut section, "proxy_batch_write_at", Some("PROXY_BATCH_WRITE_AT"), 10),
        kept_words: kept_words(&mut section),
        row_metadata: governance::row_metadata(&mut section),
        grace_ms: grace_ms(section.cx.env.value(GRACE)),
        missing_session: section.choice("missing_session_id", &SESSIONS).unwrap_or_default(),
        responses_retention: retention(&mut section),
        key_cache_ttl: seconds(&mut section, "user_api_key_cache_ttl", None, 60),
        reload_interval: seconds(
            &mut section,
            "proxy_config_reload_interval_seconds",
            Some("PROXY_CONFIG_RELOAD_INTERVAL_SECONDS"),
            30,
        ),
        models_in_database: is_on(&mut section, "store_model_in_db", "STORE_MODEL_IN_DB"),
        slow_from: seconds(&mut section, "alerting_threshold", None, 300),
        health_routing: section.is_on("enable_health_check_routing"),
        health: health(&mut section),
        tells_fallbacks: section.is_on("expose_fallback_errors_to_caller"),
        mock_failures: section.is_on("dangerously_allow_mock_testing_request_params"),
        doors: super::doors::resolve(&mut section),
    }
}

/// How deployments are probed.
fn health(section: &mut Section<'_, '_, '_>) -> HealthChecks {
    let in_rounds = section.is_on("background_health_checks");
    let interval = seconds(section, "health_check_interval", None, 300);
    HealthChecks {
        interval: in_rounds.then_some(interval).filter(|interval| !interval.is_zero()),
        concurrency: section.count("health_check_concurrency").filter(|most| *most > 0).unwrap_or(PROBES),
        groups: section.texts("background_health_check_model_groups"),
        staleness: section.seconds("health_check_staleness_threshold"),
        ignore_transient: section.is_on("health_check_ignore_transient_errors"),
        details: section.flag("health_check_details").unwrap_or(true),
        skip_disabled: section.is_on("health_check_skip_disabled_background_models"),
        lists_healthy: section.is_on("model_list_healthy_only"),
        shared: section.is_on("use_shared_health_check"),
    }
}

/// What calls of service accounts must have (`service_account_settings.enforced_params`).
fn required_of_services(section: &mut Section<'_, '_, '_>) -> Vec<String> {
    let settings = section.map("service_account_settings");
    let Some(listed) = settings.get("enforced_params").filter(|listed| !listed.is_null()) else {
        return Vec::new();
    };
    let names = listed.as_array().and_then(|names| {
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    names.unwrap_or_else(|| {
        let found = format!("found `{listed}` as `enforced_params`");
        section.error("service_account_settings", found, "expected a list of names such as `user`");
        Vec::new()
    })
}

/// Words of `missing_session_id`.
const SESSIONS: [(&str, MissingSession); 3] = [
    ("omit", MissingSession::Omit),
    ("generate", MissingSession::Generate),
    ("reject", MissingSession::Reject),
];

/// The longest text that is kept whole where what was said is kept, characters: LiteLLM's, unless the environment says.
fn kept_words(section: &mut Section<'_, '_, '_>) -> Option<usize> {
    let kept = is_on(section, "store_prompts_in_spend_logs", "STORE_PROMPTS_IN_SPEND_LOGS");
    let said =
        section.cx.env.value("MAX_STRING_LENGTH_PROMPT_IN_DB").and_then(|text| text.trim().parse().ok());
    kept.then_some(said.unwrap_or(2_048))
}

/// The variable that says how long old secrets of keys work on.
const GRACE: &str = "LITELLM_KEY_ROTATION_GRACE_PERIOD";

/// A variable that holds no duration is as good as not set, but not silently.
fn grace_ms(said: Option<&str>) -> Option<i64> {
    let said = said.map(str::trim).filter(|said| !said.is_empty())?;
    let grace = parse_duration_ms(said);
    if grace.is_none() {
        tracing::warn!(
            "environment variable `{GRACE}` is `{said}`, expected a duration such as `24h`: none counts"
        );
    }
    grace
}

/// A switch of the file, else of the environment.
fn is_on(section: &mut Section<'_, '_, '_>, key: &str, variable: &str) -> bool {
    section.flag(key).unwrap_or_else(|| section.cx.env.flag(variable))
}

/// Words of `on_store_outage`.
const OUTAGES: [(&str, OnOutage); 2] = [("continue", OnOutage::Continue), ("refuse", OnOutage::Refuse)];

/// Probes at the same time unless told.
const PROBES: usize = 16;

/// The administrator's key: without one, or with one that is public, the gateway does not start.
fn master_key(section: &mut Section<'_, '_, '_>) -> Option<Secret> {
    let given = section.gives("master_key");
    let from_env = secret_of(section.cx.env.value("LITELLM_MASTER_KEY"));
    let key = if given { section.secret("master_key") } else { from_env };
    let permitted =
        section.is_on("dangerously_permit_weak_or_unset_master_key") || section.cx.env.flag(PERMIT_WEAK);
    let Some(key) = key else {
        if !given && !permitted {
            refuse(section, "found no master key");
        }
        return None;
    };
    if !permitted && PUBLIC_KEYS.contains(&key.reveal().as_str()) {
        refuse(section, "found a key that stands in public documentation");
    } else if !key.reveal().starts_with("sk-") {
        let (path, at) = (section.path_of("master_key"), section.at("master_key"));
        let instead = "it works, but clients that check the form of keys refuse it";
        section.cx.warning(&path, &at, "found a key that does not start with `sk-`", instead);
    }
    Some(key)
}

fn refuse(section: &mut Section<'_, '_, '_>, found: &str) {
    let (path, at) = (section.path_of("master_key"), section.at("master_key"));
    let problem =
        section.cx.error(&path, &at, found, "expected a secret that nobody can guess: it opens everything");
    problem.hint = Some(format!(
        "export LITELLM_MASTER_KEY=\"sk-$(openssl rand -hex 24)\"; for development set {PERMIT_WEAK}=true"
    ));
}

fn database(section: &mut Section<'_, '_, '_>) -> Option<Database> {
    let given = section.gives("database_url");
    let pool = section.count("database_connection_pool_limit").unwrap_or(10).max(1);
    let wait = seconds(section, "database_connection_timeout", None, 60);
    let url = section.secret("database_url");
    let url = if given { url? } else { database_of_env(section)? };
    let scheme = url.reveal().split_once(':').map_or("", |(scheme, _)| scheme);
    if !matches!(scheme, "postgresql" | "postgres" | "sqlite") {
        let found = "found a DSN for another kind of database";
        section.error("database_url", found, "expected `postgresql://…` or `sqlite://…`");
    }
    let url = with_parameters(section, &url);
    let statement = section.seconds("database_socket_timeout").filter(|time| !time.is_zero());
    Some(Database { url, pool, wait, statement })
}

/// The DSN with the parameters of `database_extra_connection_params`.
fn with_parameters(section: &mut Section<'_, '_, '_>, url: &Secret) -> Secret {
    const KEY: &str = "database_extra_connection_params";
    let mut whole = url.reveal().clone();
    for member in section.mapping(KEY).map(Node::members).unwrap_or_default() {
        let Some(value) = text_of(&member.value) else {
            let found = format!("found {} for `{}`", member.value.kind(), member.key);
            section.error(KEY, found, "expected text or numbers by the names of parameters");
            continue;
        };
        if !gateway_db::knows_parameter(&member.key) {
            let (path, at) = (section.path_of(KEY), section.at(KEY));
            let found = format!("found `{}`", member.key);
            section.cx.warning(&path, &at, found, "it has no effect: PostgreSQL's driver does not know it");
            continue;
        }
        let apart = if whole.contains('?') { '&' } else { '?' };
        whole.push_str(&format!("{apart}{}={}", percent_encoded(&member.key), percent_encoded(&value)));
    }
    Secret::new(whole)
}

/// `DATABASE_URL`, else `DATABASE_HOST`, `DATABASE_USERNAME`, `DATABASE_PASSWORD` and `DATABASE_NAME`.
/// LiteLLM surface §13.3.
fn database_of_env(section: &Section<'_, '_, '_>) -> Option<Secret> {
    let env = section.cx.env;
    if let Some(url) = env.value("DATABASE_URL") {
        return secret_of(Some(url));
    }
    let (host, user) = (env.value("DATABASE_HOST")?, env.value("DATABASE_USERNAME")?);
    let name = env.value("DATABASE_NAME")?;
    let sign_in = match env.value("DATABASE_PASSWORD") {
        Some(password) => format!("{}:{}", percent_encoded(user), percent_encoded(password)),
        None => percent_encoded(user),
    };
    let schema = env.value("DATABASE_SCHEMA").map(|schema| format!("?schema={}", percent_encoded(schema)));
    Some(Secret::new(format!("postgresql://{sign_in}@{host}/{name}{}", schema.unwrap_or_default())))
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

fn secret_of(value: Option<&str>) -> Option<Secret> {
    value.map(|value| Secret::new(value.to_owned()))
}

fn header(section: &mut Section<'_, '_, '_>, key: &str) -> Option<HeaderName> {
    let text = section.text(key)?;
    let name = HeaderName::try_from(text.trim().to_ascii_lowercase()).ok();
    if name.is_none() {
        section.error(key, format!("found `{text}`"), "expected the name of a header");
    }
    name
}

fn user_headers(section: &mut Section<'_, '_, '_>) -> UserHeaders {
    let old = header(section, "user_header_name");
    governance::user_headers(section, old)
}

fn token_count(section: &mut Section<'_, '_, '_>) -> TokenCount {
    let choices =
        [("total", TokenCount::Total), ("input", TokenCount::Input), ("output", TokenCount::Output)];
    section.choice("token_rate_limit_type", &choices).unwrap_or_default()
}

fn networks(section: &mut Section<'_, '_, '_>, key: &str) -> Vec<Network> {
    let texts = section.texts(key);
    let mut networks = Vec::with_capacity(texts.len());
    for text in texts {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(()) => section.error(
                key,
                format!("found `{text}`"),
                "expected IP addresses, or networks such as `10.0.0.0/8`",
            ),
        }
    }
    networks
}

/// How long replies can be asked for: as long as OpenAI keeps them unless told otherwise.
fn retention(section: &mut Section<'_, '_, '_>) -> Duration {
    const DAY: u64 = 24 * 60 * 60;
    let days = section.count::<u64>("responses_retention_days").unwrap_or(30);
    Duration::from_secs(days.saturating_mul(DAY))
}

/// A duration from the file, else from the environment, else the default; a variable that holds no
/// number is as good as not set.
fn seconds(section: &mut Section<'_, '_, '_>, key: &str, variable: Option<&str>, default: u64) -> Duration {
    let of_env =
        |variable| Duration::try_from_secs_f64(section.cx.env.value(variable)?.trim().parse().ok()?).ok();
    let fallback = variable.and_then(of_env).unwrap_or(Duration::from_secs(default));
    section.seconds(key).unwrap_or(fallback)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate"
)]
fn bytes_of_mb(mb: f64) -> u64 {
    (mb * 1024.0 * 1024.0) as u64
}
