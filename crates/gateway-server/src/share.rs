//! What gateways tell each other over Redis: rests, usage of this minute and latencies of deployments.
//!
//! A task of the control thread tells and listens a few times a second, each time with two batches of
//! commands; calls never wait for it. While Redis is away each gateway goes by what it sees itself.

mod resp;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use llm_router::Moment;
use llm_router::shared::{News, Teller};
use llm_types::DeploymentId;

use crate::clock::now_ms;
use crate::config::Redis;
use crate::state::Shared;

use resp::{Connection, Reply};

/// How often gateways tell each other.
const EVERY: Duration = Duration::from_millis(250);
/// How long an exchange may take; a Redis that is slower is away.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait before Redis is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Where everything is kept.
const PREFIX: &str = "gateway:router";

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
    let mut line: Option<(Redis, Connection)> = None;
    let mut away = false;
    loop {
        tokio::time::sleep(if away { AGAIN } else { EVERY }).await;
        let Some(redis) = shared.snapshot().config.redis.clone() else {
            (line, away) = (None, false);
            shared.exchange.connected.store(0, Relaxed);
            continue;
        };
        let exchanged =
            tokio::time::timeout(PATIENCE, exchange(&shared, &redis, &mut line, &mut teller)).await;
        let failed = match exchanged {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
        };
        note(&shared.exchange, failed.as_deref(), away);
        away = failed.is_some();
        if away {
            // What was on its way may not have arrived.
            line = None;
            teller.forget();
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

async fn exchange(
    shared: &Shared,
    redis: &Redis,
    line: &mut Option<(Redis, Connection)>,
    teller: &mut Teller,
) -> std::io::Result<()> {
    let mut connection = match line.take() {
        Some((to, connection)) if to == *redis => connection,
        _ => Connection::open(redis).await?,
    };
    let now = shared.snapshot().router.now();
    let told = teller.news(&shared.counters, now);
    let replies = connection.ask(&commands(&told, now_ms())).await?;
    hear(shared, teller, &replies, now);
    *line = Some((redis.clone(), connection));
    Ok(())
}

/// The commands that tell what is new, and behind them the three that ask what is known.
fn commands(told: &[(DeploymentId, News)], now_ms: i64) -> Vec<Vec<String>> {
    let minute = now_ms / 60_000;
    let usage = format!("{PREFIX}:usage:{minute}");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut all = Vec::new();
    for (id, news) in told {
        let id = id.as_str();
        for (kind, count) in [("r", news.requests), ("t", news.tokens)] {
            if count > 0 {
                all.push(words(&["HINCRBY", &usage, &format!("{kind}:{id}"), &count.to_string()]));
            }
        }
        if let Some(left) = news.rest {
            let until = now_ms.saturating_add(i64::try_from(left.as_millis()).unwrap_or(i64::MAX));
            all.push(words(&["HSET", &format!("{PREFIX}:rests"), id, &until.to_string()]));
        }
        if let Some([first, whole]) = news.latency {
            all.push(words(&[
                "HSET",
                &format!("{PREFIX}:latency"),
                id,
                &format!("{first}:{whole}:{now_ms}"),
            ]));
        }
    }
    all.push(words(&["EXPIRE", &usage, "120"]));
    all.push(words(&["EXPIRE", &format!("{PREFIX}:rests"), "86400"]));
    all.push(words(&["EXPIRE", &format!("{PREFIX}:latency"), "3600"]));
    for kind in [format!("usage:{minute}"), "rests".to_owned(), "latency".to_owned()] {
        all.push(words(&["HGETALL", &format!("{PREFIX}:{kind}")]));
    }
    all
}

/// Takes over what others have told; what this gateway told itself is left out of sums.
fn hear(shared: &Shared, teller: &Teller, replies: &[Reply], now: Moment) {
    let [.., usage, rests, latency] = replies else { return };
    let now_ms = now_ms();
    let mut used: std::collections::HashMap<&str, (u64, u64)> = std::collections::HashMap::new();
    for (field, value) in usage.pairs() {
        let count: u64 = value.parse().unwrap_or(0);
        match field.split_once(':') {
            Some(("r", id)) => used.entry(id).or_default().0 = count,
            Some(("t", id)) => used.entry(id).or_default().1 = count,
            _ => {}
        }
    }
    let rests: std::collections::HashMap<&str, i64> =
        rests.pairs().filter_map(|(id, until)| Some((id, until.parse().ok()?))).collect();
    let latency: std::collections::HashMap<&str, [f32; 2]> =
        latency.pairs().filter_map(|(id, value)| Some((id, latency_of(value, now_ms)?))).collect();
    shared.counters.for_each(|id, state| {
        let (own_requests, own_tokens) = teller.told(id, now);
        let (requests, tokens) = used.get(id.as_str()).copied().unwrap_or_default();
        state.hear_usage(requests.saturating_sub(own_requests), tokens.saturating_sub(own_tokens), now);
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
