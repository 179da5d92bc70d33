//! Where a call would go and why: for `gateway route` and `POST /utils/route_explain`.

use std::sync::Arc;

use llm_providers::catalog::PriceBook;
use llm_router::auto::{AutoRouter, Lessons, Said};
use llm_router::{Ask, Considered, Controls, Counters, Deployment, Explanation, Request};
use serde_json::{Value, json};

use crate::clock::TokioClock;
use crate::config::Config;
use crate::state::{Snapshot, Surroundings};
use crate::telemetry::Metrics;
use crate::walk::shown_decision;

/// A call that is not made.
#[derive(Debug, Clone, Default)]
pub struct RouteQuestion {
    /// The name callers use.
    pub model: String,
    /// The tags of the request; with any, tags choose.
    pub tags: Vec<String>,
    /// Tokens of the prompt.
    pub tokens: u64,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Whether an answer by a JSON schema is asked for.
    pub structured: bool,
    /// The one region that may serve it.
    pub region: Option<String>,
    /// The caller's team.
    pub team: Option<String>,
    /// What the caller says, for auto routers.
    pub prompt: String,
}

/// Explains where a call would go under a configuration, nothing being known of its deployments.
#[must_use]
pub fn explain_route(config: Config, question: &RouteQuestion) -> Value {
    let (counters, metrics) = (Counters::new(), Metrics::default());
    let book = Arc::new(PriceBook::builtin());
    let clock = TokioClock::start();
    let snapshot =
        Snapshot::new(config, &Surroundings { counters: &counters, metrics: &metrics, book: &book, clock });
    explain(&snapshot, question, &Lessons::default())
}

/// Explains where a call would go now.
pub(crate) fn explain(snapshot: &Snapshot, question: &RouteQuestion, lessons: &Lessons) -> Value {
    let team = question.team.as_deref();
    let deployment = snapshot.auto(&question.model, team);
    let Some((id, router)) =
        deployment.as_ref().and_then(|one| Some((one.id.as_str(), one.auto.as_deref()?)))
    else {
        return explain_group(snapshot, question, &question.model);
    };
    let said = Said { text: &question.prompt, messages: 1, ..Said::default() };
    let (routes, now) = (snapshot.routes(), snapshot.router.now());
    let decision = router.decide((id, routes, team), &said, lessons, &mut fastrand::Rng::new(), now);
    let Some(decision) = decision else {
        let refusal = match router {
            AutoRouter::Semantic(_) => {
                "a semantic router decides by embeddings, which are not asked for here"
            }
            _ => "the auto router has no model for this prompt",
        };
        return json!({ "model": question.model, "model_group": null, "deployments": [], "refusal": refusal,
            "candidates": router.models() });
    };
    let mut told = explain_group(snapshot, question, &decision.model);
    told["auto_router"] = shown_decision(&question.model, &decision);
    told
}

fn explain_group(snapshot: &Snapshot, question: &RouteQuestion, model: &str) -> Value {
    let controls = Controls {
        tags: question.tags.clone(),
        tag_filtering: (!question.tags.is_empty()).then_some(true),
        ..Controls::default()
    };
    let count = |_: &Deployment| question.tokens;
    let reserved = |deployment: &Deployment| {
        snapshot.windows.reserved(&deployment.id, question.team.as_deref(), jiff::Timestamp::now())
    };
    let request = Request {
        stream: question.stream,
        team: question.team.as_deref(),
        ask: Ask {
            tokens: Some(&count),
            structured: question.structured,
            region: question.region.as_deref(),
            reserved: Some(&reserved),
            ..Ask::default()
        },
        ..Request::new(model, &controls)
    };
    shown(model, &snapshot.router.explain(request))
}

fn shown(model: &str, told: &Explanation<'_>) -> Value {
    let Some(route) = &told.route else {
        return json!({ "model": model, "model_group": null, "deployments": [], "refusal": "no deployment answers to this name" });
    };
    let deployments: Vec<Value> =
        told.considered.iter().map(|one| deployment(one, &route.model(one.deployment))).collect();
    json!({
        "model": model,
        "model_group": &*route.group.name,
        "routing_strategy": told.strategy,
        "deployments": deployments,
        "refusal": told.refusal.as_ref().map(ToString::to_string),
        "fallbacks": told.fallbacks,
    })
}

fn deployment(one: &Considered<'_>, model: &str) -> Value {
    json!({
        "model_id": one.deployment.id.as_str(),
        "model": format!("{}/{model}", one.deployment.target.spec.id.as_str()),
        "api_base": one.deployment.target.base_url.split('?').next(),
        "kept": one.left_out.is_none(),
        "why": one.left_out.as_ref().map(ToString::to_string),
        "chance": (one.chance * 1_000.0).round() / 1_000.0,
    })
}
