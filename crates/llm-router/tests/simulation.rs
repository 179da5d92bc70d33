//! A day in fast motion: 20 deployments at four providers with outages, brown-outs and rate limits,
//! routed by the router itself on a clock of events, beside an oracle that knows what is up.

#![expect(clippy::print_stdout, reason = "the figures are what these tests are for")]

mod world;

use llm_router::{Outliers, RouterSettings};

use world::{Outcome, World, oracle, routed};

/// Calls that a perfect router would have saved, as a share of all, and p99 of those answered.
fn compare(world: &World, strategy: &str) -> (f64, f64) {
    compare_under(world, strategy, RouterSettings::default())
}

/// The same with further settings.
fn compare_under(world: &World, strategy: &str, settings: RouterSettings) -> (f64, f64) {
    let settings = RouterSettings { strategy: strategy.parse().expect("a strategy"), ..settings };
    let (ours, best) = (routed(world, settings), oracle(world));
    let lost = ours.iter().zip(&best).filter(|(ours, best)| ours.is_lost() && !best.is_lost()).count();
    let share = lost as f64 / ours.len() as f64;
    let (p99, p99_best) = (percentile(&ours, 0.99), percentile(&best, 0.99));
    println!(
        "{strategy}: {} calls, lost {lost} ({:.3} %) that the oracle saved, p50 {:.0} ms, p99 {p99:.0} ms; oracle lost {}, p50 {:.0} ms, p99 {p99_best:.0} ms; p99 ratio {:.3}",
        ours.len(),
        share * 100.0,
        percentile(&ours, 0.5),
        best.iter().filter(|one| one.is_lost()).count(),
        percentile(&best, 0.5),
        p99 / p99_best,
    );
    (share, p99 / p99_best)
}

fn percentile(outcomes: &[Outcome], share: f64) -> f64 {
    let mut times: Vec<f64> = outcomes.iter().filter_map(|one| one.answered_ms()).collect();
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * share) as usize]
}

/// The strategy we recommend loses at most 0.1 % of what a perfect router would save, and its 99th
/// percentile is at most 1.3 times the oracle's, whatever the weather.
#[test]
fn latency_is_close_to_the_oracle() {
    for seed in [1, 2, 3] {
        let (lost, p99) = compare(&World::stormy(seed), "latency");
        assert!(lost <= 0.001, "seed {seed}: {lost} of the calls lost");
        assert!(p99 <= 1.3, "seed {seed}: p99 is {p99} times the oracle's");
    }
}

/// What LiteLLM's default does in the same weather: it loses next to nothing, but is slow.
#[test]
fn shuffling_loses_little_too() {
    let (lost, _) = compare(&World::stormy(1), "simple-shuffle");
    assert!(lost <= 0.001, "{lost} of the calls lost");
}

/// In fair weather the strategies cost nothing.
#[test]
fn fair_weather() {
    let (lost, p99) = compare(&World::fair(1), "latency");
    assert_eq!(lost, 0.0);
    assert!(p99 <= 1.3, "p99 is {p99} times the oracle's");
}

/// Deployments that are slower than their group are put out of it: shuffling, which does not look at latency,
/// gets much of the way to strategies that do, and loses no more.
#[test]
fn outliers_are_put_out() {
    for seed in [1, 2, 3] {
        let world = World::stormy(seed);
        let (_, without) = compare(&world, "simple-shuffle");
        let outliers = Outliers { interval: 2.0, min_requests: 5.0, ..Outliers::default() };
        let settings = RouterSettings { outliers: Some(outliers), ..RouterSettings::default() };
        let (lost, with) = compare_under(&world, "simple-shuffle", settings);
        assert!(lost <= 0.001, "seed {seed}: {lost} of the calls lost");
        assert!(with <= 0.8 * without, "seed {seed}: p99 is {with} times the oracle's, {without} without");
    }
}
