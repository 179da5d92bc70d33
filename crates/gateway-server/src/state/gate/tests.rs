//! Calls wait for their turn, and nobody who leaves keeps a place.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Admission, Gate};

fn bound(queue: Option<usize>) -> Admission {
    Admission { most: 1, queue, patience: Duration::from_secs(60) }
}

#[tokio::test]
async fn calls_are_let_in_in_their_order() {
    let gate = Arc::new(Gate::default());
    let first = gate.enter(bound(None)).await.unwrap();
    let (mut second, mut third) = (Box::pin(gate.enter(bound(None))), Box::pin(gate.enter(bound(None))));
    assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
    drop(first);
    assert!((&mut third).now_or_never().is_none(), "the second comes first");
    let second = second.now_or_never().expect("its turn has come").unwrap();
    drop(second);
    assert!(third.now_or_never().expect("its turn has come").is_ok());
}

#[tokio::test]
async fn who_leaves_gives_the_turn_to_the_next() {
    let gate = Arc::new(Gate::default());
    let first = gate.enter(bound(None)).await.unwrap();
    let (mut leaves, mut stays) = (Box::pin(gate.enter(bound(None))), Box::pin(gate.enter(bound(None))));
    assert!((&mut leaves).now_or_never().is_none() && (&mut stays).now_or_never().is_none());
    drop(leaves);
    drop(first);
    let admitted = stays.now_or_never().expect("the one before has left").unwrap();
    // One who leaves after its turn has come, before it looked, gives the place back too.
    let mut unseen = Box::pin(gate.enter(bound(None)));
    assert!((&mut unseen).now_or_never().is_none());
    drop(admitted);
    drop(unseen);
    assert!(gate.enter(bound(Some(0))).now_or_never().is_some_and(|entered| entered.is_ok()));
}

#[tokio::test]
async fn a_full_queue_and_a_long_wait_are_refused() {
    let gate = Arc::new(Gate::default());
    let _first = gate.enter(bound(None)).await.unwrap();
    let refused = gate.enter(bound(Some(0))).await.unwrap_err();
    assert!(refused.message().contains("0 calls wait already"), "{}", refused.message());
    let mut waits = Box::pin(gate.enter(bound(Some(1))));
    assert!((&mut waits).now_or_never().is_none());
    assert!(gate.enter(bound(Some(1))).await.is_err(), "one waits already");
    drop(waits);
    let hurried = Admission { patience: Duration::from_millis(5), ..bound(Some(1)) };
    let refused = gate.enter(hurried).await.unwrap_err();
    assert!(refused.message().contains("no call ended within 0.005 seconds"), "{}", refused.message());
}
