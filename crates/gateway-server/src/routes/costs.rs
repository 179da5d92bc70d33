//! What something costs, before or after it is asked: `/spend/calculate` and `/cost/estimate` (surface §3.8).

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use llm_providers::DialectId;
use llm_providers::dialects;
use llm_providers::tokens::Encoding;
use llm_types::{CostContext, Error, ErrorKind, Money, Result, Usage};
use serde_json::{Map, Value, json};

use super::models::enter;
use super::utils::{missing, object, served, tokens_of, told};
use crate::answer::ReplyBody;
use crate::door::{ConnState, read_body};
use crate::state::{Core, Served};

/// The most bytes a question may have.
const LIMIT: usize = 16 * 1024 * 1024;

/// `POST /spend/calculate`: what a prompt (`model`, `messages`) or a reply (`completion_response`) costs.
pub(super) async fn calculate(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let counted = async {
        let caller = enter(core, conn, &snapshot, &head, "/spend/calculate").await?;
        let asked = object(&read_body(body, LIMIT).await?)?;
        let reply = asked.get("completion_response").filter(|reply| reply.is_object());
        let of = |from: Option<&Value>| from.and_then(Value::as_str).map(str::to_owned);
        let model = of(asked.get("model")).or_else(|| of(reply.and_then(|reply| reply.get("model"))));
        let model = model.ok_or_else(|| missing("model", "the name of a model"))?;
        let served = served(core, &snapshot, &caller, &model)?;
        let usage = match reply {
            Some(reply) => usage_of(reply)?,
            None => usage_of_prompt(core, &served, asked).await?,
        };
        Ok(json!({ "cost": price(&served, &model, &usage)?.total.as_usd() }))
    };
    told(counted.await)
}

/// `POST /cost/estimate`: what so many tokens cost, each time, by day and by month.
pub(super) async fn estimate(
    core: &Arc<Core>,
    conn: &ConnState,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    let counted = async {
        let caller = enter(core, conn, &snapshot, &head, "/cost/estimate").await?;
        let asked = object(&read_body(body, LIMIT).await?)?;
        let model = asked.get("model").and_then(Value::as_str);
        let model = model.ok_or_else(|| missing("model", "the name of a model"))?;
        let served = served(core, &snapshot, &caller, model)?;
        estimated(&served, model, &asked)
    };
    told(counted.await)
}

fn estimated(served: &Served, model: &str, asked: &Map<String, Value>) -> Result<Value> {
    let count = |name: &'static str| match asked.get(name).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| {
            Error::bad_param(
                name,
                format!("`{name}`: found `{value}`, expected a whole number, zero or more"),
            )
        }),
    };
    let required = |name| count(name)?.ok_or_else(|| missing(name, "a number of tokens"));
    let usage = Usage {
        input_tokens: required("input_tokens")?,
        output_tokens: required("output_tokens")?,
        cache_read_tokens: count("cache_read_input_tokens")?,
        cache_write_tokens: count("cache_creation_input_tokens")?,
        reasoning_tokens: count("reasoning_tokens")?,
        ..Usage::default()
    };
    let cost = price(served, model, &usage)?;
    let usd = |part: llm_types::FemtoUsd| part.as_usd();
    let mut told = Map::new();
    told.insert("model".to_owned(), json!(model));
    for name in ["input_tokens", "output_tokens", "num_requests_per_day", "num_requests_per_month"] {
        told.insert(name.to_owned(), json!(count(name)?));
    }
    let target = served.target.target();
    told.insert("provider".to_owned(), json!(target.spec.id.as_str()));
    let parts = [
        ("cost_per_request", cost.total.as_usd()),
        ("input_cost_per_request", usd(cost.input)),
        ("output_cost_per_request", usd(cost.output)),
        ("cache_read_cost_per_request", usd(cost.cache_read)),
        ("cache_creation_cost_per_request", usd(cost.cache_creation)),
        ("reasoning_cost_per_request", usd(cost.reasoning)),
        ("margin_cost_per_request", usd(cost.margin)),
    ];
    told.extend(parts.into_iter().map(|(name, usd)| (name.to_owned(), json!(usd))));
    for (times, word) in [("num_requests_per_day", "daily"), ("num_requests_per_month", "monthly")] {
        let times = count(times)?;
        let all = |each: Money| {
            times.map(|times| Money(each.0.saturating_mul(i64::try_from(times).unwrap_or(i64::MAX))).as_usd())
        };
        told.insert(format!("{word}_cost"), json!(all(cost.total)));
        told.insert(format!("{word}_input_cost"), json!(all(cost.input.round())));
        told.insert(format!("{word}_output_cost"), json!(all(cost.output.round())));
        told.insert(format!("{word}_margin_cost"), json!(all(cost.margin.round())));
    }
    Ok(Value::Object(told))
}

/// What a reply in OpenAI's shape says it used.
fn usage_of(reply: &Value) -> Result<Usage> {
    let bytes = Bytes::from(reply.to_string());
    let facts = dialects::dialect(DialectId::OpenaiChat).reply_facts(&bytes);
    facts.usage.ok_or_else(|| missing("completion_response", "a reply with `usage`"))
}

/// The tokens of a prompt.
async fn usage_of_prompt(core: &Core, served: &Served, asked: Map<String, Value>) -> Result<Usage> {
    if ["messages", "prompt"].iter().all(|member| asked.get(*member).is_none_or(Value::is_null)) {
        return Err(missing("messages", "messages, or `completion_response`"));
    }
    let base = served.deployment.base_model.as_deref();
    let encoding = Encoding::of(base.unwrap_or(&served.target.target().model));
    // Beside the data plane: a prompt may be long.
    let counting = core.shared.control.spawn_blocking(move || tokens_of(encoding, asked));
    let input_tokens = counting
        .await
        .map_err(|gone| Error::new(ErrorKind::Internal, "the count was interrupted").with_source(gone))?;
    Ok(Usage { input_tokens, ..Usage::default() })
}

fn price(served: &Served, model: &str, usage: &Usage) -> Result<llm_types::Cost> {
    served.cost(served.info.as_deref(), usage, &CostContext::default()).ok_or_else(|| {
        let shown: String = model.chars().take(200).collect();
        Error::new(ErrorKind::NotFound, format!("model `{shown}` has no price")).with_param("model")
    })
}
