//! Whether, how often and after which wait to try again.

use llm_types::ErrorKind;

use super::*;
use crate::Retries;
use crate::testing::deployment;

const LONE: Situation = Situation { deployments: 1, healthy: 1, special_fallback: false };

/// §7.3, the order of the counts.
#[test]
fn who_sets_the_count() {
    let error = Error::new(ErrorKind::RateLimited, "slow down");
    let mut settings = RouterSettings::default();
    let mut deployment = deployment("d", "m", "gpt");
    let count = |requested, deployment: &Deployment, settings: &RouterSettings| {
        let allowance = allowance(&error, ["nick", "m"], requested, deployment, settings);
        (allowance.retries, allowance.by_policy)
    };
    assert_eq!(count(None, &deployment, &settings), (2, false));
    deployment.num_retries = Some(5);
    assert_eq!(count(None, &deployment, &settings), (5, false));
    assert_eq!(count(Some(1), &deployment, &settings), (1, false));
    let policy = |key: &str, retries| {
        let mut policy = Retries::default();
        assert!(policy.set(key, retries));
        policy
    };
    settings.retry_policy = Some(policy("TimeoutErrorRetries", 9));
    assert_eq!(count(Some(1), &deployment, &settings), (1, false));
    settings.retry_policy = Some(policy("DefaultRetries", 7));
    assert_eq!(count(Some(1), &deployment, &settings), (7, true));
    settings.group_retry_policy.insert("m".into(), policy("RateLimitErrorRetries", 4));
    assert_eq!(count(None, &deployment, &settings), (4, true));
}

/// §7.3, the waits: doubled to 8 s, at least `retry_after`, up to 0.75 s of chance on top.
#[test]
fn waits_grow() {
    let error = Error::new(ErrorKind::BadUpstream, "broken");
    let check = |retry, retry_after: u64, least: f64, most: f64| {
        let settings =
            RouterSettings { retry_after: Duration::from_secs(retry_after), ..RouterSettings::default() };
        let mut rng = Rng::with_seed(u64::from(retry));
        for _ in 0..200 {
            let wait = wait(&error, retry, LONE, &settings, &mut rng).as_secs_f64();
            assert!((least..=most).contains(&wait), "{retry} {retry_after}: {wait}");
        }
    };
    check(0, 0, 0.5, 1.25);
    check(1, 0, 1.0, 1.75);
    check(3, 0, 4.0, 4.75);
    check(4, 0, 8.0, 8.75);
    check(40, 0, 8.0, 8.75);
    check(0, 3, 3.0, 3.75);
    check(0, 10, 10.0, 10.0);
    let tuning = crate::Tuning {
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_secs(1),
        jitter: 0.0,
        ..Default::default()
    };
    let settings = RouterSettings { tuning, ..RouterSettings::default() };
    let waits = [0, 1, 2, 9].map(|retry| wait(&error, retry, LONE, &settings, &mut Rng::with_seed(1)));
    assert_eq!(waits, [100, 200, 400, 1000].map(Duration::from_millis), "of the environment");
}

/// §7.3: nothing while others can serve; Retry-After above 0 and up to a minute is honoured.
#[test]
fn when_not_to_count() {
    let settings = RouterSettings::default();
    let mut rng = Rng::with_seed(1);
    let asks = |seconds| {
        Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(Duration::from_secs(seconds)))
    };
    let mut waits = |error: &Error, situation| wait(error, 0, situation, &settings, &mut rng).as_secs();
    let others = Situation { deployments: 2, ..LONE };
    assert_eq!(waits(&asks(30), others), 0);
    assert_eq!(waits(&asks(30), Situation { healthy: 0, ..others }), 30);
    assert_eq!(waits(&asks(60), LONE), 60);
    assert!(waits(&asks(61), LONE) <= 1);
    assert!(waits(&asks(0), LONE) <= 1);
}

/// §7.3: nobody healthy, or a list for just this error: no retry. Provider's word: elsewhere.
#[test]
fn whether_to_retry() {
    let broken = Error::new(ErrorKind::BadUpstream, "broken");
    assert!(may_retry(&broken, LONE));
    assert!(!may_retry(&broken, Situation { healthy: 0, ..LONE }));
    assert!(!may_retry(&broken, Situation { special_fallback: true, ..LONE }));
    let empty = Error::new(ErrorKind::QuotaExceeded, "no credit");
    assert!(!may_retry(&empty, LONE));
    assert!(may_retry(&empty, Situation { deployments: 2, ..LONE }));
    let others = Situation { deployments: 2, ..LONE };
    let no_key = Error::new(ErrorKind::Internal, "no key is set");
    assert!(!may_retry(&no_key, LONE) && may_retry(&no_key, others));
    assert!(!may_retry(&Error::new(ErrorKind::BudgetExceeded, "nothing left"), others));
}
