//! Delivery, loss and failure, each counted.

use std::sync::{Arc, Mutex};

use llm_types::{BoxFuture, CallEvent, CallOutcome, Error, ErrorKind, Lane, RequestId, Result};
use tokio::sync::Semaphore;

use super::{Hub, SinkStats};
use crate::Sink;

#[derive(Debug)]
struct Recorder {
    name: &'static str,
    seen: Mutex<Vec<String>>,
    fails: bool,
    gate: Semaphore,
}

impl Recorder {
    fn new(name: &'static str, fails: bool, open: usize) -> Arc<Self> {
        Arc::new(Self { name, seen: Mutex::default(), fails, gate: Semaphore::new(open) })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Sink for Recorder {
    fn name(&self) -> &str {
        self.name
    }

    fn send<'a>(&'a self, batch: &'a [Arc<CallEvent>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            self.seen.lock().unwrap().extend(batch.iter().map(|event| event.id.to_string()));
            if self.fails { Err(Error::new(ErrorKind::Unreachable, "sink is away")) } else { Ok(()) }
        })
    }
}

fn event(id: &str) -> Arc<CallEvent> {
    Arc::new(CallEvent {
        id: RequestId::from(id),
        key: None,
        end_user: None,
        model_group: "gpt-4o-mini".into(),
        deployment: None,
        provider: None,
        model: None,
        stream: false,
        lane: Lane::Forwarded,
        outcome: CallOutcome::Completed,
        usage: None,
        cost: None,
        started_ms: 0,
        duration_us: 0,
        first_byte_us: None,
        retries: 0,
        fallbacks: 0,
    })
}

fn stats(name: &str, delivered: u64, dropped: u64, failed: u64) -> SinkStats {
    SinkStats { name: name.into(), delivered, dropped, failed }
}

#[tokio::test]
async fn every_sink_gets_every_event_in_order_and_workers_end_with_the_hub() {
    let one = Recorder::new("one", false, 100);
    let two = Recorder::new("two", false, 100);
    let (hub, workers) = Hub::new([Arc::clone(&one) as Arc<dyn Sink>, Arc::clone(&two) as Arc<dyn Sink>], 10);
    for id in ["a", "b", "c"] {
        hub.publish(&event(id));
    }
    drop(hub);
    for worker in workers {
        worker.run().await;
    }
    assert_eq!(one.seen(), ["a", "b", "c"]);
    assert_eq!(two.seen(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_stuck_sink_loses_its_own_events_only_and_the_loss_is_counted() {
    let stuck = Recorder::new("stuck", false, 0);
    let quick = Recorder::new("quick", false, 100);
    let (hub, workers) =
        Hub::new([Arc::clone(&stuck) as Arc<dyn Sink>, Arc::clone(&quick) as Arc<dyn Sink>], 2);
    let tasks: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(worker.run())).collect();
    for id in 0..10 {
        hub.publish(&event(&id.to_string()));
        tokio::task::yield_now().await;
    }
    assert_eq!(quick.seen().len(), 10);
    // One batch is being sent, two events wait, the rest is lost.
    let dropped = hub.stats()[0].dropped;
    assert!(dropped >= 7, "{:?}", hub.stats());
    stuck.gate.add_permits(100);
    drop(hub);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(stuck.seen().len() as u64 + dropped, 10);
}

#[tokio::test]
async fn a_failed_batch_is_counted_and_the_next_one_is_still_sent() {
    let broken = Recorder::new("broken", true, 100);
    let (hub, mut workers) = Hub::new([Arc::clone(&broken) as Arc<dyn Sink>], 10);
    let task = tokio::spawn(workers.remove(0).run());
    hub.publish(&event("a"));
    while hub.stats()[0].failed < 1 {
        tokio::task::yield_now().await;
    }
    hub.publish(&event("b"));
    while hub.stats()[0].failed < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hub.stats(), [stats("broken", 0, 0, 2)]);
    drop(hub);
    task.await.unwrap();
}

#[tokio::test]
async fn events_for_a_worker_that_is_gone_count_as_dropped() {
    let (hub, workers) = Hub::new([Recorder::new("gone", false, 1) as Arc<dyn Sink>], 10);
    drop(workers);
    hub.publish(&event("a"));
    assert_eq!(hub.stats(), [stats("gone", 0, 1, 0)]);
}
