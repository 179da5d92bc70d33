//! Whom a call is charged to: its key and every scope, all of them or none.

use std::sync::Arc;

use gateway_db::{ScopeId, ScopeKind};
use llm_types::Result;

use super::limit::counted;
use super::priority::{self, Slot};
use super::sheet::{Charged, Rests, Sheet};
use super::whose::{Who, word};
use super::{Call, Caller};
use crate::clock::steady_ms;
use crate::identity::{For, KeyEntry, Link, Part, PartSpec, Scope};
use crate::limits::{Ask, Denial, Limits};
use crate::share::{Holder, Rated};

/// Who pays for a call, and what they may use.
#[derive(Debug)]
pub(super) struct Payers<'a> {
    /// The key, with the limits that hold for it.
    pub(super) key: Option<(&'a Arc<KeyEntry>, Limits)>,
    /// The scopes, in the order in which limits are looked at.
    pub(super) scopes: Vec<&'a Link>,
    /// What the customer may use by default.
    allowance: Option<(&'a ScopeId, &'a [Part])>,
    /// Budgets that the configuration sets, by name.
    funds: &'a [(String, Part)],
    /// What the configuration lets one key ask of the model a minute.
    key_rates: Option<Part>,
    /// The share of the model's rates, by priority.
    slot: Option<Slot<'a>>,
    /// The tokens of the prompt and of the answer that are expected.
    pub(super) tokens: [u64; 2],
    call: &'a Call,
}

impl<'a> Payers<'a> {
    /// Who pays for a call: the key and its scopes, the tags and the customer that the request names.
    pub(super) fn of(call: &'a Call, caller: &'a Caller) -> Self {
        let (key, chain) = match caller {
            Caller::Operator => (None, [].as_slice()),
            Caller::Key(entry) => (Some((entry, key_limits(call, entry))), entry.chain.as_slice()),
        };
        let mut scopes: Vec<&Link> = Vec::new();
        if !chain.is_empty() || !call.named.is_empty() {
            scopes.extend(chain.iter().chain(&call.named));
            scopes.sort_by_key(|link| rank(link.scope.id.kind));
        }
        let key_rates = key.and_then(|(entry, _)| key_rates(call, entry));
        let slot = priority::slot(call, caller);
        let customer = call.named.iter().find(|link| link.scope.id.kind == ScopeKind::Customer);
        let allowance = match &call.allowance[..] {
            [] => None,
            parts => customer.map(|link| (&link.scope.id, parts)),
        };
        Self { key, scopes, allowance, funds: &call.funds, key_rates, slot, tokens: [0; 2], call }
    }

    /// Those who pay with money: what counts calls alone is left out.
    pub(super) fn without_rates(self) -> Self {
        Self { key_rates: None, slot: None, ..self }
    }

    /// Whether nobody pays: the operator, for no customer.
    pub(super) fn is_empty(&self) -> bool {
        self.key.is_none() && self.scopes.is_empty() && self.funds.is_empty() && self.slot.is_none()
    }

    /// Sets aside what a call may use at everybody who pays for it; nothing where one refuses.
    ///
    /// # Errors
    /// The denial of the first limit that is reached, and whose it is.
    pub(super) fn reserve(&self, ask: Ask, now_ms: i64) -> Result<(Charged, Rests), (Denial, Who)> {
        let tokens = self.tokens;
        let mut sheet = Sheet { charged: Charged::default(), rests: Rests::default(), ask, tokens, now_ms };
        match self.write(&mut sheet) {
            Ok(()) => Ok((sheet.charged, sheet.rests)),
            Err(refused) => {
                sheet.charged.release();
                Err(refused)
            }
        }
    }

    /// Everybody with rates who pays, for shares of rates that replicas keep together.
    pub(super) fn rated(&self) -> Vec<Rated> {
        let mut rated = Vec::new();
        let mut counting = |name: String, holder: Holder, limits: Limits, tokens: Option<u64>| {
            if limits.has_rates() {
                rated.push(Rated { name, holder, limits, tokens });
            }
        };
        for link in self.scopes.iter().filter(|link| link.bound) {
            let view = link.scope.view();
            for part in view.parts.iter().filter(|part| self.concerns(part)) {
                let tokens = part.spec.counts.map(|what| counted(what, self.tokens[0], self.tokens[1]));
                let holder = Holder::Scope(Arc::clone(&part.scope));
                counting(part.scope.id.as_owner(), holder, part.spec.limits, tokens);
            }
        }
        let mut add = |name: String, holder: Holder, limits: Limits| counting(name, holder, limits, None);
        if let Some((entry, limits)) = &self.key {
            let name = ScopeId::owner_of_key(entry.record.hash.as_str());
            add(name, Holder::Key(Arc::clone(&entry.account)), *limits);
        }
        let of_key = self.key.iter().flat_map(|(entry, _)| &entry.parts);
        for part in of_key.filter(|part| self.concerns(part)).chain(&self.key_rates) {
            add(part.scope.id.as_owner(), Holder::Scope(Arc::clone(&part.scope)), part.spec.limits);
        }
        for link in self.scopes.iter().filter(|link| link.bound) {
            let view = link.scope.view();
            add(link.scope.id.as_owner(), Holder::Scope(Arc::clone(&link.scope)), view.limits());
        }
        for part in self.allowed() {
            add(part.scope.id.as_owner(), Holder::Scope(Arc::clone(&part.scope)), part.spec.limits);
        }
        if let Some(slot) = &self.slot {
            let limits = slot.limits(slot.whole.account.counted(steady_ms()));
            add(slot.whole.id.as_owner(), Holder::Scope(Arc::clone(&slot.whole)), slot.whole_limits());
            add(slot.part.id.as_owner(), Holder::Scope(Arc::clone(&slot.part)), limits);
        }
        rated
    }

    /// What the customer may use by default, as far as it is about this call.
    fn allowed(&self) -> impl Iterator<Item = &'a Part> {
        let parts = self.allowance.map_or(&[][..], |(_, parts)| parts);
        parts.iter().filter(|part| self.concerns(part))
    }

    /// Whether a part is about this call: about its tags, its model, or the auto router that named it.
    fn concerns(&self, part: &Part) -> bool {
        let holds = |model: &str| part.spec.of.holds(model, &self.call.tags);
        let router = self.call.routed.as_ref().map(|routed| &*routed.router);
        holds(&self.call.glance.model) || router.is_some_and(holds)
    }

    fn write(&self, sheet: &mut Sheet) -> Result<(), (Denial, Who)> {
        if let Some((entry, limits)) = &self.key {
            let reserved = entry.account.reserve(limits, sheet.ask, sheet.now_ms);
            let (reserved, left) = reserved.map_err(|denial| (denial, Who::Key(Arc::clone(entry))))?;
            sheet.rests.key = left;
            sheet.charged.key = Some((Arc::clone(entry), reserved));
            let own = entry.parts.iter().filter(|part| self.concerns(part));
            for part in own.chain(&self.key_rates) {
                let who = || Who::OfKey(Arc::clone(entry), part.clone());
                sheet.reserve_part(part, "api_key", who)?;
            }
        }
        sheet.charged.scopes.reserve_exact(self.scopes.len());
        for link in &self.scopes {
            self.write_scope(link, sheet)?;
        }
        if let Some((customer, _)) = self.allowance {
            for part in self.allowed() {
                sheet.reserve_part(part, "end_user", || Who::Allowance(customer.clone(), part.clone()))?;
            }
        }
        for (name, part) in self.funds {
            sheet.reserve_part(part, "gateway", || Who::Fund(name.clone(), part.clone()))?;
        }
        self.slot.as_ref().map_or(Ok(()), |slot| sheet.reserve_share(slot))
    }

    /// What holds of a scope whose limits are not for this call: the budget of a user whose key is a team's, where
    /// the operator wants it (`apply_user_budget_to_team_keys`).
    fn limits_beside(&self, scope: &Scope) -> Limits {
        let is_held =
            scope.id.kind == ScopeKind::User && self.call.snapshot.config.general.user_budget_on_team_keys;
        let max_budget = if is_held { scope.view().limits().max_budget } else { None };
        Limits { max_budget, ..Limits::default() }
    }

    fn write_scope(&self, link: &Link, sheet: &mut Sheet) -> Result<(), (Denial, Who)> {
        let scope = &link.scope;
        if !link.bound {
            let limits = self.limits_beside(scope);
            return sheet.reserve(scope, &limits, "", || Who::Scope(Arc::clone(scope)));
        }
        let view = scope.view();
        let word = word(scope.id.kind);
        let mut limits = view.limits();
        let uncounted = scope.id.kind == ScopeKind::Customer && self.call.counted_end_user().is_none();
        if uncounted {
            limits.max_budget = None;
            sheet.charged.customer_uncounted = true;
        }
        sheet.reserve(scope, &limits, word, || Who::Scope(Arc::clone(scope)))?;
        // The ledger does not know by the key or the request which groups pay.
        if scope.id.kind == ScopeKind::ModelAccessGroup {
            sheet.charged.parts.push(scope.id.clone());
        }
        for part in view.parts.iter().filter(|part| self.concerns(part)) {
            if uncounted && part.spec.is_budget() {
                continue;
            }
            sheet.reserve_part(part, word, || Who::OfScope(scope.id.clone(), part.clone()))?;
        }
        Ok(())
    }
}

/// The limits of a key now: of rates that hold only while the model fails those that hold.
fn key_limits(call: &Call, entry: &KeyEntry) -> Limits {
    let limits = entry.limits();
    let (requests, tokens) = entry.rules.is_dynamic;
    if !(requests || tokens) || is_failing(call, entry) {
        return limits;
    }
    Limits { rpm: limits.rpm.filter(|_| !requests), tpm: limits.tpm.filter(|_| !tokens), ..limits }
}

/// Whether a deployment of the model has failed this minute.
fn is_failing(call: &Call, entry: &KeyEntry) -> bool {
    let team = entry.record.settings.team_id.as_deref();
    let now = call.snapshot.router.now();
    let route = call.snapshot.routes().resolve(&call.glance.model, team);
    let candidates = route.iter().flat_map(|route| &route.group.candidates);
    candidates.into_iter().any(|candidate| candidate.state.this_minute(now).failures > 0)
}

/// What the configuration lets one key ask of a model a minute, less what the key says itself.
fn key_rates(call: &Call, entry: &KeyEntry) -> Option<Part> {
    let rates = &call.snapshot.funds.key_rates;
    if rates.is_empty() {
        return None;
    }
    let model = &*call.glance.model;
    let (mut rpm, mut tpm) = *rates.get(model)?;
    for own in entry.parts.iter().filter(|part| part.spec.of == For::Model(model.to_owned())) {
        rpm = rpm.filter(|_| own.spec.limits.rpm.is_none());
        tpm = tpm.filter(|_| own.spec.limits.tpm.is_none());
    }
    if (rpm, tpm) == (None, None) {
        return None;
    }
    let spec = PartSpec::rates_of(model, (rpm, tpm));
    let id = spec.id(&format!("rates:{}", entry.record.hash));
    let scope = call.core.shared.directory.scopes.counted(id);
    Some(Part { spec: Arc::new(spec), scope })
}

/// Whether a part is not among these yet.
pub(super) fn parts_beside(parts: &[(String, Part)], part: &Part) -> bool {
    parts.iter().all(|(_, other)| !Arc::ptr_eq(&other.scope, &part.scope))
}

/// In which order limits are looked at (surface §4.6, stage 6).
const fn rank(kind: ScopeKind) -> u8 {
    match kind {
        ScopeKind::Team => 0,
        ScopeKind::Project => 1,
        ScopeKind::Organization => 2,
        ScopeKind::Tag => 3,
        ScopeKind::ModelAccessGroup => 4,
        ScopeKind::User => 5,
        ScopeKind::TeamMember => 6,
        ScopeKind::OrganizationMember => 7,
        _ => 8,
    }
}
