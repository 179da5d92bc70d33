//! The configuration as the rest of the gateway reads it: checked, typed, without "default" left open.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use llm_providers::Registry;
use llm_providers::catalog::{Adjustments, ModelInfo};
use llm_providers::transport::Guard;
use llm_router::{Deployment, RouterSettings};
use llm_types::{Money, Secret};
use serde_json::{Map, Value};

use super::{
    AuthWebhook, CachePoint, ClientSide, Doors, JwtAuth, KeyRules, LogRetention, Origin, RoutingWebhook,
    RowMetadata, SignInLimits, TeamDefaults, TeamField, UserHeaders,
};
use crate::identity::{Network, PasswordPolicy};

/// Everything the operator said.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server itself: secrets, database, limits on requests, headers (`general_settings`).
    pub general: General,
    /// How calls are treated (`litellm_settings`).
    pub calls: Calls,
    /// Budgets and what new keys and users get (`litellm_settings`).
    pub budgets: Budgets,
    /// How deployments are picked, retried and replaced (`router_settings`).
    pub router: RouterSettings,
    /// What is callable, in the order of the file (`model_list`).
    pub models: Vec<Model>,
    /// The Redis over which gateways tell each other of deployments (`router_settings.redis_*`).
    pub redis: Option<Redis>,
    /// The program that says which deployments should serve, for the strategy `custom`.
    pub routing_webhook: Option<RoutingWebhook>,
    /// Entries of `model_list` that this version cannot call; a call to one is answered with its reason.
    pub unserved: Vec<Unserved>,
    /// The providers there are: the built-in ones and the file's own (`providers`).
    pub registry: Registry,
    /// What it was made from: it can be made again with entries that are kept in the database.
    pub(crate) origin: Arc<Origin>,
}

/// Where a Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// Name or address.
    pub host: String,
    /// Port; 6379 unless given.
    pub port: u16,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// The user to sign in as.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The number of the database.
    pub database: u32,
}

/// Settings of the server itself.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the operator's file")]
pub struct General {
    /// The administrator's key; without it every caller is let in as an internal user.
    pub master_key: Option<Secret>,
    /// Encrypts credentials in the database (`LITELLM_SALT_KEY`, else the master key).
    pub salt_key: Option<Secret>,
    /// How the bill of a provider is compared with what was booked (`spend_capture_rate_check`).
    pub capture_rate: CaptureRate,
    /// The database; without it keys, budgets and spend live in the local ledger only.
    pub database: Option<Database>,
    /// A header that may carry the caller's key beside the usual ones (`litellm_key_header_name`).
    pub key_header: Option<HeaderName>,
    /// Headers by which callers say for whom they call (`user_header_mappings`, `user_header_name`).
    pub user_headers: UserHeaders,
    /// Refuse calls that name no end user (`enforce_user_param`).
    pub enforce_user: bool,
    /// The model for requests that name none (`completion_model`).
    pub default_model: Option<String>,
    /// Larger requests are refused (`max_request_size_mb`), bytes.
    pub max_request_bytes: Option<u64>,
    /// Send large audio and pictures on while they arrive (`stream_uploads`).
    pub stream_uploads: bool,
    /// Calls one key may have in flight unless the key says otherwise (`max_parallel_requests`).
    pub max_parallel_per_key: Option<u32>,
    /// Calls the whole instance may have in flight (`global_max_parallel_requests`).
    pub max_parallel: Option<u32>,
    /// What a token limit per minute counts (`token_rate_limit_type`).
    pub token_limit_counts: TokenCount,
    /// Routes callers may use at all; empty means all (`allowed_routes`).
    pub allowed_routes: Vec<String>,
    /// Routes for administrators only (`admin_only_routes`).
    pub admin_only_routes: Vec<String>,
    /// What users' passwords must be like (`password_policy_*`).
    pub passwords: PasswordPolicy,
    /// How often a password may be wrong (`max_failed_login_attempts_per_source`).
    pub sign_ins: SignInLimits,
    /// Nobody but administrators makes keys without a team (`default_team_disabled`).
    pub teams_only: bool,
    /// Nobody chooses the secret of a key (`disable_custom_api_keys`).
    pub no_chosen_secrets: bool,
    /// `/robots.txt` asks crawlers to stay away (`block_robots`).
    pub block_robots: bool,
    /// Nobody signs in by password where single sign-on is configured.
    pub sso_only: bool,
    /// Metadata that teams usually have (`team_metadata_schema`).
    pub team_fields: Vec<TeamField>,
    /// Callers may bring keys and addresses of their own for every model (`allow_client_side_credentials`).
    pub client_credentials: bool,
    /// The hosts that they may name; empty is any (`provider_url_destination_allowed_hosts`).
    pub destinations: Vec<String>,
    /// Routes that need no key (`public_routes`).
    pub public_routes: Vec<String>,
    /// Callers who come with a JWT, if they are let in (`enable_jwt_auth`, `litellm_jwtauth`).
    pub jwt: Option<JwtAuth>,
    /// The webhook that says who calls (`custom_auth`).
    pub auth_webhook: Option<AuthWebhook>,
    /// Members that every call's body must have, as dotted paths (`enforced_params`).
    pub required: Vec<String>,
    /// The same for calls of service accounts (`service_account_settings`).
    pub required_of_services: Vec<String>,
    /// Client addresses that are let in; empty means all (`allowed_ips`).
    pub allowed_ips: Vec<Network>,
    /// Take the client's address from `x-forwarded-for` (`use_x_forwarded_for`).
    pub use_x_forwarded_for: bool,
    /// Proxies whose `x-forwarded-for` is believed; empty means everybody's (`trusted_proxy_ranges`).
    pub trusted_proxies: Vec<Network>,
    /// Signs checkpoints of the audit log (`audit_signing_key`, `GATEWAY_AUDIT_SIGNING_KEY`).
    pub audit_key: Option<Secret>,
    /// Pass callers' `x-*` and `anthropic-beta` headers to providers (`forward_client_headers_to_llm_api`).
    pub forward_client_headers: bool,
    /// Pass the caller's `OpenAI-Organization` header (`forward_openai_org_id`).
    pub forward_openai_organization: bool,
    /// Refuse requests that bring their own `metadata.tags` (`reject_clientside_metadata_tags`).
    pub reject_client_tags: bool,
    /// Ask providers for usage in every stream (`always_include_stream_usage`).
    pub always_stream_usage: bool,
    /// Put the call id into error bodies (`include_call_id_in_error_body`).
    pub call_id_in_errors: bool,
    /// Book no call at all (`disable_spend_updates`).
    pub disable_spend_updates: bool,
    /// Write no row per call, only sums (`disable_spend_logs`).
    pub disable_spend_logs: bool,
    /// Write no row for calls that fail (`disable_error_logs`).
    pub disable_error_logs: bool,
    /// Budgets begin no new periods (`disable_reset_budget`).
    pub budgets_stay: bool,
    /// Refuse calls whose estimated cost does not fit into what is left of a budget
    /// (`fail_closed_budget_enforcement`).
    pub whole_reservations: bool,
    /// Do not reserve the estimated cost before a call (`disable_budget_reservation`).
    pub disable_budget_reservation: bool,
    /// A user's budget also caps their keys that belong to a team (`apply_user_budget_to_team_keys`).
    pub user_budget_on_team_keys: bool,
    /// Refuse calls with rates while the Redis is away that keeps them together
    /// (`fail_closed_rate_limit_enforcement`).
    pub refuse_without_rates: bool,
    /// What becomes of calls while the database is away (`on_store_outage`).
    pub on_outage: OnOutage,
    /// Let calls through while the database is away (`allow_requests_on_db_unavailable`).
    pub allow_without_database: bool,
    /// Skip fallbacks to models the key may not call (`enforce_fallback_model_access`).
    pub enforce_fallback_access: bool,
    /// How often spend is written to the database (`proxy_batch_write_at`).
    pub spend_flush: Duration,
    /// The longest text that rows of the spend log keep whole, characters, where they keep what was asked and answered
    /// (`store_prompts_in_spend_logs`, `MAX_STRING_LENGTH_PROMPT_IN_DB`).
    pub kept_words: Option<usize>,
    /// How long the old secret of a key works on where a request does not say (`LITELLM_KEY_ROTATION_GRACE_PERIOD`),
    /// milliseconds.
    pub grace_ms: Option<i64>,
    /// Which members the metadata of rows of the spend log have, where the operator says it
    /// (`spend_logs_metadata_fields`).
    pub row_metadata: Option<RowMetadata>,
    /// What becomes of calls that name no session (`missing_session_id`).
    pub missing_session: MissingSession,
    /// How long replies of the Responses API can be asked for (`responses_retention_days`); zero keeps
    /// none.
    pub responses_retention: Duration,
    /// How long rows of the spend log are kept (`maximum_spend_logs_retention_period`); `None` keeps them for ever.
    pub log_retention: Option<LogRetention>,
    /// How long a key looked up is believed (`user_api_key_cache_ttl`).
    pub key_cache_ttl: Duration,
    /// How often models and settings are read from the database again
    /// (`proxy_config_reload_interval_seconds`).
    pub reload_interval: Duration,
    /// Read and save models in the database (`store_model_in_db`).
    pub models_in_database: bool,
    /// From when on a call counts as slow (`alerting_threshold`).
    pub slow_from: Duration,
    /// Probes of deployments.
    pub health: HealthChecks,
    /// Leave out deployments that the last probe found ill (`enable_health_check_routing`).
    pub health_routing: bool,
    /// Tell callers who ask what groups failed with (`expose_fallback_errors_to_caller`).
    pub tells_fallbacks: bool,
    /// Let callers fail groups on purpose (`dangerously_allow_mock_testing_request_params`).
    pub mock_failures: bool,
    /// How many calls are let in at a time, and how the gateway is told to let no more in.
    pub doors: Doors,
}

/// How deployments are probed.
#[derive(Debug, Clone)]
pub struct HealthChecks {
    /// Probe at this interval (`background_health_checks`, `health_check_interval`); without it only when
    /// `/health` is asked.
    pub interval: Option<Duration>,
    /// Probes at the same time (`health_check_concurrency`).
    pub concurrency: usize,
    /// Only these groups; empty is all (`background_health_check_model_groups`).
    pub groups: Vec<String>,
    /// How long a finding counts (`health_check_staleness_threshold`).
    pub staleness: Option<Duration>,
    /// Probes answered by 408 or 429 do not count (`health_check_ignore_transient_errors`).
    pub ignore_transient: bool,
    /// `/health` shows addresses and errors (`health_check_details`).
    pub details: bool,
    /// Deployments that are left out of rounds are left out when `/health` is asked, too
    /// (`health_check_skip_disabled_background_models`).
    pub skip_disabled: bool,
    /// Models whose deployments are all ill are not listed (`model_list_healthy_only`).
    pub lists_healthy: bool,
    /// One of the gateways that share a Redis probes for all (`use_shared_health_check`).
    pub shared: bool,
}

/// How one deployment is probed.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The model to ask instead (`model_info.health_check_model`).
    pub model: Option<String>,
    /// The voice that a speech model is asked for (`model_info.health_check_voice`).
    pub voice: Option<String>,
    /// The longest wait (`model_info.health_check_timeout`); 60 s unless told.
    pub timeout: Duration,
    /// Parameters of the question (`model_info.health_check_params`).
    pub params: Map<String, Value>,
    /// Left out of rounds (`model_info.disable_background_health_check`).
    pub disabled: bool,
}

/// How the bill of a provider is compared with what was booked.
#[derive(Debug, Clone)]
pub struct CaptureRate {
    /// Reads the bill (`OPENAI_ADMIN_KEY`).
    pub admin_key: Option<Secret>,
    /// Where the bill is asked for (`openai_api_base`).
    pub base: String,
    /// A smaller share is said to be small.
    pub threshold: f64,
    /// The last whole days that are compared unless told.
    pub lookback_days: u16,
    /// Projects of the bill; empty is all (`openai_project_ids`).
    pub projects: Vec<String>,
}

/// Where the database is and how it is reached.
#[derive(Debug, Clone)]
pub struct Database {
    /// The DSN: `postgresql://…` or `sqlite://…`.
    pub url: Secret,
    /// Connections in the pool (`database_connection_pool_limit`).
    pub pool: u32,
    /// How long to wait for a connection from the pool (`database_connection_timeout`).
    pub wait: Duration,
    /// How long one statement may take on PostgreSQL (`database_socket_timeout`).
    pub statement: Option<Duration>,
}

/// What becomes of calls while the database is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOutage {
    /// They go on with what is known here; what needs the database is refused.
    #[default]
    Continue,
    /// All are refused.
    Refuse,
}

/// What becomes of calls that name no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingSession {
    /// They are booked without one.
    #[default]
    Omit,
    /// Each is a session of its own.
    Generate,
    /// They are refused.
    Reject,
}

/// What a limit of tokens per minute counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenCount {
    /// Input and output.
    #[default]
    Total,
    /// Input only.
    Input,
    /// Output only.
    Output,
}

/// How media are fetched that callers name by URL and providers cannot fetch.
#[derive(Debug, Clone)]
pub struct MediaFetch {
    /// Where the gateway may connect to; anywhere without (`user_url_validation: false`).
    pub guard: Option<Arc<Guard>>,
    /// The most bytes of one URL (`MAX_IMAGE_URL_DOWNLOAD_SIZE_MB`); with 0 nothing is fetched.
    pub max_bytes: u64,
}

/// Where prices come from, if not of this release.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceMap {
    /// An address or a file (`model_cost_map_url`, `LITELLM_MODEL_COST_MAP_URL`).
    pub source: Option<String>,
    /// The prices of this release hold all the same (`LITELLM_LOCAL_MODEL_COST_MAP`).
    pub local: bool,
    /// A map with fewer models is not taken (`MODEL_COST_MAP_MIN_MODEL_COUNT`).
    pub fewest: usize,
    /// The share of the models in force that a map may lack (`MODEL_COST_MAP_MAX_SHRINK_RATIO`).
    pub largest_loss: f64,
}

/// How calls are treated.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of the operator's file")]
pub struct Calls {
    /// Offer HTTP/2 to providers (`http2`).
    pub http2: bool,
    /// Whose certificates count (`ssl_verify`).
    pub trust: Trust,
    /// Write down changes of the management API (`store_audit_logs`).
    pub audited: bool,
    /// After how long a silence streams get signs of life (`sse_keepalive_ping_interval_seconds`).
    pub keepalive: Option<Duration>,
    /// The same for streams of Messages (`anthropic_sse_ping_interval_seconds`).
    pub message_pings: Option<Duration>,
    /// Drop parameters a provider cannot express instead of refusing (`drop_params`); a model may
    /// say otherwise, and then [`llm_providers::ParamPolicy`] of its target already has the answer.
    pub drop_params: bool,
    /// Groups to whose providers callers' `x-*` headers are passed on
    /// (`model_group_settings.forward_client_headers_to_llm_api`).
    pub header_groups: Vec<String>,
    /// Other names for models, applied before routing (`model_alias_map`).
    pub aliases: Vec<(String, String)>,
    /// Add `cost` to the usage of streams (`include_cost_in_streaming_usage`).
    pub cost_in_stream_usage: bool,
    /// Discounts and margins by provider (`cost_discount_config`, `cost_margin_config`).
    pub adjustments: Adjustments,
    /// Where prices come from.
    pub price_map: PriceMap,
    /// Refuse models that have no price (`block_requests_for_models_without_pricing`).
    pub refuse_unpriced: bool,
    /// Requests cannot keep what they say out of the spend log (`global_disable_no_log_param`).
    pub logs_always: bool,
    /// Request headers whose values become spend tags (`extra_spend_tag_headers`).
    pub tag_headers: Vec<HeaderName>,
    /// Do not turn the caller's `User-Agent` into a spend tag (`disable_add_user_agent_to_request_tags`).
    pub no_user_agent_tag: bool,
    /// `/metrics` wants a key (`require_auth_for_metrics_endpoint`).
    pub metrics_need_key: bool,
    /// Media by URL.
    pub media: MediaFetch,
    /// Say in errors which fallbacks there were (`expose_router_debug_in_errors`).
    pub router_debug_in_errors: bool,
    /// Model groups that the public may see (`public_model_groups`).
    pub public_groups: Vec<String>,
    /// Links shown beside them (`public_model_groups_links`).
    pub public_links: Map<String, Value>,
    /// Shares of models' rates by priority or key (the callbacks `dynamic_rate_limiter` and
    /// `dynamic_rate_limiter_v3`, with or without `priority_reservation`).
    pub priorities: Option<Priorities>,
}

impl Calls {
    /// Whether callers' headers are passed on to the deployments of a group, whatever holds for others.
    #[must_use]
    pub fn passes_headers(&self, group: &str) -> bool {
        self.header_groups.iter().any(|name| name == group)
    }
}

/// Whose certificates count, of providers and a shared Redis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that well-known authorities have signed.
    #[default]
    WellKnown,
    /// Those too that one of the authorities in this file has signed.
    File(PathBuf),
    /// All: none is looked at.
    Anyone,
}

/// Shares of models' rates by priority.
#[derive(Debug, Clone, PartialEq)]
pub struct Priorities {
    /// By the name of the priority (`priority_reservation`); where none is named the keys that call a model share
    /// it equally.
    pub shares: Vec<(String, Share)>,
    /// The part of who has none (`priority_reservation_settings.default_priority`).
    pub default: f64,
    /// How full a model must be for shares to hold (`priority_reservation_settings.saturation_threshold`).
    pub threshold: f64,
}

/// The share of one priority.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// A part of the model's rates; 1 is all.
    Part(f64),
    /// So many of its requests a minute.
    Requests(u64),
    /// So many of its tokens a minute.
    Tokens(u64),
}

/// Budgets, and what keys and users get when they are made.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// What the whole gateway may spend (`max_budget`).
    pub global: Option<Money>,
    /// The period of that budget, such as `30d` (`budget_duration`).
    pub global_period: Option<String>,
    /// The status of a refusal for lack of budget (`budget_exceeded_status_code`).
    pub refusal_status: StatusCode,
    /// The zone in which days and months begin (`timezone`), an IANA name.
    pub timezone: String,
    /// The time of the day at which they begin (`budget_reset_time`).
    pub reset_time: Time,
    /// What an internal user may spend unless told otherwise (`max_internal_user_budget`).
    pub internal_user: Option<Money>,
    /// The period of that budget (`internal_user_budget_duration`).
    pub internal_user_period: Option<String>,
    /// Who may make keys (`key_generation_settings`).
    pub key_rules: KeyRules,
    /// What teams begin with that an identity provider brings (`default_team_params`).
    pub team_defaults: TeamDefaults,
    /// What is spent beyond a budget counts in its next period (`budget_rollover`).
    pub rollover: bool,
    /// The part of a key's rates that is left where its budget is spent (`budget_exceeded_throttle_percentage`).
    pub throttle: Option<f64>,
    /// End users whom the database does not know are left out (`validate_end_user_id_in_db`).
    pub known_end_users_only: bool,
    /// What end users spend is not added up (`disable_end_user_cost_tracking`).
    pub end_users_uncounted: bool,
    /// What a customer may spend for whom nobody has set a budget (`max_end_user_budget`).
    pub end_user_max: Option<Money>,
    /// The shared budget of such customers (`max_end_user_budget_id`); it wins over the amount.
    pub end_user_budget_id: Option<String>,
    /// What may be spent at a provider (`provider_budget_config`).
    pub providers: Vec<(String, Allowance)>,
    /// What may be spent on calls with a tag (`tag_budget_config`).
    pub tags: Vec<(String, Allowance)>,
    /// Merged into `/key/generate` requests (`default_key_generate_params`).
    pub key_defaults: Map<String, Value>,
    /// Ceilings for `/key/generate` requests (`upperbound_key_generate_params`).
    pub key_ceilings: Map<String, Value>,
    /// What new internal users get (`default_internal_user_params`).
    pub internal_user_defaults: Map<String, Value>,
}

/// So much money, for good or again in every period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// How much.
    pub max: Money,
    /// The period, such as `1d`.
    pub period: Option<String>,
}

/// After how long a silence streams of a model get signs of life, so that nobody on their way takes them for dead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// What the model's entry says (`keepalive_seconds`); `Some(None)` for never.
    pub pause: Option<Option<Duration>>,
    /// Callers may say otherwise, but for never (`allow_client_keepalive_override`).
    pub callers_choose: bool,
}

/// One callable entry of `model_list`.
#[derive(Debug, Clone)]
pub struct Model {
    /// For the router: where calls go, limits, `model_info` and parameters without secrets.
    pub deployment: Deployment,
    /// Prices, limits and abilities the operator sets, to lay over what the price book knows
    /// ([`ModelInfo::overlaid`]).
    pub overrides: ModelInfo,
    /// The answer to give instead of asking a provider (`mock_response`).
    pub mock_response: Option<String>,
    /// Where its prompts are marked for the provider's cache (`cache_control_injection_points`).
    pub cache_points: Box<[CachePoint]>,
    /// Whether streams of chats tell thoughts as text between `<think>` and `</think>`
    /// (`merge_reasoning_content_in_choices`).
    pub tells_thoughts: bool,
    /// After how long a silence its streams get signs of life.
    pub keepalive: Keepalive,
    /// How it is probed.
    pub probe: Probe,
    /// What one key may use of this model per minute: requests, tokens
    /// (`default_api_key_rpm_limit`, `default_api_key_tpm_limit`).
    pub per_key_limits: (Option<u64>, Option<u64>),
    /// What may be spent at it (`max_budget`, `budget_duration`).
    pub budget: Option<Allowance>,
    /// The header in which its provider is told the session of a call (`provider_affinity_header`).
    pub session_header: Option<HeaderName>,
    /// What callers may bring along for it (`configurable_clientside_auth_params`).
    pub client_side: ClientSide,
    /// Whether callers who are no administrators find it in lists (`model_info.discoverable`).
    pub listed: bool,
    /// When it is kept for some teams (`access_windows`).
    pub windows: Box<[AccessWindow]>,
    /// Whether the deployment's id was derived from its parameters rather than given.
    pub derived_id: bool,
}

/// A time of the day at which a deployment is kept for some teams; one that ends before it starts goes over
/// midnight.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessWindow {
    /// From this time on.
    pub start: Time,
    /// Up to this time, which is not part of it.
    pub end: Time,
    /// Whose time it is.
    pub zone: TimeZone,
    /// Who may use it then.
    pub teams: Vec<String>,
}

/// An entry of `model_list` that this version cannot call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// The name callers use.
    pub name: String,
    /// Why, for the caller: lower-case, no full stop.
    pub reason: String,
}
