//! Calls on behalf of an internal user whom a header names (`user_header_mappings` with `internal_user`): the user pays
//! with the key, and the user's limits hold, too.

use std::sync::Arc;

use llm_types::{Result, seldom};

use super::{Call, Caller};
use crate::store;

/// The caller, for the user that the call's header names. One whom an identity provider or a webhook knows stays who
/// it is.
///
/// # Errors
/// [`llm_types::ErrorKind::Overloaded`] when the database does not answer.
pub(super) async fn apply(call: &Call, caller: Caller) -> Result<Caller> {
    match call.snapshot.config.general.user_headers.internal_user {
        None => Ok(caller),
        Some(_) => seldom(|| named(call, caller)).await,
    }
}

async fn named(call: &Call, caller: Caller) -> Result<Caller> {
    let Some(header) = &call.snapshot.config.general.user_headers.internal_user else { return Ok(caller) };
    let Some(user) = call.header(header.as_str()).map(str::trim).filter(|user| !user.is_empty()) else {
        return Ok(caller);
    };
    let of = match &caller {
        Caller::Operator => None,
        Caller::Key(entry) if entry.bearer.is_some() => return Ok(caller),
        Caller::Key(entry) => Some(Arc::clone(entry)),
    };
    let directory = &call.core.shared.directory;
    if let Some(entry) = directory.known_for(of.as_deref(), user) {
        return Ok(Caller::Key(entry));
    }
    let (shared, user) = (Arc::clone(&call.core.shared), user.to_owned());
    let lookup = async move { shared.directory.on_behalf(of, user).await };
    store::ask(&call.core.shared, "the lookup of the user that a header names", lookup).await.map(Caller::Key)
}
