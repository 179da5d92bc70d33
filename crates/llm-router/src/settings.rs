//! The router's settings with LiteLLM's defaults. LiteLLM surface §2.6.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::strategies::StrategyArgs;
use crate::{ErrorClass, Own, Strategy};

/// `router_settings`, resolved. Keys and teams may bring their own through
/// [`crate::Controls::settings`].
#[derive(Debug, Clone, PartialEq)]
pub struct RouterSettings {
    /// How a deployment is picked (`routing_strategy`); default `simple-shuffle`.
    pub strategy: Strategy,
    /// Its options (`routing_strategy_args`).
    pub strategy_args: StrategyArgs,
    /// Strategies of some groups (`routing_groups`), the first that names a group counts.
    pub routing_groups: Vec<RoutingGroup>,
    /// Attempts after the first, on the same group; default 2.
    pub num_retries: u32,
    /// Longest wait for a whole answer; default 6000 s.
    pub timeout: Option<Duration>,
    /// Longest wait for the first byte of a stream; default: `timeout`.
    pub stream_timeout: Option<Duration>,
    /// Least wait between two attempts on the same deployment; default 0.
    pub retry_after: Duration,
    /// Retries by class of error; default none.
    pub retry_policy: Option<Retries>,
    /// The same for one group; wins over `retry_policy`.
    pub group_retry_policy: HashMap<String, Retries>,
    /// Failures before a deployment rests. `None` is LiteLLM's untouched 3: its ratio rules apply
    /// instead (surface §7.5).
    pub allowed_fails: Option<u32>,
    /// The same by class of error.
    pub allowed_fails_policy: Option<AllowedFails>,
    /// How long a deployment rests; default 5 s.
    pub cooldown_time: Duration,
    /// Never rest a deployment; default off.
    pub disable_cooldowns: bool,
    /// Groups to try after a group failed for any other reason (`fallbacks`; `*` stands for all).
    pub fallbacks: FallbackMap,
    /// Groups to try when the prompt is too long.
    pub context_window_fallbacks: FallbackMap,
    /// Groups to try when a content policy refused.
    pub content_policy_fallbacks: FallbackMap,
    /// Groups to try for every group, after the group's own entry and `*`.
    pub default_fallbacks: Vec<FallbackTarget>,
    /// Groups tried beyond the first, nested ones included; default 5.
    pub max_fallbacks: u32,
    /// Other names of groups (`model_group_alias`).
    pub aliases: IndexMap<String, Alias>,
    /// Retry inside a `simple-shuffle` group without the deployments that failed; default off.
    pub weighted_failover: bool,
    /// Most requests at the same time for deployments that set nothing; default none.
    pub default_max_parallel_requests: Option<u32>,
    /// Shares by group and deployment id (`weights`); they win over the deployments' own.
    pub weights: HashMap<String, HashMap<String, f64>>,
    /// Route by tags (`enable_tag_filtering`); default off.
    pub tag_filtering: bool,
    /// One common tag is enough (`tag_filtering_match_any`); default on.
    pub tag_match_any: bool,
    /// Only tags that begin so choose deployments (`tag_routing_prefix`); default all do.
    pub tag_prefix: String,
    /// Leave out deployments that cannot take the request: too long a prompt, the wrong region, no JSON
    /// schema, no requests left this minute (`enable_pre_call_checks`); default off.
    pub pre_call_checks: bool,
    /// Leave out deployments at their `rpm` or `tpm` (`enforce_model_rate_limits` of
    /// `optional_pre_call_checks`); default off.
    pub enforce_limits: bool,
    /// Leave out deployments that the last probe found ill (`enable_health_check_routing`); default off.
    pub health_routing: bool,
    /// Ask a second deployment where a stream is slow to begin (`hedging`); default never.
    pub hedging: Option<Hedging>,
    /// Let another deployment go on with a stream that broke off (`mid_stream_failover`); default off.
    pub mid_stream_failover: bool,
    /// Serve calls that wait for a place by tenants (`tenant_fairness`); default in the order they came.
    pub tenants: Option<crate::Fairness>,
    /// Rest deployments that fail more often or are slower than the others of their group
    /// (`outlier_detection`); default never.
    pub outliers: Option<Outliers>,
    /// What keeps calls at a deployment (`optional_pre_call_checks`); default nothing.
    pub affinity: AffinityKinds,
    /// The same for one group (`model_group_affinity_config`).
    pub group_affinity: HashMap<String, AffinityKinds>,
    /// How long a session or a key stays with its deployment after its last call
    /// (`deployment_affinity_ttl_seconds`); default an hour.
    pub affinity_ttl: Duration,
    /// The priority of calls that name none, where calls wait (`default_priority`); default: they come
    /// after all that name one.
    pub default_priority: Option<i64>,
    /// Explain fallbacks in error messages (`expose_router_debug_in_errors`); default on.
    pub explain_errors: bool,
    /// Numbers of retries and rests that LiteLLM takes from the environment.
    pub tuning: Tuning,
    /// A strategy and rules that the program brings along; default none.
    pub own: Own,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            strategy_args: StrategyArgs::default(),
            routing_groups: Vec::new(),
            num_retries: 2,
            timeout: Some(Duration::from_secs(6000)),
            stream_timeout: None,
            retry_after: Duration::ZERO,
            retry_policy: None,
            group_retry_policy: HashMap::new(),
            allowed_fails: None,
            allowed_fails_policy: None,
            cooldown_time: Duration::from_secs(5),
            disable_cooldowns: false,
            fallbacks: FallbackMap::default(),
            context_window_fallbacks: FallbackMap::default(),
            content_policy_fallbacks: FallbackMap::default(),
            default_fallbacks: Vec::new(),
            max_fallbacks: 5,
            aliases: IndexMap::new(),
            weighted_failover: false,
            default_max_parallel_requests: None,
            weights: HashMap::new(),
            tag_filtering: false,
            tag_match_any: true,
            tag_prefix: String::new(),
            pre_call_checks: false,
            enforce_limits: false,
            health_routing: false,
            hedging: None,
            mid_stream_failover: false,
            tenants: None,
            outliers: None,
            affinity: AffinityKinds::default(),
            group_affinity: HashMap::new(),
            affinity_ttl: Duration::from_secs(3600),
            default_priority: None,
            explain_errors: true,
            tuning: Tuning::default(),
            own: Own::default(),
        }
    }
}

/// Numbers of retries and rests that LiteLLM takes from the environment. LiteLLM surface §7.3, §7.5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// The wait before the first retry on the same deployment, which doubles with every retry (`INITIAL_RETRY_DELAY`).
    pub first_wait: Duration,
    /// The longest wait before jitter (`MAX_RETRY_DELAY`).
    pub longest_wait: Duration,
    /// The most that chance adds to a wait, seconds (`JITTER`).
    pub jitter: f64,
    /// Failures in a minute, as a share of a deployment's calls, beyond which it rests
    /// (`DEFAULT_FAILURE_THRESHOLD_PERCENT`).
    pub failure_share: f64,
    /// Calls in a minute before the share means anything (`DEFAULT_FAILURE_THRESHOLD_MINIMUM_REQUESTS`).
    pub minimum_calls: u32,
    /// Calls in a minute that all failed before a lone deployment rests
    /// (`SINGLE_DEPLOYMENT_TRAFFIC_FAILURE_THRESHOLD`).
    pub lone_calls: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(8),
            jitter: 0.75,
            failure_share: 0.5,
            minimum_calls: 5,
            lone_calls: 1000,
        }
    }
}

/// Second tries beside streams that are slow to begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hedging {
    /// How slow: beyond this percentile of the deployment's latest times to the first byte, 0 to 100.
    pub percentile: f64,
    /// Second tries at most, as a share of all calls.
    pub budget: f64,
}

impl Default for Hedging {
    fn default() -> Self {
        Self { percentile: 95.0, budget: 0.05 }
    }
}

/// When a deployment is put out of its group for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outliers {
    /// How often a group is looked at, seconds.
    pub interval: f64,
    /// Calls of a deployment in the minute at hand before it is judged, and before it is a measure for
    /// others.
    pub min_requests: f64,
    /// The largest share of a group that is out at a time, 0 to 1. One may always be out where there are two.
    pub max_ejected: f64,
    /// How long the first time takes, seconds; the n-th in a row takes n times as long.
    pub ejection_time: f64,
    /// The longest time, seconds.
    pub max_ejection_time: f64,
    /// Failures that are never too many, as a share of a deployment's calls, 0 to 1.
    pub error_rate: f64,
    /// How many times the others' median share of failures is too many.
    pub error_factor: f64,
    /// How many times the others' median latency is too slow; 0 leaves latency alone.
    pub latency_factor: f64,
}

impl Default for Outliers {
    fn default() -> Self {
        Self {
            interval: 10.0,
            min_requests: 10.0,
            max_ejected: 0.3,
            ejection_time: 30.0,
            max_ejection_time: 300.0,
            error_rate: 0.2,
            error_factor: 3.0,
            latency_factor: 4.0,
        }
    }
}

/// What keeps a caller's calls at one deployment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AffinityKinds {
    /// The prompt's beginning, which is warm there (`prompt_caching`).
    pub prompt: bool,
    /// The session the request names (`session_affinity`).
    pub session: bool,
    /// The caller's key (`deployment_affinity`).
    pub caller: bool,
    /// The conversation, where its reasoning is encrypted for whoever wrote it (`encrypted_content_affinity`).
    pub sealed: bool,
}

/// A strategy for some groups. LiteLLM surface §2.6, §7.7.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingGroup {
    /// A name that stands for all its groups together, where no group has it.
    pub name: String,
    /// The groups.
    pub models: Vec<String>,
    /// How a deployment of them is picked.
    pub strategy: Strategy,
    /// The options of the strategy.
    pub args: StrategyArgs,
    /// Which of its groups are tried first when it is called by its own name: lower numbers before
    /// higher ones (`priority` with `model_priorities`).
    pub priorities: HashMap<String, i64>,
}

impl RouterSettings {
    /// What keeps calls of a group at a deployment.
    #[must_use]
    pub fn affinity_of(&self, group: &str) -> AffinityKinds {
        self.group_affinity.get(group).copied().unwrap_or(self.affinity)
    }

    /// The strategy of a group and its options.
    #[must_use]
    pub fn strategy_of(&self, group: &str) -> (Strategy, &StrategyArgs) {
        let names = |one: &&RoutingGroup| one.name == group || one.models.iter().any(|model| model == group);
        match self.routing_groups.iter().find(names) {
            Some(own) => (own.strategy, &own.args),
            None => (self.strategy, &self.strategy_args),
        }
    }
}

/// Another name of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The group it stands for.
    pub model: String,
    /// Callable, but not listed.
    pub hidden: bool,
}

/// Groups to try, by the group that failed, in the order they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FallbackMap(Vec<(Arc<str>, Arc<[FallbackTarget]>)>);

impl FallbackMap {
    /// Adds an entry; the first one of a group is used, as in LiteLLM.
    pub fn add(&mut self, group: impl Into<Arc<str>>, targets: impl IntoIterator<Item = FallbackTarget>) {
        self.0.push((group.into(), targets.into_iter().collect()));
    }

    /// Puts one entry in the place of a group's; none at all where there are no targets.
    pub fn set(&mut self, group: &str, targets: impl IntoIterator<Item = FallbackTarget>) {
        let targets: Arc<[FallbackTarget]> = targets.into_iter().collect();
        let place = self.0.iter().position(|(name, _)| &**name == group).unwrap_or(self.0.len());
        self.0.retain(|(name, _)| &**name != group);
        if !targets.is_empty() {
            self.0.insert(place.min(self.0.len()), (group.into(), targets));
        }
    }

    /// The entry of a group.
    #[must_use]
    pub fn of(&self, group: &str) -> Option<&[FallbackTarget]> {
        self.0.iter().find(|(name, _)| &**name == group).map(|(_, targets)| &**targets)
    }

    /// Whether there is no entry at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[FallbackTarget])> {
        self.0.iter().map(|(name, targets)| (&**name, &**targets))
    }
}

/// One group to fall back to.
#[derive(Debug, Clone, PartialEq)]
pub struct FallbackTarget {
    /// The group's name.
    pub model: Arc<str>,
    /// Request parameters to set for it (a fallback written as a mapping).
    pub params: Option<Arc<Map<String, Value>>>,
}

impl From<&str> for FallbackTarget {
    fn from(model: &str) -> Self {
        Self { model: model.into(), params: None }
    }
}

/// `retry_policy`: how often to retry, by class of error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retries(ByClass);

/// `allowed_fails_policy`: failures allowed before a deployment rests, by class of error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllowedFails(ByClass);

impl Retries {
    /// Sets a count by LiteLLM's key, such as `RateLimitErrorRetries` or `DefaultRetries`; says
    /// whether the key is known.
    #[must_use]
    pub fn set(&mut self, key: &str, retries: u32) -> bool {
        key.strip_suffix("Retries").is_some_and(|class| self.0.set(class, retries))
    }

    /// The retries for an error of this class; `None` when the policy is silent about it.
    #[must_use]
    pub fn of(&self, class: ErrorClass) -> Option<u32> {
        self.0.of(class).or(self.0.default)
    }
}

impl AllowedFails {
    /// Sets a count by LiteLLM's key, such as `TimeoutErrorAllowedFails`; says whether the key is
    /// known.
    #[must_use]
    pub fn set(&mut self, key: &str, fails: u32) -> bool {
        key.strip_suffix("AllowedFails").is_some_and(|class| class != "Default" && self.0.set(class, fails))
    }

    /// The failures allowed for this class; `None` when the policy is silent about it.
    #[must_use]
    pub fn of(&self, class: ErrorClass) -> Option<u32> {
        self.0.of(class)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ByClass {
    bad_request: Option<u32>,
    authentication: Option<u32>,
    timeout: Option<u32>,
    rate_limit: Option<u32>,
    content_policy: Option<u32>,
    internal_server: Option<u32>,
    bad_gateway: Option<u32>,
    service_unavailable: Option<u32>,
    not_found: Option<u32>,
    default: Option<u32>,
}

impl ByClass {
    fn set(&mut self, name: &str, count: u32) -> bool {
        let slot = match name {
            "BadRequestError" => &mut self.bad_request,
            "AuthenticationError" => &mut self.authentication,
            "TimeoutError" => &mut self.timeout,
            "RateLimitError" => &mut self.rate_limit,
            "ContentPolicyViolationError" => &mut self.content_policy,
            "InternalServerError" => &mut self.internal_server,
            "BadGatewayError" => &mut self.bad_gateway,
            "ServiceUnavailableError" => &mut self.service_unavailable,
            "NotFoundError" => &mut self.not_found,
            "Default" => &mut self.default,
            _ => return false,
        };
        *slot = Some(count);
        true
    }

    const fn of(&self, class: ErrorClass) -> Option<u32> {
        match class {
            ErrorClass::BadRequest | ErrorClass::ContextWindow => self.bad_request,
            // A subclass of BadRequestError in LiteLLM: its own entry is asked first.
            ErrorClass::ContentPolicy => match self.content_policy {
                Some(count) => Some(count),
                None => self.bad_request,
            },
            ErrorClass::Authentication => self.authentication,
            ErrorClass::Timeout => self.timeout,
            ErrorClass::RateLimit => self.rate_limit,
            ErrorClass::InternalServer => self.internal_server,
            ErrorClass::BadGateway => self.bad_gateway,
            ErrorClass::ServiceUnavailable => self.service_unavailable,
            ErrorClass::NotFound => self.not_found,
            ErrorClass::PaymentRequired
            | ErrorClass::Conflict
            | ErrorClass::PermissionDenied
            | ErrorClass::Other
            | ErrorClass::Ours => None,
        }
    }
}

#[cfg(test)]
mod tests;
