//! Replies in this process: bounded by bytes, the longest unused goes first.

use std::collections::{BTreeMap, HashMap};

use llm_types::{BoxFuture, Result};
use parking_lot::Mutex;

use crate::{CacheKey, Entry, Store};

/// What an entry costs beside its body: key, times, and its places in both maps.
const OVERHEAD: usize = 160;

/// A store in memory, holding at most a given number of bytes.
#[derive(Debug)]
pub struct MemoryStore {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<CacheKey, Slot>,
    /// Use order: the smallest turn is the longest unused.
    turns: BTreeMap<u64, CacheKey>,
    next_turn: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    entry: Entry,
    turn: u64,
}

impl MemoryStore {
    /// An empty store that holds at most `max_bytes`, its own bookkeeping included.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, kept: Mutex::default() }
    }

    /// How many replies are kept, expired ones included until they are met.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.lock().entries.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.lock().bytes
    }
}

impl Kept {
    fn fetch(&mut self, key: &CacheKey, now_ms: i64) -> Option<Entry> {
        if self.entries.get(key)?.entry.is_expired(now_ms) {
            self.remove(key);
            return None;
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        let slot = self.entries.get_mut(key)?;
        self.turns.remove(&slot.turn);
        self.turns.insert(turn, *key);
        slot.turn = turn;
        Some(slot.entry.clone())
    }

    fn put(&mut self, key: CacheKey, entry: Entry, max_bytes: usize) {
        self.remove(&key);
        let size = size(&entry);
        if size > max_bytes {
            return;
        }
        while self.bytes + size > max_bytes {
            let Some((_, oldest)) = self.turns.pop_first() else { break };
            self.remove(&oldest);
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        self.turns.insert(turn, key);
        self.entries.insert(key, Slot { entry, turn });
        self.bytes += size;
    }

    fn remove(&mut self, key: &CacheKey) {
        if let Some(slot) = self.entries.remove(key) {
            self.turns.remove(&slot.turn);
            self.bytes -= size(&slot.entry);
        }
    }
}

fn size(entry: &Entry) -> usize {
    entry.body.len() + OVERHEAD
}

impl Store for MemoryStore {
    fn fetch<'a>(&'a self, key: &'a CacheKey, now_ms: i64) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move { Ok(self.kept.lock().fetch(key, now_ms)) })
    }

    fn put<'a>(&'a self, key: CacheKey, entry: Entry, now_ms: i64) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if !entry.is_expired(now_ms) {
                self.kept.lock().put(key, entry, self.max_bytes);
            }
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.kept.lock().remove(key);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
