//! Where an operator marks prompts for the provider's cache (`cache_control_injection_points`).

use llm_types::{CacheMark, Role};

/// One place of every prompt that is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePoint {
    /// Where the mark stands.
    pub spot: CacheSpot,
    /// The mark.
    pub mark: CacheMark,
}

/// What a mark stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheSpot {
    /// The message of this number, from 0; negative numbers count from the end.
    Message(i64),
    /// Every message of a role.
    Role(Role),
    /// The list of tools.
    Tools,
}
