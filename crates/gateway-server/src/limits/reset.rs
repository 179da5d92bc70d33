//! When budgets start anew: LiteLLM's duration grammar and reset calendar (surface §4.8).

use jiff::civil::Weekday;
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

/// When a budget of this duration is next reset, in Unix milliseconds; `None` for an unreadable one.
///
/// Seconds, minutes and hours end at the next multiple on the clock; a day at midnight, a week on
/// Monday, 30 days or a month on the first; other day counts that many midnights from today.
pub(crate) fn next_reset(duration: &str, now_ms: i64, zone: &TimeZone) -> Option<i64> {
    let now = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone.clone());
    let reset = match parse(duration)? {
        Length::Days(1) | Length::Seconds(86_400) => midnight(&now, 1.days())?,
        Length::Seconds(seconds) => return next_multiple(&now, seconds),
        Length::Days(7) => {
            let ahead = 7 - i64::from(now.weekday().since(Weekday::Monday));
            midnight(&now, ahead.days())?
        }
        Length::Days(30) => first_of_month(&now, 1)?,
        Length::Days(days) => midnight(&now, Span::new().try_days(days).ok()?)?,
        Length::Months(months) => first_of_month(&now, months)?,
    };
    Some(reset.timestamp().as_millisecond())
}

fn midnight(now: &Zoned, ahead: Span) -> Option<Zoned> {
    now.start_of_day().ok()?.checked_add(ahead).ok()
}

fn first_of_month(now: &Zoned, ahead: i64) -> Option<Zoned> {
    now.first_of_month().ok()?.start_of_day().ok()?.checked_add(Span::new().try_months(ahead).ok()?).ok()
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
