//! Asks a program of the operator's which deployments should serve (`routing_strategy: custom`, `routing_webhook`).

use std::future::ready;
use std::sync::atomic::Ordering::Relaxed;

use http::StatusCode;
use llm_router::{Advice, Candidate, Group, Moment};
use llm_types::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Caller};
use crate::config::RoutingWebhook;
use crate::webhook;

/// What the program answers.
#[derive(Debug, Deserialize)]
struct Answer {
    /// Ids of deployments, the best first.
    deployments: Vec<String>,
    /// Nobody else may serve.
    #[serde(default)]
    only: bool,
}

/// Asks about a group, where the operator has such a program.
pub(super) fn consult<'a>(
    call: &'a Call,
    caller: &'a Caller,
    group: &'a Group,
) -> BoxFuture<'a, Option<Advice>> {
    match &call.snapshot.config.routing_webhook {
        Some(program) => Box::pin(ask(call, caller, program, group)),
        None => Box::pin(ready(None)),
    }
}

/// Asks about a group. Where the program fails, is too slow or says nothing, the usual strategy picks.
async fn ask(call: &Call, caller: &Caller, program: &RoutingWebhook, group: &Group) -> Option<Advice> {
    let body = question(call, caller, group).to_string();
    let to = (&program.url, program.secret.as_ref());
    let told = webhook::post(&call.core, to, program.timeout, body).await;
    let read = match told {
        Ok((StatusCode::NO_CONTENT, _)) => Ok(None),
        Ok((StatusCode::OK, body)) => advice(&body).map(Some),
        Ok((other, _)) => Err(format!("it answered status {}", other.as_u16())),
        Err(error) => Err(error.message().to_owned()),
    };
    read.unwrap_or_else(|why| {
        call.core.shared.metrics.unadvised.fetch_add(1, Relaxed);
        tracing::warn!(group = &*group.name, why, "the program of `routing_webhook` gave no advice");
        None
    })
}

/// Reads what the program answered.
fn advice(body: &[u8]) -> Result<Advice, String> {
    let wrong = |error: serde_json::Error| {
        format!("its answer is not `{{\"deployments\": [ids], \"only\": true or false}}`: {error}")
    };
    let Answer { deployments, only } = serde_json::from_slice(body).map_err(wrong)?;
    Ok(Advice { order: deployments.into_iter().map(Into::into).collect(), only })
}

/// What the program is told: the group with the state of its deployments, the call, and who makes it. Nothing of what
/// is said, and no secret.
fn question(call: &Call, caller: &Caller, group: &Group) -> Value {
    let now = call.snapshot.router.now();
    let settings = match caller {
        Caller::Operator => None,
        Caller::Key(entry) => Some((&entry.record.settings, entry.record.hash.as_str())),
    };
    let deployments: Vec<Value> = group
        .candidates
        .iter()
        .filter(|one| one.deployment.auto.is_none())
        .map(|one| standing(one, call.glance.stream, now))
        .collect();
    json!({
        "event": "route",
        "call_id": call.shown_id.to_str().unwrap_or_default(),
        "model": call.glance.model,
        "model_group": &*group.name,
        "call_type": call.call_type,
        "stream": call.glance.stream,
        "prompt_bytes": call.glance.prompt_bytes,
        "max_tokens": call.glance.max_tokens,
        "tags": call.tags,
        "session": call.session(),
        "deployments": deployments,
        "caller": {
            "api_key_hash": settings.map(|(_, hash)| hash),
            "key_alias": settings.and_then(|(settings, _)| settings.alias.as_deref()),
            "user_id": settings.and_then(|(settings, _)| settings.user_id.as_deref()),
            "team_id": settings.and_then(|(settings, _)| settings.team_id.as_deref()),
            "end_user": call.end_user,
        },
    })
}

/// A deployment as it is now.
fn standing(one: &Candidate, stream: bool, now: Moment) -> Value {
    let (deployment, state) = (&one.deployment, &one.state);
    json!({
        "id": deployment.id.as_str(),
        "model": &*deployment.model,
        "provider": deployment.target.spec.id.as_str(),
        "region": deployment.region,
        "tags": deployment.tags,
        "weight": deployment.weight,
        "order": deployment.order,
        "rpm": deployment.rpm,
        "tpm": deployment.tpm,
        "model_info": *deployment.model_info,
        "blocked": one.blocked,
        "rests_seconds": state.rest_left(now).as_secs_f64(),
        "ill": state.is_ill(now),
        "in_flight": state.in_flight(),
        "requests_this_minute": state.requests_this_minute(now),
        "tokens_this_minute": state.tokens_this_minute(now),
        "latency_ms": state.latency(stream, now),
        "failing": state.failing(now),
    })
}

#[cfg(test)]
mod tests;
