//! Probes for orchestrators, and metrics for Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use llm_types::Secret;
use serde_json::{Value, json};

use crate::answer::{self, ReplyBody};
use crate::config::{Model, OnOutage};
use crate::door::ConnState;
use crate::health;
use crate::identity::KeyDigest;
use crate::state::Core;
use crate::store::Condition;
use crate::telemetry::standing;
use crate::walk::{admit, query};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Probe {
    Greeting,
    /// What crawlers are asked.
    Robots,
    Routes,
    Test,
    /// Does the process answer?
    Live,
    /// Should it get traffic?
    Ready,
    /// The same with details, for operators.
    Details,
    /// How the deployments are.
    Deployments,
    /// How much is being answered.
    Backlog,
    /// No more calls are to be sent here; the answer comes when those that are here have ended.
    Drain,
}

/// Answers a probe.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    probe: Probe,
    head: &Parts,
) -> Response<ReplyBody> {
    let ok = |value: Value| answer::json_response(StatusCode::OK, &value);
    match probe {
        Probe::Greeting => ok(json!("gateway: RUNNING")),
        Probe::Robots => robots(core),
        Probe::Routes => ok(json!({ "routes": routes() })),
        Probe::Test => ok(json!({ "route": "/test" })),
        Probe::Live => ok(json!("I'm alive!")),
        Probe::Ready => ready(core, Told::of(core)).await,
        Probe::Details if core.shared.snapshot().config.general.doors.tells_readiness => {
            ready(core, Told::All).await
        }
        Probe::Drain => drain(core, head).await,
        Probe::Details | Probe::Deployments | Probe::Backlog => {
            let snapshot = core.shared.snapshot();
            let admitted = match admit(core, conn, &snapshot, head).await {
                Ok(caller) => caller.may_call_route(&snapshot, "/health").map(|()| caller),
                Err(error) => Err(error),
            };
            match (admitted, probe) {
                (Err(error), _) => answer::openai_error(&error),
                (Ok(_), Probe::Details) => ready(core, Told::All).await,
                (Ok(_), Probe::Backlog) => {
                    ok(json!({ "in_flight_requests": core.shared.metrics.in_flight.load(Relaxed) }))
                }
                (Ok(_), _) => ok(deployments(core, head).await),
            }
        }
    }
}

/// `GET /robots.txt`, where the operator wants crawlers to stay away (`block_robots`).
fn robots(core: &Core) -> Response<ReplyBody> {
    if !core.shared.snapshot().config.general.block_robots {
        return answer::detail(StatusCode::NOT_FOUND, "Not Found");
    }
    let mut response = Response::new(ReplyBody::full(Bytes::from_static(b"User-agent: *\nDisallow: /\n")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// `GET /metrics`.
pub(super) async fn metrics(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    if snapshot.config.calls.metrics_need_key
        && let Err(error) = admit(core, conn, &snapshot, head).await
    {
        return answer::openai_error(&error);
    }
    let mut figures = core.shared.shipping.figures();
    figures.extend(core.shared.store.figures());
    figures.extend(core.shared.exchange.figures());
    figures.extend(core.shared.quotas.figures());
    let standing = standing(snapshot.routes(), &core.shared.counters, snapshot.router.now());
    let text = core.shared.metrics.render(&figures, &standing);
    let mut response = Response::new(ReplyBody::full(Bytes::from(text)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// How often the end of the last call is looked for.
const LOOK: Duration = Duration::from_millis(25);
const DRAIN_TOKEN: &str = "x-drain-token";

/// `GET /health/drain`, for the hook before a stop: readiness says no from now on, and the answer comes when all calls
/// have ended or their time is over. LiteLLM surface §1.
async fn drain(core: &Core, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let Some(door) = &snapshot.config.general.doors.drain else {
        return answer::detail(StatusCode::NOT_FOUND, "Not Found");
    };
    let sent = head.headers.get(DRAIN_TOKEN).map_or(&b""[..], HeaderValue::as_bytes);
    let fits = |token: &Secret| KeyDigest::of(token.reveal().as_bytes()) == KeyDigest::of(sent);
    if door.token.as_ref().is_some_and(|token| !fits(token)) {
        return answer::detail(StatusCode::UNAUTHORIZED, "Invalid or missing X-Drain-Token");
    }
    let shared = &core.shared;
    shared.retires.store(true, Relaxed);
    let began = shared.metrics.in_flight.load(Relaxed);
    tracing::info!(calls = began, "told to take no more calls");
    let until = Instant::now() + door.patience;
    while shared.metrics.in_flight.load(Relaxed) > 0 && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
    let left = shared.metrics.in_flight.load(Relaxed);
    let status = if left == 0 { "drained" } else { "timeout" };
    let body = json!({
        "status": status,
        "drained_requests": began.saturating_sub(left),
        "in_flight_requests": left,
    });
    answer::json_response(StatusCode::OK, &body)
}

/// How much readiness tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What anybody may know.
    Little,
    /// What LiteLLM used to tell anybody.
    More,
    All,
}

impl Told {
    fn of(core: &Core) -> Self {
        let more = core.shared.snapshot().config.general.doors.tells_readiness;
        if more { Self::More } else { Self::Little }
    }
}

/// Ready means: accepting calls, not draining. A database that is away is said; the gateway goes on for the keys it
/// knows, unless the operator wants calls refused then.
async fn ready(core: &Arc<Core>, told: Told) -> Response<ReplyBody> {
    let draining = core.drain.has_begun() || core.shared.retires.load(Relaxed);
    let policy = core.shared.snapshot().config.general.on_outage;
    let condition = core.shared.store.condition();
    let refuses = core.shared.store.admit(policy).is_err();
    let accepting = core.shared.ready.load(Relaxed) && !draining && !refuses;
    let db = database(core).await;
    let well = db != "disconnected" && condition == Condition::Well;
    let mut body = json!({
        "status": if draining { "shutting_down" } else if well { "healthy" } else { "degraded" },
        "db": db,
    });
    if told != Told::Little {
        body["on_store_outage"] = json!(if policy == OnOutage::Refuse { "refuse" } else { "continue" });
        body["cache"] = Value::Null;
        body["litellm_version"] = json!(env!("CARGO_PKG_VERSION"));
        body["success_callbacks"] = json!([]);
    }
    if told == Told::All {
        body["ledger"] = core
            .shared
            .shipping
            .figures()
            .into_iter()
            .chain(core.shared.store.figures())
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        body["ledger_error"] = json!(core.shared.shipping.trouble());
    }
    answer::json_response(if accepting { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

async fn database(core: &Arc<Core>) -> &'static str {
    let Some(db) = core.shared.directory.db().cloned() else { return "Not connected" };
    if core.shared.store.condition() == Condition::Silent {
        return "disconnected";
    }
    let pinged = core
        .shared
        .control
        .spawn(async move { tokio::time::timeout(Duration::from_secs(2), db.ping()).await });
    match pinged.await {
        Ok(Ok(Ok(()))) => "connected",
        _ => "disconnected",
    }
}

/// The deployments and how they are: probed now, unless the operator has them probed in rounds.
async fn deployments(core: &Core, head: &Parts) -> Value {
    let snapshot = core.shared.snapshot();
    let (model, id) = (query::value(head.uri.query(), "model"), query::value(head.uri.query(), "model_id"));
    let wanted = |one: &Model| {
        let named = model
            .as_deref()
            .is_none_or(|name| *one.deployment.group == *name || *one.deployment.model == *name);
        let spared = snapshot.config.general.health.skip_disabled && one.probe.disabled;
        named && !spared && id.as_deref().is_none_or(|id| one.deployment.id.as_str() == id)
    };
    if snapshot.config.general.health.interval.is_none() {
        let models = snapshot.config.models.iter().filter(|one| wanted(one));
        health::probe_all(&core.shared, &core.transport, &snapshot, models).await;
    }
    health::told(&core.shared, &snapshot, wanted)
}

fn routes() -> Vec<Value> {
    super::listing().into_iter().map(|(method, path)| json!({ "path": path, "methods": [method] })).collect()
}
