//! What customers may use for whom nobody has set a limit: what the key says for its customers
//! (`end_user_budget_id`), else what the configuration says for all (`max_end_user_budget_id`,
//! `max_end_user_budget`). LiteLLM surface §4.8.
//!
//! Each customer has an account of its own for it, stored as parts are: leases, periods and recovery hold for it.

use std::sync::Arc;

use gateway_db::{ScopeId, ScopeKind};
use llm_types::{Result, seldom};

use super::{Call, Caller, attend, funds};
use crate::identity::{For, Part, PartSpec, parts_of_scope};
use crate::limits::Limits;
use crate::state::Fund;
use crate::store;

/// Leaves out an end user whom nobody here knows, where the operator wants that (`validate_end_user_id_in_db`).
///
/// # Errors
/// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
pub(super) async fn check(call: &mut Call) -> Result<()> {
    let budgets = &call.snapshot.config.budgets;
    if !budgets.known_end_users_only {
        return Ok(());
    }
    let Some(id) = &call.end_user else { return Ok(()) };
    // Programs put JSON there: that is nobody's name. The rest has a budget by default, where there is one.
    let is_name = !id.trim_start().starts_with(['{', '[']);
    let stays = is_name && (budgets.end_user_budget_id.is_some() || seldom(|| is_known(call, id)).await?);
    if !stays {
        call.end_user = None;
    }
    Ok(())
}

/// Whether somebody is a customer or a user, by id or mail address.
async fn is_known(call: &Call, id: &str) -> Result<bool> {
    for kind in [ScopeKind::Customer, ScopeKind::User] {
        if attend::find(call, ScopeId::new(kind, id)).await?.view().record.is_some() {
            return Ok(true);
        }
    }
    if !id.contains('@') {
        return Ok(false);
    }
    if let Some(is_known) = call.core.shared.directory.remembers_mail(id) {
        return Ok(is_known);
    }
    let (shared, mail) = (Arc::clone(&call.core.shared), id.to_owned());
    let lookup = async move { shared.directory.knows_mail(mail).await };
    store::ask(&call.core.shared, "the lookup of an end user", lookup).await
}

/// What the customer of a call may use by default; nothing where it has limits of its own.
///
/// # Errors
/// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
pub(super) async fn allowance(call: &Call, caller: &Caller) -> Result<Vec<Part>> {
    let budgets = &call.snapshot.config.budgets;
    if budgets.end_users_uncounted {
        return Ok(Vec::new());
    }
    let customer = call.named.iter().find(|link| link.scope.id.kind == ScopeKind::Customer);
    let Some(customer) = customer else { return Ok(Vec::new()) };
    let of_key = match caller {
        Caller::Operator => None,
        Caller::Key(entry) => {
            entry.record.settings.extra.get("end_user_budget_id").and_then(|id| id.as_str())
        }
    };
    let shared = of_key.or(budgets.end_user_budget_id.as_deref());
    if (shared.is_none() && budgets.end_user_max.is_none()) || customer.scope.view().is_limited() {
        return Ok(Vec::new());
    }
    let specs = match (shared, budgets.end_user_max) {
        (Some(id), _) => specs_of(call, id).await?,
        (None, Some(max)) => {
            let limits = Limits { max_budget: Some(max), ..Limits::default() };
            vec![PartSpec { of: For::All, period: None, limits, counts: None }]
        }
        (None, None) => Vec::new(),
    };
    let owner = customer.scope.id.as_owner();
    let mut parts = Vec::with_capacity(specs.len());
    for spec in specs {
        let id = spec.id(&owner);
        let fund = Fund { owner: owner.clone(), spec, id, name: String::new() };
        parts.push(funds::part_of(&call.core.shared, &fund).await?);
    }
    Ok(parts)
}

/// What a shared budget comes to for one of those who have it; one that nobody has made limits nothing.
async fn specs_of(call: &Call, budget: &str) -> Result<Vec<PartSpec>> {
    let budget = attend::find(call, ScopeId::new(ScopeKind::Budget, budget)).await?;
    let view = budget.view();
    let Some(record) = &view.record else {
        tracing::debug!(budget = %budget.id.id, "nobody has made the budget that customers have by default");
        return Ok(Vec::new());
    };
    let mut specs = parts_of_scope(&record.settings);
    let limits = view.limits();
    if limits != Limits::default() {
        let period = record.settings.budget_duration.clone();
        specs.insert(0, PartSpec { of: For::All, period, limits, counts: None });
    }
    Ok(specs)
}
