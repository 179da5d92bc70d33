//! The canonical key: which two requests may be answered by the same reply.

use std::fmt;

use llm_types::{ChatRequest, Error, ErrorKind, Options, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 over everything that can change the answer, in one canonical spelling.
///
/// | part of the request | in the key | why |
/// |---|---|---|
/// | namespace | yes | callers who must not see each other's answers use different ones |
/// | `model`, `messages`, `tools` | yes | they are the question |
/// | sampling, limits, format, reasoning | yes | they shape the answer |
/// | `extra`, at every level | yes | what we do not understand may matter |
/// | `stream`, `include_usage` | no | how the answer travels, not what it says |
/// | `user`, `safety_identifier`, `metadata`, `store` | no | who asked and how the vendor files it |
/// | `prompt_cache_key`, `service_tier` | no | price and speed, not content |
///
/// The order of JSON object members never matters; the order of arrays does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// The key of a request within a namespace.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the request cannot be written as JSON.
    pub fn of(namespace: &str, request: &ChatRequest) -> Result<Self> {
        let relevant = ChatRequest {
            stream: false,
            options: Options {
                include_usage: None,
                user: None,
                safety_identifier: None,
                metadata: None,
                store: None,
                prompt_cache_key: None,
                service_tier: None,
                ..request.options.clone()
            },
            ..request.clone()
        };
        let value = serde_json::to_value(&relevant).map_err(|source| {
            Error::new(ErrorKind::Internal, "request cannot be written as JSON for its cache key")
                .with_source(source)
        })?;
        let mut hasher = Sha256::new();
        // The length keeps `a` + `bc` and `ab` + `c` apart.
        hasher.update((namespace.len() as u64).to_be_bytes());
        hasher.update(namespace.as_bytes());
        feed(&mut hasher, &value);
        Ok(Self(hasher.finalize().into()))
    }

    /// The key's bytes, for stores that want them raw.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Feeds a value with object members sorted by name.
fn feed(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_unstable_by_key(|(name, _)| *name);
            hasher.update(b"{");
            for (name, member) in names {
                hasher.update(Value::from(name.as_str()).to_string());
                hasher.update(b":");
                feed(hasher, member);
                hasher.update(b",");
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                feed(hasher, item);
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        scalar => hasher.update(scalar.to_string()),
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

#[cfg(test)]
mod tests;
