//! Where a call would go and why: for `gateway route` and `POST /utils/route_explain`.

use std::sync::Arc;

use llm_providers::catalog::PriceBook;
use llm_router::auto::{AutoRouter, Lessons, Said};
use llm_router::plan::Why;
use llm_router::strategies::CUSTOM;
use llm_router::{Ask, Bond, Considered, Controls, Counters, Deployment, Explanation, Request};
use serde_json::{Value, json};

use crate::clock::TokioClock;
use crate::config::Config;
use crate::state::{Shared, Snapshot, Surroundings};
use crate::telemetry::Metrics;
use crate::walk::{Caller, bonds_of, shown_decision, why_broke};

/// A call that is not made.
#[derive(Debug, Clone, Default)]
pub struct RouteQuestion {
    /// The name callers use.
    pub model: String,
    /// The tags of the request.
    pub tags: Vec<String>,
    /// The request wants tags to choose (`enable_tag_filtering`).
    pub by_tags: bool,
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
    /// The session it belongs to.
    pub session: Option<String>,
}

/// What a running gateway knows of who calls, and of what was spent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) caller: &'a Caller,
}

/// Explains where a call would go under a configuration, nothing being known of its deployments.
#[must_use]
pub fn explain_route(config: Config, question: &RouteQuestion) -> Value {
    let (counters, metrics) = (Counters::new(), Metrics::default());
    let book = Arc::new(PriceBook::builtin());
    let clock = TokioClock::start();
    let snapshot =
        Snapshot::new(config, &Surroundings { counters: &counters, metrics: &metrics, book: &book, clock });
    explain(&snapshot, question, None)
}

/// Explains where a call would go now.
pub(crate) fn explain(snapshot: &Snapshot, question: &RouteQuestion, known: Option<Known<'_>>) -> Value {
    let nothing = Lessons::default();
    let lessons = known.map_or(&nothing, |known| &known.shared.lessons);
    let team = question.team.as_deref();
    let deployment = snapshot.auto(&question.model, team);
    let Some((id, router)) =
        deployment.as_ref().and_then(|one| Some((one.id.as_str(), one.auto.as_deref()?)))
    else {
        return explain_group(snapshot, question, &question.model, known);
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
    let mut told = explain_group(snapshot, question, &decision.model, known);
    told["auto_router"] = shown_decision(&question.model, &decision);
    told
}

fn explain_group(
    snapshot: &Snapshot,
    question: &RouteQuestion,
    model: &str,
    known: Option<Known<'_>>,
) -> Value {
    let settings = known.and_then(|known| known.caller.settings(snapshot));
    let alias = settings.as_ref().and_then(|settings| settings.aliases.get(model));
    let model = &*alias.map_or_else(|| model.to_owned(), |alias| alias.model.clone());
    let bonds: Vec<Bond> = known.map_or_else(Vec::new, |known| {
        let settings = settings.as_deref().unwrap_or(snapshot.routes().settings());
        bonds_of(model, known.caller, question.session.as_deref(), settings)
    });
    let controls = Controls {
        tags: question.tags.clone(),
        tag_filtering: question.by_tags,
        // Fallbacks of the auto router that named the group count as well.
        requested: (model != question.model).then(|| question.model.clone()),
        settings,
        ..Controls::default()
    };
    let count = |_: &Deployment| question.tokens;
    let reserved = |deployment: &Deployment| {
        snapshot.windows.reserved(&deployment.id, question.team.as_deref(), jiff::Timestamp::now())
    };
    let why_broke = |one: &Deployment| known.and_then(|known| why_broke(snapshot, known.shared, &one.id));
    let broke = |deployment: &Deployment| why_broke(deployment).is_some();
    let request = Request {
        stream: question.stream,
        team: question.team.as_deref(),
        broke: Some(&broke),
        bonds: &bonds,
        ask: Ask {
            tokens: Some(&count),
            structured: question.structured,
            region: question.region.as_deref(),
            reserved: Some(&reserved),
            ..Ask::default()
        },
        ..Request::new(model, &controls)
    };
    let told = snapshot.router.explain(request);
    let Some(route) = &told.route else {
        return json!({ "model": model, "model_group": null, "deployments": [], "refusal": "no deployment answers to this name" });
    };
    let why = |one: &Considered<'_>| match (&one.left_out, why_broke(one.deployment)) {
        (Some(Why::Broke), Some(spent)) => Some(spent),
        (why, _) => why.as_ref().map(ToString::to_string),
    };
    let deployments = told.considered.iter();
    let deployments: Vec<Value> =
        deployments.map(|one| deployment(one, &route.model(one.deployment), why(one).as_deref())).collect();
    json!({
        "model": model,
        "model_group": &*route.group.name,
        "routing_strategy": told.strategy,
        "deployments": deployments,
        "refusal": told.refusal.as_ref().map(ToString::to_string),
        "fallbacks": told.fallbacks,
        "context_window_fallbacks": told.context_fallbacks,
        "content_policy_fallbacks": told.content_fallbacks,
        "notes": notes(snapshot, question, &told),
    })
}

/// What of a real call is different.
fn notes(snapshot: &Snapshot, question: &RouteQuestion, told: &Explanation<'_>) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if !question.tags.is_empty() && !told.by_tags {
        notes.push("tags do not choose: `enable_tag_filtering` is off");
    }
    if told.strategy == CUSTOM && snapshot.config.routing_webhook.is_some() {
        notes.push(
            "the program of `routing_webhook` is asked for each call, not here: chances are those without its advice",
        );
    }
    notes
}

fn deployment(one: &Considered<'_>, model: &str, why: Option<&str>) -> Value {
    json!({
        "model_id": one.deployment.id.as_str(),
        "model": format!("{}/{model}", one.deployment.target.spec.id.as_str()),
        "api_base": one.deployment.target.base_url.split('?').next(),
        "kept": one.left_out.is_none(),
        "why": why,
        "chance": (one.chance * 1_000.0).round() / 1_000.0,
    })
}
