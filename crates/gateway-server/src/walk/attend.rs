//! The room of those whom a call names: its customer, its tags and groups of models are looked up, and nobody who has a
//! say refuses it.

use std::sync::Arc;

use gateway_db::{ScopeId, ScopeKind};
use llm_router::{Candidate, in_region};
use llm_types::{Error, ErrorKind, Origin, Result, seldom};

use super::allowed::no_access;
use super::charge::Payers;
use super::{Call, Caller, customer, funds, groups};
use crate::identity::{Link, Scope};
use crate::store::{self, Condition};

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
