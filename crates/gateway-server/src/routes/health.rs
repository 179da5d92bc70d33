//! Probes for orchestrators, and metrics for Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::answer::{self, ReplyBody};
use crate::config::{Model, OnOutage};
use crate::door::ConnState;
use crate::health;
use crate::state::Core;
use crate::store::Condition;
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
        Probe::Ready => ready(core, false).await,
        Probe::Details if core.shared.snapshot().config.general.public_readiness => ready(core, true).await,
        Probe::Details | Probe::Deployments | Probe::Backlog => {
            let snapshot = core.shared.snapshot();
            let admitted = match admit(core, conn, &snapshot, head).await {
                Ok(caller) => caller.may_call_route(&snapshot, "/health").map(|()| caller),
                Err(error) => Err(error),
            };
            match (admitted, probe) {
                (Err(error), _) => answer::openai_error(&error),
                (Ok(_), Probe::Details) => ready(core, true).await,
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
    let text = core.shared.metrics.render(&figures);
    let mut response = Response::new(ReplyBody::full(Bytes::from(text)));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Ready means: accepting calls, not draining. A database that is away is said; the gateway goes on for the keys it
/// knows, unless the operator wants calls refused then.
async fn ready(core: &Arc<Core>, details: bool) -> Response<ReplyBody> {
    let draining = core.drain.has_begun();
    let policy = core.shared.snapshot().config.general.on_outage;
    let condition = core.shared.store.condition();
    let refuses = core.shared.store.admit(policy).is_err();
    let accepting = core.shared.ready.load(Relaxed) && !draining && !refuses;
    let db = database(core).await;
    let well = db != "disconnected" && condition == Condition::Well;
    let mut body = json!({
        "status": if draining { "draining" } else if well { "healthy" } else { "degraded" },
        "db": db,
        "on_store_outage": if policy == OnOutage::Refuse { "refuse" } else { "continue" },
        "cache": null,
        "litellm_version": env!("CARGO_PKG_VERSION"),
        "success_callbacks": [],
    });
    if details {
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
        .spawn(async move { tokio::time::timeout(std::time::Duration::from_secs(2), db.ping()).await });
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
        named && id.as_deref().is_none_or(|id| one.deployment.id.as_str() == id)
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
