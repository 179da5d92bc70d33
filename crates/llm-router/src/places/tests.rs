//! Places are given in turn and passed on.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;

use super::*;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn poll(wait: Pin<&mut Wait<'_>>, woken: &Arc<Woken>) -> bool {
    wait.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken)))).is_ready()
}

#[test]
fn places_are_given_in_turn() {
    let places = Places::default();
    assert!(places.enter(Some(1)) && !places.enter(Some(1)));
    let [first_woken, second_woken] = [Arc::<Woken>::default(), Arc::default()];
    let (mut first, mut second) = (pin!(places.wait(Some(1), 0, None)), pin!(places.wait(Some(1), 0, None)));
    assert!(!poll(first.as_mut(), &first_woken) && !poll(second.as_mut(), &second_woken));
    places.leave();
    assert_eq!((first_woken.0.load(SeqCst), second_woken.0.load(SeqCst)), (1, 0));
    assert!(!places.enter(Some(1)), "a newcomer queues up too");
    assert!(!poll(second.as_mut(), &second_woken), "not its turn");
    assert!(poll(first.as_mut(), &first_woken));
    assert!(!poll(second.as_mut(), &second_woken));
    places.leave();
    assert!(poll(second.as_mut(), &second_woken));
    assert_eq!((places.taken(), places.waiting.load(SeqCst)), (1, 0));
}

/// §7.7: lower numbers come first, those alike in the order they came.
#[test]
fn the_urgent_come_first() {
    let places = Places::default();
    assert!(places.enter(Some(1)));
    let mut waits: Vec<_> =
        [5, 0, 5, -1].map(|priority| Box::pin(places.wait(Some(1), priority, None))).into();
    let woken = Arc::<Woken>::default();
    waits.iter_mut().for_each(|wait| assert!(!poll(wait.as_mut(), &woken)));
    let mut order = Vec::new();
    while order.len() < 4 {
        places.leave();
        let next = (0..4).filter(|at| !order.contains(at)).find(|at| poll(waits[*at].as_mut(), &woken));
        order.push(next.expect("somebody comes"));
    }
    assert_eq!(order, [3, 1, 0, 2]);
}

/// One that leaves after it was called up passes the call on.
#[test]
fn leaving_the_queue_passes_the_call_on() {
    let places = Places::default();
    assert!(places.enter(Some(1)));
    let woken = Arc::<Woken>::default();
    let mut second = pin!(places.wait(Some(1), 0, None));
    {
        let mut first = pin!(places.wait(Some(1), 0, None));
        assert!(!poll(first.as_mut(), &Arc::default()));
        assert!(!poll(second.as_mut(), &woken));
        places.leave();
        assert_eq!(woken.0.load(SeqCst), 0);
    }
    assert_eq!(woken.0.load(SeqCst), 1);
    assert!(poll(second.as_mut(), &woken));
    assert!(places.queue().waiters.is_empty());
}

#[test]
fn without_a_limit_nobody_waits() {
    let places = Places::default();
    assert!((0..100).all(|_| places.enter(None)));
    assert_eq!(places.taken(), 100);
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(mut wait: Pin<&mut Wait<'_>>) {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    while wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        std::thread::park_timeout(std::time::Duration::from_secs(20));
    }
}

/// Never more than the limit inside, nobody forgotten in the queue, also when some give up waiting. A
/// forgotten one would sleep 20 s.
#[test]
fn threads_share_places() {
    let places = Places::default();
    let inside = AtomicUsize::new(0);
    let start = std::time::Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (places, inside) = (&places, &inside);
            scope.spawn(move || {
                for round in 0..300 {
                    if (thread + round) % 5 == 0 {
                        let mut impatient = pin!(places.wait(Some(2), 0, None));
                        if poll(impatient.as_mut(), &Arc::default()) {
                            places.leave();
                        }
                        continue;
                    }
                    block_on(pin!(places.wait(Some(2), 0, None)));
                    assert!(inside.fetch_add(1, SeqCst) < 2);
                    std::thread::yield_now();
                    inside.fetch_sub(1, SeqCst);
                    places.leave();
                }
            });
        }
    });
    assert!(start.elapsed() < std::time::Duration::from_secs(15));
    assert_eq!((places.taken(), places.waiting.load(SeqCst)), (0, 0));
}

/// A tenant that comes late is served before the rest of another's flood.
#[test]
fn a_flood_keeps_only_its_own_tenant_waiting() {
    let places = Places::default();
    assert!(places.enter(Some(1)));
    let tenant = |id| Some(Tenant { id, tokens: 100, weight: 1_000 });
    let mut waits: Vec<_> = [1, 1, 1, 1, 2].map(|id| Box::pin(places.wait(Some(1), 0, tenant(id)))).into();
    let woken = Arc::<Woken>::default();
    waits.iter_mut().for_each(|wait| assert!(!poll(wait.as_mut(), &woken)));
    let mut order = Vec::new();
    while order.len() < 5 {
        places.leave();
        let next = (0..5).filter(|at| !order.contains(at)).find(|at| poll(waits[*at].as_mut(), &woken));
        order.push(next.expect("somebody comes"));
    }
    assert_eq!(order, [0, 4, 1, 2, 3]);
}
