//! Which models a caller may use: by its key, by everybody the key belongs to, by the access groups of either.

use std::sync::Arc;

use gateway_db::ScopeKind;
use llm_router::{Controls, Fallbacks};
use llm_types::{Error, ErrorKind, Result};

use super::{Call, Caller};
use crate::identity::{KeyEntry, Link, Scope, may_use_model};
use crate::state::Snapshot;

impl Caller {
    /// Whether the key may use the model of a call and the fallbacks the call names; replaces aliases of the
    /// key and of its team by what they stand for. Fallbacks that the operator configured are for every key.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] with LiteLLM's words (surface §4.5).
    pub(crate) fn may_call_model(&self, call: &mut Call) -> Result<()> {
        let Self::Key(entry) = self else { return Ok(()) };
        if let Some(target) =
            entry.record.settings.aliases.get(&call.glance.model).and_then(|name| name.as_str())
        {
            call.glance.model = target.to_owned();
        }
        let team = entry.team().map(|team| team.view());
        if let Some(target) = team.as_ref().and_then(|team| team.alias(&call.glance.model)) {
            call.glance.model = target.to_owned();
        }
        let asked = std::iter::once(&*call.glance.model).chain(named_fallbacks(&call.controls));
        match asked.into_iter().find(|model| !self.may_use(&call.snapshot, model)) {
            None => Ok(()),
            Some(model) => Err(no_access(model, "key_model_access_denied")),
        }
    }

    /// Whether the key's list of models lets a name pass.
    pub(crate) fn may_use(&self, snapshot: &Snapshot, model: &str) -> bool {
        let Self::Key(entry) = self else { return true };
        let mut said = entry.bearer.iter().flat_map(|bearer| &bearer.models);
        if !said.all(|list| list_allows(snapshot, self.team(), list, model)) {
            return false;
        }
        let own = &entry.record.settings.models;
        let allowed = match &entry.budget {
            // Where the key says nothing of models its shared budget does (`allowed_models`).
            Some(budget) if own.is_empty() => {
                list_allows(snapshot, self.team(), budget.view().models(), model)
            }
            _ => list_allows(snapshot, self.team(), own, model),
        };
        allowed || self.groups_allow(snapshot, &entry.groups, model)
    }

    /// Whether the key and everybody it belongs to let a name pass: what the key is shown.
    pub(crate) fn sees(&self, snapshot: &Snapshot, model: &str) -> bool {
        let Self::Key(entry) = self else { return true };
        self.may_use(snapshot, model)
            && entry.chain.iter().all(|link| self.link_allows(snapshot, link, model))
    }

    /// Whether somebody the key belongs to lets a name pass: a team by the access groups of either, too.
    pub(super) fn link_allows(&self, snapshot: &Snapshot, link: &Link, model: &str) -> bool {
        let view = link.scope.view();
        if !link.bound || list_allows(snapshot, self.team(), view.models(), model) {
            return true;
        }
        let Self::Key(entry) = self else { return true };
        link.scope.id.kind == ScopeKind::Team
            && (self.groups_allow(snapshot, view.groups(), model)
                || self.groups_allow(snapshot, &entry.groups, model))
    }

    fn groups_allow(&self, snapshot: &Snapshot, groups: &[Arc<Scope>], model: &str) -> bool {
        groups.iter().any(|group| {
            let view = group.view();
            !view.models().is_empty() && list_allows(snapshot, self.team(), view.models(), model)
        })
    }

    /// Who it is for a call: of a caller with several teams the first whose models hold the call's.
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`] when no team has the model.
    pub(crate) fn for_call(self, call: &Call) -> Result<Self> {
        let Self::Key(entry) = &self else { return Ok(self) };
        let Some(bearer) = &entry.bearer else { return Ok(self) };
        if bearer.others.is_empty() {
            return Ok(self);
        }
        let model = &call.glance.model;
        let has = |entry: &&Arc<KeyEntry>| {
            let team = entry.team().map(|team| team.view());
            team.is_some_and(|team| {
                let name = team.alias(model).unwrap_or(model);
                let id = entry.record.settings.team_id.as_deref();
                !team.blocked() && list_allows(&call.snapshot, id, team.models(), name)
            })
        };
        let all = || std::iter::once(entry).chain(&bearer.others);
        if let Some(found) = all().find(has) {
            return Ok(Self::Key(Arc::clone(found)));
        }
        let teams: Vec<&str> = all().filter_map(|entry| entry.record.settings.team_id.as_deref()).collect();
        let message = format!(
            "No team has access to the requested model: {model}. Checked teams={teams:?}. Check `/models` to see all \
             available models."
        );
        Err(Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error").with_param("model"))
    }
}

/// The models that a call itself names as fallbacks.
fn named_fallbacks(controls: &Controls) -> impl Iterator<Item = &str> {
    [&controls.fallbacks, &controls.context_window_fallbacks, &controls.content_policy_fallbacks]
        .into_iter()
        .flatten()
        .flat_map(|fallbacks| match fallbacks {
            Fallbacks::List(targets) => targets.iter().collect::<Vec<_>>(),
            Fallbacks::Map(map) => map.iter().flat_map(|(_, targets)| targets).collect(),
        })
        .map(|target| &*target.model)
}

/// Whether a list of models lets a name pass for a team, or for nobody's.
pub(super) fn list_allows(snapshot: &Snapshot, team: Option<&str>, allowed: &[String], model: &str) -> bool {
    if allowed.is_empty() || allowed.iter().any(|name| name == model) {
        return true;
    }
    let groups = snapshot.routes().resolve(model, team).map(|route| Snapshot::access_groups(route.group));
    let provider = llm_providers::bare_owner(model);
    may_use_model(allowed, model, &groups.unwrap_or_default(), provider)
}

/// The refusal of a model; `vendor_type` says whose list lacks it.
pub(super) fn no_access(model: &str, vendor_type: &'static str) -> Error {
    let shown: String = model.chars().take(200).collect();
    Error::new(
        ErrorKind::Forbidden,
        format!(
            "The requested model '{shown}' is not available for this API key, or the model name is invalid. Check the \
             models available to you and try again."
        ),
    )
    .with_vendor_type(vendor_type)
    .with_param("model")
}
