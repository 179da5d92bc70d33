//! Asks the model that tells an auto router how hard a prompt is. The caller pays for it.

use std::time::Duration;

use llm_router::auto::{AutoRouter, Judge, Judged, Question, Said};
use llm_types::{ChatRequest, Error, ErrorKind, Message, Money, Origin, Result, Role};
use serde_json::{Value, json};

use super::auto::ask_inner;
use super::{Call, Caller};

/// What a model said, and what that cost.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) judged: Judged,
    pub(super) cost: Option<Money>,
}

const FAILED: Asked = Asked { judged: Judged::Failed, cost: None };

/// Asks the model of a router, where it has one and nothing else decides. A model that fails or is too slow leaves
/// the decision to what the operator says of that, and one that was too slow is not asked again for a while.
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
    let answer = tokio::time::timeout(judge.patience, one_try(call, caller, judge, question)).await;
    let too_slow = match &answer {
        Err(_) => true,
        Ok(answer) => answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout),
    };
    let rest = judge.breaker.unwrap_or(Duration::ZERO);
    lessons.asked(id, too_slow.then(|| clock.now() + rest));
    match answer {
        Ok(Ok((text, cost))) => {
            let judged = router.classifier.verdict(&text).map_or(Judged::Failed, Judged::Said);
            Ok(Some(Asked { judged, cost }))
        }
        Ok(Err(error)) if error.origin() == Origin::Gateway => Err(error),
        Ok(Err(error)) => {
            tracing::warn!(%error, router = id, "the model that tells how hard prompts are failed");
            Ok(Some(FAILED))
        }
        Err(_) => {
            tracing::warn!(router = id, "the model that tells how hard prompts are was too slow");
            Ok(Some(FAILED))
        }
    }
}

/// Asks once; gives what the model wrote and what that cost.
async fn one_try(
    call: &Call,
    caller: &Caller,
    judge: &Judge,
    question: Question,
) -> Result<(String, Option<Money>)> {
    let mut body = json!({
        "model": &*judge.model,
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
