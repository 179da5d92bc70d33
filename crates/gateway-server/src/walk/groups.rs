//! Model access groups with a budget: a call pays into a group where a list that lets the caller use the model names
//! the group, and a deployment behind the model belongs to it.

use std::sync::Arc;

use gateway_db::{ScopeId, ScopeKind};

use super::{Call, Caller};
use crate::identity::{KeyEntry, Scope};
use crate::state::Snapshot;

/// The groups that a call pays into, in the order of their names. A caller who may use the model without them pays
/// into none.
pub(super) fn of(call: &Call, caller: &Caller) -> Vec<ScopeId> {
    let budgeted = &call.core.shared.directory.scopes.budgeted;
    let Caller::Key(entry) = caller else { return Vec::new() };
    if budgeted.is_empty() {
        return Vec::new();
    }
    let Some(route) = call.snapshot.routes().resolve(&call.glance.model, caller.team()) else {
        return Vec::new();
    };
    let mut groups = Snapshot::access_groups(route.group);
    groups.sort_unstable();
    groups.dedup();
    groups.retain(|group| budgeted.has(group) && is_named(entry, group));
    groups.into_iter().map(|group| ScopeId::new(ScopeKind::ModelAccessGroup, group)).collect()
}

/// Whether a list of the key's, or of somebody it belongs to, names a group.
fn is_named(entry: &KeyEntry, group: &str) -> bool {
    let holds = |list: &[String]| list.iter().any(|name| name == group);
    let of_any = |groups: &[Arc<Scope>]| groups.iter().any(|scope| holds(scope.view().models()));
    let mut said = entry.bearer.iter().flat_map(|bearer| &bearer.models);
    holds(&entry.record.settings.models)
        || said.any(|list| holds(list))
        || of_any(&entry.groups)
        || entry.chain.iter().filter(|link| link.bound).any(|link| {
            let view = link.scope.view();
            holds(view.models()) || of_any(view.groups())
        })
}
