//! `POST /cost/predict-cache`: what the next Messages request of a conversation costs at the deployment that has its
//! beginning warm, and at another one that would have to write it to its cache first.
//!
//! Nothing is sent. What is warm is what the router remembers of calls that were served (`prompt_caching` among
//! `optional_pre_call_checks`); tokens are estimated, four bytes each, as the router counts beginnings.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_providers::{DialectId, dialects};
use llm_router::{Clock as _, prefix};
use llm_types::{CacheTtl, ChatRequest, CostContext, Error, ErrorKind, FemtoUsd, Result, Usage};
use serde_json::{Map, Value, json};

use super::models::enter;
use super::utils::{missing, object};
use crate::answer::{self, ReplyBody};
use crate::clock::now_ms;
use crate::door::{ConnState, read_body};
use crate::state::{Core, Served, Snapshot};
use crate::walk::{Caller, prompt_tenant};

const PATH: &str = "/cost/predict-cache";
/// The most bytes a question may have.
const LIMIT: usize = 16 * 1024 * 1024;
/// What is asked: two deployments, and the request.
const NAMES: [&str; 3] = ["current_deployment_id", "candidate_deployment_id", "request"];

/// Answers with both, and what going elsewhere costs more.
pub(super) async fn predict(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let told = async {
        let caller = enter(core, conn, &snapshot, &head, PATH).await?;
        let asked = object(&read_body(body, LIMIT).await?)?;
        if let Some(other) = asked.keys().find(|name| !NAMES.contains(&name.as_str())) {
            let words = format!("`{other}` is not known, expected {}", NAMES.join(", "));
            return Err(Error::bad_param(other.clone(), words));
        }
        let id = |name: &'static str| {
            let said = asked.get(name).and_then(Value::as_str).filter(|id| !id.is_empty());
            said.ok_or_else(|| missing(name, "the id of a deployment"))
        };
        let request = asked.get("request").and_then(Value::as_object);
        let request = request.ok_or_else(|| missing("request", "a request of the Messages API"))?;
        let ids = [id("current_deployment_id")?, id("candidate_deployment_id")?];
        let asking = Asking { core, snapshot: &snapshot, caller: &caller, request };
        Ok((asking.arm(ids[0])?, asking.arm(ids[1])?))
    };
    match told.await {
        Ok((stay, switch)) => answer::json_response(StatusCode::OK, &compared(&stay, &switch)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            answer::detail(StatusCode::NOT_FOUND, error.message().to_owned())
        }
        Err(error) => answer::openai_error(&error),
    }
}

/// Who asks for what.
struct Asking<'a> {
    core: &'a Core,
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    request: &'a Map<String, Value>,
}

/// One deployment's part of the answer.
#[derive(Debug)]
struct Arm {
    id: String,
    model: String,
    state: &'static str,
    reason: Option<&'static str>,
    /// What is expected, what it is where nothing is warm, and where all of it is.
    costs: Option<[Scenario; 3]>,
    /// When the beginning was used last, and until when it is taken for warm; seconds.
    evidence: Option<(f64, f64)>,
}

/// A prompt's tokens by what becomes of them, and what they cost.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scenario {
    plain: u64,
    read: u64,
    written: u64,
    an_hour: bool,
    cost: FemtoUsd,
}

/// The beginning of a prompt that its caller marked for the cache.
struct Marked {
    request: ChatRequest,
    tokens: u64,
    all_tokens: u64,
    an_hour: bool,
}

impl Asking<'_> {
    fn arm(&self, id: &str) -> Result<Arm> {
        let (group, served) = self.find(id)?;
        let mut arm = Arm {
            id: id.to_owned(),
            model: served.target.target().model.clone(),
            state: "unknown",
            reason: None,
            costs: None,
            evidence: None,
        };
        let Some(marked) = marked(self.request, &group)? else {
            arm.reason = Some("unsupported_prompt_shape");
            return Ok(arm);
        };
        let least = served.info.as_ref().and_then(|info| info.cached_from()).unwrap_or(prefix::USUAL);
        let read = if marked.tokens < least { 0 } else { self.warm(&group, id, &marked, &mut arm) };
        let (cold, warm) = if marked.tokens < least {
            (arm.state, arm.reason) = ("disabled", Some("prompt_shorter_than_the_model_caches"));
            let plain = price(&served, &marked, None);
            (plain, plain)
        } else {
            (price(&served, &marked, Some(0)), price(&served, &marked, Some(marked.tokens)))
        };
        let expected = if arm.state == "disabled" { cold } else { price(&served, &marked, Some(read)) };
        match (expected, cold, warm) {
            (Some(expected), Some(cold), Some(warm)) => arm.costs = Some([expected, cold, warm]),
            _ => arm.reason = Some("pricing_unavailable"),
        }
        Ok(arm)
    }

    /// A deployment that the caller may use, and the name of its group.
    fn find(&self, id: &str) -> Result<(String, Arc<Served>)> {
        let unknown = || Error::new(ErrorKind::NotFound, "Deployment not found");
        let model = self.snapshot.config.models.iter().find(|model| model.deployment.id.as_str() == id);
        let group = model.ok_or_else(unknown)?.deployment.group.to_string();
        let route = self.snapshot.routes().resolve(&group, self.caller.team()).ok_or_else(unknown)?;
        let one = route.group.candidates.iter().find(|one| one.deployment.id.as_str() == id);
        let one = one.filter(|_| self.caller.sees(self.snapshot, &group)).ok_or_else(unknown)?;
        let metrics = &self.core.shared.metrics;
        let served = self.snapshot.served(&one.deployment, &route.model(&one.deployment), metrics)?;
        Ok((group, served))
    }

    /// How many tokens of the beginning are warm there; the arm is told how that is known.
    fn warm(&self, group: &str, id: &str, marked: &Marked, arm: &mut Arm) -> u64 {
        if !self.snapshot.routes().settings().affinity_of(group).prompt {
            arm.reason = Some("prompt_caching_is_not_among_optional_pre_call_checks");
            return 0;
        }
        let bonds = prefix::bonds(&marked.request, prompt_tenant(self.caller, group), prefix::LEAST);
        let now = self.core.shared.clock.now();
        let known = bonds.iter().enumerate().find_map(|(at, bond)| {
            let left = self.core.shared.counters.warm_for(bond, id, now)?;
            Some((at, bond, left))
        });
        let Some((at, bond, left)) = known else {
            (arm.state, arm.reason) = ("stale", Some("no_recent_call_with_this_beginning"));
            return 0;
        };
        let seconds = |length: Duration| length.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are exact")]
        let ends = now_ms() as f64 / 1_000.0 + seconds(left);
        arm.evidence = Some((ends - seconds(bond.ttl), ends));
        arm.state = if at == 0 { "warm" } else { "partial" };
        if at == 0 { marked.tokens } else { bond.tokens.unwrap_or_default().min(marked.tokens) }
    }
}

/// The request up to its last mark; none where it has none.
fn marked(request: &Map<String, Value>, group: &str) -> Result<Option<Marked>> {
    let mut body = request.clone();
    body.insert("model".to_owned(), group.into());
    body.entry("max_tokens").or_insert_with(|| 1.into());
    let body = Value::Object(body).to_string();
    let whole = dialects::dialect(DialectId::Anthropic).decode_request(body.as_bytes())?;
    let mut request = whole.clone();
    let mut mark = None;
    while let Some(message) = request.messages.last_mut() {
        if let Some(at) = message.parts.iter().rposition(|part| part.cache.is_some()) {
            mark = message.parts[at].cache;
            message.parts.truncate(at + 1);
            break;
        }
        request.messages.pop();
    }
    let Some(mark) = mark else { return Ok(None) };
    let tokens = |request: &ChatRequest| {
        prefix::bonds(request, 0, 0).first().and_then(|bond| bond.tokens).unwrap_or_default()
    };
    let (tokens, all_tokens) = (tokens(&request), tokens(&whole));
    Ok(Some(Marked { request, tokens, all_tokens, an_hour: mark.ttl == Some(CacheTtl::OneHour) }))
}

/// What the prompt costs where so many tokens are read, the rest of the beginning is written and what follows is neither;
/// all of it plain where nothing is cached.
fn price(served: &Served, marked: &Marked, read: Option<u64>) -> Option<Scenario> {
    let (read, written) = read.map_or((0, 0), |read| (read, marked.tokens.saturating_sub(read)));
    let (hour, minutes) = if marked.an_hour { (written, 0) } else { (0, written) };
    let usage = Usage {
        input_tokens: marked.all_tokens,
        cache_read_tokens: Some(read),
        cache_write_tokens: Some(written),
        cache_write_5m_tokens: Some(minutes),
        cache_write_1h_tokens: Some(hour),
        ..Usage::default()
    };
    let cost = served.cost(served.info.as_deref(), &usage, &CostContext::default())?.original;
    let plain = marked.all_tokens.saturating_sub(read + written);
    Some(Scenario { plain, read, written, an_hour: marked.an_hour, cost })
}

fn scenario(one: &Scenario) -> Value {
    let (hour, minutes) = if one.an_hour { (one.written, 0) } else { (0, one.written) };
    json!({
        "tokens": {
            "input_tokens": one.plain,
            "cache_read_input_tokens": one.read,
            "cache_creation_5m_input_tokens": minutes,
            "cache_creation_1h_input_tokens": hour,
        },
        "input_cost": one.cost.as_usd(),
    })
}

fn shown(arm: &Arm) -> Value {
    let cost = |at: usize| arm.costs.as_ref().map(|costs| scenario(&costs[at]));
    let evidence = arm.evidence.map(|(observed, expires)| {
        json!({ "observed_at": observed, "expires_at": expires, "source": "served_call", "confidence": "expected" })
    });
    json!({
        "deployment_id": arm.id,
        "model": arm.model,
        "cache_state": arm.state,
        "reason": arm.reason,
        "estimate": cost(0),
        "cold": cost(1),
        "warm": cost(2),
        "evidence": evidence,
        "token_count_source": arm.costs.as_ref().map(|_| "estimate"),
    })
}

fn compared(stay: &Arm, switch: &Arm) -> Value {
    let of = |arm: &Arm, at: usize| arm.costs.as_ref().map(|costs| costs[at].cost.as_usd());
    let less = |one: Option<f64>, other: Option<f64>| Some(one? - other?);
    json!({
        "stay": shown(stay),
        "switch": shown(switch),
        "switch_delta": less(of(switch, 0), of(stay, 0)),
        "cache_rebuild_penalty": less(of(switch, 0), of(switch, 2)),
        "pricing_basis": "input_before_discounts_and_margins",
        "cache_guarantee": false,
    })
}

#[cfg(test)]
mod tests;
