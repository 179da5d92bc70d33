//! Ranges: their bounds as PostgreSQL writes them, and where each ends.

use super::{DAY_MS, end_of_range, name_of, next_month, until};

/// 2026-11-22T00:00:00Z.
const DAY: i64 = 1_795_305_600_000;

#[test]
fn ends_of_ranges_are_read_as_postgres_writes_them() {
    assert_eq!(until("FOR VALUES FROM (MINVALUE) TO ('1795305600000')"), Some(DAY));
    assert_eq!(until("FOR VALUES FROM ('5') TO ('7')"), Some(7));
    assert_eq!(until("FOR VALUES FROM ('5') TO (MAXVALUE)"), None);
    assert_eq!(until("DEFAULT"), None);
}

#[test]
fn a_range_is_a_day_or_what_is_left_of_the_month() {
    assert_eq!(name_of(DAY), "spend_log_20261122");
    assert_eq!(end_of_range(DAY, DAY + 5, true), DAY + DAY_MS);
    let december = DAY + 9 * DAY_MS;
    assert_eq!(name_of(december), "spend_log_20261201");
    assert_eq!(end_of_range(DAY, DAY + 5, false), december);
    assert_eq!(next_month(december), Some(december + 31 * DAY_MS));
}

#[test]
fn days_that_nobody_made_ranges_for_are_one_range() {
    assert_eq!(end_of_range(DAY - 40 * DAY_MS, DAY + 5, true), DAY);
    assert_eq!(end_of_range(DAY - 40 * DAY_MS, DAY + 5, false), DAY);
}
