//! `/management/v1/budgets`: shared budgets page by page, filtered and in an order. There are few of them: they are
//! sorted here.

use std::cmp::Ordering;

use gateway_db::{ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use llm_types::Money;
use serde_json::{Value, json};

use super::super::job::Job;
use super::super::query;
use super::super::refusal::Refusal;
use super::row;
use crate::clock::time_of;

const PATH: &str = "/management/v1/budgets";
/// The parameters there are.
const PARAMS: [&str; 11] = [
    "filter[budget_duration][in]",
    "filter[budget_duration][is_null]",
    "filter[created_at][gte]",
    "filter[created_at][lte]",
    "filter[max_budget][gte]",
    "filter[max_budget][is_null]",
    "filter[max_budget][lte]",
    "page",
    "page_size",
    "q",
    "sort",
];
/// What may be sorted by.
const SORTS: [&str; 5] = ["budget_id", "created_at", "max_budget", "rpm_limit", "tpm_limit"];
/// What a row shows.
const SHOWN: [&str; 9] = [
    "budget_id",
    "max_budget",
    "soft_budget",
    "tpm_limit",
    "rpm_limit",
    "budget_duration",
    "budget_reset_at",
    "created_at",
    "updated_at",
];

pub(super) async fn list(job: &Job) -> Result<Value, Refusal> {
    query::only(job.query.as_deref(), &PARAMS)?;
    let (page, size) = (number(job, "page", 1)?.max(1), number(job, "page_size", 50)?.clamp(1, 100));
    let order = order(job)?;
    let mut found = job.db.list_scopes(&ScopeQuery::of(ScopeKind::Budget)).await?.items;
    let wanted = Wanted::read(job)?;
    found.retain(|record| wanted.holds(record));
    found.sort_by(|one, other| compared(&order, one, other));
    let (total, pages) = (found.len(), found.len().div_ceil(size));
    let rows: Vec<Value> = found.iter().skip((page - 1).saturating_mul(size)).take(size).map(shown).collect();
    let link = |to: usize| {
        let number = to.to_string();
        format!("{PATH}?{}", query::with(job.query.as_deref(), "page", &number))
    };
    let last = pages.max(1);
    Ok(json!({
        "data": rows,
        "meta": { "total_count": total, "page": page, "page_size": size, "total_pages": pages },
        "links": {
            "self": link(page),
            "first": link(1),
            "prev": (page > 1).then(|| link(page - 1)),
            "next": (page < last).then(|| link(page + 1)),
            "last": link(last),
        },
    }))
}

fn shown(record: &ScopeRecord) -> Value {
    let whole = row(record);
    let field = |name: &&str| ((*name).to_owned(), whole.get(*name).cloned().unwrap_or(Value::Null));
    Value::Object(SHOWN.iter().map(field).collect())
}

fn invalid(name: &str, found: &str, expected: &str) -> Refusal {
    let words = format!("`{name}` is `{found}`, expected {expected}.");
    Refusal::problem(StatusCode::BAD_REQUEST, "invalid-query-parameter", &words, &[])
}

fn number(job: &Job, name: &str, usual: usize) -> Result<usize, Refusal> {
    let Some(text) = job.param(name) else { return Ok(usual) };
    text.parse().map_err(|_| invalid(name, &text, "a whole number"))
}

/// What to sort by, and whether the largest comes first; the id decides where nothing else does.
fn order(job: &Job) -> Result<Vec<(&'static str, bool)>, Refusal> {
    let said = job.param("sort").unwrap_or_else(|| "-created_at".to_owned());
    let mut order = Vec::new();
    for word in said.split(',').map(str::trim) {
        let (name, down) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
        let known = SORTS.into_iter().find(|sort| *sort == name);
        order.push((known.ok_or_else(|| invalid("sort", word, &SORTS.join(", ")))?, down));
    }
    order.push(("budget_id", false));
    Ok(order)
}

fn compared(order: &[(&str, bool)], one: &ScopeRecord, other: &ScopeRecord) -> Ordering {
    let by = |(name, down): &(&str, bool)| {
        let (a, b) = (&one.settings, &other.settings);
        let found = match *name {
            "max_budget" => a.max_budget.cmp(&b.max_budget),
            "tpm_limit" => a.tpm_limit.cmp(&b.tpm_limit),
            "rpm_limit" => a.rpm_limit.cmp(&b.rpm_limit),
            "created_at" => one.created_at.cmp(&other.created_at),
            _ => one.id.id.cmp(&other.id.id),
        };
        if *down { found.reverse() } else { found }
    };
    order.iter().map(by).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

/// Which budgets are wanted.
#[derive(Debug, Default)]
struct Wanted {
    part: Option<String>,
    durations: Option<Vec<String>>,
    has_duration: Option<bool>,
    has_max: Option<bool>,
    max: (Option<Money>, Option<Money>),
    made: (Option<i64>, Option<i64>),
}

impl Wanted {
    fn read(job: &Job) -> Result<Self, Refusal> {
        let is_null = |name: &str| match job.param(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(invalid(name, other, "`true` or `false`")),
        };
        let money = |name: &str| {
            let Some(text) = job.param(name) else { return Ok(None) };
            let usd = text.parse().ok().filter(|usd: &f64| usd.is_finite());
            usd.map(|usd| Some(Money::from_usd(usd))).ok_or_else(|| invalid(name, &text, "an amount in USD"))
        };
        let time = |name: &str| {
            let Some(text) = job.param(name) else { return Ok(None) };
            let at = time_of(&text);
            at.map(Some).ok_or_else(|| invalid(name, &text, "a time such as `2030-01-31T00:00:00Z`"))
        };
        let list = |text: String| text.split(',').map(|one| one.trim().to_owned()).collect();
        Ok(Self {
            part: job.param("q").map(|part| part.to_lowercase()),
            durations: job.param("filter[budget_duration][in]").map(list),
            has_duration: is_null("filter[budget_duration][is_null]")?.map(|none| !none),
            has_max: is_null("filter[max_budget][is_null]")?.map(|none| !none),
            max: (money("filter[max_budget][gte]")?, money("filter[max_budget][lte]")?),
            made: (time("filter[created_at][gte]")?, time("filter[created_at][lte]")?),
        })
    }

    fn holds(&self, record: &ScopeRecord) -> bool {
        let set = &record.settings;
        let said = |wanted: Option<bool>, has: bool| wanted.is_none_or(|wanted| wanted == has);
        self.part.as_ref().is_none_or(|part| record.id.id.to_lowercase().contains(part.as_str()))
            && self.durations.as_ref().is_none_or(|list| {
                set.budget_duration.as_ref().is_some_and(|duration| list.contains(duration))
            })
            && said(self.has_duration, set.budget_duration.is_some())
            && said(self.has_max, set.max_budget.is_some())
            && within(self.max, set.max_budget)
            && within(self.made, Some(record.created_at))
    }
}

/// Whether a value is between bounds; what is not there is between none.
fn within<T: PartialOrd>((least, most): (Option<T>, Option<T>), value: Option<T>) -> bool {
    if least.is_none() && most.is_none() {
        return true;
    }
    let Some(value) = value else { return false };
    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
}
