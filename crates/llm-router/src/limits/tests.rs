//! Whose time limit holds.

use super::*;
use crate::Controls;
use crate::testing::deployment;

/// §7.6: who sets the time of an attempt, for whole answers and for streams.
#[test]
fn who_sets_the_time() {
    type Seconds = Option<u64>;
    let check =
        |stream, asked: (Seconds, Seconds), own: (Seconds, Seconds), router: (Seconds, Seconds), expect| {
            let time = |seconds: Seconds| seconds.map(Duration::from_secs);
            let controls =
                Controls { timeout: time(asked.0), stream_timeout: time(asked.1), ..Controls::default() };
            let mut deployment = deployment("d", "m", "gpt");
            (deployment.timeout, deployment.stream_timeout) = (time(own.0), time(own.1));
            let settings = RouterSettings {
                timeout: time(router.0),
                stream_timeout: time(router.1),
                ..RouterSettings::default()
            };
            let request = Request { stream, ..Request::new("m", &controls) };
            let limits = Limits::of(&request, &deployment, &settings);
            assert_eq!((limits.any().map(|time| time.as_secs()), limits.by_caller), expect);
            assert_eq!(limits.first_byte.is_some(), stream && limits.any().is_some());
        };
    let none = (None, None);
    check(false, (Some(1), Some(2)), (Some(3), Some(4)), (Some(5), Some(6)), (Some(1), true));
    check(false, (None, Some(2)), (Some(3), Some(4)), (Some(5), Some(6)), (Some(3), false));
    check(false, none, none, (Some(5), Some(6)), (Some(5), false));
    check(true, (Some(1), Some(2)), (Some(3), Some(4)), (Some(5), Some(6)), (Some(2), true));
    check(true, (Some(1), None), (Some(3), Some(4)), (Some(5), Some(6)), (Some(4), false));
    check(true, (Some(1), None), (Some(3), None), (Some(5), Some(6)), (Some(6), false));
    check(true, (Some(1), None), (Some(3), None), (Some(5), None), (Some(1), true));
    check(true, none, none, none, (None, false));
}

/// §7.6: the time of a service tier comes after the caller's and before the deployment's own.
#[test]
fn a_service_tier_has_times_of_its_own() {
    let second = Duration::from_secs;
    let mut deployment = deployment("d", "m", "gpt");
    deployment.timeout = Some(second(10));
    deployment.stream_timeout = Some(second(20));
    deployment.tier_timeouts =
        [[("flex".to_owned(), second(900))].into(), [("flex".to_owned(), second(60))].into()];
    let settings = RouterSettings::default();
    let check = |asked: Option<u64>, tier, stream, expect: u64| {
        let controls = Controls { timeout: asked.map(second), ..Controls::default() };
        let mut request = Request { stream, ..Request::new("m", &controls) };
        request.ask.tier = tier;
        let limits = Limits::of(&request, &deployment, &settings);
        assert_eq!(limits.any(), Some(second(expect)), "{asked:?} {tier:?} {stream}");
    };
    check(None, Some("flex"), false, 900);
    check(None, Some("priority"), false, 10);
    check(None, None, false, 10);
    check(Some(3), Some("flex"), false, 3);
    check(None, Some("flex"), true, 60);
    check(None, Some("priority"), true, 20);
    deployment_without_stream_times();
}

/// Without times for streams the times for whole answers hold, those of the tier first.
fn deployment_without_stream_times() {
    let mut deployment = deployment("d", "m", "gpt");
    deployment.tier_timeouts[0] = [("flex".to_owned(), Duration::from_secs(900))].into();
    let controls = Controls::default();
    let mut request = Request { stream: true, ..Request::new("m", &controls) };
    request.ask.tier = Some("flex");
    let limits = Limits::of(&request, &deployment, &RouterSettings::default());
    assert_eq!(limits.first_byte, Some(Duration::from_secs(900)));
}
