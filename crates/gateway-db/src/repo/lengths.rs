//! What names may be. A longer id would not be found again: the ledger cuts names, and what a call cost would be
//! booked on nobody.

use crate::{DbError, DbErrorKind, KeySettings, LONGEST_NAME, ScopeId, ScopeKind, ScopeSettings};

/// The longest alias or mail address, bytes: it fits an index of either database.
pub(super) const LONGEST_ALIAS: usize = 1_000;

/// Refuses an id that cannot be kept.
pub(super) fn check_id(id: &ScopeId) -> Result<(), DbError> {
    let kind = id.kind.as_str();
    let field = names(id.kind).0;
    if id.id.is_empty() {
        let words = format!("the id of the {kind} is empty, expected a text");
        return Err(DbError::new(DbErrorKind::BadName, words).of_field(field));
    }
    check((&format!("the id of the {kind}"), field), Some(&id.id), LONGEST_NAME)?;
    check((&format!("the member of the {kind}"), "user_id"), Some(&id.member), LONGEST_NAME)
}

/// What the management API calls the id and the alias of a kind.
const fn names(kind: ScopeKind) -> (&'static str, &'static str) {
    match kind {
        ScopeKind::Team | ScopeKind::TeamMember => ("team_id", "team_alias"),
        ScopeKind::User => ("user_id", "user_alias"),
        ScopeKind::Organization | ScopeKind::OrganizationMember => ("organization_id", "organization_alias"),
        ScopeKind::Project => ("project_id", "project_alias"),
        ScopeKind::Customer => ("user_id", "alias"),
        ScopeKind::Budget => ("budget_id", "alias"),
        ScopeKind::Tag => ("name", "alias"),
        ScopeKind::AccessGroup => ("access_group_id", "access_group_name"),
        ScopeKind::ModelAccessGroup => ("access_group", "alias"),
        ScopeKind::Part => ("id", "alias"),
    }
}

/// Refuses names of a scope that cannot be kept.
pub(super) fn check_scope(kind: ScopeKind, settings: &ScopeSettings) -> Result<(), DbError> {
    check(("the alias", names(kind).1), settings.alias.as_deref(), LONGEST_ALIAS)?;
    check(("the mail address", "user_email"), settings.email.as_deref(), LONGEST_ALIAS)?;
    check(("`organization_id`", "organization_id"), settings.organization_id.as_deref(), LONGEST_NAME)
}

/// Refuses names of a key that cannot be kept.
pub(super) fn check_key(settings: &KeySettings) -> Result<(), DbError> {
    check(("`key_alias`", "key_alias"), settings.alias.as_deref(), LONGEST_ALIAS)?;
    check(("`user_id`", "user_id"), settings.user_id.as_deref(), LONGEST_NAME)?;
    check(("`team_id`", "team_id"), settings.team_id.as_deref(), LONGEST_NAME)?;
    check(("`organization_id`", "organization_id"), settings.organization_id.as_deref(), LONGEST_NAME)?;
    check(("`project_id`", "project_id"), settings.project_id.as_deref(), LONGEST_NAME)
}

fn check((what, field): (&str, &'static str), text: Option<&str>, longest: usize) -> Result<(), DbError> {
    let bad = |words: String| Err(DbError::new(DbErrorKind::BadName, words).of_field(field));
    if text.is_some_and(|text| text.contains('\0')) {
        return bad(format!("{what} holds a NUL character"));
    }
    let found = text.map_or(0, str::len);
    if found <= longest {
        return Ok(());
    }
    bad(format!("{what} has {found} bytes, expected {longest} at most"))
}
