//! What is set aside for a call, written down entry by entry, and what becomes of it.

use std::sync::Arc;

use gateway_db::{ScopeId, ScopeKind};
use llm_types::Money;

use super::limit::counted;
use super::priority::Slot;
use super::whose::{Who, word_of};
use crate::config::TokenCount;
use crate::identity::{KeyEntry, Part, Scope};
use crate::limits::{Ask, Denial, Limits, Remaining, Reserved, Settlement};

/// What is set aside for a call, at everybody who pays for it.
#[derive(Debug, Default)]
pub(crate) struct Charged {
    pub(super) key: Option<(Arc<KeyEntry>, Reserved)>,
    pub(super) scopes: Vec<(Arc<Scope>, Reserved)>,
    /// Those that count prompts or answers alone.
    directed: Vec<(Arc<Scope>, Reserved, TokenCount)>,
    /// What the customer spends is not added up (`disable_end_user_cost_tracking`).
    pub(super) customer_uncounted: bool,
    /// The parts and groups of models among the scopes that are about money: the ledger is told of them.
    pub(super) parts: Vec<ScopeId>,
}

/// What is left of the rates of those who pay, for headers.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    /// Of the key.
    pub(crate) key: Remaining,
    /// Of others, under LiteLLM's word for each kind.
    pub(crate) others: Vec<(&'static str, Remaining)>,
}

impl Charged {
    /// The money that was set aside at the key; nothing when no key pays.
    pub(super) fn at_key(&self) -> Option<Reserved> {
        self.key.as_ref().map(|(_, reserved)| *reserved)
    }

    /// Replaces what was set aside by what was used, with so many tokens of the prompt and of the answer; gives what
    /// the key has spent now, and whether other replicas must hear soon how many tokens that were.
    pub(super) fn settle(&mut self, used: Settlement, [input, output]: [u64; 2]) -> (Option<Money>, bool) {
        let mut owes = false;
        for (scope, reserved, what) in self.directed.drain(..) {
            scope.account.settle(reserved, Settlement { tokens: counted(what, input, output), ..used });
            owes |= reserved.is_shared() && scope.account.owes();
        }
        let uncounted = self.customer_uncounted;
        for (scope, reserved) in self.scopes.drain(..) {
            let is_free = uncounted && scope.id.kind == ScopeKind::Customer;
            let cost = if is_free { Money::ZERO } else { used.cost };
            scope.account.settle(reserved, Settlement { cost, ..used });
            owes |= reserved.is_shared() && scope.account.owes();
        }
        let spent = self.key.take().map(|(entry, reserved)| {
            let spent = entry.account.settle(reserved, used);
            owes |= reserved.is_shared() && entry.account.owes();
            spent
        });
        (spent, owes)
    }

    /// Gives everything back: the call is not made, or or has ended and this was more for it.
    pub(super) fn release(self) {
        for (scope, reserved) in self.scopes {
            scope.account.release(reserved);
        }
        for (scope, reserved, _) in self.directed {
            scope.account.release(reserved);
        }
        if let Some((entry, reserved)) = self.key {
            entry.account.release(reserved);
        }
    }
}

/// What was set aside so far.
pub(super) struct Sheet {
    pub(super) charged: Charged,
    pub(super) rests: Rests,
    pub(super) ask: Ask,
    pub(super) tokens: [u64; 2],
    pub(super) now_ms: i64,
}

impl Sheet {
    pub(super) fn reserve(
        &mut self,
        scope: &Arc<Scope>,
        limits: &Limits,
        word: &'static str,
        who: impl FnOnce() -> Who,
    ) -> Result<(), (Denial, Who)> {
        let (reserved, left) =
            scope.account.reserve(limits, self.ask, self.now_ms).map_err(|denial| (denial, who()))?;
        self.charged.scopes.push((Arc::clone(scope), reserved));
        if limits.has_rates() && !word.is_empty() {
            self.show(word, left);
        }
        Ok(())
    }

    pub(super) fn reserve_part(
        &mut self,
        part: &Part,
        whose: &'static str,
        who: impl FnOnce() -> Who,
    ) -> Result<(), (Denial, Who)> {
        let word = word_of(&part.spec, whose);
        if let Some(what) = part.spec.counts {
            return self.reserve_directed(part, what, word).map_err(|denial| (denial, who()));
        }
        self.reserve(&part.scope, &part.spec.limits, word, who)?;
        if part.spec.is_budget() {
            self.charged.parts.push(part.scope.id.clone());
        }
        Ok(())
    }

    /// Counts the tokens of one direction; more of the same call is about money only.
    fn reserve_directed(&mut self, part: &Part, what: TokenCount, word: &'static str) -> Result<(), Denial> {
        if self.ask.beside.is_some() {
            return Ok(());
        }
        let ask = Ask { tokens: counted(what, self.tokens[0], self.tokens[1]), ..self.ask };
        let (reserved, left) = part.scope.account.reserve(&part.spec.limits, ask, self.now_ms)?;
        self.charged.directed.push((Arc::clone(&part.scope), reserved, what));
        self.show(word, left);
        Ok(())
    }

    /// The call counts for its model; its priority's share holds for it where the model is full enough.
    pub(super) fn reserve_share(&mut self, slot: &Slot<'_>) -> Result<(), (Denial, Who)> {
        let now_ms = self.now_ms;
        let used = || slot.whole.account.counted(now_ms);
        let who = |scope: &Arc<Scope>| Who::Share(Arc::clone(scope), Box::new(slot.told(used())));
        self.reserve(&slot.whole, &slot.whole_limits(), "", || who(&slot.whole))?;
        let limits = slot.limits(used());
        self.reserve(&slot.part, &limits, "priority_model", || who(&slot.part))
    }

    /// Of several of a kind the one is shown that has the least left.
    pub(super) fn show(&mut self, word: &'static str, left: Remaining) {
        match self.rests.others.iter_mut().find(|(shown, _)| *shown == word) {
            Some((_, shown)) if left.least() < shown.least() => *shown = left,
            Some(_) => {}
            None => self.rests.others.push((word, left)),
        }
    }
}
