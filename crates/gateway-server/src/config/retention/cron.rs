//! Times of a calendar as cron writes them: minute, hour, day of the month, month, day of the week.
//!
//! They are read as LiteLLM's scheduler reads them: days of the week count from Monday as 0 to Sunday as 6, or have
//! names, and where both kinds of day are said, both must be right.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A calendar in five fields, such as `0 4 * * *`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// The values that each field allows, as bits.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

/// Days that are looked through for the next time: a 29 February comes within eight years.
const DAYS_AHEAD: usize = 8 * 366 + 1;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Cron {
    /// Reads five fields of `*`, numbers, names, ranges (`1-5`), steps (`*/15`) and lists of these; `None` when it is
    /// not that, or no day can ever be all of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = *fields.as_slice() else { return None };
        let cron = Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: field(weekdays, 0, 6, &WEEKDAYS)?,
        };
        cron.next(0, &TimeZone::UTC).map(|_| cron)
    }

    /// The first time after `after`, in Unix milliseconds.
    pub(crate) fn next(&self, after: i64, zone: &TimeZone) -> Option<i64> {
        let first = Timestamp::from_millisecond(after).ok()?.to_zoned(zone.clone()).date();
        first.series(1.day()).take(DAYS_AHEAD).filter(|day| self.is_day(*day)).find_map(|day| {
            let times =
                bits(self.hours).flat_map(|hour| bits(self.minutes).map(move |minute| (hour, minute)));
            let at =
                |(hour, minute)| Some(day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?.timestamp());
            times.filter_map(at).map(Timestamp::as_millisecond).find(|at| *at > after)
        })
    }

    fn is_day(&self, day: Date) -> bool {
        let has = |bits: u64, value: i8| bits & (1 << value) != 0;
        has(self.days, day.day())
            && has(self.months, day.month())
            && has(self.weekdays, day.weekday().to_monday_zero_offset())
    }
}

fn bits(field: u64) -> impl Iterator<Item = i8> {
    (0..60).filter(move |value| field & (1 << value) != 0)
}

/// The values of one field as bits.
fn field(text: &str, first: u32, last: u32, names: &[&str]) -> Option<u64> {
    text.split(',').try_fold(0, |all, part| Some(all | part_of(part, first, last, names)?))
}

fn part_of(part: &str, first: u32, last: u32, names: &[&str]) -> Option<u64> {
    let value = |word: &str| {
        let named = names.iter().zip(first..).find(|(name, _)| word.eq_ignore_ascii_case(name));
        named
            .map(|(_, value)| value)
            .or_else(|| word.parse().ok())
            .filter(|value| (first..=last).contains(value))
    };
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
        None => (part, 1),
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (first, last),
        Some((from, to)) => (value(from)?, value(to)?),
        // `5/10` is from 5 to the end in steps of ten.
        None if part.contains('/') => (value(range)?, last),
        None => (value(range)?, value(range)?),
    };
    (from <= to).then(|| (from..=to).step_by(step).fold(0, |bits, value| bits | 1 << value))
}

#[cfg(test)]
mod tests;
