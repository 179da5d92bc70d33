//! SCIM 2.0 (RFC 7643, RFC 7644): an identity provider brings users and groups, changes them, and takes them away.
//! Groups are teams. Each change is a change of the management API: it holds at once, on every replica, and is in the
//! audit log.

mod about;
mod fault;
mod filter;
mod groups;
mod list;
mod patch;
mod path;
mod user;
mod users;

use std::sync::Arc;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Request as HttpRequest, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Map, Value};

use self::fault::Fault;
use super::Action;
use super::job::{self, Job};
use super::refusal::Refusal;
use crate::answer::{self, ReplyBody};
use crate::door::ConnState;
use crate::state::Core;
use crate::walk::{Caller, Role};

/// How often a change is tried anew that others were quicker than: of any number that race, one is done each time.
const TRIES: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Users,
    Groups,
    ServiceProviderConfig,
    ResourceTypes,
    Schemas,
}

/// What is to be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    One,
    New,
    Replace,
    Patch,
    Delete,
}

/// A SCIM request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScimAction(pub(crate) Of, pub(crate) Verb);

impl ScimAction {
    /// Whether it changes nothing.
    pub(super) fn reads(self) -> bool {
        matches!(self.1, Verb::List | Verb::One)
    }

    fn status(self) -> StatusCode {
        match self.1 {
            Verb::New => StatusCode::CREATED,
            Verb::Delete => StatusCode::NO_CONTENT,
            _ => StatusCode::OK,
        }
    }
}

/// One request: what it names, and what it says.
struct Request {
    id: String,
    /// The address of the service.
    base: String,
    body: bytes::Bytes,
}

impl Request {
    /// The body.
    fn object(&self) -> Result<Map<String, Value>, Fault> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Fault::bad("invalidSyntax", "the body is no JSON object")),
            Err(error) => Err(Fault::bad("invalidSyntax", format!("the body is no JSON: {error}"))),
        }
    }
}

/// Answers a SCIM request.
pub(crate) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    action: ScimAction,
    (path, named): (&'static str, Option<String>),
    request: HttpRequest<Incoming>,
) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let env = &core.shared.snapshot().config.origin.env;
    let base = env.value("PROXY_BASE_URL").unwrap_or_default().trim_end_matches('/').to_owned() + "/scim/v2";
    let job = match job::enter(core, conn, Action::Scim(action), path, head, body).await {
        Ok(job) => job,
        Err(refusal) => return respond(action, Err(refusal.into())),
    };
    let request = Request { id: named.unwrap_or_default(), base, body: job.body.clone() };
    let done = core.shared.control.spawn(async move {
        allowed(&job.caller, path)?;
        run(&job, action, &request).await
    });
    let done = done
        .await
        .unwrap_or_else(|_| Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "the change was interrupted")));
    respond(action, done)
}

/// Administrators; and keys that are nobody's and for SCIM alone, which only administrators make.
fn allowed(caller: &Caller, path: &str) -> Result<(), Fault> {
    if caller.role() != Role::Other {
        return Ok(());
    }
    if let Caller::Key(entry) = caller {
        let settings = &entry.record.settings;
        let routes = &settings.allowed_routes;
        let for_scim = !routes.is_empty() && routes.iter().all(|route| route.starts_with("/scim"));
        if for_scim && settings.user_id.is_none() && settings.team_id.is_none() && entry.bearer.is_none() {
            return Ok(());
        }
    }
    Err(Refusal::from(crate::routes::operators_only(caller, path)).into())
}

async fn run(job: &Job, action: ScimAction, request: &Request) -> Result<Value, Fault> {
    let (base, id) = (&request.base, &request.id);
    match action {
        ScimAction(Of::ServiceProviderConfig, _) => Ok(about::service(base)),
        ScimAction(Of::ResourceTypes, _) => about::resource_types(base, id),
        ScimAction(Of::Schemas, _) => about::all_schemas(base, id),
        ScimAction(Of::Users, Verb::List) => users::list(job, request).await,
        ScimAction(Of::Users, Verb::One) => users::one(job, request).await,
        ScimAction(Of::Users, Verb::New) => users::new(job, request).await,
        ScimAction(Of::Users, Verb::Replace) => users::replace(job, request).await,
        ScimAction(Of::Users, Verb::Patch) => users::patch(job, request).await,
        ScimAction(Of::Users, Verb::Delete) => users::delete(job, request).await,
        ScimAction(Of::Groups, Verb::List) => groups::list(job, request).await,
        ScimAction(Of::Groups, Verb::One) => groups::one(job, request).await,
        ScimAction(Of::Groups, Verb::New) => groups::new(job, request).await,
        ScimAction(Of::Groups, Verb::Replace) => groups::replace(job, request).await,
        ScimAction(Of::Groups, Verb::Patch) => groups::patch(job, request).await,
        ScimAction(Of::Groups, Verb::Delete) => groups::delete(job, request).await,
    }
}

fn respond(action: ScimAction, done: Result<Value, Fault>) -> Response<ReplyBody> {
    let (status, value) = match done {
        Ok(_) if action.status() == StatusCode::NO_CONTENT => return answer::empty(StatusCode::NO_CONTENT),
        Ok(value) => (action.status(), value),
        Err(fault) => (fault.status, fault.body()),
    };
    let mut response = answer::json_response(status, &value);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/scim+json"));
    let location = value.pointer("/meta/location").and_then(Value::as_str);
    // An address that is no text for a header is in the body still.
    if let Some(location) =
        location.and_then(|text| HeaderValue::try_from(text).ok()).filter(|_| status == StatusCode::CREATED)
    {
        headers.insert(LOCATION, location);
    }
    response
}
