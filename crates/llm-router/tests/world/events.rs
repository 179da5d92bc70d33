//! A clock that jumps from event to event, and what drives futures on it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use llm_router::{Clock, Moment};
use llm_types::BoxFuture;

#[derive(Debug, Default)]
pub(super) struct Events(Mutex<Timers>);

#[derive(Debug, Default)]
struct Timers {
    now: u64,
    next_number: u64,
    waiting: BinaryHeap<Reverse<(u64, u64)>>,
    wakers: std::collections::HashMap<u64, Waker>,
}

impl Events {
    /// Jumps to the next event; says whether there was one.
    fn advance(&self) -> bool {
        let waker = {
            let mut timers = self.0.lock().expect("no panic elsewhere");
            let Some(Reverse((at, number))) = timers.waiting.pop() else { return false };
            timers.now = timers.now.max(at);
            timers.wakers.remove(&number)
        };
        waker.into_iter().for_each(Waker::wake);
        true
    }
}

impl Clock for Events {
    fn now(&self) -> Moment {
        Moment(self.0.lock().expect("no panic elsewhere").now)
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'_, ()> {
        let until = self.now().0 + u64::try_from(wait.as_millis()).expect("short waits");
        let mut queued = false;
        Box::pin(std::future::poll_fn(move |cx| {
            let mut timers = self.0.lock().expect("no panic elsewhere");
            if timers.now >= until {
                return Poll::Ready(());
            }
            if !queued {
                queued = true;
                let number = timers.next_number;
                timers.next_number += 1;
                timers.waiting.push(Reverse((until, number)));
                timers.wakers.insert(number, cx.waker().clone());
            }
            Poll::Pending
        }))
    }
}

/// Polls a future, jumping to the next event whenever it waits.
pub(super) fn drive(clock: &Arc<Events>, future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut cx).is_pending() {
        assert!(clock.advance(), "everybody waits and nothing will happen");
    }
}
