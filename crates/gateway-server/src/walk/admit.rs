//! The first room: whose request is this?

use std::net::IpAddr;
use std::sync::Arc;

use gateway_db::ScopeKind;
use http::request::Parts;
use llm_router::RouterSettings;
use llm_types::{Error, ErrorKind, Result, seldom};
use serde_json::Value;

use super::limit::MASTER;
use super::{Call, guests, routing};
use crate::clock::now_ms;
use crate::door::{ConnState, LastKey};
use crate::identity::{KeyDigest, KeyEntry, Presented, client_address, presented, route_allowed};
use crate::jwt;
use crate::state::{Core, Snapshot};
use crate::store;
use crate::webhook;

/// Who is calling.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// The operator, with the master key; or anybody, when no master key is configured.
    Operator,
    /// The holder of a virtual key.
    Key(Arc<KeyEntry>),
}

/// What a caller may do on management routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// Everything that changes nothing.
    Viewer,
    /// What concerns itself.
    Other,
}

/// Finds out whose request it is (surface §4.1, §4.6). Where the operator has set no master key
/// everybody is an operator, whatever secret a client sends, but for the holders of virtual keys.
///
/// # Errors
/// [`ErrorKind::Unauthenticated`] without a valid key, [`ErrorKind::Overloaded`] when the database of
/// keys does not answer.
pub(crate) async fn admit(
    core: &Arc<Core>,
    conn: &ConnState,
    snapshot: &Snapshot,
    head: &Parts,
) -> Result<Caller> {
    check_address(conn, snapshot, head)?;
    match prove(core, conn, snapshot, head).await {
        Err(refusal) => seldom(|| guests::admit(core, snapshot, head, refusal)).await.map(Caller::Key),
        known => known,
    }
}

/// Whose secret the request presents.
async fn prove(core: &Arc<Core>, conn: &ConnState, snapshot: &Snapshot, head: &Parts) -> Result<Caller> {
    let secret = match presented(&head.headers, snapshot.config.general.key_header.as_ref()) {
        Presented::Secret(secret) => secret,
        Presented::Nothing if snapshot.master.is_none() => return Ok(Caller::Operator),
        Presented::Nothing => return Err(denied("No api key passed in.")),
        Presented::Malformed => {
            return Err(denied("Malformed API Key passed in. Ensure Key has Bearer prefix."));
        }
    };
    if others_know(snapshot, secret)
        && let Some(entry) = seldom(|| beside_keys(core, conn, snapshot, head, secret)).await?
    {
        // What is remembered of it is not the connection's: it ends, and headers count too.
        return Caller::Key(entry).check();
    }
    let directory = &core.shared.directory;
    let epoch = directory.epoch();
    if let Some(caller) = remembered(conn, secret, epoch) {
        return caller.check();
    }
    let found = match at_hand(core, snapshot, secret) {
        Some(caller) => Ok(caller),
        None => seldom(|| look_up(core, snapshot, secret)).await,
    };
    let caller = match (found, &snapshot.config.general.auth_webhook) {
        (Err(unknown), Some(webhook)) if unknown.kind() == ErrorKind::Unauthenticated => {
            let address = client_of(conn, snapshot, head).map(|address| address.to_string());
            let entry = seldom(|| webhook::admit(core, webhook, secret, head, address)).await?;
            return Caller::Key(entry).check();
        }
        (found, _) => found?,
    };
    let entry = match &caller {
        Caller::Operator => None,
        Caller::Key(entry) => Some(Arc::clone(entry)),
    };
    *conn.last_key.lock() = Some(LastKey { secret: secret.to_vec(), entry, epoch });
    caller.check()
}

/// Whether a webhook or an identity provider is asked for a secret before our keys are.
fn others_know(snapshot: &Snapshot, secret: &[u8]) -> bool {
    let general = &snapshot.config.general;
    general.auth_webhook.as_ref().is_some_and(|webhook| webhook.alone)
        || (general.jwt.is_some() && jwt::looks_like_jwt(secret))
}

/// A caller whom a webhook or an identity provider knows. The master key is nobody else's business.
async fn beside_keys(
    core: &Arc<Core>,
    conn: &ConnState,
    snapshot: &Snapshot,
    head: &Parts,
    secret: &[u8],
) -> Result<Option<Arc<KeyEntry>>> {
    let general = &snapshot.config.general;
    let webhook = general.auth_webhook.as_ref().filter(|webhook| webhook.alone);
    let auth = general.jwt.as_ref().filter(|_| jwt::looks_like_jwt(secret));
    if snapshot.master.is_some_and(|master| master.same(&KeyDigest::of(secret))) {
        return Ok(None);
    }
    if let Some(webhook) = webhook {
        let address = client_of(conn, snapshot, head).map(|address| address.to_string());
        return webhook::admit(core, webhook, secret, head, address).await.map(Some);
    }
    match auth {
        Some(auth) => jwt::admit(core, snapshot, auth, secret, head).await.map(Some),
        None => Ok(None),
    }
}

/// The client's address; none where what forwards it says no address.
pub(crate) fn client_of(conn: &ConnState, snapshot: &Snapshot, head: &Parts) -> Option<IpAddr> {
    let general = &snapshot.config.general;
    if general.use_x_forwarded_for {
        client_address(conn.peer.ip(), &head.headers, &general.trusted_proxies)
    } else {
        Some(conn.peer.ip().to_canonical())
    }
}

/// Whether the client's address is let in (`allowed_ips`).
pub(crate) fn check_address(conn: &ConnState, snapshot: &Snapshot, head: &Parts) -> Result<()> {
    let general = &snapshot.config.general;
    if general.allowed_ips.is_empty() {
        return Ok(());
    }
    let client = client_of(conn, snapshot, head);
    if client.is_some_and(|client| general.allowed_ips.iter().any(|network| network.contains(client))) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Forbidden, "Access forbidden: IP address not allowed.")
        .with_vendor_type("auth_error"))
}

/// The caller this connection had last, if it presents the same secret and nothing has changed.
fn remembered(conn: &ConnState, secret: &[u8], epoch: u64) -> Option<Caller> {
    let last = conn.last_key.lock();
    let last = last.as_ref().filter(|last| last.epoch == epoch && last.secret == secret)?;
    Some(last.entry.as_ref().map_or(Caller::Operator, |entry| Caller::Key(Arc::clone(entry))))
}

/// A caller who is known without a question to the database.
fn at_hand(core: &Core, snapshot: &Snapshot, secret: &[u8]) -> Option<Caller> {
    let digest = KeyDigest::of(secret);
    if snapshot.master.is_some_and(|master| master.same(&digest)) {
        return Some(Caller::Operator);
    }
    if let Some(entry) = core.shared.directory.cached(&digest) {
        return Some(Caller::Key(entry));
    }
    (snapshot.master.is_none() && !secret.starts_with(b"sk-")).then_some(Caller::Operator)
}

/// The holder of a virtual key, by the database.
async fn look_up(core: &Arc<Core>, snapshot: &Snapshot, secret: &[u8]) -> Result<Caller> {
    let digest = KeyDigest::of(secret);
    let open = snapshot.master.is_none();
    if !secret.starts_with(b"sk-") {
        return Err(unauthenticated(
            "LiteLLM Virtual Key expected. Received=****, expected to start with 'sk-'.".to_owned(),
        ));
    }
    let shared = Arc::clone(&core.shared);
    let lookup = async move { shared.directory.find(digest).await };
    let found = store::ask(&core.shared, "the lookup of this key", lookup).await?;
    match found {
        Some(entry) => Ok(Caller::Key(entry)),
        None if open => Ok(Caller::Operator),
        None => Err(unknown_key(core, secret, digest)),
    }
}

fn unknown_key(core: &Core, secret: &[u8], digest: KeyDigest) -> Error {
    if core.shared.directory.db().is_none() {
        return Error::new(ErrorKind::BadRequest, "No connected db.").with_vendor_type("no_db_connection");
    }
    let masked = crate::identity::masked(&String::from_utf8_lossy(secret));
    unauthenticated(format!(
        "Authentication Error, Invalid proxy server token passed. Received API Key = {masked}, Key Hash (Token) \
         ={digest:?}. Unable to find token in cache or LiteLLM_VerificationTokenTable"
    ))
    .with_vendor_type("token_not_found_in_db")
    .with_param("key")
}

/// Where keys and teams keep what they say of routing.
const ROUTING: &str = "router_settings";

impl Caller {
    /// Whether the key may be used at all now: not blocked, not expired.
    fn check(self) -> Result<Self> {
        let Self::Key(entry) = &self else { return Ok(self) };
        let settings = &entry.record.settings;
        let user = entry.chain.iter().find(|link| link.scope.id.kind == ScopeKind::User);
        if user.is_some_and(|link| link.scope.view().blocked()) {
            let name = settings.user_id.as_deref().unwrap_or_default();
            return Err(denied(&format!("User={name} is blocked or was deactivated.")));
        }
        if settings.blocked {
            return Err(denied("Key is blocked. Update via /key/unblock if you're an admin."));
        }
        if let Some(at) = settings.expires_at
            && at <= now_ms()
        {
            let time =
                |ms| jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).unwrap_or_default();
            let message = format!(
                "Authentication Error - Expired Key. Key Expiry time {} and current time {}",
                time(at),
                time(now_ms())
            );
            let name = entry.record.name.clone().unwrap_or_default();
            return Err(unauthenticated(message).with_vendor_type("expired_key").with_param(name));
        }
        Ok(self)
    }

    /// Whether the key may call a route (surface §4.4 b).
    ///
    /// # Errors
    /// [`ErrorKind::Forbidden`], naming the routes it may call.
    pub(crate) fn may_call_route(&self, snapshot: &Snapshot, path: &str) -> Result<()> {
        let Self::Key(entry) = self else { return Ok(()) };
        let general = &snapshot.config.general;
        if let Some(routes) =
            entry.bearer.iter().flat_map(|bearer| &bearer.routes).find(|routes| !route_allowed(routes, path))
        {
            let message = format!(
                "Token is not allowed to call this route. Only allowed to call routes: {routes:?}. Tried to call route: {path}"
            );
            return Err(Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error"));
        }
        let closed = !general.allowed_routes.is_empty() && !route_allowed(&general.allowed_routes, path);
        let kept = route_allowed(&general.admin_only_routes, path);
        if (closed || kept) && self.role() != Role::Admin {
            let message =
                format!("Route {path} is not allowed: this gateway keeps it for its administrators");
            return Err(Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error"));
        }
        let allowed = &entry.record.settings.allowed_routes;
        if allowed.is_empty() || route_allowed(allowed, path) {
            return Ok(());
        }
        let list = allowed.iter().map(|route| format!("'{route}'")).collect::<Vec<_>>().join(", ");
        Err(Error::new(
            ErrorKind::Forbidden,
            format!(
                "Virtual key is not allowed to call this route. Only allowed to call routes: [{list}]. Tried to \
                 call route: {path}"
            ),
        ))
    }

    /// Lays what the key and its team say of routing over the router's settings, and replaces a name of theirs
    /// (`model_group_alias`) by what it stands for. Costs nothing where they say nothing.
    pub(crate) fn settle_routing(&self, call: &mut Call) -> Result<()> {
        let own = self.routing(call);
        // What an operator says of a key or a team is not for its callers to change.
        match (own, call.routing.take()) {
            (Some(settings), _) => {
                if let Some(alias) = settings.aliases.get(&call.glance.model) {
                    call.glance.model.clone_from(&alias.model);
                }
                call.controls.settings = Some(settings);
                Ok(())
            }
            (None, Some(asked)) => routing::override_settings(call, &asked),
            (None, None) => Ok(()),
        }
    }

    /// The router's settings with what the key and its team say over them.
    fn routing(&self, call: &mut Call) -> Option<Arc<RouterSettings>> {
        let (snapshot, controls) = (&call.snapshot, &mut call.controls);
        self.own_routing(|own| {
            let settings = snapshot.overlaid(own)?;
            routing::as_of_call(controls, own, &settings);
            Some(settings)
        })
    }

    /// The same where no call is made.
    pub(crate) fn settings(&self, snapshot: &Snapshot) -> Option<Arc<RouterSettings>> {
        self.own_routing(|own| snapshot.overlaid(own))
    }

    /// Reads what the team and the key say of routing.
    fn own_routing<T>(&self, read: impl FnOnce([Option<&Value>; 2]) -> Option<T>) -> Option<T> {
        let Self::Key(entry) = self else { return None };
        let team = entry.team().map(|team| team.view());
        let of_team = team.as_ref().and_then(|team| team.record.as_ref()?.settings.extra.get(ROUTING));
        read([of_team, entry.record.settings.extra.get(ROUTING)])
    }

    /// What it may do on management routes: the operator everything, a key what its user's role allows
    /// (surface §4.3).
    pub(crate) fn role(&self) -> Role {
        match self.role_name().as_deref() {
            Some("proxy_admin") => Role::Admin,
            Some("proxy_admin_viewer") => Role::Viewer,
            _ => Role::Other,
        }
    }

    /// The role in LiteLLM's words: what its token says, else its user's.
    pub(crate) fn role_name(&self) -> Option<String> {
        let Self::Key(entry) = self else { return Some("proxy_admin".to_owned()) };
        let said = entry.bearer.as_ref().and_then(|bearer| bearer.role.clone());
        let user = entry.chain.iter().find(|link| link.scope.id.kind == ScopeKind::User);
        said.or_else(|| user?.scope.view().record.as_ref()?.settings.role.clone())
    }

    /// The user whose key it is.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Key(entry) => entry.record.settings.user_id.as_deref(),
        }
    }

    /// The end user that the caller's token names.
    pub(crate) fn end_user(&self) -> Option<String> {
        match self {
            Self::Operator => None,
            Self::Key(entry) => entry.bearer.as_ref()?.end_user.clone(),
        }
    }

    /// A word for the key that is the same for each of its calls.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Operator => MASTER,
            Self::Key(entry) => entry.record.hash.as_str(),
        }
    }

    /// The team the key belongs to.
    pub(crate) fn team(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Key(entry) => entry.record.settings.team_id.as_deref(),
        }
    }
}

fn denied(message: &str) -> Error {
    unauthenticated(format!("Authentication Error, {message}"))
}

/// LiteLLM writes the word "None" into `param` of its authentication errors (surface §4.7).
fn unauthenticated(message: String) -> Error {
    Error::new(ErrorKind::Unauthenticated, message).with_vendor_type("auth_error").with_param("None")
}
