//! Groups that stand for others: an auto router reads what the caller says and names the group that serves.
//! The caller needs access to the router only. LiteLLM surface §7.8.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderName;
use http_body_util::BodyExt as _;
use llm_router::Deployment;
use llm_router::auto::{AutoRouter, Choice, Decision, Reminder, Said, Semantic, without};
use llm_types::{ChatRequest, Error, ErrorKind, Money, Operation, Origin, PartKind, Result, Role};
use serde_json::{Value, json};

use super::asked::hash;
use super::signs::Seen;
use super::{Call, Caller, dispatch, judge, limit};
use crate::answer::{names, text};

/// What the model that decided cost, USD.
const CLASSIFIER_COST: HeaderName = HeaderName::from_static("x-litellm-classifier-cost");
/// The least quality tier a caller takes.
const MIN_QUALITY: &str = "x-litellm-min-quality-tier";

/// A decision and the name that was asked for.
#[derive(Debug)]
pub(crate) struct Routed {
    /// The router's name.
    pub(crate) router: String,
    /// Where it sent the call.
    pub(crate) decision: Decision,
    /// A session stays with one deployment of each group.
    pub(crate) sticky: bool,
    /// What the model that decided cost.
    pub(crate) cost: Option<Money>,
}

/// What logs say of a decision.
#[derive(Debug)]
pub(super) struct Decided {
    /// The router's name.
    pub(super) router: String,
    /// What decided.
    pub(super) cause: &'static str,
    /// How hard the prompt is, where that was told.
    pub(super) tier: &'static str,
}

impl Routed {
    /// What logs say of it.
    pub(super) fn decided(&self) -> Decided {
        let Decision { cause, tier, .. } = self.decision;
        let tier = tier.map(llm_router::auto::Tier::as_str).unwrap_or_default();
        Decided { router: self.router.clone(), cause, tier }
    }
}

/// Room for the groups that auto routers named for fallbacks of one call.
pub(super) type Named = [OnceLock<Choice>; 8];

/// Lets the auto router that a call names, if it does, name the group that serves.
///
/// # Errors
/// [`ErrorKind::BadRequest`] for what is no chat, and where the router has no group; the refusal of the call that
/// embeds the prompt.
pub(super) async fn choose(call: &mut Call, caller: &Caller) -> Result<()> {
    let snapshot = Arc::clone(&call.snapshot);
    let Some(deployment) = snapshot.auto(&call.glance.model, caller.team()) else { return Ok(()) };
    let (id, Some(router)) = (deployment.id.as_str(), deployment.auto.as_deref()) else { return Ok(()) };
    if call.asked.is_some() {
        let message = format!("`{}` is an auto router: it serves chats only", call.glance.model);
        return Err(Error::bad_param("model", message).with_origin(Origin::Gateway));
    }
    let request = call.canonical()?;
    let (spoken, reminders) = last_said(&request, &router.reminders(call.header("user-agent")));
    let shared = Arc::clone(&call.core.shared);
    let seen = Seen::of(call, &request, reminders);
    let said = Said {
        text: &spoken,
        messages: request.messages.len(),
        session: Some(session(call, caller, &request)),
        min_quality: call.header(MIN_QUALITY).and_then(|tier| tier.parse().ok()),
        signs: seen.signs(),
        judged: None,
    };
    let (decision, cost) = match router {
        AutoRouter::Semantic(semantic) => (nearest(call, caller, (id, semantic), &spoken).await?, None),
        other => {
            let asked = judge::ask(call, caller, (id, other), &said, &request).await?;
            let said = Said { judged: asked.as_ref().map(|asked| &asked.judged), ..said };
            let now = snapshot.router.now();
            let mut rng = fastrand::Rng::new();
            let place = (id, snapshot.routes(), caller.team());
            let decision = other.decide(place, &said, &shared.lessons, &mut rng, now);
            (decision, asked.and_then(|asked| asked.cost))
        }
    };
    let Some(decision) = decision else {
        let message = format!("the auto router `{}` has no model for this request", call.glance.model);
        return Err(Error::bad_param("model", message).with_origin(Origin::Gateway));
    };
    tracing::debug!(router = %call.glance.model, model = %decision.model, cause = decision.cause, "an auto router decided");
    let router_kind = router;
    let router = std::mem::replace(&mut call.glance.model, decision.model.to_string());
    call.controls.params.clone_from(&decision.params);
    call.controls.requested = Some(router.clone());
    let sticky = matches!(router_kind, AutoRouter::Complexity(own) if own.sticky);
    call.routed = Some(Box::new(Routed { router, decision, sticky, cost }));
    Ok(())
}

impl Call {
    /// The group that serves where a fallback leads to an auto router. No model is asked for it: words decide where
    /// a model would, and of a semantic router the default serves.
    pub(super) fn stand_in<'n>(
        &self,
        auto: &Arc<Deployment>,
        caller: &Caller,
        named: &'n Named,
    ) -> Option<&'n Choice> {
        let router = auto.auto.as_deref()?;
        let request = self.canonical().ok()?;
        let (spoken, reminders) = last_said(&request, &router.reminders(self.header("user-agent")));
        let seen = Seen::of(self, &request, reminders);
        let said = Said {
            text: &spoken,
            messages: request.messages.len(),
            min_quality: self.header(MIN_QUALITY).and_then(|tier| tier.parse().ok()),
            signs: seen.signs(),
            ..Said::default()
        };
        let choice = match router {
            AutoRouter::Semantic(semantic) => Choice { model: semantic.default.clone()?, params: None },
            other => {
                let (id, now) = (auto.id.as_str(), self.snapshot.router.now());
                let place = (id, self.snapshot.routes(), caller.team());
                let lessons = &self.core.shared.lessons;
                let decision = other.decide(place, &said, lessons, &mut fastrand::Rng::new(), now)?;
                Choice { model: decision.model, params: decision.params }
            }
        };
        tracing::debug!(router = %auto.group, model = %choice.model, "an auto router decided for a fallback");
        let free = named.iter().find(|slot| slot.get().is_none())?;
        Some(free.get_or_init(|| choice))
    }
}

/// What the caller said last, and what its program put beside it since. A message of the program's words alone is
/// none of the caller's.
fn last_said(request: &ChatRequest, blocks: &[Reminder]) -> (String, String) {
    let mut reminders = String::new();
    for message in request.messages.iter().rev().filter(|message| message.role == Role::User) {
        let texts = message.parts.iter().filter_map(|part| match &part.kind {
            PartKind::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let text = texts.collect::<Vec<_>>().join(" ");
        let (said, taken) = without(&text, blocks);
        reminders.push_str(&taken);
        if taken.is_empty() || !said.trim().is_empty() {
            return (said, reminders);
        }
    }
    (String::new(), reminders)
}

/// A number for the conversation: by the session the request names, else by who calls and how it began.
fn session(call: &Call, caller: &Caller, request: &ChatRequest) -> u128 {
    match call.session() {
        Some(session) => hash(&["session", caller.word(), session]),
        None => {
            let began = request.messages.first().map(llm_types::Message::text).unwrap_or_default();
            hash(&["began", caller.word(), &began])
        }
    }
}

/// The group whose utterances are nearest to the prompt. A provider that does not embed leaves the default.
async fn nearest(
    call: &Call,
    caller: &Caller,
    (id, router): (&str, &Semantic),
    said: &str,
) -> Result<Option<Decision>> {
    let lessons = &call.core.shared.lessons;
    let embedded = async {
        let index = match lessons.index(id, router.fingerprint()) {
            Some(index) => index,
            None => {
                let utterances: Vec<&str> = router.utterances().collect();
                let points = embed(call, caller, &router.embedding, &utterances).await?;
                let index = Arc::new(router.index(points).ok_or_else(strange)?);
                lessons.keep_index(id, Arc::clone(&index));
                index
            }
        };
        let point =
            embed(call, caller, &router.embedding, &[router.asked(said)]).await?.pop().ok_or_else(strange)?;
        Ok(router.decide(point, &index))
    };
    match embedded.await {
        Ok(decision) => Ok(decision),
        // A limit or a budget of the caller's holds for the call as a whole.
        Err(error) if Error::origin(&error) == Origin::Gateway => Err(error),
        Err(error) => match &router.default {
            None => Err(error),
            Some(default) => {
                tracing::warn!(%error, router = id, "a prompt could not be embedded: the default model serves it");
                let cause = "embedding_failed";
                Ok(Some(Decision {
                    model: Arc::clone(default),
                    kind: "semantic",
                    cause,
                    ..Decision::default()
                }))
            }
        },
    }
}

fn strange() -> Error {
    Error::new(ErrorKind::BadUpstream, "the embedding model gave another number of embeddings than asked for")
}

/// Embeds texts by a group, as a call of its own that the caller pays for.
async fn embed(call: &Call, caller: &Caller, group: &str, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    let body = json!({ "model": group, "input": texts }).to_string();
    let inner = call.inner("/v1/embeddings", "aembedding", Some(Operation::Embeddings), body.into())?;
    let (body, _) = ask_inner(inner, caller).await?;
    let reply: Value = serde_json::from_slice(&body).unwrap_or_default();
    let rows = reply.get("data").and_then(Value::as_array).ok_or_else(strange)?;
    let points: Option<Vec<Vec<f32>>> = rows.iter().map(point).collect();
    points.filter(|points| points.len() == texts.len()).ok_or_else(strange)
}

/// Makes a call that another one needs, which its caller pays for; gives the answer and what it cost.
pub(super) async fn ask_inner(mut inner: Call, caller: &Caller) -> Result<(Bytes, Option<Money>)> {
    let (mut tail, announced) = limit::limit(&inner, caller.clone()).await.map_err(|held| held.error)?;
    if let Some(turn) = announced
        && let Err(error) = inner.core.journal.written(turn).await
    {
        tail.withdraw(inner.dialect.encode_error(&error).0, &error);
        return Err(error);
    }
    // Boxed, so that calls without an auto router carry no room for a call inside a call.
    let answered = Box::pin(dispatch::ask(&mut inner, tail)).await;
    let response = answered.map_err(|refused| refused.error(&inner))?;
    let told = response.headers().get(names::COST).and_then(|cost| cost.to_str().ok()?.parse::<f64>().ok());
    let broken =
        |_| Error::new(ErrorKind::BadUpstream, "an answer for an auto router ended before it was complete");
    let body = response.into_body().collect().await.map_err(broken)?.to_bytes();
    Ok((body, told.map(Money::from_usd)))
}

#[expect(clippy::cast_possible_truncation, reason = "embeddings are of single precision")]
fn point(row: &Value) -> Option<Vec<f32>> {
    row.get("embedding")?
        .as_array()?
        .iter()
        .map(|number| number.as_f64().map(|number| number as f32))
        .collect()
}

/// The headers that tell of a decision (surface §6.1).
pub(super) fn lines(routed: &Routed) -> Vec<(HeaderName, http::HeaderValue)> {
    let decision = &routed.decision;
    let name = |tail: &'static str| match decision.kind {
        "semantic" => format!("x-gateway-semantic-router-{tail}"),
        kind => format!("x-litellm-{kind}-router-{tail}"),
    };
    let score = decision.score.map(|score| score.to_string());
    let tier = decision.tier.map(|tier| tier.as_str().to_owned());
    let quality = decision.quality.map(|tier| tier.to_string());
    let cause = || Some(decision.cause.to_owned());
    let told = match decision.kind {
        "quality" => {
            [("tier", quality), ("via", cause()), ("keyword", decision.keyword.clone()), ("complexity", tier)]
        }
        "adaptive" => [
            ("cause", cause()),
            ("score", score),
            ("type", decision.request.map(|kind| kind.as_str().into())),
            ("tier", None),
        ],
        _ => [("tier", tier), ("cause", cause()), ("score", score), ("keyword", None)],
    };
    let model = ("model", Some(decision.model.to_string()));
    let lines = told
        .into_iter()
        .chain([model])
        .filter_map(|(tail, value)| Some((HeaderName::try_from(name(tail)).ok()?, text(&value?))));
    let cost = routed.cost.map(|cost| (CLASSIFIER_COST, text(&cost.as_usd().to_string())));
    lines.chain(cost).collect()
}

/// A decision as operators are shown it.
pub(crate) fn shown(router: &str, decision: &Decision) -> Value {
    json!({
        "router": router,
        "kind": decision.kind,
        "model": &*decision.model,
        "cause": decision.cause,
        "tier": decision.tier.map(llm_router::auto::Tier::as_str),
        "score": decision.score,
        "keyword": decision.keyword,
        "quality_tier": decision.quality,
        "request_type": decision.request.map(llm_router::auto::RequestKind::as_str),
        "signals": decision.signals,
    })
}
