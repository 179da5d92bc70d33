//! When budgets start anew: LiteLLM's duration grammar and reset calendar (surface §4.8).

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, Zoned};

/// A duration as users write it: a number and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Seconds(i64),
    Days(i64),
    Months(i64),
}

/// Reads `30s`, `15m`, `24h`, `7d`, `2w`, `1mo` and the words `daily`, `weekly`, `monthly`, …
fn parse(text: &str) -> Option<Length> {
    let text = text.trim();
    match text {
        "hourly" => return Some(Length::Seconds(3_600)),
        "daily" => return Some(Length::Days(1)),
        "weekly" => return Some(Length::Days(7)),
        "monthly" => return Some(Length::Months(1)),
        "yearly" => return Some(Length::Months(12)),
        _ => {}
    }
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit_at);
    let number: i64 = number.parse().ok().filter(|n| (1..=1_000_000_000).contains(n))?;
    Some(match unit {
        "s" => Length::Seconds(number),
        "m" => Length::Seconds(number * 60),
        "h" => Length::Seconds(number * 3_600),
        "d" => Length::Days(number),
        "w" => Length::Days(number * 7),
        "mo" => Length::Months(number),
        _ => return None,
    })
}

/// How long a key lives (`duration`), in milliseconds. A month counts 30 days here.
pub(crate) fn parse_duration_ms(text: &str) -> Option<i64> {
    let seconds = match parse(text)? {
        Length::Seconds(seconds) => seconds,
        Length::Days(days) => days * 86_400,
        Length::Months(months) => months * 30 * 86_400,
    };
    seconds.checked_mul(1_000)
}

/// When days, weeks and months of budgets begin (`timezone`, `budget_reset_time`).
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    /// Whose days they are.
    pub(crate) zone: TimeZone,
    /// The time of the day at which they begin.
    pub(crate) at: Time,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, at: Time::midnight() }
    }
}

impl Calendar {
    /// The day it is for budgets: until the time at which days begin it is the day before.
    fn today(&self, now: &Zoned) -> Option<Date> {
        if now.time() < self.at { now.date().yesterday().ok() } else { Some(now.date()) }
    }

    fn begin(&self, day: Date) -> Option<Zoned> {
        day.to_datetime(self.at).to_zoned(self.zone.clone()).ok()
    }
}

/// When a budget of this duration is next reset, in Unix milliseconds; `None` for an unreadable one.
///
/// Seconds, minutes and hours end at the next multiple on the clock; a day when the next begins, a week on
/// Monday, 30 days or a month on the first; other day counts that many days from today.
pub(crate) fn next_reset(duration: &str, now_ms: i64, calendar: &Calendar) -> Option<i64> {
    let now = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(calendar.zone.clone());
    let today = calendar.today(&now)?;
    let day = match parse(duration)? {
        Length::Days(1) | Length::Seconds(86_400) => today.tomorrow().ok()?,
        Length::Seconds(seconds) => return next_multiple(&now, seconds),
        Length::Days(7) => {
            let ahead = 7 - i64::from(today.weekday().since(Weekday::Monday));
            today.checked_add(ahead.days()).ok()?
        }
        Length::Days(30) => first_of_month(today, 1)?,
        Length::Days(days) => today.checked_add(Span::new().try_days(days).ok()?).ok()?,
        Length::Months(months) => first_of_month(today, months)?,
    };
    Some(calendar.begin(day)?.timestamp().as_millisecond())
}

fn first_of_month(today: Date, ahead: i64) -> Option<Date> {
    today.first_of_month().checked_add(Span::new().try_months(ahead).ok()?).ok()
}

/// The next multiple of `seconds` counted from the last midnight.
fn next_multiple(now: &Zoned, seconds: i64) -> Option<i64> {
    let midnight_ms = now.start_of_day().ok()?.timestamp().as_millisecond();
    let step = seconds.checked_mul(1_000)?;
    let passed = now.timestamp().as_millisecond() - midnight_ms;
    midnight_ms.checked_add((passed / step + 1).checked_mul(step)?)
}

#[cfg(test)]
mod tests;
