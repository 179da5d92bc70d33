//! What something costs, before or after it is asked: `/spend/calculate` and `/cost/estimate` (surface §3.8).

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_providers::DialectId;
use llm_providers::catalog::ModelInfo;
use llm_providers::dialects;
use llm_providers::tokens::Encoding;
use llm_types::{Cost, CostContext, Error, ErrorKind, Money, Result, Usage};
use serde_json::{Map, Value, json};

use super::models::enter;
use super::utils::{missing, object, served, tokens_of, told};
use crate::admin::{Fields, Refusal};
use crate::answer::{self, ReplyBody};
use crate::door::{ConnState, read_body};
use crate::state::{Core, Snapshot, Terms, cost_by};
use crate::walk::Caller;

/// The most bytes a question may have.
const LIMIT: usize = 16 * 1024 * 1024;

/// A model that can be priced: one behind a name that the caller may use, or one of the price map.
struct Priced {
    info: Option<Arc<ModelInfo>>,
    terms: Terms,
    provider: String,
    /// By which name its tokens are counted.
    counted_as: String,
}

impl Priced {
    fn find(core: &Core, snapshot: &Snapshot, caller: &Caller, name: &str) -> Result<Self> {
        if snapshot.routes().resolve(name, caller.team()).is_some() {
            let served = served(core, snapshot, caller, name)?;
            let target = served.target.target();
            let base = served.deployment.base_model.as_ref();
            return Ok(Self {
                info: served.info.clone(),
                terms: served.terms,
                provider: target.spec.id.as_str().to_owned(),
                counted_as: base.map_or_else(|| target.model.clone(), ToString::to_string),
            });
        }
        let known = snapshot.config.registry.split_model(name).ok();
        let known = known.and_then(|(spec, model)| snapshot.known(spec.id.as_str(), model));
        let listed = || snapshot.book().find(name).filter(|info| *info.name == *name).map(Arc::new);
        let info = known.or_else(listed).ok_or_else(|| unpriced(name))?;
        Ok(Self {
            terms: Terms::of_vendor(&info.provider, &snapshot.config.calls.adjustments),
            provider: info.provider.to_string(),
            counted_as: name.to_owned(),
            info: Some(info),
        })
    }

    fn cost(&self, name: &str, usage: &Usage) -> Result<Cost> {
        let cost = cost_by(&self.terms, self.info.as_deref(), usage, &CostContext::default());
        cost.ok_or_else(|| unpriced(name))
    }
}

fn unpriced(name: &str) -> Error {
    let shown: String = name.chars().take(200).collect();
    let words =
        format!("model `{shown}` has no price: it is neither configured with one nor in the price map");
    Error::new(ErrorKind::BadRequest, words).with_vendor_type("invalid_request_error").with_param("model")
}

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
        let priced = Priced::find(core, &snapshot, &caller, &model)?;
        let usage = match reply {
            Some(reply) => usage_of(reply)?,
            None => usage_of_prompt(core, &priced, asked).await?,
        };
        Ok(json!({ "cost": priced.cost(&model, &usage)?.total.as_usd() }))
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
        let question = Question::read(&read_body(body, LIMIT).await?)?;
        let model = &question.model;
        let cost = Priced::find(core, &snapshot, &caller, model).and_then(|priced| {
            let cost = priced.cost(model, &question.usage())?;
            Ok((priced, cost))
        });
        match cost {
            Ok((priced, cost)) => Ok(question.told(&priced, &cost)),
            Err(error) => {
                let words = format!("Could not calculate cost for model '{model}': {}", error.message());
                Err(Refusal::detail(StatusCode::NOT_FOUND, words))
            }
        }
    };
    match counted.await {
        Ok(told) => answer::json_response(StatusCode::OK, &told),
        Err(refusal) => refusal.into_response(),
    }
}

/// What an estimate is asked for.
struct Question {
    model: String,
    /// By their names in the request, as in the answer.
    tokens: [(&'static str, i64); 5],
    times: [(&'static str, &'static str, Option<i64>); 2],
}

impl Question {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::read(body)?;
        let model = fields.required("model");
        let tokens =
            ["input_tokens", "output_tokens"].map(|name| (name, fields.needs(name, |it| it.count(name))));
        let parts = ["cache_read_input_tokens", "cache_creation_input_tokens", "reasoning_tokens"]
            .map(|name| (name, fields.count(name).apply(None).unwrap_or_default()));
        let times = [("num_requests_per_day", "daily"), ("num_requests_per_month", "monthly")]
            .map(|(name, word)| (name, word, fields.count(name).apply(None)));
        fields.finish()?;
        let ([(_, input), (_, output)], [(_, read), (_, written), (_, reasoning)]) = (&tokens, &parts);
        let words = match () {
            () if read.saturating_add(*written) > *input => {
                "cache_read_input_tokens plus cache_creation_input_tokens cannot exceed input_tokens"
            }
            () if reasoning > output => "reasoning_tokens cannot exceed output_tokens",
            () => {
                let [(input, output), (read, written)] = [(tokens[0], tokens[1]), (parts[0], parts[1])];
                return Ok(Self { model, tokens: [input, output, read, written, parts[2]], times });
            }
        };
        Err(Refusal::value(words))
    }

    fn usage(&self) -> Usage {
        let [input, output, read, written, reasoning] = self.tokens.map(|(_, count)| count.unsigned_abs());
        let some = |count: u64| Some(count).filter(|count| *count > 0);
        Usage {
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: some(read),
            cache_write_tokens: some(written),
            reasoning_tokens: some(reasoning),
            ..Usage::default()
        }
    }

    fn told(&self, priced: &Priced, cost: &Cost) -> Value {
        let mut told = Map::new();
        let mut put = |name: String, value: Value| told.insert(name, value);
        put("model".to_owned(), json!(self.model));
        put("provider".to_owned(), json!(priced.provider));
        for (name, count) in self.tokens {
            put(name.to_owned(), json!(count));
        }
        // The total is money already; its parts are finer.
        let parts = [
            ("", cost.total),
            ("input_", cost.input.round()),
            ("output_", cost.output.round()),
            ("margin_", cost.margin.round()),
            ("cache_read_", cost.cache_read.round()),
            ("cache_creation_", cost.cache_creation.round()),
            ("reasoning_", cost.reasoning.round()),
        ];
        let each =
            [cost.input, cost.output, cost.margin, cost.cache_read, cost.cache_creation, cost.reasoning];
        put("cost_per_request".to_owned(), json!(cost.total.as_usd()));
        for ((word, _), usd) in parts.iter().skip(1).zip(each) {
            put(format!("{word}cost_per_request"), json!(usd.as_usd()));
        }
        for (name, word, times) in self.times {
            put(name.to_owned(), json!(times));
            for (part, money) in parts {
                let all = times.map(|times| Money(money.0.saturating_mul(times)).as_usd());
                put(format!("{word}_{part}cost"), json!(all));
            }
        }
        let rates = priced.info.as_ref().map(|info| info.to_litellm()).unwrap_or_default();
        for name in RATES {
            put(name.to_owned(), rates.get(name).cloned().unwrap_or(Value::Null));
        }
        Value::Object(told)
    }
}

/// The prices of single tokens that an estimate tells.
const RATES: [&str; 5] = [
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "output_cost_per_reasoning_token",
];

/// What a reply in OpenAI's shape says it used.
fn usage_of(reply: &Value) -> Result<Usage> {
    let bytes = Bytes::from(reply.to_string());
    let facts = dialects::dialect(DialectId::OpenaiChat).reply_facts(&bytes);
    facts.usage.ok_or_else(|| missing("completion_response", "a reply with `usage`"))
}

/// The tokens of a prompt.
async fn usage_of_prompt(core: &Core, priced: &Priced, asked: Map<String, Value>) -> Result<Usage> {
    if ["messages", "prompt"].iter().all(|member| asked.get(*member).is_none_or(Value::is_null)) {
        return Err(missing("messages", "messages, or `completion_response`"));
    }
    let encoding = Encoding::of(&priced.counted_as);
    // Beside the data plane: a prompt may be long.
    let counting = core.shared.control.spawn_blocking(move || tokens_of(encoding, asked));
    let input_tokens = counting
        .await
        .map_err(|gone| Error::new(ErrorKind::Internal, "the count was interrupted").with_source(gone))?;
    Ok(Usage { input_tokens, ..Usage::default() })
}
