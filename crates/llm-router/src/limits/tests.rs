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
