//! The places that keep replies, one file each.

mod memory;

pub use memory::MemoryStore;
