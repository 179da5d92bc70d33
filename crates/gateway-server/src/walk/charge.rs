//! Whom a call is charged to: its key and every scope, all of them or none.

use std::sync::Arc;

use gateway_db::{ScopeId, ScopeKind};
use llm_router::{Candidate, in_region};
use llm_types::{Error, ErrorKind, Money, Origin, Result, seldom};

use super::admit::no_access;
use super::groups;
use super::limit::counted;
use super::priority::{self, Slot};
use super::whose::{Who, word, word_of};
use super::{Call, Caller, customer, funds};
use crate::clock::steady_ms;
use crate::config::TokenCount;
use crate::identity::{For, KeyEntry, Link, Part, PartSpec, Scope};
use crate::limits::{Ask, Denial, Limits, Remaining, Reserved, Settlement};
use crate::share::{Holder, Rated};
use crate::store::{self, Condition};

/// What is set aside for a call, at everybody who pays for it.
#[derive(Debug, Default)]
pub(crate) struct Charged {
    key: Option<(Arc<KeyEntry>, Reserved)>,
    scopes: Vec<(Arc<Scope>, Reserved)>,
    /// Those that count prompts or answers alone.
    directed: Vec<(Arc<Scope>, Reserved, TokenCount)>,
    /// What the customer spends is not added up (`disable_end_user_cost_tracking`).
    customer_uncounted: bool,
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

/// What was set aside so far.
struct Sheet {
    charged: Charged,
    rests: Rests,
    ask: Ask,
    tokens: [u64; 2],
    now_ms: i64,
}

impl Sheet {
    fn reserve(
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

    fn reserve_part(
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
    fn reserve_share(&mut self, slot: &Slot<'_>) -> Result<(), (Denial, Who)> {
        let now_ms = self.now_ms;
        let used = || slot.whole.account.counted(now_ms);
        let who = |scope: &Arc<Scope>| Who::Share(Arc::clone(scope), Box::new(slot.told(used())));
        self.reserve(&slot.whole, &slot.whole_limits(), "", || who(&slot.whole))?;
        let limits = slot.limits(used());
        self.reserve(&slot.part, &limits, "priority_model", || who(&slot.part))
    }

    /// Of several of a kind the one is shown that has the least left.
    fn show(&mut self, word: &'static str, left: Remaining) {
        match self.rests.others.iter_mut().find(|(shown, _)| *shown == word) {
            Some((_, shown)) if left.least() < shown.least() => *shown = left,
            Some(_) => {}
            None => self.rests.others.push((word, left)),
        }
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

impl Charged {
    /// The money that was set aside at the key; nothing when no key pays.
    pub(super) fn at_key(&self) -> Option<Reserved> {
        self.key.as_ref().map(|(_, reserved)| *reserved)
    }

    /// Replaces what was set aside by what was used, with so many tokens of the prompt and of the answer; gives what
    /// the key has spent now.
    pub(super) fn settle(&mut self, used: Settlement, [input, output]: [u64; 2]) -> Option<Money> {
        for (scope, reserved, what) in self.directed.drain(..) {
            scope.account.settle(reserved, Settlement { tokens: counted(what, input, output), ..used });
        }
        let uncounted = self.customer_uncounted;
        for (scope, reserved) in self.scopes.drain(..) {
            let is_free = uncounted && scope.id.kind == ScopeKind::Customer;
            let cost = if is_free { Money::ZERO } else { used.cost };
            scope.account.settle(reserved, Settlement { cost, ..used });
        }
        self.key.take().map(|(entry, reserved)| entry.account.settle(reserved, used))
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

/// Loads the scopes that the request itself names (its customer, its tags), and sees that no scope refuses
/// the call: none is blocked, and the model is on everybody's list.
///
/// # Errors
/// [`ErrorKind::Unauthenticated`] for a blocked team, [`ErrorKind::Forbidden`] for a model that is not for a
/// scope, [`ErrorKind::Overloaded`] when the database does not answer.
pub(super) async fn attend(call: &mut Call, caller: &Caller) -> Result<()> {
    let groups = groups::of(call, caller);
    call.named = if call.end_user.is_none() && call.tags.is_empty() && groups.is_empty() {
        Vec::new()
    } else {
        seldom(|| named(call, groups)).await?
    };
    let region = call.named.iter().find_map(region_of);
    // A customer who is bound to a region is served there, whatever the request says.
    if let Some(region) = region {
        settle_region(call, caller, region);
    }
    if funds::are_common(call) {
        call.funds = seldom(|| funds::common(call)).await?;
    }
    if call.end_user.is_some() {
        call.allowance = seldom(|| customer::allowance(call, caller)).await?;
    }
    let payers = Payers::of(call, caller);
    for link in &payers.scopes {
        let view = link.scope.view();
        if view.blocked() {
            return Err(blocked(&link.scope.id));
        }
        let model = &call.glance.model;
        if !caller.link_allows(&call.snapshot, link, model) {
            return Err(no_access(model, denial_type(link.scope.id.kind)));
        }
    }
    Ok(())
}

/// Binds a call to the region of its customer. Where nobody there serves the model, the customer's own model takes its
/// place (`default_model`), wherever that is.
fn settle_region(call: &mut Call, caller: &Caller, region: String) {
    let serves = |candidate: &Candidate| in_region(candidate.deployment.region.as_deref(), &region);
    let route = call.snapshot.routes().resolve(&call.glance.model, caller.team());
    let is_served = route.is_none_or(|route| route.group.candidates.iter().any(serves));
    match call.named.iter().find_map(default_model).filter(|_| !is_served) {
        Some(model) => (call.glance.model, call.controls.region) = (model, None),
        None => call.controls.region = Some(region),
    }
}

/// The model of a customer whose region does not serve what is asked for.
fn default_model(link: &Link) -> Option<String> {
    let view = link.scope.view();
    let model = view.record.as_ref()?.settings.extra.get("default_model")?.as_str()?;
    (link.scope.id.kind == ScopeKind::Customer && !model.is_empty()).then(|| model.to_owned())
}

/// The region a customer is bound to (`allowed_model_region`).
fn region_of(link: &Link) -> Option<String> {
    let view = link.scope.view();
    let region = view.record.as_ref()?.settings.extra.get("allowed_model_region")?.as_str()?;
    (link.scope.id.kind == ScopeKind::Customer).then(|| region.to_owned())
}

/// The customer and the tags of a call as scopes, and the groups of models it pays into.
async fn named(call: &Call, groups: Vec<ScopeId>) -> Result<Vec<Link>> {
    let customer = call.end_user.iter().map(|id| ScopeId::new(ScopeKind::Customer, id));
    let tags = call.tags.iter().map(|tag| ScopeId::new(ScopeKind::Tag, tag));
    let mut links = Vec::with_capacity(1 + call.tags.len() + groups.len());
    for id in customer.chain(tags).chain(groups) {
        links.push(Link { scope: find(call, id).await?, bound: true });
    }
    Ok(links)
}

/// The scope, from memory or, beside the data plane, from the database.
pub(super) async fn find(call: &Call, id: ScopeId) -> Result<Arc<Scope>> {
    let shared = Arc::clone(&call.core.shared);
    if let Some(scope) = shared.directory.scopes.cached(&id) {
        return Ok(scope);
    }
    let what = format!("the lookup of {} `{}`", id.kind.as_str(), id.id);
    let sought = id.clone();
    let lookup = async move { shared.directory.scopes.find(sought).await };
    let found = store::ask(&call.core.shared, &what, lookup).await;
    let shared = &call.core.shared;
    match found {
        Err(error) if shared.store.condition() == Condition::Silent => {
            shared.directory.scopes.stranger(&id).ok_or(error)
        }
        found => found,
    }
}

fn blocked(id: &ScopeId) -> Error {
    let name = &id.id;
    let message = match id.kind {
        ScopeKind::Team => {
            format!("Team={name} is blocked. Update via /team/unblock if you're an admin.")
        }
        ScopeKind::Customer => format!("User blocked from making LLM API Calls. User={name}"),
        kind => format!("{}={name} is blocked.", kind.as_str()),
    };
    Error::new(ErrorKind::Unauthenticated, format!("Authentication Error, {message}"))
        .with_origin(Origin::Gateway)
        .with_vendor_type("auth_error")
        .with_param("None")
}

/// The type that LiteLLM gives the refusal of a model (surface §4.5).
const fn denial_type(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Team => "team_model_access_denied",
        ScopeKind::User => "user_model_access_denied",
        ScopeKind::Organization => "org_model_access_denied",
        ScopeKind::Project => "project_model_access_denied",
        ScopeKind::TeamMember => "team_member_model_access_denied",
        ScopeKind::Customer => "customer_model_access_denied",
        _ => "key_model_access_denied",
    }
}
