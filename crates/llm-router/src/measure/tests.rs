//! Figures of one deployment, minute by minute and faded by age.

use super::*;

const SECOND: u64 = 1_000;

#[test]
fn a_tally_starts_over_each_minute() {
    let tally = Tally::default();
    tally.add(3, Moment(0));
    tally.add(4, Moment(59_999));
    assert_eq!(tally.this_minute(Moment(59_999)), 7);
    assert_eq!(tally.this_minute(Moment(60_000)), 0);
    tally.set_others(10, Moment(60_000));
    tally.add(1, Moment(60_000));
    assert_eq!((tally.this_minute(Moment(61_000)), tally.own(Moment(61_000))), (11, 1));
    assert_eq!(tally.this_minute(Moment(120_000)), 0);
}

/// One slow answer is believed half at once; quick ones win back slowly; silence forgives.
#[test]
fn latency_follows_peaks_and_fades() {
    let measures = Measures::default();
    assert_eq!(measures.latency(false, Moment(0)), 0.0);
    measures.answered(Duration::from_millis(100), Moment(1));
    assert_eq!(measures.latency(false, Moment(1)), 100.0);
    assert_eq!(measures.latency(true, Moment(1)), 100.0, "the other kind is better than nothing");
    measures.answered(Duration::from_millis(900), Moment(2));
    assert_eq!(measures.latency(false, Moment(2)), 500.0);
    measures.answered(Duration::from_millis(100), Moment(3));
    let later = measures.latency(false, Moment(3));
    assert!((450.0..470.0).contains(&later), "{later}");
    assert!(measures.latency(false, Moment(40 * SECOND)) < 20.0);
    measures.began(Duration::from_millis(30), Moment(4));
    assert_eq!(measures.latency(true, Moment(5)), 30.0);
}

#[test]
fn the_share_of_failures_rises_and_falls() {
    let measures = Measures::default();
    measures.outcome(false, Moment(1));
    assert_eq!(measures.failing(Moment(1)), 0.0);
    for n in 2..10 {
        measures.outcome(true, Moment(n));
    }
    let high = measures.failing(Moment(10));
    assert!(high > 0.8, "{high}");
    for n in 10..30 {
        measures.outcome(false, Moment(n));
    }
    assert!(measures.failing(Moment(30)) < 0.1);
}

/// LiteLLM surface §7.2: the last N latencies, none older than the ttl, 1000 s for a timeout.
#[test]
fn lists_keep_the_last_few() {
    let measures = Measures::default();
    measures.ended(Duration::from_secs(4), 2, Moment(0));
    let hour = Duration::from_secs(3600);
    assert_eq!(measures.list(false, hour, Moment(0)).count(), 0, "nobody reads them");
    measures.keep_lists(2);
    for (seconds, tokens) in [(4, 2), (3, 0), (10, 10)] {
        measures.ended(Duration::from_secs(seconds), tokens, Moment(seconds * SECOND));
    }
    let of = |first, ttl, now| measures.list(first, ttl, now).collect::<Vec<_>>();
    let mut list = of(false, hour, Moment(20 * SECOND));
    list.sort_by(f32::total_cmp);
    assert_eq!(list, [1.0, 3.0]);
    assert_eq!(of(false, Duration::from_secs(10), Moment(15 * SECOND)), [1.0]);
    measures.timed_out(Moment(20 * SECOND));
    assert_eq!(of(true, hour, Moment(20 * SECOND)), [1000.0]);
}

/// The mean is what the list's values say, at every moment: as they come, as they are pushed out, as they age.
#[test]
fn the_mean_is_the_list_s() {
    let measures = Measures::default();
    assert_eq!(measures.mean(true, Duration::from_secs(9), Moment(0)), None, "nobody reads them");
    measures.keep_lists(3);
    let ttl = Duration::from_secs(9);
    let mut rng = fastrand::Rng::with_seed(1);
    for second in 0..400 {
        if rng.u8(..10) < 3 {
            measures.began(Duration::from_millis(rng.u64(0..4_000)), Moment(second * SECOND));
        }
        for now in [Moment(second * SECOND), Moment(second * SECOND + 999)] {
            let list: Vec<f32> = measures.list(true, ttl, now).collect();
            let want = (!list.is_empty()).then(|| list.iter().sum::<f32>() / list.len() as f32);
            assert_eq!(measures.mean(true, ttl, now), want, "second {second}");
        }
    }
    measures.began(Duration::ZERO, Moment(500 * SECOND));
    assert_eq!(measures.mean(true, ttl, Moment(501 * SECOND)), Some(0.0), "an explicit zero is a zero");
}
