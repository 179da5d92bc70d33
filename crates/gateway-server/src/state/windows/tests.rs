//! When a window is open, and for whom.

use jiff::civil::time;
use jiff::tz::TimeZone;

use super::*;

fn window(start: i8, end: i8, zone: &str, teams: &[&str]) -> AccessWindow {
    AccessWindow {
        start: time(start, 0, 0, 0),
        end: time(end, 0, 0, 0),
        zone: TimeZone::get(zone).unwrap(),
        teams: teams.iter().map(ToString::to_string).collect(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A window holds its start and not its end; one that ends before it starts goes over midnight; the time is
/// that of its zone, in summer too.
#[test]
fn times_of_the_day() {
    let day = window(9, 17, "UTC", &["a"]);
    let night = window(22, 6, "America/New_York", &["a"]);
    for (window, moment, open) in [
        (&day, "2026-03-09T09:00:00Z", true),
        (&day, "2026-03-09T16:59:59Z", true),
        (&day, "2026-03-09T17:00:00Z", false),
        (&day, "2026-03-09T03:00:00Z", false),
        (&night, "2026-01-10T02:59:00Z", false),
        (&night, "2026-01-10T03:00:00Z", true),
        (&night, "2026-01-10T10:59:00Z", true),
        (&night, "2026-01-10T11:00:00Z", false),
        (&night, "2026-07-10T02:00:00Z", true),
        (&night, "2026-07-10T10:00:00Z", false),
    ] {
        assert_eq!(window.is_open(at(moment)), open, "{moment}");
    }
}

/// While any window is open only the teams of open windows are served; in none, everybody is.
#[test]
fn whom_it_is_kept_for() {
    let own = [window(8, 12, "UTC", &["a"]), window(10, 14, "UTC", &["b"])];
    let windows = Windows(HashMap::from([("d".into(), own.into())]));
    let kept = |team, moment| windows.reserved(&"d".into(), team, at(moment));
    let (nine, eleven, thirteen) = ("2026-01-01T09:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T13:00:00Z");
    assert_eq!([Some("a"), Some("b"), None].map(|team| kept(team, nine)), [false, true, true]);
    assert_eq!([Some("a"), Some("b"), None].map(|team| kept(team, eleven)), [false, false, true]);
    assert_eq!([Some("a"), Some("b"), None].map(|team| kept(team, thirteen)), [true, false, true]);
    assert!(!kept(None, "2026-01-01T15:00:00Z"));
    assert!(!windows.reserved(&"other".into(), None, at(nine)));
}
