//! One deployment: a provider, a model, a key and the limits the operator set for them.

use std::sync::Arc;
use std::time::Duration;

use llm_providers::Target;
use llm_types::DeploymentId;
use serde_json::{Map, Value};

use crate::AllowedFails;
use crate::auto::AutoRouter;

/// One entry of `model_list`, resolved. LiteLLM surface §2.3.
///
/// Built with [`Deployment::new`] and then by setting fields; nothing in here is secret but
/// `target.key`, which hides itself.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `model_info.id`, or derived from the parameters; counters follow it across reloads.
    pub id: DeploymentId,
    /// The public name as written (`model_name`), wildcards included.
    pub group: Arc<str>,
    /// `litellm_params.model` as written, provider prefix and wildcards included.
    pub model: Arc<str>,
    /// Where requests go. With a wildcard, `target.model` is only a pattern: use
    /// [`crate::Attempt::model`].
    pub target: Arc<Target>,
    /// Share of the traffic in `simple-shuffle`; a missing weight counts as 0 when others have one.
    pub weight: Option<f64>,
    /// Requests per minute: a share in `simple-shuffle`, a limit in usage-based strategies.
    pub rpm: Option<u64>,
    /// Tokens per minute: a share in `simple-shuffle`, a limit in usage-based strategies.
    pub tpm: Option<u64>,
    /// Input tokens per minute, those read from a cache not counted: a limit where limits are enforced.
    pub itpm: Option<u64>,
    /// Output tokens per minute: the same.
    pub otpm: Option<u64>,
    /// Most requests at the same time.
    pub max_parallel_requests: Option<u32>,
    /// Level: lower ones are tried first, higher ones are automatic fallbacks.
    pub order: Option<i64>,
    /// Longest wait for a whole answer.
    pub timeout: Option<Duration>,
    /// Longest wait for the first byte of a stream.
    pub stream_timeout: Option<Duration>,
    /// The same two for requests that ask for one service tier (`timeout_by_service_tier`,
    /// `stream_timeout_by_service_tier`).
    pub tier_timeouts: [Box<[(String, Duration)]>; 2],
    /// Retries after this deployment failed first; wins over the router's.
    pub num_retries: Option<u32>,
    /// How long it rests after failing; zero never rests it.
    pub cooldown_time: Option<Duration>,
    /// Failures allowed before it rests (`model_info.allowed_fails`).
    pub allowed_fails: Option<u32>,
    /// The same by class of error (`model_info.allowed_fails_policy`).
    pub allowed_fails_policy: Option<AllowedFails>,
    /// Tags for tag routing.
    pub tags: Vec<String>,
    /// Patterns of `Tag: text` such as `User-Agent: claude-.*` that count as a tag when the caller's
    /// fits (`tag_regex`).
    pub tag_patterns: Vec<crate::TagPattern>,
    /// Its group is routed by tags, whatever the router says (`model_info.enable_tag_filtering`).
    pub tag_filtering: bool,
    /// Where it is, for callers that may only be served in one region (`region_name`).
    pub region: Option<String>,
    /// The longest prompt it takes, in tokens.
    pub max_input_tokens: Option<u64>,
    /// The longest answer it gives, in tokens.
    pub max_output_tokens: Option<u64>,
    /// The shortest beginning of a prompt that its provider caches, in tokens; `None` when not known.
    pub cached_from: Option<u64>,
    /// Whether it searches the web; `None` when not known (`model_info.supports_web_search`).
    pub web_search: Option<bool>,
    /// Whether it takes pictures; `None` when not known.
    pub vision: Option<bool>,
    /// Whether it can answer by a JSON schema; `None` when not known.
    pub structured: Option<bool>,
    /// USD per token of the prompt and of the answer.
    pub token_price: (Option<f64>, Option<f64>),
    /// USD per token of a prompt that is read from the provider's cache and that is written to it.
    pub cache_price: (Option<f64>, Option<f64>),
    /// What kind of model it is, for the strategy `lar1` (`model_info.type`).
    pub kind: Option<String>,
    /// The name prices and context windows are looked up by.
    pub base_model: Option<String>,
    /// What it does (`chat`, `embedding`, …): `model_info.mode`.
    pub mode: Option<String>,
    /// Names usable in the `models` of keys and teams.
    pub access_groups: Vec<String>,
    /// The team that owns it; other teams cannot call it.
    pub team_id: Option<String>,
    /// The name the owning team calls it by.
    pub team_public_model_name: Option<String>,
    /// Paused by the operator.
    pub blocked: bool,
    /// It names other groups by what a caller says, and is never called itself.
    pub auto: Option<Arc<AutoRouter>>,
    /// `model_info` as written, price overrides included.
    pub model_info: Arc<Map<String, Value>>,
    /// `litellm_params` without secrets.
    pub params: Arc<Map<String, Value>>,
}

impl Deployment {
    /// A deployment without limits. `model` is `litellm_params.model` as written.
    pub fn new(
        id: impl Into<DeploymentId>,
        group: impl Into<Arc<str>>,
        model: impl Into<Arc<str>>,
        target: impl Into<Arc<Target>>,
    ) -> Self {
        Self {
            id: id.into(),
            group: group.into(),
            model: model.into(),
            target: target.into(),
            weight: None,
            rpm: None,
            tpm: None,
            itpm: None,
            otpm: None,
            max_parallel_requests: None,
            order: None,
            timeout: None,
            stream_timeout: None,
            tier_timeouts: Default::default(),
            num_retries: None,
            cooldown_time: None,
            allowed_fails: None,
            allowed_fails_policy: None,
            tags: Vec::new(),
            tag_patterns: Vec::new(),
            tag_filtering: false,
            region: None,
            max_input_tokens: None,
            max_output_tokens: None,
            cached_from: None,
            web_search: None,
            vision: None,
            structured: None,
            token_price: (None, None),
            cache_price: (None, None),
            kind: None,
            base_model: None,
            mode: None,
            access_groups: Vec::new(),
            team_id: None,
            team_public_model_name: None,
            blocked: false,
            auto: None,
            model_info: Arc::default(),
            params: Arc::default(),
        }
    }

    /// Whether the public name has a `*`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.group.contains('*')
    }

    /// The level; deployments that name none come after all that do.
    #[must_use]
    pub fn level(&self) -> i64 {
        self.order.unwrap_or(i64::MAX)
    }

    /// The longest wait for an answer, or for a stream's first byte, of a service tier.
    #[must_use]
    pub fn tier_timeout(&self, tier: &str, stream: bool) -> Option<Duration> {
        let times = &self.tier_timeouts[usize::from(stream)];
        times.iter().find(|(name, _)| name == tier).map(|(_, time)| *time)
    }

    /// Most requests at the same time: set, else the requests per minute, else one for every 6000
    /// tokens per minute, else the router's default. LiteLLM surface §7.7.
    #[must_use]
    pub fn parallel_limit(&self, default: Option<u32>) -> Option<u32> {
        let from_rpm = || self.rpm.map(|rpm| u32::try_from(rpm).unwrap_or(u32::MAX));
        let from_tpm = || self.tpm.map(|tpm| u32::try_from(tpm / 6000).unwrap_or(u32::MAX).max(1));
        self.max_parallel_requests.or_else(from_rpm).or_else(from_tpm).or(default)
    }
}
