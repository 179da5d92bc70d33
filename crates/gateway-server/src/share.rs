//! What gateways tell each other over Redis: rests, usage of this minute and latencies of deployments, and which keys
//! share a model.
//!
//! A task of the control thread tells and listens a few times a second, each time with one batch of commands, or two
//! where keys share models; calls never wait for it. While Redis is away each gateway goes by what it sees itself.

mod line;
mod quotas;
pub(crate) mod rounds;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use llm_router::Moment;
use llm_router::shared::{Counts, News, Teller};
use llm_types::DeploymentId;
use redis::Pipeline;

use crate::clock::{now_ms, steady_ms};
use crate::config::Redis;
use crate::state::{CallerNews, Callers, Shared};

pub(crate) use line::Lines;
pub(crate) use quotas::{Holder, Quotas, Rated};

/// How often gateways tell each other.
const EVERY: Duration = Duration::from_millis(250);
/// How long to wait before Redis is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Where everything is kept.
const PREFIX: &str = "gateway:router";
/// What fields of counts begin with, in the order of [`Counts`].
const FIELDS: [&str; 4] = ["r", "t", "i", "o"];

/// What the exchange with others came to, for metrics.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Exchanges that succeeded.
    pub(crate) done: AtomicU64,
    /// Exchanges that failed.
    pub(crate) failed: AtomicU64,
    /// 1 while Redis answers, 0 while it does not or none is configured.
    pub(crate) connected: AtomicU64,
}

impl Exchange {
    /// Names and values, for metrics.
    pub(crate) fn figures(&self) -> [(&'static str, u64); 3] {
        [
            ("gateway_shared_state_connected", self.connected.load(Relaxed)),
            ("gateway_shared_state_exchanges_total", self.done.load(Relaxed)),
            ("gateway_shared_state_failures_total", self.failed.load(Relaxed)),
        ]
    }
}

/// Tells and listens for as long as the gateway runs. The Redis of the configuration in force counts.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut teller = Teller::default();
    let mut away = false;
    loop {
        tokio::time::sleep(if away { AGAIN } else { EVERY }).await;
        let Some(redis) = shared.snapshot().config.redis.clone() else {
            away = false;
            shared.exchange.connected.store(0, Relaxed);
            continue;
        };
        let failed = exchange(&shared, &redis, &mut teller).await.err().map(|error| error.to_string());
        note(&shared.exchange, failed.as_deref(), away);
        away = failed.is_some();
        if away {
            // What was on its way may not have arrived.
            teller.forget();
            shared.callers.forget_told();
        }
    }
}

/// Counts an exchange; says once when Redis goes away and once when it is back.
fn note(exchange: &Exchange, failed: Option<&str>, away: bool) {
    exchange.connected.store(u64::from(failed.is_none()), Relaxed);
    match failed {
        None => {
            exchange.done.fetch_add(1, Relaxed);
            if away {
                tracing::info!("Redis is back: deployments are shared with other gateways again");
            }
        }
        Some(error) => {
            exchange.failed.fetch_add(1, Relaxed);
            if !away {
                tracing::warn!(error, "Redis is away: this gateway goes by what it sees itself");
            }
        }
    }
}

async fn exchange(shared: &Shared, redis: &Redis, teller: &mut Teller) -> llm_types::Result<()> {
    let mut line = shared.redis.line(redis).await?;
    let now = shared.snapshot().router.now();
    let told = teller.news(&shared.counters, now);
    let heard: Heard = line.ask(&commands(&told, now_ms())).await?;
    hear(shared, teller, &heard, now);
    let callers = shared.callers.news(steady_ms());
    if !callers.is_empty() {
        let counts: Vec<usize> = line.ask(&caller_commands(&callers, (now_ms(), steady_ms()))).await?;
        for ((model, _), keys) in callers.iter().zip(counts) {
            shared.callers.hear(model, keys, steady_ms());
        }
    }
    Ok(())
}

/// The commands that tell which keys called which model, and for each model the one that asks how many did, here and
/// elsewhere. Moments are the clock's that gateways share.
fn caller_commands(news: &[CallerNews], (now_ms, steady_ms): (i64, i64)) -> Pipeline {
    let mut all = Pipeline::new();
    for (model, keys) in news {
        let name = format!("{PREFIX}:callers:{model}");
        let moved = |(key, at): &(Arc<str>, i64)| (now_ms - (steady_ms - at), key.to_string());
        if !keys.is_empty() {
            all.zadd_multiple(&name, &keys.iter().map(moved).collect::<Vec<_>>()).ignore();
            all.expire(&name, Callers::active_ms() / 1_000 * 2).ignore();
        }
        all.zrembyscore(&name, "-inf", now_ms - Callers::active_ms()).ignore();
        all.zcard(&name);
    }
    all
}

/// What others told: counts of this minute, rests and latencies, by deployment.
type Heard = (HashMap<String, i64>, HashMap<String, i64>, HashMap<String, String>);

/// The commands that tell what is new, and behind them the three that ask what is known.
fn commands(told: &[(DeploymentId, News)], now_ms: i64) -> Pipeline {
    let minute = now_ms / 60_000;
    let usage = format!("{PREFIX}:usage:{minute}");
    let (rests, latency) = (format!("{PREFIX}:rests"), format!("{PREFIX}:latency"));
    let mut all = Pipeline::new();
    for (id, news) in told {
        let id = id.as_str();
        for (field, change) in FIELDS.into_iter().zip(news.counts).filter(|(_, change)| *change != 0) {
            all.hincr(&usage, format!("{field}:{id}"), change).ignore();
        }
        if let Some(left) = news.rest {
            let until = now_ms.saturating_add(i64::try_from(left.as_millis()).unwrap_or(i64::MAX));
            all.hset(&rests, id, until).ignore();
        }
        if let Some([first, whole]) = news.latency {
            all.hset(&latency, id, format!("{first}:{whole}:{now_ms}")).ignore();
        }
    }
    all.expire(&usage, 120).ignore().expire(&rests, 86_400).ignore().expire(&latency, 3_600).ignore();
    all.hgetall(&usage).hgetall(&rests).hgetall(&latency);
    all
}

/// Takes over what others have told; what this gateway told itself is left out of sums.
fn hear(shared: &Shared, teller: &Teller, (usage, rests, latency): &Heard, now: Moment) {
    let now_ms = now_ms();
    let mut used: HashMap<&str, Counts> = HashMap::new();
    for (name, count) in usage {
        let Some((field, id)) = name.split_once(':') else { continue };
        if let Some(at) = FIELDS.iter().position(|known| *known == field) {
            used.entry(id).or_default()[at] = u64::try_from(*count).unwrap_or(0);
        }
    }
    let latency: HashMap<&str, [f32; 2]> =
        latency.iter().filter_map(|(id, value)| Some((id.as_str(), latency_of(value, now_ms)?))).collect();
    shared.counters.for_each(|id, state| {
        let mut others = used.get(id.as_str()).copied().unwrap_or_default();
        for (count, own) in others.iter_mut().zip(teller.told(id, now)) {
            *count = count.saturating_sub(own);
        }
        state.hear_counts(others, now);
        let left = rests.get(id.as_str()).and_then(|until| u64::try_from(until - now_ms).ok());
        if let Some(left) = left.filter(|left| *left > 0) {
            state.hear_rest(Duration::from_millis(left), now);
        }
        if let Some(latency) = latency.get(id.as_str()) {
            state.hear_latency(*latency, now);
        }
    });
}

/// Milliseconds to the first byte and to the end, where they were told less than a minute ago.
fn latency_of(text: &str, now_ms: i64) -> Option<[f32; 2]> {
    let mut parts = text.split(':');
    let (first, whole) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let at: i64 = parts.next()?.parse().ok()?;
    (now_ms - at < 60_000).then_some([first, whole])
}

#[cfg(test)]
mod tests;
