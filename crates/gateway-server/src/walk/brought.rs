//! Calls that bring a key, or an address with it, of their own, where the operator lets them
//! (`allow_client_side_credentials`, `configurable_clientside_auth_params`).
//!
//! The gateway's key, headers and body members go to no host that a caller names, and that host is connected to only where
//! callers' URLs may lead. What fails with a caller's key says nothing of the deployment.

use std::sync::Arc;

use http::Uri;
use http::header::{AUTHORIZATION, HeaderName};
use llm_providers::Target;
use llm_providers::transport::HyperTransport;
use llm_router::Deployment;
use llm_types::{Error, HttpRequest, HttpResponse, Result, Secret, seldom};
use serde_json::{Map, Value};

use super::controls::banned;
use super::{Call, Caller};
use crate::state::{Core, Served};

/// Headers that sign in.
const SIGN_IN: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// What a call brings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brought {
    /// The caller's key for the provider.
    key: Option<Secret>,
    /// Where it wants the provider to be, without a trailing slash.
    base: Option<String>,
}

impl Call {
    /// Takes note of a member that the caller brings.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] for what is no text, or no address.
    pub(super) fn bring(&mut self, name: &'static str, value: &Value) -> Result<()> {
        let Some(text) = value.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
            return Err(Error::bad_param(name, format!("`{name}`: expected text")));
        };
        let brought = self.brought.get_or_insert_default();
        if name == "api_key" {
            brought.key = Some(Secret::new(text.to_owned()));
            return Ok(());
        }
        let uri: Option<Uri> = text.parse().ok();
        let usable = uri.is_some_and(|uri| {
            let plain = uri.authority().is_some_and(|place| !place.as_str().contains('@'));
            // Braces are places that records of vendors have filled.
            let filled = text.contains(['{', '}']);
            plain && !filled && matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
        });
        if !usable {
            let message = format!(
                "`{name}`: expected a URL that begins with `https://` or `http://`, without a name, a password or a query"
            );
            return Err(Error::bad_param(name, message));
        }
        brought.base = Some(text.trim_end_matches('/').to_owned());
        Ok(())
    }

    /// Whether a deployment takes what the call brings.
    pub(super) fn may_bring_to(&self, deployment: &Deployment) -> bool {
        let Some(brought) = &self.brought else { return true };
        let allowed = self.snapshot.client_side(&deployment.id);
        self.snapshot.config.general.client_credentials
            || allowed.is_some_and(|allowed| allowed.allows(brought.key.is_some(), brought.base.as_deref()))
    }
}

/// Sees that what a call brings may be brought to the model it asks for.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] where no deployment of it takes that,
/// [`llm_types::ErrorKind::BadRequest`] where it cannot be used.
pub(super) fn check(call: &mut Call, caller: &Caller) -> Result<()> {
    let Some(brought) = &call.brought else { return Ok(()) };
    let name = if brought.base.is_some() { "api_base" } else { "api_key" };
    if brought.key.is_none() {
        let message = "`api_base` needs `api_key`: the gateway's own key goes to no host that callers name";
        return Err(Error::bad_param("api_key", message));
    }
    if call.waits_elsewhere {
        let message = "`background`: a reply made with the caller's own key cannot be asked for later";
        return Err(Error::bad_param("background", message));
    }
    let route = call.snapshot.routes().resolve(&call.glance.model, caller.team());
    let takes = |route: llm_router::Route<'_>| {
        route.group.candidates.iter().any(|candidate| call.may_bring_to(&candidate.deployment))
    };
    let hosts = &call.snapshot.config.general.destinations;
    if let Some(base) = brought.base.as_deref().filter(|base| !hosts.is_empty() && !is_listed(hosts, base)) {
        let message =
            format!("`api_base`: `{base}` is at none of the hosts that this gateway lets callers name");
        return Err(Error::bad_param("api_base", message));
    }
    // A model that nobody serves is told so later.
    if route.is_some_and(|route| !takes(route)) {
        return Err(banned(name));
    }
    call.controls.own_credentials = true;
    Ok(())
}

/// Whether an address is at one of the hosts, each with or without a port.
fn is_listed(hosts: &[String], base: &str) -> bool {
    let uri: Option<Uri> = base.parse().ok();
    let place = uri.as_ref().and_then(Uri::authority);
    place.is_some_and(|place| {
        let is = |host: &String| {
            host.eq_ignore_ascii_case(place.host()) || host.eq_ignore_ascii_case(place.as_str())
        };
        hosts.iter().any(is)
    })
}

/// The deployment as the call wants it asked.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] for one that takes nothing from callers,
/// [`llm_types::ErrorKind::Unsupported`] for one that signs in with more than a key.
pub(super) fn served(call: &Call, served: Arc<Served>) -> Result<Arc<Served>> {
    let Some(brought) = &call.brought else { return Ok(served) };
    if !call.may_bring_to(&served.deployment) {
        return Err(banned("api_key"));
    }
    let target = served.target.target();
    if served.target.credential().is_some() {
        let message = format!("provider `{}` is signed in to with more than a key", target.spec.id);
        return Err(Error::unsupported("api_key", message));
    }
    Ok(Arc::new(served.elsewhere(Arc::new(brought.target(target)), brought.base.is_some())))
}

impl Brought {
    fn target(&self, theirs: &Target) -> Target {
        let mut target = Target { key: self.key.clone(), ..theirs.clone() };
        match &self.base {
            Some(base) => {
                target.base_url = target.spec.full_base_url(Some(base));
                target.headers.clear();
                target.defaults = Map::new();
            }
            None => SIGN_IN.iter().for_each(|name| {
                target.headers.remove(name);
            }),
        }
        target
    }
}

/// Sends a request to a deployment; to a host that a caller named only where callers' URLs may lead.
///
/// # Errors
/// The transport's.
pub(super) async fn exchange(core: &Core, served: &Served, request: HttpRequest) -> Result<HttpResponse> {
    if served.is_elsewhere {
        return seldom(move || async move { guarded(core).exchange(request).await }).await;
    }
    core.transport.exchange(request).await
}

/// What connects to hosts that callers name.
pub(super) fn guarded(core: &Core) -> HyperTransport {
    let media = &core.shared.snapshot().config.calls.media;
    core.transport.guarded(media.guard.clone())
}
