//! Groups that stand for others: an auto router reads what the caller says and names the group that serves.
//! The caller needs access to the router only. LiteLLM surface §7.8.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderName;
use http_body_util::BodyExt as _;
use llm_router::auto::{AutoRouter, Choice, Decision, Lessons, Reminder, Said, Warmth, without};
use llm_router::{Bond, Deployment, Moment, prefix};
use llm_types::{ChatRequest, Error, ErrorKind, Money, Origin, PartKind, Result, Role, Usage, seldom};
use serde_json::{Value, json};

use super::asked::{beginning, hash};
use super::compact::{self, Shorter};
use super::meaning::nearest;
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
    /// The beginning of the prompt, where the router goes by what is warm where.
    pub(crate) beginning: Option<Bond>,
    /// What the model that decided cost.
    pub(crate) cost: Option<Money>,
}

/// What logs say of a decision, and what is learnt when the call ends.
#[derive(Debug)]
pub(super) struct Decided {
    /// The beginning of the prompt, where the router goes by what is warm where.
    beginning: Option<Bond>,
    /// The group that was named.
    model: Arc<str>,
    /// The router's name.
    pub(super) router: String,
    /// What decided.
    pub(super) cause: &'static str,
    /// How hard the prompt is, where that was told.
    pub(super) tier: &'static str,
}

impl Routed {
    /// What logs say of it.
    pub(super) fn decided(&self) -> Box<Decided> {
        let Decision { cause, tier, .. } = self.decision;
        let tier = tier.map(llm_router::auto::Tier::as_str).unwrap_or_default();
        let (beginning, model) = (self.beginning, Arc::clone(&self.decision.model));
        Box::new(Decided { beginning, model, router: self.router.clone(), cause, tier })
    }
}

impl Decided {
    /// Notes what the provider said of its cache at the end of a call.
    pub(super) fn learn(&self, lessons: &Lessons, usage: &Usage, now: Moment) {
        let Some(Bond { key, ttl, .. }) = self.beginning else { return };
        let tokens = usage.cache_read_tokens.unwrap_or(0) + usage.cache_write_tokens.unwrap_or(0);
        if tokens > 0 {
            lessons.keep_warm(key, Warmth { model: Arc::clone(&self.model), tokens }, (now, ttl));
        }
    }
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// To be answered.
    Answer,
    /// To have its tokens counted: it stays as long as it is.
    Count,
}

/// Room for the groups that auto routers named for fallbacks of one call.
pub(super) type Named = [OnceLock<Choice>; 8];

/// Lets the auto router that a call names, if it does, name the group that serves.
///
/// # Errors
/// [`ErrorKind::BadRequest`] for what is no chat, and where the router has no group; the refusal of the call that
/// embeds the prompt.
pub(super) async fn choose(call: &mut Call, caller: &Caller, purpose: For) -> Result<()> {
    match call.snapshot.auto(&call.glance.model, caller.team()) {
        None => Ok(()),
        Some(_) => seldom(|| chosen(call, caller, purpose)).await,
    }
}

async fn chosen(call: &mut Call, caller: &Caller, purpose: For) -> Result<()> {
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
    let now = snapshot.router.now();
    let beginnings = beginnings(call, caller, (id, router), &request);
    let warm = shared.lessons.warm(beginnings.iter().map(|bond| bond.key), now);
    let said = Said {
        text: &spoken,
        messages: request.messages.len(),
        session: Some(session(call, caller, &request)),
        named: call.session().is_some(),
        most_output: call.glance.max_tokens,
        shortens: purpose == For::Answer && router.compacts() && compact::may_shorten(call),
        warm: &warm,
        min_quality: call.header(MIN_QUALITY).and_then(|tier| tier.parse().ok()),
        signs: seen.signs(),
        judged: None,
    };
    let Found { decision, cost, shorter } = match router {
        AutoRouter::Semantic(semantic) => {
            let decision = nearest(call, caller, (id, semantic), &spoken).await?;
            Found { decision, cost: None, shorter: None }
        }
        other => find(call, caller, (id, other), &said, &request).await?,
    };
    let Some(decision) = decision else {
        let message = format!(
            "the auto router `{}` has no model for this request; give it a default model, and its models what it goes \
             by (`model_info.litellm_routing_preferences.quality_tier` for a quality router)",
            call.glance.model
        );
        return Err(Error::bad_param("model", message).with_origin(Origin::Gateway));
    };
    tracing::debug!(router = %call.glance.model, model = %decision.model, cause = decision.cause, "an auto router decided");
    let cost = match shorter {
        Some(shorter) => {
            call.replace_body(shorter.body)?;
            cost.into_iter().chain(shorter.cost).reduce(|sum, one| sum + one)
        }
        None => cost,
    };
    let router_kind = router;
    let router = std::mem::replace(&mut call.glance.model, decision.model.to_string());
    call.controls.params.clone_from(&decision.params);
    call.controls.requested = Some(router.clone());
    let sticky = matches!(router_kind, AutoRouter::Complexity(own) if own.sticky);
    let beginning = beginnings.first().copied();
    call.routed = Some(Box::new(Routed { router, decision, sticky, beginning, cost }));
    Ok(())
}

/// What a router came to.
struct Found {
    decision: Option<Decision>,
    /// What the model that decided cost.
    cost: Option<Money>,
    /// The request made shorter.
    shorter: Option<Shorter>,
}

/// Lets a router decide, after who tells how hard the prompt is was asked, and makes the prompt shorter where the router
/// is told to.
async fn find(
    call: &Call,
    caller: &Caller,
    (id, router): (&str, &AutoRouter),
    said: &Said<'_>,
    request: &ChatRequest,
) -> Result<Found> {
    let asked = judge::ask(call, caller, (id, router), said, request).await?;
    let said = Said { judged: asked.as_ref().map(|asked| &asked.judged), ..*said };
    let (shared, now) = (&call.core.shared, call.snapshot.router.now());
    let decide = |said: &Said<'_>| {
        let place = (id, call.snapshot.routes(), caller.team());
        router.decide(place, said, &shared.lessons, &mut fastrand::Rng::new(), now)
    };
    // Boxed, so that other calls carry no room for it.
    let shortened = Box::pin(shorten(call, caller, (router, &said), decide(&said)));
    let (decision, shorter) = match shortened.await? {
        Shortened::As(decision, shorter) => (decision, shorter),
        Shortened::Failed => (decide(&Said { shortens: false, ..said }), None),
    };
    Ok(Found { decision, cost: asked.and_then(|asked| asked.cost), shorter })
}

/// What became of a prompt that may be too long for the group that was named.
enum Shortened {
    /// The decision holds, for the prompt as it is or made shorter.
    As(Option<Decision>, Option<Shorter>),
    /// It could not be made shorter.
    Failed,
}

/// Makes a prompt shorter that is too long for the group that was named, where the router is told to.
async fn shorten(
    call: &Call,
    caller: &Caller,
    (router, said): (&AutoRouter, &Said<'_>),
    decision: Option<Decision>,
) -> Result<Shortened> {
    let (AutoRouter::Complexity(router), Some(mut named), true) = (router, decision.clone(), said.shortens)
    else {
        return Ok(Shortened::As(decision, None));
    };
    let place = (call.snapshot.routes(), caller.team());
    let Some((how, by)) = router.compactor(place, said, &named.model) else {
        return Ok(Shortened::As(decision, None));
    };
    let Some(shorter) = compact::shorten(call, caller, (how, &by)).await? else {
        return Ok(Shortened::Failed);
    };
    let tokens = shorter.body.len().div_ceil(4);
    named.signals.push(format!("context_compacted_by:{by}:{}>{tokens}", said.signs.tokens));
    Ok(Shortened::As(Some(named), Some(shorter)))
}

/// The beginnings of a prompt, the longest first, where the router goes by what is warm where. Callers are kept apart,
/// so that nobody learns from a decision what others ask.
fn beginnings(
    call: &Call,
    caller: &Caller,
    (id, router): (&str, &AutoRouter),
    request: &ChatRequest,
) -> Vec<Bond> {
    if !router.is_cache_aware() {
        return Vec::new();
    }
    let tenant = caller.team().unwrap_or_else(|| caller.word());
    prefix::bonds(request, hash(&["warm", id, &call.glance.model, tenant]), prefix::LEAST)
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

/// A number for a session that a caller names.
pub(crate) fn session_of(caller: &Caller, session: &str) -> u128 {
    hash(&["session", caller.word(), session])
}

/// A number for the conversation: by the session the request names, else by who calls and how it began.
fn session(call: &Call, caller: &Caller, request: &ChatRequest) -> u128 {
    match call.session() {
        Some(session) => session_of(caller, session),
        None => hash(&["began", caller.word(), &beginning(request)]),
    }
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
