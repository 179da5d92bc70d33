//! The quickest, within a buffer.

use std::time::Duration;

use super::at_percentile;
use crate::StrategyArgs;
use crate::strategies::tests::Bench;

/// §7.2: unused ones count as 0; then seconds per token; then within the buffer.
#[test]
fn the_quickest() {
    let bench = Bench::new("latency-based-routing", 3, |_, _| {});
    bench.answer(0, 2.0, 1);
    bench.answer(1, 3.0, 1);
    assert_eq!(bench.shares(), [0.0, 0.0, 1.0], "nobody knows how quick the third is");
    bench.answer(2, 40.0, 10);
    assert_eq!(bench.shares(), [1.0, 0.0, 0.0]);
    let wide = bench.with(StrategyArgs { latency_buffer: 0.5, ..StrategyArgs::default() });
    let shares = wide.shares();
    assert!((shares[0] - 0.5).abs() < 0.04 && shares[2] == 0.0, "{shares:?}");
    let brief = wide.with(StrategyArgs { ttl: Duration::ZERO, ..StrategyArgs::default() });
    brief.advance(1_000);
    let shares = brief.shares();
    assert!(
        shares.iter().all(|share| (share - 1.0 / 3.0).abs() < 0.03),
        "old figures do not count: {shares:?}"
    );
}

/// §7.2: streams by their first byte; `ttft_percentile` instead of the mean.
#[test]
fn streams_by_their_first_byte() {
    let bench = Bench::new("latency-based-routing", 2, |_, _| {});
    for (at, first) in [(0, 0.1), (0, 0.1), (0, 9.0), (1, 1.0), (1, 1.0), (1, 1.0)] {
        bench.answer(at, 5.0 - 4.0 * at as f64, 1);
        bench.first_byte(at, first);
    }
    assert_eq!(bench.shares(), [0.0, 1.0], "whole answers of the second are quicker");
    let streams = bench.streaming();
    assert_eq!(streams.shares(), [0.0, 1.0], "the mean of 0.1, 0.1 and 9");
    let median = streams.with(StrategyArgs { first_byte_percentile: Some(50.0), ..StrategyArgs::default() });
    assert_eq!(median.shares(), [1.0, 0.0]);
}

#[test]
fn percentiles_lie_between_values() {
    let list = vec![4.0, 1.0, 3.0, 2.0];
    assert_eq!(at_percentile(list.clone(), 0.0), 1.0);
    assert_eq!(at_percentile(list.clone(), 50.0), 2.5);
    assert_eq!(at_percentile(list, 100.0), 4.0);
}
