//! What names may be. A longer id would not be found again: the ledger cuts names, and what a call cost would be
//! booked on nobody.

use crate::{DbError, DbErrorKind, KeySettings, LONGEST_NAME, ScopeId, ScopeSettings};

/// The longest alias or mail address, bytes: it fits an index of either database.
const LONGEST_ALIAS: usize = 1_000;

/// Refuses an id that cannot be kept.
pub(super) fn check_id(id: &ScopeId) -> Result<(), DbError> {
    let kind = id.kind.as_str();
    check(&format!("the id of the {kind}"), Some(&id.id), LONGEST_NAME)?;
    check(&format!("the member of the {kind}"), Some(&id.member), LONGEST_NAME)
}

/// Refuses names of a scope that cannot be kept.
pub(super) fn check_scope(settings: &ScopeSettings) -> Result<(), DbError> {
    check("the alias", settings.alias.as_deref(), LONGEST_ALIAS)?;
    check("the mail address", settings.email.as_deref(), LONGEST_ALIAS)?;
    check("`organization_id`", settings.organization_id.as_deref(), LONGEST_NAME)
}

/// Refuses names of a key that cannot be kept.
pub(super) fn check_key(settings: &KeySettings) -> Result<(), DbError> {
    check("`key_alias`", settings.alias.as_deref(), LONGEST_ALIAS)?;
    check("`user_id`", settings.user_id.as_deref(), LONGEST_NAME)?;
    check("`team_id`", settings.team_id.as_deref(), LONGEST_NAME)?;
    check("`organization_id`", settings.organization_id.as_deref(), LONGEST_NAME)?;
    check("`project_id`", settings.project_id.as_deref(), LONGEST_NAME)
}

fn check(what: &str, text: Option<&str>, longest: usize) -> Result<(), DbError> {
    if text.is_some_and(|text| text.contains('\0')) {
        return Err(DbError::new(DbErrorKind::BadName, format!("{what} holds a NUL character")));
    }
    let found = text.map_or(0, str::len);
    if found <= longest {
        return Ok(());
    }
    let words = format!("{what} has {found} bytes, expected {longest} at most");
    Err(DbError::new(DbErrorKind::BadName, words))
}
