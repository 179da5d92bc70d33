//! What operators ask of auto routers: what an adaptive one has learnt, whether a configuration is right, where a
//! prompt would go under it.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_providers::Registry;
use llm_router::auto::{AutoRouter, Said, Tier};
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::explain::caller_of;
use super::{models, operators_only};
use crate::answer::{self, ReplyBody};
use crate::config::{Env, Severity, parse};
use crate::door::{ConnState, read_body};
use crate::state::{Core, Snapshot};
use crate::walk::{Caller, query, session_of, shown_decision};

/// The most bytes of a question.
const LIMIT: usize = 1024 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// What adaptive routers have learnt.
    State,
    /// Whether a `complexity_router_config` is right.
    Validate,
    /// Where a prompt would go under one.
    Test,
    /// What an operator may still use of auto routers.
    Availability,
    /// What the model is told that says how hard a prompt is.
    Prompt,
    /// Which groups a session stays with: keys may ask for their own.
    Session,
}

/// What LiteLLM sells by the number of routers that use it.
const ALLOWANCES: [&str; 5] =
    ["heuristic_v2", "capability", "llm_v2", "tier_or_classifier_prompt", "heuristic_tuning"];

/// Answers an operator.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    asked: Asked,
    (path, request): (&str, Request<Incoming>),
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let told = async {
        let caller = models::enter(core, conn, &snapshot, &head, path).await?;
        if matches!(caller, Caller::Key(_)) && asked != Asked::Session {
            return Err(operators_only(&caller, path));
        }
        let body = match head.method {
            http::Method::GET => Value::Null,
            _ => serde_json::from_slice(&read_body(body, LIMIT).await?).map_err(|fault| {
                Error::new(ErrorKind::BadRequest, format!("the body is not valid JSON: {fault}"))
            })?,
        };
        match asked {
            Asked::State => state(core, &snapshot),
            Asked::Validate => Ok(match router_of(&body) {
                Ok(_) => json!({ "valid": true, "error": null }),
                Err(error) => json!({ "valid": false, "error": error }),
            }),
            Asked::Test => test(core, &snapshot, &body),
            Asked::Availability => availability(&snapshot, &body),
            Asked::Prompt => prompt(&body),
            Asked::Session => session(core, &snapshot, caller, head.uri.query()).await,
        }
    };
    match told.await {
        Ok(told) => answer::json_response(StatusCode::OK, &told),
        Err(error) => answer::openai_error(&error),
    }
}

/// `GET /adaptive_router/state`.
fn state(core: &Core, snapshot: &Snapshot) -> Result<Value> {
    let lessons = &core.shared.lessons;
    let routers = snapshot.routes().deployments().iter().filter_map(|deployment| {
        let AutoRouter::Adaptive(router) = deployment.auto.as_deref()? else { return None };
        let place = (deployment.id.as_str(), snapshot.routes(), deployment.team_id.as_deref());
        Some(json!({
            "router_name": &*deployment.group,
            "available_models": router.models.iter().map(|name| &**name).collect::<Vec<_>>(),
            "weights": { "quality": router.weights.0, "cost": router.weights.1 },
            "cells": router.state(place, lessons),
        }))
    });
    let routers: Vec<Value> = routers.collect();
    if routers.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "no adaptive router is configured"));
    }
    Ok(json!({ "routers": routers }))
}

/// The router of a configuration that is only tried out; else what is wrong with it.
fn router_of(body: &Value) -> std::result::Result<Arc<AutoRouter>, String> {
    let params = json!({
        "model": "auto_router/complexity_router",
        "complexity_router_config": body.get("complexity_router_config"),
        "complexity_router_default_model": body.get("default_model"),
    });
    let config = json!({ "model_list": [{ "model_name": "router", "litellm_params": params }] });
    let env: Env = [("LITELLM_MASTER_KEY", "sk-of-nobody")].into_iter().collect();
    let loaded = parse(&config.to_string(), &env, &Registry::built_in());
    let wrong = loaded.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let wrong: Vec<String> =
        wrong.map(|problem| format!("{}, {}", problem.found, problem.expected)).collect();
    let router = loaded.config.and_then(|config| config.models.into_iter().next()?.deployment.auto);
    match router {
        Some(router) if wrong.is_empty() => Ok(router),
        _ => Err(wrong.join("; ")),
    }
}

/// `POST /auto_router/test_routing`: nothing is sent anywhere; where a model would decide, words do.
fn test(core: &Core, snapshot: &Snapshot, body: &Value) -> Result<Value> {
    let router = router_of(body).map_err(|wrong| Error::bad_param("complexity_router_config", wrong))?;
    let prompt = body.get("prompt").and_then(Value::as_str);
    let prompt = prompt
        .ok_or_else(|| Error::bad_param("prompt", "`prompt` is missing, expected what a caller says"))?;
    let name = body.get("router_name").and_then(Value::as_str).unwrap_or("router");
    let said = Said { text: prompt, messages: 1, ..Said::default() };
    let (now, mut rng) = (snapshot.router.now(), fastrand::Rng::new());
    let place = ("", snapshot.routes(), body.get("team_id").and_then(Value::as_str));
    let decision = router.decide(place, &said, &core.shared.lessons, &mut rng, now).ok_or_else(|| {
        Error::bad_param("complexity_router_config", "the router made no decision: no tier has a model")
    })?;
    Ok(json!({
        "routed_model": &*decision.model,
        "routed_model_configured": snapshot.routes().resolve(&decision.model, place.2).is_some(),
        "routing_decision": shown_decision(name, &decision),
    }))
}

/// `POST /auto_router/availability`: everything may be used by as many routers as there are.
fn availability(snapshot: &Snapshot, body: &Value) -> Result<Value> {
    let is = |id: &str| {
        let mut all = snapshot.routes().deployments().iter();
        all.any(|one| one.id.as_str() == id && one.auto.is_some())
    };
    if let Some(id) = body.get("saved_model_id").and_then(Value::as_str).filter(|id| !is(id)) {
        let message = format!("`saved_model_id` is `{id}`, expected the id of an auto router");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let allowances = ALLOWANCES.map(|key| {
        json!({
            "key": key, "limit": null, "remaining": null, "available": true, "used_by_this_router": false,
        })
    });
    Ok(json!({ "allowances": allowances, "error": null }))
}

/// `GET /auto_router/session?session_id=…`: which group each auto router keeps a session of the caller's at, or of the
/// key that an operator names by `api_key`; `null` where it keeps none.
async fn session(core: &Arc<Core>, snapshot: &Snapshot, caller: Caller, of: Option<&str>) -> Result<Value> {
    let said = |name: &str| query::value(of, name).filter(|value| !value.is_empty());
    let session = said("session_id").ok_or_else(|| {
        let missing =
            "`session_id` is missing, expected the session that calls name (`x-litellm-session-id`)";
        Error::bad_param("session_id", missing)
    })?;
    let caller = match caller {
        Caller::Operator => caller_of(core, said("api_key").as_deref()).await?,
        own @ Caller::Key(_) => own,
    };
    let (number, now) = (session_of(&caller, &session), snapshot.router.now());
    let wanted = said("router_name");
    let routers = snapshot.routes().deployments().iter().filter(|one| {
        let named = wanted.as_deref().is_none_or(|name| *one.group == *name);
        one.auto.is_some() && named && caller.sees(snapshot, &one.group)
    });
    let told: Vec<Value> = routers
        .map(|one| {
            let kept = core.shared.lessons.kept(one.id.as_str(), number, now);
            let (held, left) = kept.unzip();
            json!({
                "router_name": &*one.group,
                "model": held.as_ref().map(|held| &*held.choice.model),
                "tier": held.and_then(|held| held.tier).map(Tier::as_str),
                "expires_in_seconds": left.map(|left| left.as_secs()),
            })
        })
        .collect();
    if told.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "no such auto router is configured"));
    }
    Ok(json!({ "session_id": session, "routers": told }))
}

/// `GET` and `POST /auto_router/classifier/default_prompt`: the system prompt as it would be sent, with the operator's
/// words where the body has some.
fn prompt(body: &Value) -> Result<Value> {
    const TIERS: &str = "tier_definitions";
    if body.get(TIERS).and_then(Value::as_array).is_some_and(|tiers| !tiers.is_empty()) {
        let wrong = "`tier_definitions` cannot be given: the tiers are SIMPLE, MEDIUM, COMPLEX and REASONING";
        return Err(Error::bad_param(TIERS, wrong));
    }
    let config = json!({
        "classifier_type": "llm",
        "classifier_llm_config": { "model": "any" },
        "classification_prompt": body.get("classification_prompt"),
        "classification_examples": body.get("classification_examples"),
    });
    let router = router_of(&json!({ "complexity_router_config": config, "default_model": "any" }))
        .map_err(|wrong| Error::bad_param("classification_prompt", wrong))?;
    let AutoRouter::Complexity(router) = &*router else {
        return Err(Error::new(ErrorKind::Internal, "a complexity router was read as another one"));
    };
    let question = router.classifier.question("", "", "");
    Ok(json!({ "system_prompt": question.map(|question| question.system) }))
}
