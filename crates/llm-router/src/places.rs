//! Places for calls at the same time (`max_parallel_requests`): counted, and waited for in turn, where that is
//! wanted by tenants (`fairness`).

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::fairness::{Tenant, Turns};

/// How many places are taken, and who waits for one.
#[derive(Debug, Default)]
pub(crate) struct Places {
    taken: AtomicU32,
    /// Length of the queue, read without its lock: leaving is two atomic operations while nobody waits.
    waiting: AtomicU32,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    next_number: u64,
    turns: Turns,
    waiters: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    /// Lower ones are served first; alike by their tags.
    priority: i64,
    /// Lower ones are served first; alike in the order they came.
    tag: u64,
    waker: Waker,
    /// Called up, but has not come yet.
    called: bool,
}

impl Places {
    pub(crate) fn taken(&self) -> u32 {
        self.taken.load(SeqCst)
    }

    /// Takes a place unless `limit` are taken or others wait for one.
    pub(crate) fn enter(&self, limit: Option<u32>) -> bool {
        match limit {
            Some(limit) => self.waiting.load(SeqCst) == 0 && self.take(limit),
            None => {
                self.taken.fetch_add(1, SeqCst);
                true
            }
        }
    }

    fn take(&self, limit: u32) -> bool {
        self.taken.fetch_update(SeqCst, SeqCst, |taken| (taken < limit).then_some(taken + 1)).is_ok()
    }

    /// Gives a place back and calls up the first who waits.
    pub(crate) fn leave(&self) {
        self.taken.fetch_sub(1, SeqCst);
        self.call_next();
    }

    /// Waits for a place and takes it, behind those of a lower number of priority, or of the same whose tenants'
    /// turns are not later.
    pub(crate) fn wait(&self, limit: Option<u32>, priority: i64, tenant: Option<Tenant>) -> Wait<'_> {
        Wait { places: self, limit, priority, tenant, number: None }
    }

    fn call_next(&self) {
        if self.waiting.load(SeqCst) == 0 {
            return;
        }
        let mut queue = self.queue();
        if let Some(waiter) = queue.waiters.iter_mut().find(|waiter| !waiter.called) {
            waiter.called = true;
            waiter.waker.wake_by_ref();
        }
    }

    /// A panic while the queue is locked leaves it whole: each change is a single step.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a place. Dropping it leaves the queue.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    places: &'a Places,
    limit: Option<u32>,
    priority: i64,
    tenant: Option<Tenant>,
    /// The place in the queue, once there is one.
    number: Option<u64>,
}

impl Wait<'_> {
    /// Stands in the queue, or stays there, not called up; says whether it is the first.
    fn queue_up(&mut self, waker: &Waker) -> bool {
        let mut queue = self.places.queue();
        let known = self.number;
        if let Some(at) = queue.waiters.iter().position(|waiter| Some(waiter.number) == known) {
            queue.waiters[at].waker.clone_from(waker);
            queue.waiters[at].called = false;
            return at == 0;
        }
        let number = queue.next_number;
        queue.next_number += 1;
        let (priority, tag) = (self.priority, queue.turns.arrive(self.tenant));
        let at = queue.waiters.partition_point(|waiter| (waiter.priority, waiter.tag) <= (priority, tag));
        queue.waiters.insert(at, Waiter { number, priority, tag, waker: waker.clone(), called: false });
        self.number = Some(number);
        self.places.waiting.fetch_add(1, SeqCst);
        at == 0
    }

    /// Leaves the queue, served or not, and lets the next one look: there may be more than one free place.
    fn leave_queue(&mut self, served: bool) {
        let Some(number) = self.number.take() else { return };
        let mut queue = self.places.queue();
        let at = queue.waiters.iter().position(|waiter| waiter.number == number);
        let waiter = at.and_then(|at| queue.waiters.remove(at));
        match waiter {
            Some(waiter) if served => queue.turns.serve(waiter.tag),
            _ => queue.turns.give_up(self.tenant),
        }
        if queue.waiters.is_empty() {
            queue.turns.rest();
        }
        self.places.waiting.fetch_sub(1, SeqCst);
        drop(queue);
        self.places.call_next();
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit.unwrap_or(u32::MAX);
        // Queueing before trying closes the gap in which a place could be given back unseen.
        if self.queue_up(cx.waker()) && self.places.take(limit) {
            self.leave_queue(true);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.leave_queue(false);
    }
}

#[cfg(test)]
mod tests;
