//! The memory store: expiry, eviction, bounds.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use llm_types::{ChatRequest, Message};

use super::{MemoryStore, OVERHEAD};
use crate::{CacheKey, Entry, Store};

/// Memory answers at once, so one poll is enough.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the memory store waited"),
    }
}

fn key(text: &str) -> CacheKey {
    CacheKey::of("", &ChatRequest::new("m", [Message::user(text)])).unwrap()
}

fn entry(size: usize) -> Entry {
    Entry { body: vec![b'x'; size].into(), stored_ms: 0, expires_ms: 1_000 }
}

fn put(store: &MemoryStore, name: &str, size: usize) {
    now(store.put(key(name), entry(size), 0)).unwrap();
}

fn has(store: &MemoryStore, name: &str, now_ms: i64) -> bool {
    now(store.fetch(&key(name), now_ms)).unwrap().is_some()
}

#[test]
fn what_was_put_is_given_out_until_it_expires() {
    let store = MemoryStore::new(10_000);
    put(&store, "a", 10);
    assert!(has(&store, "a", 999));
    assert!(!has(&store, "b", 0));
    assert!(!has(&store, "a", 1_000));
    assert!(store.is_empty(), "an expired entry is dropped when met");
    assert_eq!(store.bytes(), 0);
}

#[test]
fn the_longest_unused_goes_first() {
    let store = MemoryStore::new(3 * (100 + OVERHEAD));
    for name in ["a", "b", "c"] {
        put(&store, name, 100);
    }
    assert!(has(&store, "a", 0));
    put(&store, "d", 100);
    assert!(has(&store, "a", 0));
    assert!(!has(&store, "b", 0));
    assert!(has(&store, "c", 0) && has(&store, "d", 0));
    assert_eq!(store.bytes(), 3 * (100 + OVERHEAD));
}

#[test]
fn one_large_reply_may_push_out_several_but_never_breaks_the_bound() {
    let store = MemoryStore::new(1_000);
    for name in ["a", "b", "c"] {
        put(&store, name, 50);
    }
    put(&store, "large", 700);
    assert!(has(&store, "large", 0));
    assert!(store.bytes() <= 1_000);
    put(&store, "huge", 2_000);
    assert!(!has(&store, "huge", 0));
    assert!(has(&store, "large", 0), "a reply that cannot fit pushes nothing out");
}

#[test]
fn replacing_and_removing_keep_the_count_true() {
    let store = MemoryStore::new(10_000);
    put(&store, "a", 10);
    put(&store, "a", 20);
    assert_eq!((store.len(), store.bytes()), (1, 20 + OVERHEAD));
    now(store.remove(&key("a"))).unwrap();
    now(store.remove(&key("a"))).unwrap();
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

#[test]
fn an_entry_that_has_already_expired_is_not_kept() {
    let store = MemoryStore::new(10_000);
    now(store.put(key("a"), entry(1), 1_000)).unwrap();
    assert!(store.is_empty());
}
