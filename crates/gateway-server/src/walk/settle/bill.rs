//! What a settled call leaves behind: its outcome in the ledger, figures, a line in the access log.

use std::sync::atomic::Ordering::Relaxed;

use gateway_db::{End, Flags, Outcome, Owner};
use http::StatusCode;
use llm_types::{Cost, Error, Usage};

use super::Tail;
use crate::journal::Turn;
use crate::state::Served;
use crate::telemetry::AccessLine;
use crate::walk::details;
use crate::walk::limit::{owner, parts_told};
use crate::walk::shares::Priced;

/// What is settled, in one piece.
pub(super) struct Bill<'a> {
    pub(super) asked: Option<&'a Served>,
    pub(super) usage: &'a Usage,
    pub(super) end: End,
    pub(super) status: StatusCode,
    pub(super) error: Option<&'a Error>,
    pub(super) cost: Option<Cost>,
    pub(super) duration_us: u64,
    /// Whether the price of any part is unknown.
    pub(super) unpriced: bool,
    /// What others than the deployment asked last have used; the sums above hold it.
    pub(super) shares: &'a [Priced],
    /// What the deployment asked last has used.
    pub(super) own: (&'a Usage, Option<Cost>),
}

impl Bill<'_> {
    fn deployment(&self) -> &str {
        self.asked.map_or("", |served| served.deployment.id.as_str())
    }
}

pub(super) fn nanos(cost: Option<Cost>) -> u64 {
    cost.map_or(0, |cost| u64::try_from(cost.total.0).unwrap_or(0))
}

impl Tail {
    /// Writes the outcome into the ledger, where calls are booked.
    pub(super) fn book(&self, bill: &Bill<'_>) -> Option<Turn> {
        if !self.announced {
            return None;
        }
        let own = Some(bill.own.0).filter(|_| !self.shared);
        let details = details::usage_told(bill.usage, own, bill.shares, &self.hints);
        let tags = details::json_unless(self.tags.is_empty(), &self.tags);
        let parts = parts_told(&self.charged.parts, &self.paid);
        let noted = self.notes.as_ref().map_or_else(String::new, |notes| notes.told());
        let tools = self.facts.as_ref().map_or(&[][..], |facts| facts.tools.names());
        let tools = details::json_unless(tools.is_empty(), &tools);
        let outcome = Outcome {
            call_id: self.shown_id.to_str().unwrap_or_default(),
            started_ms: self.started_ms,
            duration_us: bill.duration_us,
            first_byte_us: self.first_byte_us,
            owner: Owner { parts: &parts, ..owner(&self.caller, self.end_user.as_deref()) },
            model_group: &self.model_group,
            model: bill.asked.map_or("", |served| &served.target.target().model),
            provider: bill.asked.map_or("", |served| served.target.target().spec.id.as_str()),
            deployment: bill.deployment(),
            call_type: self.call_type,
            end: bill.end,
            status: bill.status.as_u16(),
            error: bill.error.map_or("", |error| error.kind().as_str()),
            flags: Flags {
                stream: self.stream,
                estimated: bill.usage.estimated,
                unpriced: bill.unpriced,
                ..Flags::default()
            },
            tokens: details::tokens(bill.usage),
            cost: bill.cost.map(|cost| cost.total),
            retries: u16::try_from(self.retries).unwrap_or(u16::MAX),
            fallbacks: u16::try_from(self.fallbacks).unwrap_or(u16::MAX),
            usage: &details,
            tags: &tags,
            metadata: &noted,
            session: self.notes.as_ref().map_or("", |notes| notes.session()),
            tools: &tools,
            ..Outcome::of(self.id)
        };
        Some(self.core.journal.queue(|out| outcome.encode(out)))
    }

    /// Counts the call for the metrics of its deployment.
    pub(super) fn count(&self, bill: &Bill<'_>) {
        let Some(served) = bill.asked else { return };
        let counts = &served.counts;
        match bill.end {
            End::Completed => counts.succeeded.fetch_add(1, Relaxed),
            End::HungUp => counts.hung_up.fetch_add(1, Relaxed),
            End::Cut | End::Failed | End::Unknown => counts.failed.fetch_add(1, Relaxed),
        };
        // What others used is counted as theirs.
        let (usage, cost) = bill.own;
        counts.input_tokens.fetch_add(usage.input_tokens, Relaxed);
        counts.output_tokens.fetch_add(usage.output_tokens, Relaxed);
        counts.spend_nanos.fetch_add(nanos(cost), Relaxed);
        counts.total.count(bill.duration_us);
        if let Some(us) = self.answer_us.filter(|_| bill.end == End::Completed) {
            counts.answer.count(us);
            if let Some(each) = us.checked_div(usage.output_tokens) {
                counts.per_token.count(each);
            }
        }
        if self.retries > 0 {
            counts.retries.fetch_add(u64::from(self.retries), Relaxed);
        }
        if self.fallbacks > 0 {
            counts.fallbacks.fetch_add(u64::from(self.fallbacks), Relaxed);
        }
        if let Some(us) = self.first_byte_us {
            counts.first_token.count(us);
        }
    }

    /// Writes a line into the access log.
    pub(super) fn log(&self, bill: &Bill<'_>) {
        let decided = self.decided.as_ref();
        self.core.access.add(&AccessLine {
            at_ms: self.started_ms,
            id: self.shown_id.to_str().unwrap_or_default(),
            method: "POST",
            path: self.path,
            status: bill.status.as_u16(),
            outcome: bill.end.as_str(),
            key: owner(&self.caller, None).key,
            model: &self.model_group,
            budget_fallback_from: self.instead_of.as_deref().unwrap_or_default(),
            auto_router: decided.map_or("", |decided| &decided.router),
            auto_router_cause: decided.map_or("", |decided| decided.cause),
            auto_router_tier: decided.map_or("", |decided| decided.tier),
            deployment: bill.deployment(),
            stream: self.stream,
            input_tokens: bill.usage.input_tokens,
            output_tokens: bill.usage.output_tokens,
            cost_nanos: bill.cost.map(|cost| cost.total.0),
            duration_us: bill.duration_us,
            first_byte_us: self.first_byte_us,
        });
    }
}
