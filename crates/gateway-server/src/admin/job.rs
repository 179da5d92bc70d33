//! One management request: who may make it, and how it is done beside the data plane.

use std::sync::Arc;

use bytes::Bytes;
use gateway_db::{Actor, Db, ScopeRecord};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use llm_types::{Error, ErrorKind, seldom};
use serde::Serialize;

use super::fields::{Fields, Moment};
use super::refusal::Refusal;
use super::{
    Action, access_groups, activity, audit, budgets, credentials, customers, fallbacks, invitations, keys,
    metrics, model_groups, models, organizations, projects, reports, rights, settings, spend, tags, teams,
    token_keys, users,
};
use crate::answer::{self, ReplyBody};
use crate::clock::now_ms;
use crate::door::{ConnState, read_body};
use crate::state::{Core, Shared};
use crate::walk::{Caller, Role, admit, client_of};

/// The largest management request, bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// Who is written down as the actor of the operator's changes.
pub(super) const OPERATOR: &str = "default_user_id";

/// A management request, ready to be done.
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) db: Db,
    pub(super) caller: Caller,
    /// What the path names.
    pub(super) named: Option<String>,
    /// What it names besides.
    pub(super) named_too: Option<String>,
    pub(super) query: Option<String>,
    pub(super) body: Bytes,
    pub(super) moment: Moment,
    /// Who is written down as its actor.
    pub(super) by: String,
    /// Whether the caller may see none of what the request asks for: the answer is empty.
    pub(super) sees_nothing: bool,
}

/// Answers a management request.
pub(crate) async fn manage(
    core: &Arc<Core>,
    conn: &ConnState,
    action: Action,
    (path, [named, named_too]): (&'static str, [Option<String>; 2]),
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let method = head.method.clone();
    let job = match enter(core, conn, action, path, head, body).await {
        Ok(job) => Job { named, named_too, ..job },
        Err(refusal) => return refusal.into_response(),
    };
    let done = core.shared.control.spawn(async move { run(job, action, path).await }).await;
    match done {
        Ok(Ok(_)) if action.status() == StatusCode::NO_CONTENT => answer::empty(StatusCode::NO_CONTENT),
        Ok(Ok(body)) => answer::json_written(action.status(), body),
        Ok(Err(refusal)) => refusal.asked_by(&method).into_response(),
        Err(gone) => {
            let error = Error::new(ErrorKind::Internal, "the change was interrupted").with_source(gone);
            answer::openai_error(&error)
        }
    }
}

/// Lets somebody in who manages.
///
/// # Errors
/// Why not.
pub(super) async fn enter(
    core: &Arc<Core>,
    conn: &ConnState,
    action: Action,
    path: &'static str,
    head: Parts,
    body: Incoming,
) -> Result<Job, Refusal> {
    let snapshot = core.shared.snapshot();
    let caller = admit(core, conn, &snapshot, &head).await?;
    caller.may_call_route(&snapshot, path)?;
    may(&caller, action, path)?;
    let Some(db) = core.shared.directory.db().cloned() else {
        return Err(Error::new(ErrorKind::BadRequest, "No connected db.")
            .with_vendor_type("no_db_connection")
            .into());
    };
    let by = match &caller {
        Caller::Operator => None,
        Caller::Key(entry) => {
            let name = || entry.bearer.as_ref().map(|bearer| bearer.name.clone());
            entry.record.settings.user_id.clone().or_else(name)
        }
    };
    let by = by.unwrap_or_else(|| OPERATOR.to_owned());
    let moment = Moment { now: now_ms(), calendar: snapshot.calendar.clone() };
    let db = if snapshot.config.calls.audited {
        let address = client_of(conn, &snapshot, &head).map(|address| address.to_string());
        db.acting(actor(&caller, &by, &head.headers, address, moment.now))
    } else {
        db
    };
    Ok(Job {
        shared: Arc::clone(&core.shared),
        db,
        caller,
        named: None,
        named_too: None,
        query: head.uri.query().map(str::to_owned),
        body: read_body(body, BODY_LIMIT).await?,
        moment,
        by,
        sees_nothing: false,
    })
}

/// The header that says on whose behalf a change is made (surface §3.1).
const CHANGED_BY: &str = "litellm-changed-by";
/// The longest name that header may give, characters.
const LONGEST_NAME: usize = 256;

/// Who is written down in the audit log. The header names somebody else than the key does; both are kept.
fn actor(caller: &Caller, by: &str, headers: &HeaderMap, address: Option<String>, at: i64) -> Actor {
    let said = headers.get(CHANGED_BY).and_then(|value| value.to_str().ok()).map(str::trim);
    let said = said.filter(|said| !said.is_empty()).map(|said| said.chars().take(LONGEST_NAME).collect());
    Actor {
        changed_by: said.unwrap_or_else(|| by.to_owned()),
        api_key: caller.word().to_owned(),
        user: by.to_owned(),
        address,
        at,
    }
}

/// Whether a role may do something (surface §4.3): an administrator everything, a viewer what changes
/// nothing; of others [`rights::gate`] decides.
fn may(caller: &Caller, action: Action, path: &str) -> Result<(), Error> {
    match caller.role() {
        Role::Admin | Role::Other => Ok(()),
        Role::Viewer if action.reads() => Ok(()),
        Role::Viewer => {
            let message = format!(
                "user not allowed to access this route, role= proxy_admin_viewer. Trying to access: {path}"
            );
            Err(Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error"))
        }
    }
}

/// Does it, and writes the answer down here, beside the data plane: the longest are of megabytes.
async fn run(mut job: Job, action: Action, path: &str) -> Result<Vec<u8>, Refusal> {
    rights::gate(&mut job, action, path).await?;
    let value = match action {
        Action::Key(action) => seldom(|| keys::run(job, action)).await?,
        Action::Team(action) => seldom(|| teams::run(job, action)).await?,
        Action::User(action) => seldom(|| users::run(job, action)).await?,
        Action::Customer(action) => seldom(|| customers::run(job, action)).await?,
        Action::Organization(action) => seldom(|| organizations::run(job, action)).await?,
        Action::Project(action) => seldom(|| projects::run(job, action)).await?,
        Action::AccessGroup(action) => seldom(|| access_groups::run(job, action)).await?,
        Action::ModelGroup(action) => seldom(|| model_groups::run(job, action)).await?,
        Action::Budget(action) => seldom(|| budgets::run(job, action)).await?,
        Action::Invitation(action) => seldom(|| invitations::run(job, action)).await?,
        Action::TokenKey(action) => seldom(|| token_keys::run(job, action)).await?,
        Action::Tag(action) => seldom(|| tags::run(job, action)).await?,
        Action::Model(action) => seldom(|| models::run(job, action)).await?,
        Action::Credential(action) => seldom(|| credentials::run(job, action)).await?,
        // SCIM has answers of its own (`scim::answer`).
        Action::Scim(_) => return Err(crate::routes::operators_only(&job.caller, path).into()),
        Action::Audit(action) => seldom(|| audit::run(job, action)).await?,
        Action::Spend(action) => return seldom(|| spend::run(job, action, path)).await,
        Action::Setting(action) => seldom(|| settings::run(job, action)).await?,
        Action::Fallback(action) => seldom(|| fallbacks::run(job, action)).await?,
        Action::Metrics(action) => seldom(|| metrics::run(job, action)).await?,
        Action::Report(of) => seldom(|| reports::run(job, of)).await?,
        Action::Activity(of, whole) => return seldom(|| activity::run(job, of, whole)).await,
    };
    written(&value)
}

/// An answer as JSON.
pub(super) fn written<T: Serialize>(answer: &T) -> Result<Vec<u8>, Refusal> {
    let failed = |error| Error::new(ErrorKind::Internal, "the answer cannot be written").with_source(error);
    serde_json::to_vec(answer).map_err(|error| failed(error).into())
}

impl Job {
    /// The fields of the body; an empty body has none.
    pub(super) fn fields(&self) -> Result<Fields, Refusal> {
        if self.body.is_empty() { Fields::read(b"{}") } else { Fields::read(&self.body) }
    }

    /// A parameter of the query.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        super::query::param(self.query.as_deref(), name).filter(|value| !value.is_empty())
    }

    /// Makes a change of a scope hold at once in this process, and gives the scope back.
    pub(super) async fn keep(&self, record: ScopeRecord) -> Result<ScopeRecord, Refusal> {
        self.shared.directory.scopes.keep(record.clone()).await?;
        Ok(record)
    }
}
