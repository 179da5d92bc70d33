//! Response caching for LLM calls: what makes two calls the same, and where replies are kept.
//!
//! [`CacheKey`] says which requests may share a reply, [`Entry`] is a kept reply, [`Store`] is the
//! contract of a place that keeps them and [`MemoryStore`] the one in this process. Time comes in
//! as an argument; nothing here reads a clock.
//!
//! ```
//! use llm_cache::CacheKey;
//! use llm_types::{ChatRequest, Message};
//!
//! let request = ChatRequest::new("gpt-4o-mini", [Message::user("Say hello")]);
//! let streamed = ChatRequest { stream: true, ..request.clone() };
//! assert_eq!(CacheKey::of("team-a", &request)?, CacheKey::of("team-a", &streamed)?);
//! assert_ne!(CacheKey::of("team-a", &request)?, CacheKey::of("team-b", &request)?);
//! # Ok::<(), llm_types::Error>(())
//! ```

mod entry;
mod key;
mod store;
mod stores;

pub use entry::Entry;
pub use key::CacheKey;
pub use store::Store;
pub use stores::MemoryStore;
