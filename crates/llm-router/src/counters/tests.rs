//! Minutes, limits, rests and fails, counted.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn minutes_start_over() {
    let state = DeploymentState::default();
    let now = Moment(59_000);
    state.succeeded(now);
    state.succeeded(now);
    state.failed(now);
    assert_eq!(state.this_minute(now), MinuteCounts { successes: 2, failures: 1 });
    let next = now + SECOND;
    assert_eq!(state.this_minute(next), MinuteCounts::default());
    state.failed(next);
    assert_eq!(state.this_minute(next), MinuteCounts { successes: 0, failures: 1 });
    // A success of the minute before cannot be taken back any more.
    state.take_success_back(next);
    assert_eq!(state.this_minute(next), MinuteCounts { successes: 0, failures: 1 });
}

#[test]
fn counts_stop_at_their_limit() {
    let minute = Minute::default();
    let now = Moment(7);
    minute.0.store((Minute::stamp(now) << (2 * COUNT_BITS)) | COUNT_MAX, Relaxed);
    minute.add_success(now);
    minute.add_failure(now);
    let limit = u32::try_from(COUNT_MAX).expect("24 bits");
    assert_eq!(minute.counts(now), MinuteCounts { successes: limit, failures: 1 });
}

#[test]
fn rests_end_and_never_shrink() {
    let state = DeploymentState::default();
    let now = Moment(1000);
    assert!(!state.rests(now));
    state.rest(now, 5 * SECOND);
    state.rest(now, 2 * SECOND);
    assert_eq!(state.rest_left(now + SECOND), 4 * SECOND);
    assert!(!state.rests(now + 5 * SECOND));
    state.rest(now, 9 * SECOND);
    state.wake();
    assert!(!state.rests(now));
}

#[test]
fn fails_are_forgotten_after_their_time() {
    let state = DeploymentState::default();
    let start = Moment(0);
    let count = |at: u32| state.count_fail(start + at * SECOND, 5 * SECOND);
    assert_eq!([count(0), count(1), count(4), count(5), count(6)], [1, 2, 3, 1, 2]);
}

#[test]
fn many_threads_lose_no_count() {
    let counters = Counters::new();
    let now = Moment(120_000);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let state = counters.of(&"d".into());
                for _ in 0..5000 {
                    let place = state.enter(Some(4)).expect("a place for each thread");
                    state.succeeded(now);
                    state.failed(now);
                    drop(place);
                }
            });
        }
    });
    let state = counters.of(&"d".into());
    assert_eq!(state.this_minute(now), MinuteCounts { successes: 20_000, failures: 20_000 });
    assert_eq!(state.in_flight(), 0);
}
