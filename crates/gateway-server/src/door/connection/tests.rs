//! Silent connections end, busy ones do not.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::{Busy, ConnState, drive};
use crate::state::Drain;

fn connection() -> ConnState {
    ConnState::new(([127, 0, 0, 1], 1).into())
}

/// How often a connection that ends by itself at the tenth look was looked at: the watch looks again
/// each time it runs out.
async fn looks(state: &ConnState) -> usize {
    let looks = Cell::new(0);
    let connection = pin!(poll_fn(|_| {
        looks.set(looks.get() + 1);
        if looks.get() == 10 { Poll::Ready(Ok(())) } else { Poll::Pending }
    }));
    let ended = drive(connection, &Drain::default(), (state, Duration::from_millis(1)), |_| {}).await;
    assert!(ended.is_ok());
    looks.get()
}

#[tokio::test]
async fn a_silent_connection_ends_when_its_watch_runs_out() {
    assert_eq!(looks(&connection()).await, 2);
}

#[tokio::test]
async fn a_connection_ends_one_watch_after_its_last_answer() {
    let state = Arc::new(connection());
    drop(Busy::new(&state));
    assert_eq!(looks(&state).await, 3);
}

#[tokio::test]
async fn a_long_stream_keeps_its_connection() {
    let state = Arc::new(connection());
    let _stream = Busy::new(&state);
    assert_eq!(looks(&state).await, 10);
}
