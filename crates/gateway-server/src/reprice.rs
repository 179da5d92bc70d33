//! What calls cost at other prices: derived from the usage that the spend log keeps, and booked where that is asked for.

use std::collections::{BTreeMap, HashMap};

use gateway_db::{Correction, CostRange, Db, DbError, SpendRow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use llm_providers::catalog::{Adjustments, ModelQuery, PriceBook};
use llm_types::{CostContext, Error, ErrorKind, Money, Usage};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{Config, Model};
use crate::state::{Terms, cost_by, overlaid};
use crate::walk::{OWN, SHARES, asked_of};

/// Calls that are read, and corrected in one transaction.
const BATCH: u64 = 1_000;

/// Prices that calls are given anew.
#[derive(Debug)]
pub struct Prices {
    book: PriceBook,
    /// What says which prices they are, for the audit log.
    name: String,
    /// Deployments of the configuration by their ids: what the operator sets is laid over the book.
    deployments: HashMap<String, Model>,
    /// Discounts and margins of the configuration.
    adjustments: Adjustments,
}

/// The prices of a text: a `model_prices.json` of the gateway's, or a price map of LiteLLM's.
///
/// # Errors
/// When the text is neither.
pub(crate) fn book_of(text: &[u8]) -> Result<PriceBook, Error> {
    PriceBook::from_json(text).or_else(|own| {
        let map: Value = serde_json::from_slice(text).map_err(|_| own)?;
        let map = map.as_object().filter(|map| !map.contains_key("models"));
        let words = "expected a `model_prices.json`, or a map of models as LiteLLM has it";
        PriceBook::from_litellm(map.ok_or_else(|| Error::new(ErrorKind::BadRequest, words))?)
    })
}

impl Prices {
    /// The prices of a file: a `model_prices.json` of the gateway's, or a price map of LiteLLM's. Deployments of the
    /// configuration keep what it says of their prices, and its discounts and margins count.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn read(text: &[u8], name: &str, config: Option<&Config>) -> Result<Self, Error> {
        let book = book_of(text)?;
        let models = config.map(|config| config.models.clone()).unwrap_or_default();
        let deployments =
            models.into_iter().map(|model| (model.deployment.id.as_str().to_owned(), model)).collect();
        let adjustments = config.map(|config| config.calls.adjustments.clone()).unwrap_or_default();
        Ok(Self { book, name: name.to_owned(), deployments, adjustments })
    }

    /// What a call costs, or why that cannot be said.
    fn cost(&self, row: &SpendRow) -> Result<Money, Kept> {
        let (Some(provider), Some(model)) = (row.provider.as_deref(), row.model.as_deref()) else {
            return Err(Kept::NotAsked);
        };
        if row.unknown_outcome {
            return Err(Kept::Unknown);
        }
        if row.cache_hit {
            return Err(Kept::CacheHit);
        }
        // The size and quality that were asked for decide, and are not kept.
        if row.call_type.starts_with("aimage_") {
            return Err(Kept::Picture);
        }
        let told = told(row)?;
        let (own, shares) = parts(row, &told)?;
        let mut sum = Money::ZERO;
        if let Some(usage) = &own {
            sum += self.cost_at((row.deployment.as_deref(), provider, model), usage, row, &told)?;
        }
        for share in &shares {
            let by = (Some(&*share.deployment), &*share.provider, &*share.model);
            sum += self.cost_at(by, &share.usage, row, &told)?;
        }
        Ok(sum)
    }

    /// What one deployment's part of a call costs: by its id, its provider and the model there.
    fn cost_at(
        &self,
        (deployment, provider, model): (Option<&str>, &str, &str),
        usage: &Usage,
        row: &SpendRow,
        told: &Value,
    ) -> Result<Money, Kept> {
        let (tier, search) = asked_of(told);
        let configured = deployment.and_then(|id| self.deployments.get(id));
        let base = configured.and_then(|configured| configured.deployment.base_model.as_deref());
        let known = self.book.lookup(&ModelQuery::new(provider, model).with_base_model(base));
        let (info, terms) = match configured {
            Some(configured) => {
                (overlaid(configured, known), Terms::of(&configured.deployment.target, &self.adjustments))
            }
            None => (known, Terms::of_vendor(provider, &self.adjustments)),
        };
        let duration = std::time::Duration::from_micros(row.duration_us.unsigned_abs());
        let context = CostContext {
            at: Some(row.started_at / 1_000),
            duration,
            tier,
            search,
            ..CostContext::default()
        };
        cost_by(&terms, info.as_deref(), usage, &context).map(|cost| cost.total).ok_or(Kept::NoPrice)
    }
}

/// What another deployment has used for a call than the one that was asked last.
#[derive(Debug, Deserialize)]
struct Share {
    deployment: String,
    provider: String,
    model: String,
    usage: Usage,
}

/// Who has used what of a call: the deployment asked last, where it has used anything, and others.
fn parts(row: &SpendRow, told: &Value) -> Result<(Option<Usage>, Vec<Share>), Kept> {
    let Some(shares) = told.get(SHARES) else { return Ok((Some(usage(row, told)?), Vec::new())) };
    // Calls that were booked before it was kept do not say it.
    let own = told.get(OWN).ok_or(Kept::Several)?;
    let own = Option::<Usage>::deserialize(own).map_err(|_| Kept::Unreadable)?;
    Ok((own, Vec::deserialize(shares).map_err(|_| Kept::Unreadable)?))
}

/// What a row says beyond its columns; null where it says nothing.
fn told(row: &SpendRow) -> Result<Value, Kept> {
    row.usage
        .as_deref()
        .map_or(Ok(Value::Null), |text| serde_json::from_str(text).map_err(|_| Kept::Unreadable))
}

/// What a call used, as its row says.
fn usage(row: &SpendRow, told: &Value) -> Result<Usage, Kept> {
    if told.is_null() {
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        let some = |tokens: i64| Some(count(tokens)).filter(|tokens| *tokens > 0);
        return Ok(Usage {
            input_tokens: count(row.input_tokens),
            output_tokens: count(row.output_tokens),
            cache_read_tokens: some(row.cache_read_tokens),
            cache_write_tokens: some(row.cache_write_tokens),
            reasoning_tokens: some(row.reasoning_tokens),
            estimated: row.estimated,
            ..Usage::default()
        });
    }
    Usage::deserialize(told).map_err(|_| Kept::Unreadable)
}

/// Why a call keeps its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// It reached no provider.
    NotAsked,
    /// The prices have none for its model.
    NoPrice,
    /// It was answered from our cache.
    CacheHit,
    /// Its outcome is unknown: it is booked at its reservation.
    Unknown,
    /// It made pictures, whose price is that of the size and quality asked for.
    Picture,
    /// Several deployments worked for it, each at its own price, and it was booked before the log kept how much each.
    Several,
    /// Its usage cannot be read.
    Unreadable,
}

impl Kept {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotAsked => "reached no provider",
            Self::NoPrice => "their models have no price there",
            Self::CacheHit => "were answered from the cache",
            Self::Unknown => "have no known outcome and are booked at their reservation",
            Self::Picture => "made pictures, at the price of the size and quality asked for",
            Self::Several => "were worked for by several deployments before the log kept how much each did",
            Self::Unreadable => "have a usage that cannot be read",
        }
    }
}

/// What calls of one model cost, and would.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repriced {
    /// Calls whose cost was derived anew.
    pub calls: u64,
    /// Those of them whose cost is another.
    pub changed: u64,
    /// What all of them were booked at.
    pub old: Money,
    /// What all of them cost at the prices given.
    pub new: Money,
}

impl Repriced {
    /// What they cost more.
    #[must_use]
    pub fn difference(&self) -> Money {
        Money(self.new.0 - self.old.0)
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.changed += other.changed;
        self.old += other.old;
        self.new += other.new;
    }
}

/// What deriving costs anew came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepriceReport {
    /// By provider and the provider's model.
    pub models: BTreeMap<(String, String), Repriced>,
    /// Calls that keep their cost, and what they are booked at together.
    pub kept: BTreeMap<Kept, (u64, Money)>,
    /// Calls that were corrected; none in a rehearsal.
    pub corrected: u64,
}

/// Derives what calls of a range cost, and unless it is a rehearsal books the differences. Calls whose cost is right
/// already are not touched: done twice, it changes nothing the second time.
///
/// # Errors
/// When the database does not answer; batches before are booked.
pub async fn reprice(
    db: &Db,
    prices: &Prices,
    range: &CostRange,
    dry_run: bool,
) -> Result<RepriceReport, DbError> {
    let mut report = RepriceReport::default();
    let why = json!({ "file": prices.name });
    let mut last: Option<(i64, String)> = None;
    loop {
        let after = last.as_ref().map(|(at, id)| (*at, id.as_str()));
        let rows = db.calls_to_price(range, after, BATCH).await?;
        let Some(end) = rows.last() else { return Ok(report) };
        last = Some((end.started_at, end.request_id.clone()));
        let corrections: Vec<Correction<'_>> =
            rows.iter().filter_map(|row| report.look_at(row, prices.cost(row))).collect();
        if !dry_run && !corrections.is_empty() {
            report.corrected += db.correct_costs(&corrections, &why).await?.calls;
        }
    }
}

impl RepriceReport {
    /// Counts a call, and gives its correction where it needs one.
    fn look_at<'r>(&mut self, row: &'r SpendRow, cost: Result<Money, Kept>) -> Option<Correction<'r>> {
        let old = row.cost.unwrap_or_default();
        let cost = match cost {
            Ok(cost) => cost,
            Err(kept) => {
                let (calls, booked) = self.kept.entry(kept).or_default();
                *calls += 1;
                *booked += old;
                return None;
            }
        };
        let changed = row.cost != Some(cost);
        let name = (row.provider.clone().unwrap_or_default(), row.model.clone().unwrap_or_default());
        let one = Repriced { calls: 1, changed: u64::from(changed), old, new: cost };
        self.models.entry(name).or_default().add(&one);
        changed.then_some(Correction { row, cost })
    }
}

/// A range of days (UTC), both included, such as `2026-11-01` to `2026-11-30`; either may be open.
///
/// # Errors
/// The text that is no day.
pub fn days(from: Option<&str>, to: Option<&str>, model: Option<String>) -> Result<CostRange, String> {
    let midnight = |text: &str, ahead: i64| {
        let day = text.parse::<Date>().ok()?.checked_add(jiff::Span::new().try_days(ahead).ok()?).ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
    };
    let day = |text: Option<&str>, ahead: i64| match text {
        None => Ok(None),
        Some(text) => midnight(text, ahead).map(Some).ok_or_else(|| text.to_owned()),
    };
    Ok(CostRange { from: day(from, 0)?, until: day(to, 1)?, model })
}

#[cfg(test)]
mod tests;
