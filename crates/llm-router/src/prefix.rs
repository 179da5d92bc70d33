//! What of a prompt a provider may have cached: its beginnings, as bonds to the deployments that know them.
//!
//! Providers cache beginnings of prompts of so and so many tokens and more, which is a matter of the model, at marks of
//! the caller (<https://docs.claude.com/en/docs/build-with-claude/prompt-caching>) or by themselves
//! (<https://platform.openai.com/docs/guides/prompt-caching>), for five minutes after each use or for an
//! hour where the caller pays for it. A beginning ends with a message or with a mark.

use std::hash::{BuildHasher as _, Hash, Hasher};
use std::time::Duration;

use foldhash::fast::{FixedState, FoldHasher};
use llm_types::{CacheMark, CacheTtl, ChatRequest, PartKind};

use crate::Bond;

/// The shortest beginning that is cached where nothing is known of the model, in tokens.
pub const USUAL: u64 = 1_024;
/// The shortest that any model is known to cache, in tokens.
pub const LEAST: u64 = 512;
/// Bytes of a token, about.
const TOKEN: u64 = 4;
/// How long a provider keeps a beginning unless told otherwise.
const SHORT: Duration = Duration::from_secs(300);
/// How long it keeps one that is marked `1h`.
const LONG: Duration = Duration::from_secs(3_600);
/// Beginnings that are looked for, the longest first; what lies between them is rarely shared.
const MOST: usize = 16;

/// The beginnings of a prompt, the longest first, from `shortest` tokens on. `tenant` keeps callers apart: nobody is sent where
/// another's prompt is warm, so that nobody learns from the speed of an answer what others ask.
#[must_use]
pub fn bonds(request: &ChatRequest, tenant: u128, shortest: u64) -> Vec<Bond> {
    let mut walk = Walk::begin(tenant, &request.model, shortest);
    for tool in &request.tools {
        walk.add_value(tool);
        walk.mark(tool.cache);
    }
    for message in &request.messages {
        walk.hash(message.role);
        for part in &message.parts {
            match &part.kind {
                PartKind::Text { text, .. } => walk.add(text),
                other => walk.add_value(other),
            }
            walk.mark(part.cache);
        }
        walk.end_here();
    }
    walk.finish()
}

/// A prompt read from its beginning.
struct Walk {
    hashers: [FoldHasher<'static>; 2],
    bytes: usize,
    shortest: u64,
    ttl: Duration,
    bonds: Vec<Bond>,
}

impl Walk {
    fn begin(tenant: u128, model: &str, shortest: u64) -> Self {
        let hasher = |seed| FixedState::with_seed(seed).build_hasher();
        let hashers = [hasher(1), hasher(2)];
        let mut walk = Self { hashers, bytes: 0, shortest, ttl: SHORT, bonds: Vec::new() };
        walk.hash(tenant);
        walk.hash(model);
        walk
    }

    fn hash(&mut self, value: impl Hash) {
        self.hashers.iter_mut().for_each(|hasher| value.hash(hasher));
    }

    fn add(&mut self, text: &str) {
        self.bytes += text.len();
        self.hash(text);
    }

    fn add_value(&mut self, value: &impl serde::Serialize) {
        // Parts of a request can always be written; one that cannot hashes as nothing.
        let text = serde_json::to_string(value).unwrap_or_default();
        self.add(&text);
    }

    /// A mark of the caller's: its time holds for it and what is cached later.
    fn mark(&mut self, mark: Option<CacheMark>) {
        let Some(mark) = mark else { return };
        self.ttl = if mark.ttl == Some(CacheTtl::OneHour) { LONG } else { SHORT };
        self.end_here();
    }

    /// A beginning ends here, where it is long enough and not the same as the last one.
    fn end_here(&mut self) {
        let tokens = self.bytes as u64 / TOKEN;
        if tokens < self.shortest {
            return;
        }
        let [one, other] = self.hashers.each_ref().map(|hasher| u128::from(hasher.clone().finish()));
        let bond = Bond { key: one << 64 | other, ttl: self.ttl, spreads: true, tokens: Some(tokens) };
        match self.bonds.last_mut() {
            Some(last) if last.key == bond.key => *last = bond,
            _ => self.bonds.push(bond),
        }
    }

    /// The longest first; of many, the longest and the shortest: a conversation grows at its end, and what
    /// is shared by conversations is at their beginning.
    fn finish(self) -> Vec<Bond> {
        let mut bonds = self.bonds;
        bonds.reverse();
        if bonds.len() > MOST {
            bonds.drain(MOST * 3 / 4..bonds.len() - MOST / 4);
        }
        bonds
    }
}

#[cfg(test)]
mod tests;
