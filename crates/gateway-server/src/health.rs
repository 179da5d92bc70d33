//! Probes of deployments: one short question each, now and then or when `/health` is asked.
//!
//! What was found is shown by `/health`, and routing goes by it where the operator wants that
//! (`enable_health_check_routing`). LiteLLM surface §7.7.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use futures_util::StreamExt as _;
use futures_util::stream;
use gateway_db::JsonMap;
use http::StatusCode;
use llm_providers::transport::HyperTransport;
use llm_router::health::probe_failed;
use llm_types::{DeploymentId, Error, ErrorKind, Origin, Result};
use serde_json::{Value, json};

use crate::clock::now_ms;
use crate::config::{HealthChecks, Model, Redis};
use crate::share::rounds;
use crate::state::{Shared, Snapshot};
use crate::stored::TRIED;

mod probe;

/// How often a configuration without probes is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Letters of an error that are shown.
const SHOWN: usize = 500;

/// What the last probe of a deployment found.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// When, in Unix milliseconds.
    pub(crate) at_ms: i64,
    /// What is wrong; `None` when it answered.
    pub(crate) error: Option<String>,
    /// The status it answered with, or that its error stands for, where something is wrong.
    pub(crate) status: Option<u16>,
}

/// What the last probes found, by deployment.
pub(crate) type Findings = DashMap<DeploymentId, Finding>;

/// Probes in rounds for as long as the gateway runs, under the configuration in force.
pub(crate) async fn run(shared: Arc<Shared>, transport: HyperTransport) {
    loop {
        let snapshot = shared.snapshot();
        let checks = &snapshot.config.general.health;
        let Some(interval) = checks.interval else {
            tokio::time::sleep(LOOK_AGAIN).await;
            continue;
        };
        let wanted = |model: &&Model| {
            let group = &*model.deployment.group;
            let named = checks.groups.is_empty() || checks.groups.iter().any(|name| name == group);
            named && !model.probe.disabled
        };
        let models = snapshot.config.models.iter().filter(wanted);
        let pause = match snapshot.config.redis.as_ref().filter(|_| checks.shared) {
            None => {
                probe_all(&shared, &transport, &snapshot, models).await;
                interval
            }
            Some(redis) => share_round(&shared, &transport, &snapshot, redis, models.collect()).await,
        };
        tokio::time::sleep(pause).await;
    }
}

/// One round of several gateways: probes where it is this one's turn, else hears what another found; says when to look
/// again. While Redis is away each gateway probes by itself.
async fn share_round(
    shared: &Shared,
    transport: &HyperTransport,
    snapshot: &Snapshot,
    redis: &Redis,
    models: Vec<&Model>,
) -> Duration {
    let checks = &snapshot.config.general.health;
    let interval = checks.interval.unwrap_or(LOOK_AGAIN);
    let ours = rounds::is_ours(shared, redis, interval).await;
    let told = match ours {
        Ok(false) => hear_round(shared, snapshot, redis, &models).await,
        Ok(true) => {
            probe_all(shared, transport, snapshot, models.iter().copied()).await;
            let found = models.iter().filter_map(|model| {
                let id = &model.deployment.id;
                Some((id.clone(), shared.findings.get(id)?.clone()))
            });
            let found: Vec<(DeploymentId, Finding)> = found.collect();
            rounds::tell(shared, redis, &found, checks.believed()).await.map(|()| interval)
        }
        Err(error) => {
            probe_all(shared, transport, snapshot, models.iter().copied()).await;
            Err(error)
        }
    };
    told.unwrap_or_else(|error| {
        tracing::warn!(%error, "health checks could not be shared: this gateway probes by itself");
        interval
    })
}

/// Takes over what another gateway found since this one heard last.
async fn hear_round(
    shared: &Shared,
    snapshot: &Snapshot,
    redis: &Redis,
    models: &[&Model],
) -> Result<Duration> {
    for (id, finding) in rounds::heard(shared, redis).await? {
        let known = shared.findings.get(&id).map(|known| known.at_ms);
        let model = models.iter().find(|model| model.deployment.id == id);
        if let Some(model) = model.filter(|_| known.is_none_or(|known| known < finding.at_ms)) {
            let status = finding.status.and_then(|status| StatusCode::from_u16(status).ok());
            let error = finding.error.as_deref().map(|words| {
                let error = Error::new(kind_of(finding.status), words).with_origin(Origin::Upstream);
                status.map_or(error.clone(), |status| error.with_status(status))
            });
            judge(shared, snapshot, model, error.as_ref());
            shared.findings.insert(id, finding);
        }
    }
    Ok(snapshot.config.general.health.interval.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN))
}

/// The kind of error that another gateway met, by its status.
fn kind_of(status: Option<u16>) -> ErrorKind {
    match status {
        Some(401) => ErrorKind::Unauthenticated,
        Some(403) => ErrorKind::Forbidden,
        Some(404) => ErrorKind::NotFound,
        Some(408 | 504) => ErrorKind::Timeout,
        Some(429) => ErrorKind::RateLimited,
        Some(400..=499) => ErrorKind::BadRequest,
        _ => ErrorKind::BadUpstream,
    }
}

/// Probes deployments, a few at a time, and notes what is found.
pub(crate) async fn probe_all<'m>(
    shared: &Shared,
    transport: &HyperTransport,
    snapshot: &Snapshot,
    models: impl Iterator<Item = &'m Model>,
) {
    let most = snapshot.config.general.health.concurrency;
    let probes = models.filter(|model| probe::can_be_asked(snapshot, model)).map(|model| async move {
        let found = probe::ask(shared, transport, snapshot, model, None).await;
        note(shared, snapshot, model, found.err().as_ref());
    });
    // Boxed, or the future could not be told to be `Send` for every life of a model.
    let mut probes = stream::iter(probes.collect::<Vec<_>>()).buffer_unordered(most);
    while probes.next().await.is_some() {}
}

/// Notes what a probe of this gateway's found.
fn note(shared: &Shared, snapshot: &Snapshot, model: &Model, error: Option<&Error>) {
    judge(shared, snapshot, model, error);
    let shown = |error: &Error| error.message().chars().take(SHOWN).collect();
    let finding =
        Finding { at_ms: now_ms(), error: error.map(shown), status: error.map(llm_router::error_status) };
    shared.findings.insert(model.deployment.id.clone(), finding);
}

/// Puts a deployment out or back in, by what a probe found.
fn judge(shared: &Shared, snapshot: &Snapshot, model: &Model, error: Option<&Error>) {
    let checks = &snapshot.config.general.health;
    let id = &model.deployment.id;
    let state = shared.counters.of(id);
    let transient = |error: &Error| matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Timeout);
    match error {
        None => state.probed_well(),
        Some(error) if checks.ignore_transient && transient(error) => {}
        Some(error) => {
            tracing::warn!(deployment = id.as_str(), %error, "a health check failed");
            if !counts_as_call(snapshot, model, error) {
                state.probed_ill(snapshot.router.now(), checks.believed());
            }
        }
    }
}

/// Counts a failed probe as a failed call, where probes decide who serves and a policy says how many may fail.
fn counts_as_call(snapshot: &Snapshot, model: &Model, error: &Error) -> bool {
    let (routes, own) = (snapshot.routes(), &model.deployment);
    if !routes.settings().health_routing {
        return false;
    }
    let Some(route) = routes.resolve(&own.group, own.team_id.as_deref()) else { return false };
    let candidates = &route.group.candidates;
    let found = candidates.iter().find(|one| one.deployment.id == own.id);
    let now = snapshot.router.now();
    found.is_some_and(|one| probe_failed(one, candidates.len() == 1, routes.settings(), error, now))
}

/// A deployment that is tried.
pub(crate) enum Trial {
    /// One there is, asked as a model of a mode where one is named.
    Configured(DeploymentId, Option<String>),
    /// One that might be: `litellm_params` and `model_info`.
    New(JsonMap, JsonMap),
}

/// Asks a deployment what a health check would ask it, and notes nothing.
///
/// # Errors
/// [`ErrorKind::BadRequest`] when it could not be served, in words; the provider's.
pub(crate) async fn try_out(shared: &Shared, transport: &HyperTransport, trial: Trial) -> Result<()> {
    let (params, info) = match trial {
        Trial::Configured(id, mode) => {
            let snapshot = shared.snapshot();
            let model = snapshot.config.models.iter().find(|model| model.deployment.id == id);
            let gone = || Error::new(ErrorKind::NotFound, format!("there is no deployment `{id}` any more"));
            let model = model.ok_or_else(gone)?;
            return probe::ask(shared, transport, &snapshot, model, mode.as_deref()).await;
        }
        Trial::New(params, info) => (params, info),
    };
    let (mut config, problems) = shared.stored.tried(shared, params, info);
    if !problems.is_empty() {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Err(Error::bad_param("litellm_params", words.join("; ")));
    }
    config.models.retain(|model| model.deployment.id.as_str() == TRIED);
    let snapshot = shared.trial(config);
    match snapshot.config.models.first() {
        Some(model) => probe::ask(shared, transport, &snapshot, model, None).await,
        None => {
            let message = "the deployment is not for this environment, or not served by this gateway";
            Err(Error::bad_param("litellm_params", message))
        }
    }
}

/// The deployments by how they are: by the last probe where there was one, else by whether they rest.
pub(crate) fn told(shared: &Shared, snapshot: &Snapshot, wanted: impl Fn(&Model) -> bool) -> Value {
    let now = snapshot.router.now();
    let details = snapshot.config.general.health.details;
    let (mut healthy, mut unhealthy) = (Vec::new(), Vec::new());
    for model in snapshot.config.models.iter().filter(|model| wanted(model)) {
        let deployment = &model.deployment;
        let finding = shared.findings.get(&deployment.id).map(|finding| finding.clone());
        let mut endpoint = json!({ "model": &*deployment.model, "model_id": deployment.id.as_str() });
        if details {
            endpoint["api_base"] = json!(deployment.target.base_url.split('?').next());
            endpoint["checked_at_ms"] = json!(finding.as_ref().map(|finding| finding.at_ms));
        }
        let rests = shared.counters.of(&deployment.id).rests(now);
        let error = finding.and_then(|finding| finding.error);
        if let Some(error) = error.clone().filter(|_| details) {
            endpoint["error"] = json!(error);
        }
        if rests || error.is_some() { unhealthy.push(endpoint) } else { healthy.push(endpoint) }
    }
    json!({
        "healthy_count": healthy.len(),
        "unhealthy_count": unhealthy.len(),
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
    })
}

impl HealthChecks {
    /// How long a finding is believed: told, else two intervals.
    fn believed(&self) -> Duration {
        self.staleness.unwrap_or_else(|| self.interval.unwrap_or(Duration::from_secs(300)) * 2)
    }
}
