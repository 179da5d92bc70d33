//! `/spend/capture_rate`: what a provider billed for some days beside what was booked here for them.

use std::collections::BTreeMap;
use std::time::Duration;

use gateway_db::{ReportQuery, SpendBy};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use llm_types::Money;
use serde::Deserialize;
use serde_json::{Value, json};

use super::days;
use super::job::Job;
use super::query::escaped;
use super::refusal::Refusal;
use crate::config::CaptureRate;
use crate::document::{self, Bounds};

/// The provider whose bill can be asked for, and what calls to it are booked under.
const PROVIDER: &str = "openai";
const SLUGS: [&str; 2] = [PROVIDER, "text-completion-openai"];
/// The most days of a question; the provider answers for as many at a time.
const MOST_DAYS: i64 = 180;
/// Pages of one bill.
const PAGES: usize = 100;
const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(30), largest: 16 << 20 };
const DAY_SECONDS: i64 = 86_400;

/// Vendor's page: <https://platform.openai.com/docs/api-reference/usage/costs>
#[derive(Debug, Deserialize)]
struct Bill {
    data: Vec<Bucket>,
    #[serde(default)]
    next_page: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    start_time: i64,
    #[serde(default)]
    results: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    amount: Amount,
}

/// Vendors write the amount as a number or as a text.
#[derive(Debug, Deserialize)]
struct Amount {
    value: Value,
    #[serde(default)]
    currency: Option<String>,
}

/// Answers with the days of a range, and all of them together.
pub(super) async fn run(job: &Job) -> Result<Value, Refusal> {
    let snapshot = job.shared.snapshot();
    let settings = &snapshot.config.general.capture_rate;
    if let Some(other) = job.param("provider").filter(|provider| provider != PROVIDER) {
        return Err(bad(format!(
            "`provider` is `{other}`, expected `{PROVIDER}`: only its bill can be asked for"
        )));
    }
    let (from, to) = range(job, settings)?;
    let mut booked: BTreeMap<i64, Money> = BTreeMap::new();
    let query = ReportQuery {
        from_day: Some(from),
        to_day: Some(to),
        only: vec![(SpendBy::Provider, SLUGS.map(str::to_owned).to_vec())],
        by: vec![SpendBy::Day],
        ..ReportQuery::default()
    };
    for row in job.db.spend_report(&query).await? {
        let day = row.names.first().and_then(|day| day.parse().ok()).unwrap_or_default();
        *booked.entry(day).or_default() += row.sums.cost;
    }
    let billed = bill(job, settings, (from, to)).await?;
    Ok(told(&booked, &billed, (from, to), settings.threshold))
}

fn bad(words: impl Into<String>) -> Refusal {
    Refusal::detail(StatusCode::BAD_REQUEST, words)
}

/// The days that are asked for; the last whole ones unless told.
fn range(job: &Job, settings: &CaptureRate) -> Result<(i64, i64), Refusal> {
    let yesterday = job.moment.now.div_euclid(DAY_SECONDS * 1_000) - 1;
    let (from, to) = days::range(job)?;
    let to = to.unwrap_or(yesterday);
    let from = from.unwrap_or(to - i64::from(settings.lookback_days) + 1);
    if from > to || to - from >= MOST_DAYS {
        let found = to - from + 1;
        return Err(bad(format!(
            "`start_date` to `end_date` is {found} days, expected 1 to {MOST_DAYS} and the start before the end"
        )));
    }
    Ok((from, to))
}

/// What the provider billed, day by day.
async fn bill(
    job: &Job,
    settings: &CaptureRate,
    (from, to): (i64, i64),
) -> Result<BTreeMap<i64, Money>, Refusal> {
    let Some(key) = &settings.admin_key else {
        return Err(bad("the bill needs an admin key of the provider: set `OPENAI_ADMIN_KEY`"));
    };
    let failed = |why: String| {
        Refusal::detail(StatusCode::BAD_GATEWAY, format!("the bill of `{PROVIDER}` cannot be read: {why}"))
    };
    let mut headers = HeaderMap::new();
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.reveal().as_str()))
        .map_err(|_| bad("`OPENAI_ADMIN_KEY` holds characters that no header may hold"))?;
    value.set_sensitive(true);
    headers.insert(AUTHORIZATION, value);
    let mut billed = BTreeMap::new();
    let mut page: Option<String> = None;
    for _ in 0..PAGES {
        let url = address(settings, (from, to), page.as_deref());
        let text = document::get(&job.shared.jwt.transport, &url, headers.clone(), BOUNDS).await;
        let read: Bill =
            serde_json::from_slice(&text.map_err(failed)?).map_err(|why| failed(why.to_string()))?;
        for bucket in read.data {
            let day = bucket.start_time.div_euclid(DAY_SECONDS);
            for item in bucket.results {
                *billed.entry(day).or_default() += amount(&item.amount).map_err(failed)?;
            }
        }
        page = read.next_page;
        if page.is_none() {
            return Ok(billed);
        }
    }
    Err(failed(format!("it has more than {PAGES} pages")))
}

fn address(settings: &CaptureRate, (from, to): (i64, i64), page: Option<&str>) -> String {
    let (begin, end) = (from * DAY_SECONDS, (to + 1) * DAY_SECONDS);
    let base = settings.base.trim_end_matches('/');
    let mut url = format!(
        "{base}/organization/costs?start_time={begin}&end_time={end}&bucket_width=1d&limit={MOST_DAYS}"
    );
    let more = settings.projects.iter().map(|project| ("project_ids", project.as_str()));
    for (name, value) in more.chain(page.map(|page| ("page", page))) {
        url.push_str(&format!("&{name}={}", escaped(value)));
    }
    url
}

fn amount(amount: &Amount) -> Result<Money, String> {
    if let Some(other) = amount.currency.as_deref().filter(|currency| !currency.eq_ignore_ascii_case("usd")) {
        return Err(format!("an amount is in `{other}`, expected `usd`"));
    }
    let value = amount.value.as_f64().or_else(|| amount.value.as_str()?.trim().parse().ok());
    let money = value.filter(|usd: &f64| usd.is_finite()).map(Money::from_usd);
    money.ok_or_else(|| format!("an amount is `{}`, expected a number", amount.value))
}

/// The share of the bill that went through here; none where nothing was billed.
fn rate(booked: Money, billed: Money) -> Option<f64> {
    (billed > Money::ZERO).then(|| booked.as_usd() / billed.as_usd())
}

fn told(
    booked: &BTreeMap<i64, Money>,
    billed: &BTreeMap<i64, Money>,
    (from, to): (i64, i64),
    threshold: f64,
) -> Value {
    let (mut all_booked, mut all_billed) = (Money::ZERO, Money::ZERO);
    let mut rows = Vec::new();
    for day in from..=to {
        let of = |map: &BTreeMap<i64, Money>| map.get(&day).copied().unwrap_or_default();
        let (here, there) = (of(booked), of(billed));
        all_booked += here;
        all_billed += there;
        rows.push(json!({
            "date": days::text(&day.to_string()),
            "captured_spend": here.as_usd(),
            "provider_spend": there.as_usd(),
            "capture_rate": rate(here, there),
        }));
    }
    let share = rate(all_booked, all_billed);
    json!({
        "provider": PROVIDER,
        "start_date": days::text(&from.to_string()),
        "end_date": days::text(&to.to_string()),
        "captured_spend": all_booked.as_usd(),
        "provider_spend": all_billed.as_usd(),
        "capture_rate": share,
        "threshold": threshold,
        "below_threshold": share.is_some_and(|share| share < threshold),
        "days": rows,
    })
}

#[cfg(test)]
mod tests;
