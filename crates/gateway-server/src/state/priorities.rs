//! Shares of models' rates by priority (`litellm_settings.priority_reservation`), as LiteLLM's
//! `dynamic_rate_limiter_v3` gives them.
//!
//! While a model is used less than the threshold says, everybody may use all of it. From there on each priority has
//! its share of the model's requests and tokens a minute; who has no priority, or one that is not named, shares the
//! default one. Where no priority is named the keys that call the model
//! share it equally. <https://docs.litellm.ai/docs/proxy/dynamic_rate_limit>

use std::collections::HashMap;
use std::sync::Arc;

use dashmap::DashMap;
use gateway_db::{ScopeId, ScopeKind};

use crate::config::{Config, Priorities, Share};
use crate::limits::Limits;

/// How long after its last call a key is one of those that share a model, milliseconds.
const ACTIVE_MS: i64 = 60_000;
/// How often it is looked who has gone, milliseconds.
const SWEEP_MS: i64 = 1_000;
/// How long it counts how many keys all gateways together see, milliseconds: it is told a few times a second.
const HEARD_MS: i64 = 5_000;

/// The shares of all models that have rates; none where nothing is configured.
#[derive(Debug, Default)]
pub(crate) struct PriorityShares {
    models: HashMap<String, ModelShares>,
    /// How full a model must be for its shares to hold: 0.5 is half.
    pub(crate) threshold: f64,
}

/// The shares of one model.
#[derive(Debug)]
pub(crate) struct ModelShares {
    /// What the model's deployments take together.
    pub(crate) whole: Limits,
    /// The account in which all calls of the model are counted.
    pub(crate) account: ScopeId,
    model: String,
    named: HashMap<String, Pool>,
    rest: Pool,
}

/// What calls of one priority share.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    /// What they may use once the model is full enough.
    pub(crate) limits: Limits,
    /// Their account.
    pub(crate) account: ScopeId,
}

impl PriorityShares {
    /// Those of a configuration.
    pub(crate) fn of(config: &Config) -> Self {
        let Some(said) = &config.calls.priorities else { return Self::default() };
        let mut wholes: HashMap<&str, Limits> = HashMap::new();
        for model in &config.models {
            let deployment = &model.deployment;
            let whole = wholes.entry(&deployment.group).or_default();
            whole.rpm = sum(whole.rpm, deployment.rpm);
            whole.tpm = sum(whole.tpm, deployment.tpm);
        }
        let models = wholes.into_iter().filter(|(_, whole)| whole.has_rates());
        let models = models.map(|(group, whole)| (group.to_owned(), ModelShares::new(group, whole, said)));
        Self { models: models.collect(), threshold: said.threshold }
    }

    /// Whether no model has shares.
    pub(crate) fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// The shares of a model.
    pub(crate) fn model(&self, group: &str) -> Option<&ModelShares> {
        self.models.get(group)
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

impl ModelShares {
    fn new(group: &str, whole: Limits, said: &Priorities) -> Self {
        let parts: Vec<f64> = said.shares.iter().map(|(_, share)| part_of(*share, &whole)).collect();
        // Shares that are more than the whole are made smaller, all by as much.
        let total = parts.iter().sum::<f64>().max(1.0);
        let pool = |name: &str, part: f64| Pool {
            limits: Limits { rpm: cut(whole.rpm, part), tpm: cut(whole.tpm, part), ..Limits::default() },
            account: ScopeId::member(ScopeKind::Part, format!("priority:{name}"), group),
        };
        let named = said.shares.iter().zip(&parts);
        let named = named.map(|((name, _), part)| (name.clone(), pool(&format!("={name}"), part / total)));
        Self {
            account: ScopeId::member(ScopeKind::Part, "priorities", group),
            model: group.to_owned(),
            named: named.collect(),
            rest: pool("", said.default),
            whole,
        }
    }

    /// What calls of a priority share.
    pub(crate) fn pool(&self, priority: Option<&str>) -> &Pool {
        priority.and_then(|name| self.named.get(name)).unwrap_or(&self.rest)
    }

    /// Whether no priority is named: keys share the model equally, and all of them together have no more than it.
    pub(crate) fn is_equal(&self) -> bool {
        self.named.is_empty()
    }

    /// What one of so many keys may use, one call and one token at least.
    pub(crate) fn pool_of(&self, key: &str, keys: usize) -> Pool {
        let keys = u64::try_from(keys).unwrap_or(u64::MAX).max(1);
        let share = |whole: Option<u64>| whole.map(|whole| (whole / keys).max(1));
        Pool {
            limits: Limits { rpm: share(self.whole.rpm), tpm: share(self.whole.tpm), ..Limits::default() },
            account: ScopeId::member(ScopeKind::Part, format!("priority:key:{key}"), &*self.model),
        }
    }

    /// How full the model is, 1 for full, when so many requests and tokens were used in the minute.
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
    pub(crate) fn saturation(&self, (requests, tokens): (u64, u64)) -> f64 {
        let ratio = |used: u64, limit: Option<u64>| match limit {
            Some(limit) if limit > 0 => used as f64 / limit as f64,
            _ => 0.0,
        };
        ratio(requests, self.whole.rpm).max(ratio(tokens, self.whole.tpm))
    }
}

/// A share as a part of the whole; of a model without such a rate it is nothing that can be held back.
#[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
fn part_of(share: Share, whole: &Limits) -> f64 {
    let of = |count: u64, limit: Option<u64>| match limit {
        Some(limit) if limit > 0 => count as f64 / limit as f64,
        _ => 1.0,
    };
    match share {
        Share::Part(part) => part,
        Share::Requests(count) => of(count, whole.rpm),
        Share::Tokens(count) => of(count, whole.tpm),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a count, rounded down as LiteLLM does; a sliver makes up for binary fractions"
)]
fn cut(limit: Option<u64>, part: f64) -> Option<u64> {
    limit.map(|limit| (limit as f64 * part + 1e-9) as u64)
}

/// Which keys called which model lately; survives reloads.
#[derive(Debug, Default)]
pub(crate) struct Callers(DashMap<String, Lately>);

/// When keys last called one model.
#[derive(Debug, Default)]
struct Lately {
    keys: HashMap<Arc<str>, i64>,
    /// When those were last forgotten that do not call any more.
    swept: i64,
    /// When other gateways were told last.
    told: i64,
    /// How many keys all gateways together saw, and when that was heard.
    heard: Option<(usize, i64)>,
}

/// What other gateways are to know of one model: its keys that called since they were told last, and when they did.
pub(crate) type CallerNews = (String, Vec<(Arc<str>, i64)>);

impl Callers {
    /// Notes that a key calls a model; gives the number of keys that did within a minute, this one counted: here, or at
    /// all gateways that share a Redis. Who has gone is noticed a second late: not every call looks at all keys.
    pub(crate) fn note(&self, model: &str, key: &str, now_ms: i64) -> usize {
        let mut lately = match self.0.get_mut(model) {
            Some(lately) => lately,
            None => self.0.entry(model.to_owned()).or_default(),
        };
        match lately.keys.get_mut(key) {
            Some(last) => *last = now_ms,
            None => drop(lately.keys.insert(key.into(), now_ms)),
        }
        if now_ms.saturating_sub(lately.swept) >= SWEEP_MS {
            lately.swept = now_ms;
            lately.keys.retain(|_, last| now_ms.saturating_sub(*last) < ACTIVE_MS);
        }
        let heard = lately.heard.filter(|(_, at)| now_ms.saturating_sub(*at) < HEARD_MS);
        heard.map_or(0, |(keys, _)| keys).max(lately.keys.len())
    }

    /// What to tell other gateways of every model that is shared equally, and counts as told from now on.
    pub(crate) fn news(&self, now_ms: i64) -> Vec<CallerNews> {
        let news = self.0.iter_mut().map(|mut entry| {
            let (model, lately) = entry.pair_mut();
            // A call of the same millisecond may have come after the last telling: it is told twice at most.
            let fresh = lately.keys.iter().filter(|(_, last)| **last >= lately.told);
            let fresh = fresh.map(|(key, last)| (Arc::clone(key), *last)).collect();
            lately.told = now_ms;
            (model.clone(), fresh)
        });
        news.collect()
    }

    /// What was told last may not have arrived: all is told again.
    pub(crate) fn forget_told(&self) {
        self.0.iter_mut().for_each(|mut lately| lately.told = 0);
    }

    /// Takes over how many keys all gateways together saw calling a model within a minute.
    pub(crate) fn hear(&self, model: &str, keys: usize, now_ms: i64) {
        if let Some(mut lately) = self.0.get_mut(model) {
            lately.heard = Some((keys, now_ms));
        }
    }

    /// How long keys count, milliseconds.
    pub(crate) const fn active_ms() -> i64 {
        ACTIVE_MS
    }
}

#[cfg(test)]
mod tests;
