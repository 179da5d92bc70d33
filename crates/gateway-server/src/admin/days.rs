//! Days of reports: `2026-11-20` and days since 1970-01-01 UTC.

use http::StatusCode;
use jiff::civil::Date;
use serde_json::Value;

use super::job::Job;
use super::refusal::Refusal;

/// Days from a first to a last, both included; either may be open.
pub(super) type Range = (Option<i64>, Option<i64>);

/// The range of `start_date` and `end_date`.
///
/// # Errors
/// A date nobody can read.
pub(super) fn range(job: &Job) -> Result<Range, Refusal> {
    Ok((param(job, "start_date")?, param(job, "end_date")?))
}

/// The range where both days have to be said.
///
/// # Errors
/// One that is missing, or that nobody can read.
pub(super) fn both(job: &Job) -> Result<(i64, i64), Refusal> {
    match range(job)? {
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err(Refusal::detail(StatusCode::BAD_REQUEST, BOTH)),
    }
}

/// What is said where a day is missing.
pub(super) const BOTH: &str = "Please provide start_date and end_date";

/// A parameter that is a date, alone or before a time.
pub(super) fn param(job: &Job, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = job.param(name) else { return Ok(None) };
    let date = text.get(..10).unwrap_or(&text);
    match date.parse::<Date>() {
        Ok(date) => Ok(Some(number(date))),
        Err(_) => {
            let message = format!("Invalid date: `{name}` must be a date such as `2026-11-20`");
            Err(Refusal::Fields(vec![Refusal::field("date_parsing", name, &message, &Value::from(text))]))
        }
    }
}

/// Days since 1970-01-01.
fn number(date: Date) -> i64 {
    i64::from((date - EPOCH).get_days())
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// The date of a day that a report gives as a text.
pub(super) fn date(day: &str) -> Option<Date> {
    let days: i64 = day.parse().ok()?;
    EPOCH.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// It as LiteLLM writes it: `2026-11-20`.
pub(super) fn text(day: &str) -> String {
    date(day).map_or_else(|| day.to_owned(), |date| date.to_string())
}

/// A date, or a time in ISO 8601 or as `2026-11-20 10:00:00`, in Unix milliseconds UTC; a date that ends a range is all of
/// its day.
///
/// # Errors
/// What is neither.
pub(super) fn moment(job: &Job, name: &str, ends: bool) -> Result<Option<i64>, Refusal> {
    let Some(text) = job.param(name) else { return Ok(None) };
    let utc = |time: jiff::civil::DateTime| time.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let day = || {
        let day: Date = text.parse().ok()?;
        let time = if ends { day.at(23, 59, 59, 999_000_000) } else { day.at(0, 0, 0, 0) };
        utc(time).map(|zoned| zoned.timestamp())
    };
    let found = if text.len() <= 10 {
        day()
    } else {
        text.parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| utc(text.parse().ok()?).map(|zoned| zoned.timestamp()))
    };
    match found {
        Some(at) => Ok(Some(at.as_millisecond())),
        None => {
            let message =
                format!("Invalid date: `{name}` must be a date or a time such as `2026-11-20T10:00:00Z`");
            Err(Refusal::Fields(vec![Refusal::field("datetime_parsing", name, &message, &Value::from(text))]))
        }
    }
}
