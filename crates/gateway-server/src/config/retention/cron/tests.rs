//! Next times of calendars, and what is none.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::Cron;

fn next(cron: &str, after: &str, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap();
    let after: Timestamp = after.parse().unwrap();
    let at = Cron::parse(cron).unwrap().next(after.as_millisecond(), &zone).unwrap();
    Zoned::new(Timestamp::from_millisecond(at).unwrap(), zone).strftime("%F %R").to_string()
}

#[test]
fn the_next_time_is_found() {
    // 2026-11-22 is a Sunday.
    let table = [
        ("0 4 * * *", "2026-11-22 04:00"),
        ("30 1 * * *", "2026-11-23 01:30"),
        ("*/15 * * * *", "2026-11-22 02:15"),
        ("5/20 2 * * *", "2026-11-22 02:05"),
        ("0 0 1 * *", "2026-12-01 00:00"),
        ("0 3 * * mon-fri", "2026-11-23 03:00"),
        ("0 3 * * 6", "2026-11-22 03:00"),
        ("0 3 * * 0", "2026-11-23 03:00"),
        ("0 3 13 * fri", "2027-08-13 03:00"),
        ("0 12 29 feb *", "2028-02-29 12:00"),
        ("0 1,5 * jan,nov *", "2026-11-22 05:00"),
    ];
    for (cron, expected) in table {
        assert_eq!(next(cron, "2026-11-22T02:00:00Z", "UTC"), expected, "{cron}");
    }
    assert_eq!(next("0 4 * * *", "2026-11-22T04:00:00Z", "UTC"), "2026-11-23 04:00", "not the time itself");
}

#[test]
fn times_are_of_the_zone() {
    assert_eq!(next("0 4 * * *", "2026-11-22T02:00:00Z", "Europe/Berlin"), "2026-11-22 04:00");
    assert_eq!(next("0 4 * * *", "2026-11-22T03:00:00Z", "Europe/Berlin"), "2026-11-23 04:00");
}

#[test]
fn what_is_no_calendar_is_refused() {
    let wrong = [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "*/0 * * * *",
        "5-1 * * * *",
        "x * * * *",
        "* * 31 feb *",
        "@daily",
    ];
    for cron in wrong {
        assert_eq!(Cron::parse(cron), None, "{cron}");
    }
}
