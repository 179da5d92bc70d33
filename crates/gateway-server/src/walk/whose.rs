//! Whose limit it is, as messages and headers name it (surface §4.6, §4.9).

use std::sync::Arc;

use gateway_db::{Payer, ScopeId, ScopeKind};
use llm_types::{Money, Result};

use super::priority::Told;
use crate::clock::steady_ms;
use crate::config::TokenCount;
use crate::identity::{For, KeyEntry, Part, PartSpec, Scope};
use crate::limits::{Account, Ask, Limited};
use crate::state::Shared;
use crate::store;

/// Who refuses a call.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Key(Arc<KeyEntry>),
    Scope(Arc<Scope>),
    /// A part of a key's limits.
    OfKey(Arc<KeyEntry>, Part),
    /// A part of a scope's limits.
    OfScope(ScopeId, Part),
    /// What a customer may use by default.
    Allowance(ScopeId, Part),
    /// A budget that the configuration sets, with its name in messages.
    Fund(String, Part),
    /// A share of a model's rates.
    Share(Arc<Scope>, Box<Told>),
}

impl Who {
    /// How messages name it.
    pub(super) fn limited(&self) -> Limited {
        match self {
            Self::Key(entry) => limited_key(entry),
            Self::Scope(scope) => limited_scope(&scope.id),
            Self::OfKey(entry, part) => {
                let alias = entry.record.settings.alias.as_deref().unwrap_or("None");
                let name = format!("LiteLLM Virtual Key: {}, key_alias: {alias}", entry.record.hash);
                of_part(limited_key(entry), &name, part)
            }
            Self::Allowance(id, part) if part.spec.of == For::All => limited_scope(id),
            Self::OfScope(id, part) | Self::Allowance(id, part) => {
                let whole = limited_scope(id);
                let name = match id.kind {
                    ScopeKind::Customer => format!("LiteLLM End User: {}", id.id),
                    _ => format!("LiteLLM {}", whole.payer.replacen('=', ": ", 1)),
                };
                of_part(whole, &name, part)
            }
            Self::Fund(name, _) => {
                let (scope, value) = ("gateway", String::new());
                Limited { payer: name.clone(), scope, value, exceeded: None, used_up: None }
            }
            Self::Share(_, told) => Limited {
                payer: told.word().to_owned(),
                scope: "priority_model",
                value: told.word().to_owned(),
                exceeded: None,
                used_up: Some(told.sentence()),
            },
        }
    }

    /// The budget of a key for one model.
    pub(super) fn model_of_key(&self) -> Option<Arc<PartSpec>> {
        match self {
            Self::OfKey(_, part) if matches!(part.spec.of, For::Model(_)) => Some(Arc::clone(&part.spec)),
            _ => None,
        }
    }

    pub(super) fn account(&self) -> &Account {
        match self {
            Self::Key(entry) => &entry.account,
            Self::Scope(scope) | Self::Share(scope, _) => &scope.account,
            Self::OfKey(_, part)
            | Self::OfScope(_, part)
            | Self::Allowance(_, part)
            | Self::Fund(_, part) => &part.scope.account,
        }
    }

    fn payer(&self) -> Payer {
        match self {
            Self::Key(entry) => Payer::Key(entry.record.hash.clone()),
            Self::Scope(scope) | Self::Share(scope, _) => Payer::Scope(scope.id.clone()),
            Self::OfKey(_, part)
            | Self::OfScope(_, part)
            | Self::Allowance(_, part)
            | Self::Fund(_, part) => Payer::Scope(part.scope.id.clone()),
        }
    }

    /// Asks for more of a budget that replicas share.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
    pub(super) async fn lease(self, shared: &Arc<Shared>, ask: Ask, amounts: (Money, Money)) -> Result<()> {
        let keeper = Arc::clone(shared);
        let what = format!("more of the budget of `{}`", self.limited().value);
        let question = async move {
            let Some(leases) = &keeper.directory.leases else { return Ok(()) };
            let short = || self.account().is_short(ask, amounts.1, steady_ms());
            leases.ask(self.payer(), self.account(), amounts, short).await
        };
        store::ask(shared, &what, question).await
    }
}

/// A part of somebody's limits; `name` is how LiteLLM names its owner where a model's budget is spent.
fn of_part(whole: Limited, name: &str, part: &Part) -> Limited {
    match &part.spec.of {
        For::All => {
            let period = part.spec.period.as_deref().unwrap_or("all time");
            Limited { payer: format!("{} Budget window={period}", whole.payer), ..whole }
        }
        For::Model(model) => Limited {
            scope: word_of(&part.spec, whole.scope),
            value: format!("{}:{model}", whole.value),
            exceeded: Some(format!("{name}, exceeded budget for model={model}")),
            ..whole
        },
        For::Tag(tag) => Limited {
            scope: word_of(&part.spec, whole.scope),
            value: format!("{}:{tag}", whole.value),
            ..whole
        },
    }
}

/// The word for rates of a part of somebody's.
pub(super) fn word_of(part: &PartSpec, whose: &'static str) -> &'static str {
    match (part.counts, &part.of) {
        (Some(TokenCount::Output), _) => "model_per_project_otpm",
        (Some(_), _) => "model_per_project_itpm",
        (None, For::All) => whose,
        (None, For::Model(_)) => per("model_per_", whose),
        (None, For::Tag(_)) => per("tag_per_", whose),
    }
}

/// The word for rates by model or tag: `model_per_key`.
fn per(what: &str, whose: &str) -> &'static str {
    match (what, whose) {
        ("model_per_", "api_key") => "model_per_key",
        ("model_per_", "team") => "model_per_team",
        ("model_per_", "project") => "model_per_project",
        ("model_per_", "user") => "model_per_user",
        ("model_per_", "organization") => "model_per_organization",
        ("model_per_", "end_user") => "model_per_end_user",
        ("model_per_", "team_member") => "model_per_team_member",
        ("model_per_", _) => "model_per_tag",
        (_, "api_key") => "tag_per_key",
        _ => "tag_per_team",
    }
}

/// The word for rates of a scope.
pub(super) const fn word(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::Team => "team",
        ScopeKind::User => "user",
        ScopeKind::Organization => "organization",
        ScopeKind::Project => "project",
        ScopeKind::Tag => "tag",
        ScopeKind::ModelAccessGroup => "model_access_group",
        ScopeKind::TeamMember => "team_member",
        ScopeKind::OrganizationMember => "organization_member",
        _ => "end_user",
    }
}

fn limited_key(entry: &KeyEntry) -> Limited {
    Limited {
        payer: format!("Key={}", entry.who()),
        scope: "api_key",
        value: entry.record.hash.as_str().to_owned(),
        exceeded: None,
        used_up: None,
    }
}

fn limited_scope(id: &ScopeId) -> Limited {
    let scope = word(id.kind);
    let (name, value) = match id.kind {
        ScopeKind::Team => ("Team", id.id.clone()),
        ScopeKind::User => ("User", id.id.clone()),
        ScopeKind::Organization => ("Organization", id.id.clone()),
        ScopeKind::Project => ("Project", id.id.clone()),
        ScopeKind::Tag => ("Tag", id.id.clone()),
        ScopeKind::ModelAccessGroup => ("ModelAccessGroup", id.id.clone()),
        ScopeKind::TeamMember => ("TeamMember", format!("{}:{}", id.id, id.member)),
        ScopeKind::OrganizationMember => ("OrganizationMember", format!("{}:{}", id.id, id.member)),
        _ => ("EndUser", id.id.clone()),
    };
    // Budgets name the user first, rates the team.
    let shown = if id.member.is_empty() { value.clone() } else { format!("{}:{}", id.member, id.id) };
    Limited { payer: format!("{name}={shown}"), scope, value, exceeded: None, used_up: None }
}
