//! Rounding, saturation and how money reads.

use super::Money;

#[test]
fn dollars_become_nano_dollars_to_the_nearest() {
    assert_eq!(Money::from_usd(0.000_000_15), Money(150));
    assert_eq!(Money::from_usd(1.5), Money(1_500_000_000));
    assert_eq!(Money::from_usd(f64::NAN), Money::ZERO);
    assert_eq!(Money::from_usd(f64::INFINITY), Money::MAX);
}

#[test]
fn sums_saturate_and_differences_may_stop_at_zero() {
    assert_eq!(Money::MAX + Money(1), Money::MAX);
    assert_eq!(Money(3).saturating_sub(Money(5)), Money::ZERO);
    assert_eq!([Money(1), Money(2)].into_iter().sum::<Money>(), Money(3));
}

#[test]
fn money_reads_as_dollars() {
    assert_eq!(Money(1_500_000_001).to_string(), "$1.500000001");
    assert_eq!(Money(-150).to_string(), "-$0.000000150");
}

#[test]
fn what_cannot_be_counted_is_no_amount() {
    assert_eq!(Money::of_usd(1.5), Some(Money(1_500_000_000)));
    assert_eq!(Money::of_usd(-0.0), Some(Money::ZERO));
    assert_eq!(Money::of_usd(9_223_372_036.0), Some(Money(9_223_372_036_000_000_000)));
    for usd in
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 9_223_372_036.854_776, 9_223_372_037.0, -1e10]
    {
        assert_eq!(Money::of_usd(usd), None, "{usd}");
    }
}
