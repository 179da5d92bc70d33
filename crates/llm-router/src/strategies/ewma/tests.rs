//! The better of two.

use crate::strategies::tests::Bench;

/// Load counts: with equal latencies the traffic is even, and a deployment with many calls on their way
/// gets few more.
#[test]
fn load_is_spread() {
    let bench = Bench::new("latency", 4, |_, _| {});
    (0..4).for_each(|at| bench.answered(at, 100));
    let shares = bench.shares();
    assert!(shares.iter().all(|share| (share - 0.25).abs() < 0.04), "{shares:?}");
    let _busy: Vec<_> = (0..10).map(|_| bench.enter(0)).collect();
    assert!(bench.shares()[0] < 0.01, "{:?}", bench.shares());
}

/// A slow or failing deployment gets next to nothing, and is asked again when it is forgiven.
#[test]
fn trouble_is_avoided_and_forgiven() {
    let bench = Bench::new("latency", 4, |_, _| {});
    for _ in 0..5 {
        (0..4).for_each(|at| bench.answered(at, if at == 1 { 2_000 } else { 100 }));
    }
    (0..6).for_each(|_| bench.fail(2));
    let shares = bench.shares();
    // Both draws of a plan meet the two in trouble once in 36.
    assert!(shares[1] + shares[2] < 0.04, "{shares:?}");
    bench.advance(60_000);
    [(0, 100), (2, 90), (3, 100)].iter().for_each(|(at, ms)| bench.answered(*at, *ms));
    let shares = bench.shares();
    assert!(shares[1] > 0.2 && shares[2] > 0.1, "{shares:?}");
}

/// Who does not answer at all is left as soon as it is silent for longer than the others take.
#[test]
fn silence_counts() {
    let bench = Bench::new("latency", 3, |_, _| {});
    (0..3).for_each(|at| bench.answered(at, 100));
    let _places = [bench.enter(0), bench.enter(1), bench.enter(2)];
    let _waiting = bench.wait(1);
    assert!(bench.shares()[1] > 0.2, "{:?}", bench.shares());
    bench.advance(1_000);
    assert!(bench.shares()[1] < 0.001, "{:?}", bench.shares());
}
