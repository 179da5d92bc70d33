//! Two gateways that tell each other.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn only_news_is_told() {
    let (counters, mut teller) = (Counters::new(), Teller::default());
    let state = counters.of(&"d".into());
    let mut news =
        |now| teller.news(&counters, Moment(now)).into_iter().map(|(_, news)| news).collect::<Vec<_>>();
    assert!(news(0).is_empty());
    state.measures.requests.add(3, Moment(1));
    state.measures.tokens.add(50, Moment(1));
    assert_eq!(news(1), [News { counts: [3, 50, 0, 0], ..News::default() }]);
    assert!(news(2).is_empty());
    state.measures.requests.add(1, Moment(3));
    state.rest(Moment(3), 5 * SECOND);
    assert_eq!(news(3), [News { counts: [1, 0, 0, 0], rest: Some(5 * SECOND), ..News::default() }]);
    assert!(news(4).is_empty(), "the rest is known");
    state.measures.answered(SECOND, Moment(5));
    assert_eq!(news(5), [News { latency: Some([0.0, 1000.0]), ..News::default() }]);
    state.measures.requests.add(2, Moment(60_000));
    assert_eq!(news(60_000), [News { counts: [2, 0, 0, 0], ..News::default() }], "a new minute");
    assert_eq!(teller.told(&"d".into(), Moment(60_000)), [2, 0, 0, 0]);
    assert_eq!(teller.told(&"d".into(), Moment(120_000)), [0; 4]);
    teller.forget();
    assert_eq!(teller.news(&counters, Moment(60_001))[0].1.counts[0], 2, "it did not arrive");
}

#[test]
fn what_is_heard_counts() {
    let (counters, mut teller) = (Counters::new(), Teller::default());
    let (state, now) = (counters.of(&"d".into()), Moment(10));
    state.measures.requests.add(1, now);
    state.hear_counts([4, 100, 30, 7], now);
    assert_eq!((state.requests_this_minute(now), state.tokens_this_minute(now)), (5, 100));
    assert_eq!(state.split_tokens_this_minute(now), [30, 7]);
    state.hear_rest(5 * SECOND, now);
    assert!(state.rests(now) && state.cause() == Cause::Shared);
    state.hear_latency([0.0, 300.0], now);
    assert_eq!(state.latency(false, now), 300.0);
    state.hear_latency([0.0, 900.0], now);
    assert_eq!(state.latency(false, now), 300.0, "what was seen here counts more");
    let news = &teller.news(&counters, now)[0].1;
    assert_eq!((news.counts, news.rest), ([1, 0, 0, 0], None), "hearsay is not told again");
}

/// Rivals A4: limits of tokens that each replica counts alone let through as many times the limit as there are
/// replicas. What one has set aside is told, and what it gives back too.
#[test]
fn tokens_set_aside_are_told_and_taken_back() {
    let (counters, mut teller) = (Counters::new(), Teller::default());
    let (state, now) = (counters.of(&"d".into()), Moment(10));
    state.measures.input.add(500, now);
    state.measures.output.add(300, now);
    assert_eq!(teller.news(&counters, now)[0].1.counts, [0, 0, 500, 300]);
    state.measures.output.take_back(300, now);
    state.measures.output.add(20, now);
    assert_eq!(teller.news(&counters, now)[0].1.counts, [0, 0, 0, -280]);
    assert_eq!(teller.told(&"d".into(), now), [0, 0, 500, 20]);
}
