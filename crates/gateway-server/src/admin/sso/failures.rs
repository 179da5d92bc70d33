//! Wrong passwords of late: who gives too many waits (`max_failed_login_attempts_per_source`, `failed_login_*`).
//!
//! An address is counted, and a name at an address: an address is never held up by what others do to its name.

use std::net::IpAddr;

use dashmap::DashMap;

use crate::config::SignInLimits;
use crate::identity::KeyDigest;

/// The most sources that are remembered.
const MOST: usize = 10_000;

/// Wrong passwords of late, by source.
#[derive(Debug, Default)]
pub(crate) struct Failures(DashMap<String, Seen>);

/// Times are in Unix milliseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    ends: i64,
    count: u32,
    blocked_until: i64,
}

/// Who tries: by which address (of IPv6 its network), under which name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) address: Option<IpAddr>,
    pub(super) place: &'a str,
    pub(super) name: Option<&'a str>,
}

impl Source<'_> {
    /// What is counted, each with the most there may be.
    fn counted(self, limits: &SignInLimits) -> Vec<(String, u32)> {
        let most = limits.of(self.address);
        if most == 0 {
            return Vec::new();
        }
        // Names are people's: what is kept does not show them.
        let of_name = |name: &str| {
            let digest = KeyDigest::of(name.to_lowercase().as_bytes()).to_hex();
            (format!("{} {digest}", self.place), (most / 2).max(1))
        };
        std::iter::once((self.place.to_owned(), most)).chain(self.name.map(of_name)).collect()
    }
}

impl Failures {
    /// Until when the source may not try, if it may not now.
    pub(super) fn blocked(&self, source: Source<'_>, limits: &SignInLimits, now: i64) -> Option<i64> {
        let until = |(key, _): (String, u32)| self.0.get(&key).map(|seen| seen.blocked_until);
        source.counted(limits).into_iter().filter_map(until).filter(|until| now < *until).max()
    }

    /// Takes note of a wrong password.
    pub(super) fn note(&self, source: Source<'_>, limits: &SignInLimits, now: i64) {
        if self.0.len() >= MOST {
            self.0.retain(|_, seen| now < seen.ends.max(seen.blocked_until));
        }
        let after = |length: std::time::Duration| {
            now.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
        };
        for (key, most) in source.counted(limits) {
            let mut seen = self.0.entry(key).or_default();
            if seen.ends <= now {
                *seen = Seen { ends: after(limits.window), count: 0, blocked_until: seen.blocked_until };
            }
            seen.count = seen.count.saturating_add(1);
            if seen.count >= most {
                *seen = Seen { ends: 0, count: 0, blocked_until: after(limits.block) };
            }
        }
    }
}

#[cfg(test)]
mod tests;
