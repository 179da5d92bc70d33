//! What a caller asks of the router and what it gets back.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use llm_types::{DeploymentId, Error};
use serde_json::{Map, Value};

use crate::auto::Choice;
use crate::{
    Ask, Bond, Cause, Consult, Deployment, FallbackMap, FallbackTarget, RouterSettings, Tenant, Ticket,
};

/// Names the group that serves in place of an auto router.
pub type StandIn<'r> = &'r (dyn Fn(&Arc<Deployment>) -> Option<&'r Choice> + Sync);

/// One call to route. `'r` is the life of the snapshot and of the request.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The name the caller wrote, after key and team aliases.
    pub model: &'r str,
    /// Whether the answer is streamed: `stream_timeout` applies.
    pub stream: bool,
    /// The caller's team, for the deployments it owns.
    pub team: Option<&'r str>,
    /// What the caller asked of the router.
    pub controls: &'r Controls,
    /// Which groups the caller may fall back to; `None` allows all.
    pub may_use: Option<&'r (dyn Fn(&str) -> bool + Sync)>,
    /// Which deployments may not be asked now, for lack of money; `None` rules out none.
    pub broke: Option<&'r (dyn Fn(&Deployment) -> bool + Sync)>,
    /// Which deployments can serve it at all; `None` is all of them.
    pub fits: Option<&'r (dyn Fn(&Deployment) -> bool + Sync)>,
    /// Names the group that serves where a fallback leads to one that stands for others; without it such
    /// fallbacks lead nowhere.
    pub stand_in: Option<StandIn<'r>>,
    /// Asks who should serve, for groups whose strategy is `custom`; `None` asks nobody.
    pub consult: Option<Consult<'r>>,
    /// By what it is known again, the strongest first: it goes where it has been.
    pub bonds: &'r [Bond],
    /// What choices may want to know of it; `stream` is taken from above.
    pub ask: Ask<'r>,
}

impl<'r> Request<'r> {
    /// A call without wishes.
    #[must_use]
    pub const fn new(model: &'r str, controls: &'r Controls) -> Self {
        let ask = Ask {
            stream: false,
            tokens: None,
            at_most: 0,
            output: None,
            structured: false,
            web_search: false,
            tier: None,
            reserved: None,
            user_agent: None,
            region: None,
            lar1: None,
            advice: None,
        };
        Self {
            model,
            stream: false,
            team: None,
            controls,
            may_use: None,
            broke: None,
            fits: None,
            stand_in: None,
            consult: None,
            bonds: &[],
            ask,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("model", &self.model)
            .field("stream", &self.stream)
            .field("team", &self.team)
            .field("controls", &self.controls)
            .finish_non_exhaustive()
    }
}

/// What headers and body fields ask of the router. LiteLLM surface §6.2, §6.3.
#[derive(Debug, Clone, Default)]
pub struct Controls {
    /// Retries (`num_retries`, `max_retries`, `x-litellm-num-retries`).
    pub num_retries: Option<u32>,
    /// Longest wait for a whole answer (`timeout`, `request_timeout`, `x-litellm-timeout`). One that
    /// passes never rests a deployment.
    pub timeout: Option<Duration>,
    /// Longest wait for the first byte of a stream.
    pub stream_timeout: Option<Duration>,
    /// Groups to try instead of the configured `fallbacks`.
    pub fallbacks: Option<Fallbacks>,
    /// Groups to try instead of the configured `context_window_fallbacks`.
    pub context_window_fallbacks: Option<Fallbacks>,
    /// Groups to try instead of the configured `content_policy_fallbacks`.
    pub content_policy_fallbacks: Option<Fallbacks>,
    /// Never leave the group (`disable_fallbacks`).
    pub disable_fallbacks: bool,
    /// The request names something that only exists in its own group (a file, an earlier response).
    pub stay_in_group: bool,
    /// The one deployment that can serve: it keeps what the request goes on from.
    pub pinned: Option<DeploymentId>,
    /// The caller brought its own key or address: failures say nothing of the deployment.
    pub own_credentials: bool,
    /// The tags of the request, for tag routing.
    pub tags: Vec<String>,
    /// Tags choose for this request, also where the operator leaves that open (`enable_tag_filtering`).
    pub tag_filtering: bool,
    /// The one region that may serve it (`allowed_model_region`).
    pub region: Option<String>,
    /// How urgent it is: lower numbers are served first where calls wait (`priority`).
    pub priority: Option<i64>,
    /// Whose call it is, where calls that wait are served by tenants (`tenant_fairness`).
    pub tenant: Option<Tenant>,
    /// The settings of the key or team, resolved over the router's.
    pub settings: Option<Arc<RouterSettings>>,
    /// Request parameters to set in the first group (an auto router's tier has some).
    pub params: Option<Arc<Map<String, Value>>>,
    /// The name that was asked for, where an auto router put another in its place: fallbacks of either count.
    pub requested: Option<String>,
    /// Fail the first group on purpose (`mock_testing_fallbacks` and its kin).
    pub mock_failure: Option<MockFailure>,
    /// Makes the choices repeatable; `None` is random.
    pub seed: Option<u64>,
}

/// Groups a caller wants to fall back to.
#[derive(Debug, Clone, PartialEq)]
pub enum Fallbacks {
    /// Names or mappings, for whatever group failed.
    List(Vec<FallbackTarget>),
    /// By the group that failed, as in the configuration.
    Map(FallbackMap),
}

/// Which failure to pretend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockFailure {
    /// `mock_testing_fallbacks`.
    Any,
    /// `mock_testing_context_fallbacks`.
    ContextWindow,
    /// `mock_testing_content_policy_fallbacks`.
    ContentPolicy,
    /// `mock_testing_rate_limit_error`.
    RateLimit,
}

/// One try: what the attempt function gets.
#[derive(Debug, Clone)]
pub struct Attempt<'r> {
    /// Where to send it.
    pub deployment: &'r Arc<Deployment>,
    /// The model in the provider's words, wildcards filled in.
    pub model: Cow<'r, str>,
    /// The group this try is for: the requested name, or a fallback's.
    pub group: &'r str,
    /// 1 for the first try of the call, counted through retries and fallbacks.
    pub number: u32,
    /// Groups tried before this one.
    pub fallbacks: u32,
    /// Longest wait for a whole answer.
    pub timeout: Option<Duration>,
    /// Longest wait for the first byte; set for streams only.
    pub first_byte: Option<Duration>,
    /// Request parameters the fallback sets.
    pub params: Option<&'r Arc<Map<String, Value>>>,
}

/// A call that succeeded.
#[derive(Debug)]
pub struct Done<'r, T> {
    /// What the attempt returned.
    pub value: T,
    /// Who answered.
    pub deployment: &'r Arc<Deployment>,
    /// The model that was asked for, in the provider's words.
    pub model: Cow<'r, str>,
    /// The group that answered (`x-litellm-model-group`).
    pub group: &'r str,
    /// Keep it until the reply is over: it holds the deployment's place and can report a failure
    /// that comes late.
    pub ticket: Ticket,
    /// How it went.
    pub report: Report,
}

/// A call that failed for good.
#[derive(Debug)]
pub struct Failed<'r> {
    /// The error to show: that of the group that was asked for.
    pub error: Error,
    /// What LiteLLM adds to the message about fallbacks; [`Failed::message`] has both.
    pub postscript: Option<String>,
    /// The last deployment tried.
    pub deployment: Option<&'r Arc<Deployment>>,
    /// How it went.
    pub report: Report,
}

/// The numbers of a call. Costs nothing while all goes well.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Tries in all.
    pub attempts: u32,
    /// Tries beyond the first in the group that answered last (`x-litellm-attempted-retries`).
    pub retries: u32,
    /// Retries that group was allowed (`x-litellm-max-retries`).
    pub max_retries: u32,
    /// Groups and levels tried beyond the first (`x-litellm-attempted-fallbacks`).
    pub fallbacks: u32,
    /// Second tries made beside slow ones.
    pub hedges: u32,
    /// What each group failed with, in order (`x-litellm-fallback-errors`).
    pub errors: Vec<GroupError>,
    /// The deployments this call sent to rest (`litellm_deployment_cooled_down`).
    pub rests: Vec<Rest>,
}

/// A deployment that was sent to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Which one.
    pub deployment: DeploymentId,
    /// For how long.
    pub time: Duration,
    /// Why.
    pub cause: Cause,
    /// The status of the failure that led to it, where one did.
    pub status: Option<u16>,
}

/// What a group failed with.
#[derive(Debug, Clone)]
pub struct GroupError {
    /// The group.
    pub group: String,
    /// Its last error.
    pub error: Error,
}

impl Failed<'_> {
    /// The error's message and the postscript.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        match &self.postscript {
            None => Cow::Borrowed(self.error.message()),
            Some(postscript) => {
                Cow::Owned(format!("{}. {postscript}", self.error.message().trim_end_matches('.')))
            }
        }
    }
}
