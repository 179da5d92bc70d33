//! Whether a conversation is made shorter for the group of its tier. LiteLLM surface §7.8, compaction.

use std::sync::Arc;
use std::time::Duration;

use super::Complexity;
use super::fit::Fit;
use crate::Routes;
use crate::auto::{Said, Tier};

/// How conversations that have become too long are made shorter (`context_compaction`).
#[derive(Debug, Clone, PartialEq)]
pub struct Compaction {
    /// The group that writes summaries; without one the highest tier's that holds the prompt.
    pub model: Option<Arc<str>>,
    /// The share of a group's context window from which on a prompt is too long for it.
    pub ratio: f64,
    /// The most tokens of a summary.
    pub max_tokens: u64,
    /// The longest wait for it.
    pub patience: Duration,
}

impl Complexity {
    /// The group that is to make a prompt shorter, and how, where the prompt is too long for a group.
    #[must_use]
    pub fn compactor(
        &self,
        place: (&Routes, Option<&str>),
        said: &Said<'_>,
        model: &str,
    ) -> Option<(&Compaction, Arc<str>)> {
        let how = self.compaction.as_ref()?;
        if Self::within(place, said.signs.tokens, model, how.ratio) != Fit::No {
            return None;
        }
        let harder = Tier::ALL.into_iter().rev().flat_map(|tier| &self.tiers[tier as usize]);
        let able = |name: &&Arc<str>| Self::within(place, said.signs.tokens, name, how.ratio) == Fit::Holds;
        let by = how.model.as_ref().or_else(|| harder.map(|one| &one.model).find(able))?;
        Some((how, Arc::clone(by)))
    }
}
