//! Moments.

use super::{read, written};

#[test]
fn moments_are_read_and_written() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-02-29T23:59:59Z", 1_709_251_199),
        ("2026-03-01T00:00:00Z", 1_772_323_200),
        ("1969-12-31T23:59:59Z", -1),
    ] {
        assert_eq!(written(seconds), text);
        assert_eq!(read(text), Some(seconds), "{text}");
    }
}

#[test]
fn fractions_and_zones_are_understood_and_nonsense_is_none() {
    assert_eq!(read("2024-02-29T23:59:59.123456789Z"), Some(1_709_251_199));
    assert_eq!(read("2024-03-01T01:59:59.5+02:00"), Some(1_709_251_199));
    assert_eq!(read("2024-02-29T15:59:59-08:00"), Some(1_709_251_199));
    for text in ["", "x", "2024-13-01T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00:00é"]
    {
        assert_eq!(read(text), None, "{text}");
    }
}
