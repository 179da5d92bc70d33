//! Limits of a minute, and the fewest tokens.

use crate::strategies::tests::Bench;

/// §7.2: tpm + prompt ≤ limit; rpm + 1 ≤ limit, of calls that succeeded; the fewest tokens, first of those alike.
#[test]
fn the_first_version() {
    let bench = Bench::new("usage-based-routing", 3, |n, one| {
        one.tpm = [Some(100), Some(100), None][n];
        one.rpm = [Some(2), None, None][n];
    });
    assert_eq!(bench.picks(), [0, 1, 2]);
    bench.use_tokens(&[95, 40, 90]);
    assert_eq!(bench.picks(), [1, 2, 0]);
    assert_eq!(bench.asking(6).picks(), [1, 2], "95 + 6 is more than 100");
    bench.use_tokens(&[0, 0, 1000]);
    bench.succeed(0);
    assert_eq!(bench.picks(), [1, 0, 2]);
    bench.succeed(0);
    assert_eq!(bench.picks(), [1, 2], "two requests of two are used");
}

/// §7.2: the same with calls that have begun, at random among equals; nobody left is a refusal.
#[test]
fn the_second_version() {
    let bench = Bench::new("usage-based-routing-v2", 3, |_, one| {
        one.tpm = Some(100);
        one.rpm = Some(2);
    });
    let shares = bench.shares();
    assert!(shares.iter().all(|share| (share - 1.0 / 3.0).abs() < 0.03), "{shares:?}");
    bench.use_tokens(&[50, 10, 50]);
    assert_eq!(bench.shares(), [0.0, 1.0, 0.0]);
    bench.begin(1);
    bench.begin(1);
    let shares = bench.shares();
    assert!(shares[1] == 0.0 && (shares[0] - 0.5).abs() < 0.04, "{shares:?}");
    assert_eq!(bench.asking(51).picks(), [] as [u32; 0], "no room for the prompt anywhere");
}
