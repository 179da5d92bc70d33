//! Whom a call is charged to: its key and every scope, all of them or none.

use std::sync::Arc;

use gateway_db::{Payer, ScopeId, ScopeKind};
use llm_types::{Error, ErrorKind, Money, Origin, Result};

use super::admit::{list_allows, no_access};
use super::{Call, Caller};
use crate::clock::now_ms;
use crate::identity::{KeyEntry, Link, Scope};
use crate::limits::{Account, Ask, Denial, Limited, Limits, Remaining, Reserved, Settlement};
use crate::state::Shared;

/// What is set aside for a call, at everybody who pays for it.
#[derive(Debug, Default)]
pub(crate) struct Charged {
    key: Option<(Arc<KeyEntry>, Reserved)>,
    scopes: Vec<(Arc<Scope>, Reserved)>,
}

/// Who pays for a call, and what they may use.
#[derive(Debug, Default)]
pub(super) struct Payers<'a> {
    /// The key, with the limits that hold for it.
    pub(super) key: Option<(&'a Arc<KeyEntry>, Limits)>,
    /// The scopes, in the order in which limits are looked at.
    pub(super) scopes: Vec<&'a Link>,
}

impl<'a> Payers<'a> {
    /// Who pays for a call: the key and its scopes, the tags and the customer that the request names.
    pub(super) fn of(call: &'a Call, caller: &'a Caller) -> Self {
        let (key, chain) = match caller {
            Caller::Operator => (None, [].as_slice()),
            Caller::Key(entry) => (Some((entry, entry.limits())), entry.chain.as_slice()),
        };
        let mut scopes: Vec<&Link> = Vec::new();
        if !chain.is_empty() || !call.named.is_empty() {
            scopes.extend(chain.iter().chain(&call.named));
            scopes.sort_by_key(|link| rank(link.scope.id.kind));
        }
        Self { key, scopes }
    }

    /// Whether nobody pays: the operator, for no customer.
    pub(super) fn is_empty(&self) -> bool {
        self.key.is_none() && self.scopes.is_empty()
    }

    /// Sets aside what a call may use at everybody who pays for it; nothing where one refuses.
    ///
    /// # Errors
    /// The denial of the first limit that is reached, and whose it is.
    pub(super) fn reserve(&self, ask: Ask, now_ms: i64) -> Result<(Charged, Remaining), (Denial, Who)> {
        let mut charged = Charged::default();
        let mut remaining = Remaining::default();
        if let Some((entry, limits)) = &self.key {
            let reserved = entry.account.reserve(limits, ask, now_ms);
            let (reserved, left) = reserved.map_err(|denial| (denial, Who::Key(Arc::clone(entry))))?;
            remaining = left;
            charged.key = Some((Arc::clone(entry), reserved));
        }
        charged.scopes.reserve_exact(self.scopes.len());
        for link in &self.scopes {
            let scope = &link.scope;
            let limits = if link.bound { scope.view().limits } else { Limits::default() };
            match scope.account.reserve(&limits, ask, now_ms) {
                Ok((reserved, _)) => charged.scopes.push((Arc::clone(scope), reserved)),
                Err(denial) => {
                    charged.release();
                    return Err((denial, Who::Scope(Arc::clone(scope))));
                }
            }
        }
        Ok((charged, remaining))
    }
}

/// Who refuses a call.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Key(Arc<KeyEntry>),
    Scope(Arc<Scope>),
}

impl Who {
    /// How messages name it.
    pub(super) fn limited(&self) -> Limited {
        match self {
            Self::Key(entry) => limited_key(entry),
            Self::Scope(scope) => limited_scope(&scope.id),
        }
    }

    fn account(&self) -> &Account {
        match self {
            Self::Key(entry) => &entry.account,
            Self::Scope(scope) => &scope.account,
        }
    }

    fn payer(&self) -> Payer {
        match self {
            Self::Key(entry) => Payer::Key(entry.record.hash.clone()),
            Self::Scope(scope) => Payer::Scope(scope.id.clone()),
        }
    }

    /// Asks for more of a budget that replicas share.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] when the database does not answer.
    pub(super) async fn lease(self, shared: &Arc<Shared>, ask: Ask, amounts: (Money, Money)) -> Result<()> {
        let keeper = Arc::clone(shared);
        let asked = shared.control.spawn(async move {
            let Some(leases) = &keeper.directory.leases else { return Ok(()) };
            let short = || self.account().is_short(ask, amounts.1, now_ms());
            leases.ask(self.payer(), self.account(), amounts, short).await
        });
        asked.await.map_err(|gone| {
            Error::new(ErrorKind::Internal, "the lease of a budget was interrupted").with_source(gone)
        })?
    }
}

impl Charged {
    /// The money that was set aside at the key; nothing when no key pays.
    pub(super) fn at_key(&self) -> Option<Reserved> {
        self.key.as_ref().map(|(_, reserved)| *reserved)
    }

    /// Replaces what was set aside by what was used; gives what the key has spent now.
    pub(super) fn settle(&mut self, used: Settlement) -> Option<Money> {
        for (scope, reserved) in self.scopes.drain(..) {
            scope.account.settle(reserved, used);
        }
        self.key.take().map(|(entry, reserved)| entry.account.settle(reserved, used))
    }

    /// Gives everything back: the call is not made.
    fn release(self) {
        for (scope, reserved) in self.scopes {
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
        ScopeKind::User => 4,
        ScopeKind::TeamMember => 5,
        ScopeKind::OrganizationMember => 6,
        _ => 7,
    }
}

/// Loads the scopes that the request itself names (its customer, its tags), and sees that no scope refuses
/// the call: none is blocked, and the model is on everybody's list.
///
/// # Errors
/// [`ErrorKind::Unauthenticated`] for a blocked team, [`ErrorKind::Forbidden`] for a model that is not for a
/// scope, [`ErrorKind::Overloaded`] when the database does not answer.
pub(super) async fn attend(call: &mut Call, caller: &Caller) -> Result<()> {
    call.named = named(call).await?;
    let region = call.named.iter().find_map(region_of);
    // A customer who is bound to a region is served there, whatever the request says.
    call.controls.region = region.or(call.controls.region.take());
    let payers = Payers::of(call, caller);
    for link in &payers.scopes {
        let view = link.scope.view();
        if view.blocked() {
            return Err(blocked(&link.scope.id));
        }
        let models = view.models();
        let model = &call.glance.model;
        if link.bound && !list_allows(&call.snapshot, caller.team(), models, model) {
            return Err(no_access(model, denial_type(link.scope.id.kind)));
        }
    }
    Ok(())
}

/// The region a customer is bound to (`allowed_model_region`).
fn region_of(link: &Link) -> Option<String> {
    let view = link.scope.view();
    let region = view.record.as_ref()?.settings.extra.get("allowed_model_region")?.as_str()?;
    (link.scope.id.kind == ScopeKind::Customer).then(|| region.to_owned())
}

/// The customer and the tags of a call as scopes.
async fn named(call: &Call) -> Result<Vec<Link>> {
    if call.end_user.is_none() && call.tags.is_empty() {
        return Ok(Vec::new());
    }
    let customer = call.end_user.iter().map(|id| ScopeId::new(ScopeKind::Customer, id));
    let tags = call.tags.iter().map(|tag| ScopeId::new(ScopeKind::Tag, tag));
    let mut links = Vec::with_capacity(1 + call.tags.len());
    for id in customer.chain(tags) {
        links.push(Link { scope: find(call, id).await?, bound: true });
    }
    Ok(links)
}

/// The scope, from memory or, beside the data plane, from the database.
async fn find(call: &Call, id: ScopeId) -> Result<Arc<Scope>> {
    let shared = Arc::clone(&call.core.shared);
    if let Some(scope) = shared.directory.scopes.cached(&id) {
        return Ok(scope);
    }
    let control = shared.control.clone();
    let found = control.spawn(async move { shared.directory.scopes.find(id).await }).await;
    found.map_err(|gone| {
        Error::new(ErrorKind::Internal, "the lookup of a customer or tag was interrupted").with_source(gone)
    })?
}

fn limited_key(entry: &KeyEntry) -> Limited {
    Limited {
        payer: format!("Key={}", entry.who()),
        scope: "api_key",
        value: entry.record.hash.as_str().to_owned(),
    }
}

/// How LiteLLM names a scope in budgets and in rates (surface §4.6, §4.9).
fn limited_scope(id: &ScopeId) -> Limited {
    let (payer, scope) = match id.kind {
        ScopeKind::Team => ("Team", "team"),
        ScopeKind::User => ("User", "user"),
        ScopeKind::Organization => ("Organization", "organization"),
        ScopeKind::Project => ("Project", "project"),
        ScopeKind::Tag => ("Tag", "tag"),
        ScopeKind::TeamMember => {
            let (user, team) = (&id.member, &id.id);
            return Limited {
                payer: format!("TeamMember={user}:{team}"),
                scope: "team_member",
                value: format!("{team}:{user}"),
            };
        }
        ScopeKind::OrganizationMember => {
            let (user, organization) = (&id.member, &id.id);
            return Limited {
                payer: format!("OrganizationMember={user}:{organization}"),
                scope: "organization_member",
                value: format!("{organization}:{user}"),
            };
        }
        _ => ("EndUser", "end_user"),
    };
    Limited { payer: format!("{payer}={}", id.id), scope, value: id.id.clone() }
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
