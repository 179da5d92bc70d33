//! The reset calendar of surface §4.8.

use jiff::tz::TimeZone;

use super::{Calendar, next_reset, parse_duration_ms};

fn reset(duration: &str, now: &str) -> Option<String> {
    let now: jiff::Timestamp = now.parse().unwrap();
    let at = next_reset(duration, now.as_millisecond(), &Calendar::default())?;
    Some(jiff::Timestamp::from_millisecond(at).unwrap().to_string())
}

#[test]
fn resets_fall_on_the_clock_and_the_calendar() {
    // 2026-11-20 is a Friday.
    let now = "2026-11-20T10:11:22Z";
    for (duration, expected) in [
        ("30s", "2026-11-20T10:11:30Z"),
        ("15m", "2026-11-20T10:15:00Z"),
        ("1h", "2026-11-20T11:00:00Z"),
        ("24h", "2026-11-21T00:00:00Z"),
        ("1d", "2026-11-21T00:00:00Z"),
        ("daily", "2026-11-21T00:00:00Z"),
        ("7d", "2026-11-23T00:00:00Z"),
        ("1w", "2026-11-23T00:00:00Z"),
        ("30d", "2026-12-01T00:00:00Z"),
        ("1mo", "2026-12-01T00:00:00Z"),
        ("2mo", "2027-01-01T00:00:00Z"),
        ("3d", "2026-11-23T00:00:00Z"),
    ] {
        assert_eq!(reset(duration, now).as_deref(), Some(expected), "{duration}");
    }
}

#[test]
fn a_monday_resets_on_the_next_monday() {
    assert_eq!(reset("7d", "2026-11-23T00:00:00Z").as_deref(), Some("2026-11-30T00:00:00Z"));
}

#[test]
fn days_begin_when_they_are_said_to() {
    let calendar =
        |zone: &str, at: &str| Calendar { zone: TimeZone::get(zone).unwrap(), at: at.parse().unwrap() };
    let six = calendar("UTC", "06:00");
    for (duration, now, expected) in [
        ("1d", "2026-11-20T10:11:22Z", "2026-11-21T06:00:00Z"),
        ("1d", "2026-11-20T05:59:59Z", "2026-11-20T06:00:00Z"),
        ("24h", "2026-11-20T06:00:00Z", "2026-11-21T06:00:00Z"),
        // A Monday before six is the end of the week before.
        ("7d", "2026-11-23T05:00:00Z", "2026-11-23T06:00:00Z"),
        ("7d", "2026-11-23T06:00:00Z", "2026-11-30T06:00:00Z"),
        ("1mo", "2026-12-01T05:00:00Z", "2026-12-01T06:00:00Z"),
        ("30d", "2026-12-01T06:00:00Z", "2027-01-01T06:00:00Z"),
        ("3d", "2026-11-20T10:00:00Z", "2026-11-23T06:00:00Z"),
        // Hours are counted from midnight all the same.
        ("1h", "2026-11-20T05:10:00Z", "2026-11-20T06:00:00Z"),
    ] {
        let now: jiff::Timestamp = now.parse().unwrap();
        let at = next_reset(duration, now.as_millisecond(), &six).unwrap();
        assert_eq!(
            jiff::Timestamp::from_millisecond(at).unwrap().to_string(),
            expected,
            "{duration} at {now}"
        );
    }
    // The night in which Berlin's clocks go back: the day is an hour longer.
    let berlin = calendar("Europe/Berlin", "04:00");
    let now: jiff::Timestamp = "2026-10-24T12:00:00Z".parse().unwrap();
    let at = next_reset("1d", now.as_millisecond(), &berlin).unwrap();
    assert_eq!(jiff::Timestamp::from_millisecond(at).unwrap().to_string(), "2026-10-25T03:00:00Z");
}

#[test]
fn unreadable_durations_are_none() {
    for text in ["", "d", "0d", "5y", "-1", "99999999999999999999d", "1.5h"] {
        assert_eq!(reset(text, "2026-11-20T10:11:22Z"), None, "{text}");
    }
}

#[test]
fn lifetimes_are_plain_lengths() {
    assert_eq!(parse_duration_ms("30s"), Some(30_000));
    assert_eq!(parse_duration_ms("1mo"), Some(30 * 86_400_000));
    assert_eq!(parse_duration_ms("soon"), None);
}
