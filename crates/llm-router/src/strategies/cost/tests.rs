//! The cheapest with room.

use crate::strategies::tests::Bench;

/// §7.2: prompt and answer price together; unknown is 5.0 each; who is at its limit is passed over.
#[test]
fn the_cheapest_with_room() {
    let bench = Bench::new("cost-based-routing", 4, |n, one| {
        one.token_price =
            [(None, None), (Some(3e-6), Some(1e-5)), (Some(1e-6), Some(1e-5)), (Some(1e-6), None)][n];
        one.rpm = [None, None, Some(1), None][n];
    });
    assert_eq!(bench.picks(), [2, 1, 3, 0]);
    bench.begin(2);
    assert_eq!(bench.picks(), [1, 3, 0]);
}
