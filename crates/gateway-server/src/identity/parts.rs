//! Parts of what a key or scope may use: limits for one model, for one tag, for one more period.
//!
//! Each part has an account of its own that a call is charged to beside its owner's. Spend of parts is stored as
//! that of scopes is (a row of the kind `part`), so leases, periods and recovery hold for it; rates are only
//! counted.

use std::sync::Arc;

use gateway_db::{JsonMap, KeySettings, ScopeId, ScopeKind, ScopeSettings};
use llm_types::Money;
use serde_json::Value;

use super::Scope;
use crate::clock::time_of;
use crate::config::TokenCount;
use crate::limits::Limits;

/// For which calls a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum For {
    /// Every call.
    All,
    /// Calls to a model.
    Model(String),
    /// Calls with a tag.
    Tag(String),
}

impl For {
    /// Whether it holds for a call. A model may be named with or without its provider.
    pub(crate) fn holds(&self, model: &str, tags: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::Model(name) => name == model || bare(name) == model || bare(model) == name,
            Self::Tag(tag) => tags.contains(tag),
        }
    }
}

fn bare(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, model)| model)
}

/// A part with its account.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// What it is and may use.
    pub(crate) spec: Arc<PartSpec>,
    /// Its account.
    pub(crate) scope: Arc<Scope>,
}

/// A part as its owner's settings say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartSpec {
    /// For which calls.
    pub(crate) of: For,
    /// After which its spend starts anew, in LiteLLM's words.
    pub(crate) period: Option<String>,
    /// What may be used: money or rates.
    pub(crate) limits: Limits,
    /// Which tokens its limit a minute counts, where it says that itself.
    pub(crate) counts: Option<TokenCount>,
}

impl PartSpec {
    /// Rates of one key for a model, where the deployment says them for every key.
    pub(crate) fn rates_of(model: &str, (rpm, tpm): (Option<u64>, Option<u64>)) -> Self {
        let limits = Limits { rpm, tpm, ..Limits::default() };
        Self { of: For::Model(model.to_owned()), period: None, limits, counts: None }
    }

    /// Whether it is about money: only then is it stored.
    pub(crate) fn is_budget(&self) -> bool {
        self.limits.max_budget.is_some()
    }

    /// The id of its account.
    pub(crate) fn id(&self, owner: &str) -> ScopeId {
        let of = match &self.of {
            For::All => "",
            For::Model(name) | For::Tag(name) => name,
        };
        let kind = if matches!(self.of, For::Tag(_)) { "#" } else { "" };
        let period = match &self.period {
            Some(period) => format!("@{period}"),
            None if self.is_budget() => "@".to_owned(),
            None => String::new(),
        };
        let counts = match self.counts {
            None | Some(TokenCount::Total) => "",
            Some(TokenCount::Input) => "!input",
            Some(TokenCount::Output) => "!output",
        };
        ScopeId::member(ScopeKind::Part, owner, format!("{kind}{of}{period}{counts}"))
    }
}

/// What settings say about parts, wherever they say it.
struct Said<'a> {
    model_max_budget: &'a JsonMap,
    model_rpm_limit: &'a JsonMap,
    model_tpm_limit: &'a JsonMap,
    metadata: &'a JsonMap,
    extra: &'a JsonMap,
}

/// The parts of a key.
pub(crate) fn parts_of_key(settings: &KeySettings) -> Vec<PartSpec> {
    let KeySettings { model_max_budget, model_rpm_limit, model_tpm_limit, metadata, extra, .. } = settings;
    Said { model_max_budget, model_rpm_limit, model_tpm_limit, metadata, extra }.parts()
}

/// The parts of a scope.
pub(crate) fn parts_of_scope(settings: &ScopeSettings) -> Vec<PartSpec> {
    let ScopeSettings { model_max_budget, model_rpm_limit, model_tpm_limit, metadata, extra, .. } = settings;
    Said { model_max_budget, model_rpm_limit, model_tpm_limit, metadata, extra }.parts()
}

/// Where a project says what may be asked and answered a minute, each for itself.
const DIRECTED: [(&str, TokenCount); 2] =
    [("model_itpm_limit", TokenCount::Input), ("model_otpm_limit", TokenCount::Output)];

/// The parts of a project that count prompts or answers alone.
pub(crate) fn directed_parts(settings: &ScopeSettings) -> Vec<PartSpec> {
    let mut parts = Vec::new();
    for (name, what) in DIRECTED {
        let own = settings.extra.get(name).filter(|said| !said.is_null());
        let said = own.or_else(|| settings.metadata.get(name)).and_then(Value::as_object);
        parts.extend(said.into_iter().flat_map(counts).map(|(model, tpm)| PartSpec {
            of: For::Model(model.clone()),
            period: None,
            limits: Limits { tpm: Some(tpm), ..Limits::default() },
            counts: Some(what),
        }));
    }
    parts
}

impl Said<'_> {
    fn parts(&self) -> Vec<PartSpec> {
        let mut parts = self.rates();
        for (model, budget) in self.model_max_budget {
            parts.extend(budget_of(For::Model(model.clone()), budget));
        }
        let windows = self.extra.get("budget_limits").and_then(Value::as_array);
        for window in windows.into_iter().flatten() {
            parts.extend(budget_of(For::All, window));
        }
        parts
    }

    /// Rates by model and by tag. LiteLLM keeps those by model in `metadata` (surface §3.3).
    fn rates(&self) -> Vec<PartSpec> {
        let mut parts: Vec<PartSpec> = Vec::new();
        let mut add = |of: For, limits: Limits| match parts.iter_mut().find(|part| part.of == of) {
            Some(part) => part.limits = part.limits.or(&limits),
            None => parts.push(PartSpec { of, period: None, limits, counts: None }),
        };
        let stored = |name: &str| self.metadata.get(name).and_then(Value::as_object);
        for map in [Some(self.model_rpm_limit), stored("model_rpm_limit")].into_iter().flatten() {
            for (model, rpm) in counts(map) {
                add(For::Model(model.clone()), Limits { rpm: Some(rpm), ..Limits::default() });
            }
        }
        for map in [Some(self.model_tpm_limit), stored("model_tpm_limit")].into_iter().flatten() {
            for (model, tpm) in counts(map) {
                add(For::Model(model.clone()), Limits { tpm: Some(tpm), ..Limits::default() });
            }
        }
        let tags = self.extra.get("tag_rpm_limit").and_then(Value::as_object).or(stored("tag_rpm_limit"));
        for (tag, rpm) in tags.into_iter().flat_map(counts) {
            add(For::Tag(tag.clone()), Limits { rpm: Some(rpm), ..Limits::default() });
        }
        parts
    }
}

fn counts(map: &JsonMap) -> impl Iterator<Item = (&String, u64)> {
    map.iter().filter_map(|(name, value)| Some((name, value.as_u64()?)))
}

/// A budget as LiteLLM writes it: `{budget_limit | max_budget, time_period | budget_duration}`, or an amount.
fn budget_of(of: For, said: &Value) -> Option<PartSpec> {
    let (max, period) = amount_and_period(said)?;
    let limits = Limits { max_budget: Some(max), ..Limits::default() };
    Some(PartSpec { of, period: period.map(str::to_owned), limits, counts: None })
}

/// The amount and the period of a budget; `None` where there is no amount, or one that cannot be counted.
pub(crate) fn amount_and_period(said: &Value) -> Option<(Money, Option<&str>)> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let named = |names: [&str; 2]| names.into_iter().find_map(|name| said.get(name)).filter(|v| !v.is_null());
    let amount = number(named(["budget_limit", "max_budget"]).unwrap_or(said))?;
    let amount = Some(amount).filter(|usd| *usd >= 0.0).and_then(Money::of_usd)?;
    let period = named(["time_period", "budget_duration"]).and_then(Value::as_str);
    Some((amount, period))
}

/// The models that serve where a key's budget for one is spent, in order (`budget_fallbacks`).
pub(super) fn stand_ins_of(extra: &JsonMap) -> Vec<(For, Vec<String>)> {
    let said = extra.get("budget_fallbacks").and_then(Value::as_object);
    let names = |models: &Value| -> Vec<String> {
        models.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    said.into_iter().flatten().map(|(model, models)| (For::Model(model.clone()), names(models))).collect()
}

/// What is added to a budget for a time, and until when: `temp_budget_increase` and `temp_budget_expiry`, which
/// LiteLLM keeps in `metadata`.
pub(super) fn raise_of(extra: &JsonMap, metadata: &JsonMap) -> Option<(Money, i64)> {
    let said = |name: &str| extra.get(name).or_else(|| metadata.get(name));
    let (more, _) = amount_and_period(said("temp_budget_increase")?)?;
    Some((more, time_of(said("temp_budget_expiry")?.as_str()?)?))
}

#[cfg(test)]
mod tests;
