//! The last room: every path ends here, once. What was set aside is replaced by what was used.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use gateway_db::{CallId, End, ScopeId};
use http::{HeaderValue, StatusCode};
use llm_providers::ReplyFacts;
use llm_providers::catalog::ModelInfo;
use llm_router::{Moment, Ticket};
use llm_types::{Cost, CostContext, Error, Money, Ratio, Usage};
use parking_lot::Mutex;

use super::asked::Hints;
use super::funds::{Due, Purse};
use super::limit::{Place, counted};
use super::notes::{self, Notes};
use super::recall::Keep;
use super::shares::{Priced, Share, Shares};
use super::sheet::{Charged, Rests};
use super::untold::Untold;
use super::{Call, Caller};
use crate::config::TokenCount;
use crate::journal::Turn;
use crate::limits::Settlement;
use crate::state::{Core, Served};
use crate::telemetry::AccessLine;

mod bill;

use bill::{Bill, nanos};

/// Bytes of text per token where a provider reported no usage; such figures are flagged.
pub(super) const BYTES_PER_TOKEN: u64 = 4;

/// What is owed at the end of a call. It travels with the call into the body of the answer; dropping
/// it unsettled means that the client hung up, and settles it as that.
#[derive(Debug)]
pub(crate) struct Tail {
    core: Arc<Core>,
    id: CallId,
    shown_id: HeaderValue,
    path: &'static str,
    call_type: &'static str,
    model_group: String,
    /// What an auto router decided, where one named the group.
    decided: Option<Box<super::auto::Decided>>,
    /// The model that was asked for, where its budget is spent and another serves.
    instead_of: Option<String>,
    stream: bool,
    started: Instant,
    started_ms: i64,
    end_user: Option<String>,
    tags: Vec<String>,
    pub(crate) caller: Caller,
    /// What is set aside at everybody who pays for it.
    pub(super) charged: Charged,
    /// What is left of rates, for headers.
    pub(crate) rests: Rests,
    /// What deployments are asked with, and what is set aside at those that have budgets.
    pub(super) purse: Purse,
    /// Who of those has paid how much.
    paid: Vec<(ScopeId, Money)>,
    prompt_bytes: u64,
    /// What the request asks for that has a price of its own.
    hints: Hints,
    tokens_counted: TokenCount,
    /// Whether the ledger was told of the call.
    pub(crate) announced: bool,
    /// The deployment that was asked last; whoever asks a deployment sets it before sending.
    pub(crate) asked: Mutex<Option<Arc<Served>>>,
    /// What deployments were not told.
    pub(super) untold: Untold,
    /// What the model asked last costs, where that depends on what was asked of it: on the size of pictures.
    pub(crate) priced: Mutex<Option<Arc<ModelInfo>>>,
    /// What others than the deployment asked last have used for the call.
    pub(crate) shares: Shares,
    /// What the deployment asked last has used is among the shares already.
    pub(crate) shared: bool,
    /// What the reply has told; nothing before there is one.
    pub(crate) facts: Option<Box<ReplyFacts>>,
    pub(crate) retries: u32,
    pub(crate) fallbacks: u32,
    pub(crate) first_byte_us: Option<u64>,
    /// How long the deployment took that brought the answer to its end, microseconds.
    answer_us: Option<u64>,
    /// The reply is to be kept when it is whole.
    pub(crate) keep: Option<Keep>,
    /// What its row of the spend log tells beside figures.
    pub(super) notes: Option<Box<Notes>>,
    place: Option<Place>,
    settled: bool,
}

/// What a settlement came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settled {
    /// The cost; `None` when the model has no price.
    pub(crate) cost: Option<Cost>,
    /// The part of the margin in it.
    pub(crate) margin: Ratio,
    /// What the key has spent, this call included.
    pub(crate) spent: Option<Money>,
    /// The turn of the journal that writes the outcome.
    pub(crate) booked: Option<Turn>,
    /// How long the call took, microseconds.
    pub(crate) duration_us: u64,
}

impl Tail {
    /// The tail of a call for which nothing is set aside yet.
    pub(crate) fn new(call: &Call, caller: Caller, place: Place) -> Box<Self> {
        call.core.shared.metrics.begun.fetch_add(1, Relaxed);
        let notes = notes::of(call, &caller);
        Box::new(Self {
            place: Some(place),
            core: Arc::clone(&call.core),
            id: call.id,
            shown_id: call.shown_id.clone(),
            path: call.path,
            call_type: call.call_type,
            model_group: call.glance.model.clone(),
            decided: call.routed.as_ref().map(|routed| routed.decided()),
            instead_of: call.instead_of.clone(),
            stream: call.glance.stream,
            started: call.started,
            started_ms: call.started_ms,
            end_user: call.counted_end_user().map(str::to_owned),
            tags: call.tags.clone(),
            caller,
            charged: Charged::default(),
            rests: Rests::default(),
            purse: Purse::default(),
            paid: Vec::new(),
            prompt_bytes: call.glance.prompt_bytes,
            hints: call.priced_hints(),
            tokens_counted: call.snapshot.config.general.token_limit_counts,
            announced: false,
            asked: Mutex::new(None),
            untold: Untold::default(),
            priced: Mutex::new(None),
            shares: Shares::default(),
            shared: false,
            facts: None,
            retries: 0,
            fallbacks: 0,
            first_byte_us: None,
            answer_us: None,
            keep: call.keep.clone(),
            notes,
            settled: false,
        })
    }

    /// The core that serves the call.
    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// The moment it is, for the router.
    pub(crate) fn now(&self) -> Moment {
        self.core.shared.snapshot.load().router.now()
    }

    /// The id by which the caller knows the call.
    pub(super) fn shown(&self) -> &str {
        self.shown_id.to_str().unwrap_or_default()
    }

    /// The deployment that was asked last; empty before any was.
    pub(crate) fn deployment(&self) -> String {
        self.asked.lock().as_ref().map_or_else(String::new, |served| served.deployment.id.as_str().to_owned())
    }

    /// Notes how long the deployment took whose answer is over.
    pub(super) fn answered_by(&mut self, ticket: &Ticket, now: Moment) {
        self.answer_us = Some(u64::try_from(ticket.took(now).as_micros()).unwrap_or(u64::MAX));
    }

    /// Microseconds since the call arrived.
    pub(crate) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Ends the call: charges it, books it, counts it, logs it.
    pub(crate) fn settle(&mut self, end: End, status: StatusCode, error: Option<&Error>) -> Settled {
        self.close(end, status, error, true)
    }

    /// Ends a call that was announced but is not made: [`refused`] counts and logs it.
    pub(crate) fn withdraw(&mut self, status: StatusCode, error: &Error) {
        self.close(End::Failed, status, Some(error), false);
    }

    fn close(&mut self, end: End, status: StatusCode, error: Option<&Error>, aloud: bool) -> Settled {
        self.settled = true;
        self.place = None;
        let mut asked = self.asked.lock().take();
        let duration_us = self.elapsed_us();
        let mut shares = self.shares.take();
        // A caller who left while deployments were asked: the last of them is the one that was asked.
        let left = end == End::HungUp && self.facts.is_none() && !self.shared;
        let (own, own_cost) = match shares.pop_if(|_| left) {
            _ if self.shared => (Usage::default(), Some(Cost::default())),
            Some(share) => {
                let cost = self.cost(Some(&share.served), &share.usage, duration_us);
                asked = Some(share.served);
                (share.usage, cost)
            }
            None => {
                let usage = self.usage(end, asked.is_some(), error);
                let cost = self.cost(asked.as_deref(), &usage, duration_us);
                (usage, cost)
            }
        };
        let shares = self.priced_shares(shares, duration_us);
        let sum = || shares.iter().fold(own.clone(), |sum, share| share.usage.with(&sum));
        let usage = if shares.is_empty() { Cow::Borrowed(&own) } else { Cow::Owned(sum()) };
        // What is not known does not hide what is.
        let costs = shares.iter().map(|share| share.cost).chain([own_cost]);
        let unpriced = costs.clone().any(|cost| cost.is_none());
        let cost = costs.flatten().reduce(|sum, cost| sum + cost);
        let mut dues: Vec<Due> = Vec::new();
        if self.purse.upstream.is_asked() {
            dues.extend(shares.iter().map(|share| self.due(&share.served, &share.usage, share.cost)));
            dues.extend(asked.iter().map(|served| self.due(served, &own, own_cost)));
        }
        let spent = self.charge(&dues, &usage, cost);
        let (asked, shares) = (asked.as_deref(), &shares[..]);
        if let Some(decided) = self.decided.as_ref().filter(|_| self.fallbacks == 0 && end == End::Completed)
        {
            decided.learn(&self.core.shared.lessons, &own, self.now());
        }
        let own = (&own, own_cost);
        let bill =
            Bill { asked, usage: &usage, end, status, error, cost, duration_us, unpriced, shares, own };
        let booked = self.book(&bill);
        if aloud {
            self.count(&bill);
            self.log(&bill);
        }
        let margin = asked.map_or(Ratio::default(), |served| served.terms.margin());
        Settled { cost, margin, spent, booked, duration_us }
    }

    /// Prices what others have used, and counts it as theirs.
    fn priced_shares(&self, shares: Vec<Share>, duration_us: u64) -> Vec<Priced> {
        let price = |share: Share| {
            let cost = self.cost_of(&share.served, share.served.info.as_deref(), &share.usage, duration_us);
            let counts = &share.served.counts;
            counts.input_tokens.fetch_add(share.usage.input_tokens, Relaxed);
            counts.output_tokens.fetch_add(share.usage.output_tokens, Relaxed);
            counts.spend_nanos.fetch_add(nanos(cost), Relaxed);
            Priced { served: share.served, usage: share.usage, why: share.why, cost }
        };
        shares.into_iter().map(price).collect()
    }

    /// What a deployment used that did not bring the answer to its end: its word, else an estimate.
    pub(super) fn share_of(&self, served: &Arc<Served>, facts: &ReplyFacts) -> Share {
        Share::of(served, facts, self.prompt_bytes, "cut")
    }

    /// What the call used: the provider's word; else, when it was asked and may have worked, a flagged
    /// estimate; else nothing. What a provider says at the beginning of a stream that does not end does
    /// not count the answer that followed.
    fn usage(&self, end: End, asked: bool, error: Option<&Error>) -> Usage {
        let facts = self.facts.as_deref();
        let output_tokens = facts.map_or(0, |facts| facts.answer_bytes).div_ceil(BYTES_PER_TOKEN);
        let told = facts.and_then(|facts| facts.usage.as_ref());
        if let Some(usage) = told.or_else(|| error.and_then(Error::usage)) {
            if end == End::Completed || usage.output_tokens >= output_tokens {
                return usage.clone();
            }
            return Usage { output_tokens, total_tokens: None, estimated: true, ..usage.clone() };
        }
        let worked = asked && end != End::Failed;
        let input_tokens = if worked { self.prompt_bytes.div_ceil(BYTES_PER_TOKEN) } else { 0 };
        Usage { input_tokens, output_tokens, estimated: worked, ..Usage::default() }
    }

    fn cost(&self, asked: Option<&Served>, usage: &Usage, duration_us: u64) -> Option<Cost> {
        match asked {
            Some(served) => {
                let priced = self.priced.lock();
                self.cost_of(served, priced.as_deref().or(served.info.as_deref()), usage, duration_us)
            }
            None => Some(Cost::default()),
        }
    }

    fn cost_of(
        &self,
        served: &Served,
        info: Option<&ModelInfo>,
        usage: &Usage,
        duration_us: u64,
    ) -> Option<Cost> {
        let context = CostContext {
            at: Some(self.started_ms / 1_000),
            duration: Duration::from_micros(duration_us),
            tier: self.hints.tier.as_deref(),
            search: self.hints.search,
            ..CostContext::default()
        };
        served.cost(info, usage, &context)
    }

    fn settlement(&self, usage: &Usage, cost: Option<Cost>) -> Settlement {
        let tokens = counted(self.tokens_counted, usage.input_tokens, usage.output_tokens);
        Settlement { cost: cost.map_or(Money::ZERO, |cost| cost.total), tokens }
    }

    fn due(&self, served: &Served, usage: &Usage, cost: Option<Cost>) -> Due {
        Due { deployment: served.deployment.id.clone(), used: self.settlement(usage, cost) }
    }

    /// Charges what a deployment has used that does no more for the call at its own budget and its provider's.
    pub(super) fn pay(&self, share: &Share) {
        let served = &share.served;
        let cost = self.cost_of(served, served.info.as_deref(), &share.usage, self.elapsed_us());
        self.purse.upstream.pay(&self.due(&share.served, &share.usage, cost));
    }

    fn charge(&mut self, dues: &[Due], usage: &Usage, cost: Option<Cost>) -> Option<Money> {
        self.paid = self.purse.upstream.settle(dues);
        let used = self.settlement(usage, cost);
        let (spent, owes) = self.charged.settle(used, [usage.input_tokens, usage.output_tokens]);
        if owes {
            self.core.shared.quotas.settle_soon();
        }
        self.purse.upstream.cover(|cover| cover.end());
        spent
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        if !self.settled {
            // nginx's status for a client that closed the connection.
            let status = StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST);
            self.settle(End::HungUp, status, None);
        }
    }
}

/// Counts and logs a call that was refused before anything was set aside.
pub(crate) fn refused(call: &Call, error: &Error, status: StatusCode) {
    call.core.shared.metrics.refuse(status.as_u16());
    call.core.access.add(&AccessLine {
        at_ms: call.started_ms,
        id: call.shown_id.to_str().unwrap_or_default(),
        method: call.head.method.as_str(),
        path: call.path,
        status: status.as_u16(),
        outcome: error.kind().as_str(),
        model: &call.glance.model,
        duration_us: call.elapsed_us(),
        ..AccessLine::default()
    });
}
