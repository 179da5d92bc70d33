//! Several deployments may work for one call: one whose stream broke off and one that went on with it, one
//! that was slow and one that was quicker. Each is paid for.

use std::sync::Arc;

use llm_providers::ReplyFacts;
use llm_types::{Cost, Usage};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::settle::BYTES_PER_TOKEN;
use crate::state::Served;

/// What deployments have used that did not bring a call's answer to its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares(Arc<Mutex<Vec<Share>>>);

/// What one of them has used.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    pub(super) served: Arc<Served>,
    pub(super) usage: Usage,
    /// Why it did not go on.
    pub(super) why: &'static str,
}

/// What one of them has used, and its cost; `None` when its model has no price.
#[derive(Debug)]
pub(super) struct Priced {
    pub(super) served: Arc<Served>,
    pub(super) usage: Usage,
    pub(super) why: &'static str,
    pub(super) cost: Option<Cost>,
}

impl Shares {
    /// Adds one.
    pub(super) fn add(&self, share: Share) {
        self.0.lock().push(share);
    }

    /// Takes all.
    pub(super) fn take(&self) -> Vec<Share> {
        std::mem::take(&mut *self.0.lock())
    }

    /// What all of them have used.
    pub(super) fn usage(&self) -> Usage {
        self.0.lock().iter().fold(Usage::default(), |sum, share| sum.with(&share.usage))
    }
}

impl Share {
    /// What a deployment has used of which this much was seen: its word, with what it wrote since counted by
    /// the length; all of it by the length where it said nothing.
    pub(super) fn of(served: &Arc<Served>, facts: &ReplyFacts, prompt_bytes: u64, why: &'static str) -> Self {
        let output_tokens = facts.answer_bytes.div_ceil(BYTES_PER_TOKEN);
        let usage = match &facts.usage {
            Some(usage) if usage.output_tokens >= output_tokens => usage.clone(),
            Some(usage) => Usage { output_tokens, total_tokens: None, estimated: true, ..usage.clone() },
            None => {
                let input_tokens = prompt_bytes.div_ceil(BYTES_PER_TOKEN);
                Usage { input_tokens, output_tokens, estimated: true, ..Usage::default() }
            }
        };
        Self { served: Arc::clone(served), usage, why }
    }
}

impl Priced {
    /// As it stands in the ledger.
    pub(super) fn shown(&self) -> Value {
        let target = self.served.target.target();
        json!({
            "deployment": self.served.deployment.id.as_str(),
            "provider": target.spec.id.as_str(),
            "model": target.model,
            "why": self.why,
            "usage": self.usage,
            "cost": self.cost.map(|cost| cost.total.as_usd()),
        })
    }
}

/// A question on its way to a deployment. Dropped before it is over, because another was quicker or the
/// caller left, it leaves what it has used so far.
#[derive(Debug)]
pub(super) struct UnderWay {
    shares: Shares,
    share: Option<Share>,
    prompt_bytes: u64,
}

impl UnderWay {
    /// A question that is being sent.
    pub(super) fn new(shares: &Shares, served: &Arc<Served>, prompt_bytes: u64) -> Self {
        let share = Share::of(served, &ReplyFacts::default(), prompt_bytes, "cancelled");
        Self { shares: shares.clone(), share: Some(share), prompt_bytes }
    }

    /// Takes note of what its answer tells.
    pub(super) fn saw(&mut self, facts: &ReplyFacts) {
        if let Some(share) = &mut self.share {
            *share = Share::of(&share.served, facts, self.prompt_bytes, share.why);
        }
    }

    /// It was answered, or failed.
    pub(super) fn over(mut self) {
        self.share = None;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(share) = self.share.take() {
            self.shares.add(share);
        }
    }
}
