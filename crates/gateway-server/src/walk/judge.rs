//! Asks who tells an auto router how hard a prompt is: a model, for which the caller pays, or a program of the
//! operator's.

use std::time::Duration;

use http::StatusCode;
use llm_router::auto::{AutoRouter, Judge, Judged, Question, Said, Tier, Webhook, Who};
use llm_types::{ChatRequest, Error, ErrorKind, Message, Money, Origin, Result, Role};
use serde_json::{Value, json};

use super::auto::ask_inner;
use super::{Call, Caller};
use crate::webhook;

/// What was said, and what that cost.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) judged: Judged,
    pub(super) cost: Option<Money>,
}

const FAILED: Asked = Asked { judged: Judged::Failed, cost: None };

/// Asks whom a router names, where nothing else decides. Who fails or is too slow leaves the decision to what the
/// operator says of that, and who was too slow is not asked again for a while.
///
/// # Errors
/// What a limit or a budget of the caller's says: it holds for the call as a whole.
pub(super) async fn ask(
    call: &Call,
    caller: &Caller,
    (id, router): (&str, &AutoRouter),
    said: &Said<'_>,
    request: &ChatRequest,
) -> Result<Option<Asked>> {
    let AutoRouter::Complexity(router) = router else { return Ok(None) };
    let (lessons, clock) = (&call.core.shared.lessons, &call.snapshot.router);
    if !router.wants_judge(id, said, lessons, clock.now()) {
        return Ok(None);
    }
    let Some(judge) = router.classifier.judge() else { return Ok(None) };
    if judge.breaker.is_some_and(|rest| !lessons.may_ask(id, rest, clock.now())) {
        return Ok(Some(FAILED));
    }
    let before = earlier(request, judge.context);
    let Some(question) = router.classifier.question(said.text, said.signs.system, &before) else {
        return Ok(None);
    };
    let one_try = async {
        match &judge.who {
            Who::Model(model) => ask_model(call, caller, (judge, model), question).await,
            // Boxed, so that other calls carry no room for it.
            Who::Webhook(program) => {
                Box::pin(ask_program(call, caller, (judge, program), said, question)).await
            }
        }
    };
    let answer = tokio::time::timeout(judge.patience, one_try).await;
    let too_slow = match &answer {
        Err(_) => true,
        Ok(answer) => answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout),
    };
    let rest = judge.breaker.unwrap_or(Duration::ZERO);
    lessons.asked(id, too_slow.then(|| clock.now() + rest));
    match answer {
        Ok(Ok((text, cost))) => {
            let judged = router.classifier.verdict(&text).map_or(Judged::Failed, Judged::Said);
            if judged == Judged::Failed {
                tracing::debug!(router = id, "who tells how hard prompts are named no tier");
            }
            Ok(Some(Asked { judged, cost }))
        }
        Ok(Err(error)) if error.origin() == Origin::Gateway => Err(error),
        Ok(Err(error)) => {
            tracing::warn!(%error, router = id, "who tells how hard prompts are failed");
            Ok(Some(FAILED))
        }
        Err(_) => {
            tracing::warn!(router = id, "who tells how hard prompts are was too slow");
            Ok(Some(FAILED))
        }
    }
}

/// Asks a model once; gives what it wrote and what that cost.
async fn ask_model(
    call: &Call,
    caller: &Caller,
    (judge, model): (&Judge, &str),
    question: Question,
) -> Result<(String, Option<Money>)> {
    let mut body = json!({
        "model": model,
        "messages": [
            { "role": "system", "content": question.system },
            { "role": "user", "content": question.material },
        ],
        "max_tokens": judge.max_tokens,
        "response_format": {
            "type": "json_schema",
            "json_schema": { "name": "verdict", "strict": true, "schema": question.schema },
        },
    });
    if let Some(effort) = &judge.effort {
        body["reasoning_effort"] = json!(effort);
    }
    let mut inner = call.inner("/v1/chat/completions", "acompletion", None, body.to_string().into())?;
    inner.controls.num_retries = Some(0);
    inner.controls.disable_fallbacks = true;
    inner.policy.drop = true;
    let (body, cost) = ask_inner(inner, caller).await?;
    let reply: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = reply["choices"][0]["message"]["content"].as_str();
    let empty = || Error::new(ErrorKind::BadUpstream, "the model gave no text");
    Ok((text.ok_or_else(empty)?.to_owned(), cost))
}

/// Asks a program of the operator's; gives what it answered, which costs nothing. What goes wrong is its fault, so that
/// the call goes on.
async fn ask_program(
    call: &Call,
    caller: &Caller,
    (judge, program): (&Judge, &Webhook),
    said: &Said<'_>,
    question: Question,
) -> Result<(String, Option<Money>)> {
    let body = told_to_program(call, caller, said, &question);
    let answer =
        webhook::post(&call.core, (&program.url, program.secret.as_ref()), judge.patience, body).await;
    let (status, body) = answer.map_err(|error| error.with_origin(Origin::Upstream))?;
    match status {
        StatusCode::OK => Ok((String::from_utf8_lossy(&body).into_owned(), None)),
        StatusCode::NO_CONTENT => Ok((String::new(), None)),
        other => {
            let message = format!("the program of `classifier_plugin` answered status {}", other.as_u16());
            Err(Error::new(ErrorKind::BadUpstream, message))
        }
    }
}

/// What a program of the operator's is told: what a model would be, who calls, and which tiers there are.
fn told_to_program(call: &Call, caller: &Caller, said: &Said<'_>, question: &Question) -> String {
    let mut told: Value = serde_json::from_str(&question.material).unwrap_or_default();
    let settings = match caller {
        Caller::Operator => None,
        Caller::Key(entry) => Some((&entry.record.settings, entry.record.hash.as_str())),
    };
    told["router"] = json!(call.glance.model);
    told["tiers"] = json!(Tier::ALL.map(Tier::as_str));
    told["messages"] = json!(said.messages);
    told["tokens"] = json!(said.signs.tokens);
    told["images"] = json!(said.signs.images);
    told["caller"] = json!({
        "api_key_hash": settings.map(|(_, hash)| hash),
        "key_alias": settings.and_then(|(settings, _)| settings.alias.as_deref()),
        "user_id": settings.and_then(|(settings, _)| settings.user_id.as_deref()),
        "team_id": settings.and_then(|(settings, _)| settings.team_id.as_deref()),
        "end_user": call.end_user,
        "tags": call.tags,
        "session": call.session(),
    });
    told.to_string()
}

/// What was said before the newest request: so many turns and letters, the newest kept where not all fit.
fn earlier(request: &ChatRequest, (turns, letters, assistant): (usize, usize, bool)) -> String {
    let counts =
        |message: &&Message| message.role == Role::User || (assistant && message.role == Role::Assistant);
    let before = request.messages.iter().rev().filter(counts).skip(1).take(turns);
    let mut told = Vec::new();
    let mut left = letters;
    for message in before {
        let text: String = message.text().chars().take(left).collect();
        left -= text.chars().count();
        if !text.is_empty() {
            told.push(format!("{}: {text}", if message.role == Role::User { "user" } else { "assistant" }));
        }
    }
    told.reverse();
    told.join("\n")
}
