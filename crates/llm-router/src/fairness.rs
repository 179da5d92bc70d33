//! In which order calls that wait for a place are served, so that one tenant's flood does not keep others waiting.
//!
//! Start-time fair queueing (Goyal, Vin, Cheng, 1996): each call has the tag at which its tenant's turn comes, in
//! tokens divided by weight, and the lowest tag is served first. Who asks for little is served at once, however
//! long the queues of others are; who asks for much waits for itself. Nothing is counted while nobody waits.

use std::collections::HashMap;

/// Who is a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fairness {
    /// Each key.
    Key,
    /// Each team; each key that has none.
    Team,
}

/// Whose call it is, and how much it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant {
    /// Who.
    pub id: u64,
    /// Tokens that the call may use.
    pub tokens: u64,
    /// The tenant's share beside others', in thousandths of a usual one.
    pub weight: u32,
}

/// Tags of those who wait at one deployment.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// The tag of the call that was served last.
    now: u64,
    /// Where the turns of each tenant end that were given out.
    ends: HashMap<u64, u64>,
}

impl Tenant {
    /// Length of its turn, in thousandths of tokens of a usual tenant.
    fn turn(&self) -> u64 {
        self.tokens.max(1).saturating_mul(1_000_000) / u64::from(self.weight.max(1))
    }
}

impl Turns {
    /// The tag of a call that begins to wait. Calls of nobody in particular are served as they come.
    pub(crate) fn arrive(&mut self, tenant: Option<Tenant>) -> u64 {
        let Some(tenant) = tenant else { return self.now };
        let end = self.ends.entry(tenant.id).or_insert(self.now);
        let start = self.now.max(*end);
        *end = start.saturating_add(tenant.turn());
        start
    }

    /// A call with this tag is served.
    pub(crate) fn serve(&mut self, tag: u64) {
        self.now = self.now.max(tag);
    }

    /// A call gave up waiting: its turn is not counted.
    pub(crate) fn give_up(&mut self, tenant: Option<Tenant>) {
        if let Some(tenant) = tenant
            && let Some(end) = self.ends.get_mut(&tenant.id)
        {
            *end = end.saturating_sub(tenant.turn());
        }
    }

    /// Nobody waits any more.
    pub(crate) fn rest(&mut self) {
        self.now = 0;
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests;
