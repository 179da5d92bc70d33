//! Callers who are let in although nobody knows them: on routes that need no key (`public_routes`), and while the
//! database of keys is away (`allow_requests_on_db_unavailable`).

use std::sync::Arc;

use gateway_db::{KeyRecord, KeySettings};
use http::request::Parts;
use llm_types::{Error, ErrorKind, Result};

use crate::identity::{Bearer, KeyDigest, KeyEntry, Presented, presented};
use crate::state::{Core, Snapshot};

/// The role of both: it changes nothing on management routes.
const ROLE: &str = "internal_user_viewer";
/// What callers may do whose key nobody can look up: call models and list them.
const CALLS: &str = "llm_api_routes";
/// Under which name calls without a key are booked.
const NOBODY: &str = "public route";
/// How a caller is called whose key could not be looked up.
const UNPROVED: &str = "key that could not be looked up";

/// Lets a caller in whom `refusal` would keep out, where the operator wants that. What a key spends that could not be
/// looked up is booked under its hash: it is the key's once the database is back.
///
/// # Errors
/// `refusal` itself where nobody is let in.
pub(super) async fn admit(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    head: &Parts,
    refusal: Error,
) -> Result<Arc<KeyEntry>> {
    let general = &snapshot.config.general;
    if is_public(&general.public_routes, head.uri.path()) {
        return guest(core, KeyDigest::of(NOBODY.as_bytes()).to_hex(), NOBODY, Vec::new()).await;
    }
    let is_away = refusal.kind() == ErrorKind::Overloaded && refusal.code() == Some("no_db_connection");
    match presented(&head.headers, general.key_header.as_ref()) {
        Presented::Secret(secret) if is_away && general.allow_without_database => {
            let routes = vec![vec![CALLS.to_owned()]];
            guest(core, KeyDigest::of(secret).to_hex(), UNPROVED, routes).await
        }
        _ => Err(refusal),
    }
}

/// Whether a path needs no key: its own name, or a beginning of it before `*`. Nothing else counts, so that who opens
/// `/v1/models` does not open what is below it.
fn is_public(routes: &[String], path: &str) -> bool {
    routes.iter().any(|route| match route.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => path == route,
    })
}

async fn guest(
    core: &Arc<Core>,
    hash: String,
    name: &str,
    routes: Vec<Vec<String>>,
) -> Result<Arc<KeyEntry>> {
    let record = KeyRecord::unstored(hash.into(), KeySettings::default());
    let bearer = Bearer { name: name.to_owned(), role: Some(ROLE.to_owned()), routes, ..Bearer::default() };
    core.shared.directory.bearer(record, bearer).await
}

#[cfg(test)]
mod tests;
