//! Single sign-on for the management side (surface §4.11): people sign in at their provider, or as the operator, and
//! get a key that manages for a day. A command line gets a key for calls the same way.

mod ask;
mod cli;
mod failures;
mod flow;
mod onboarding;
mod own_password;
mod page;
mod password;
mod person;
mod provider;
mod reply;
mod session;
mod sign_in;
mod status;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use bytes::Bytes;
use gateway_db::{Actor, Db, SlipName, SlipPut};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::Value;

use self::reply::{Refused, Reply, Step};
use super::fields::Moment;
use super::job::Job;
use super::query;
use super::refusal::Refusal;
use crate::answer::{self, ReplyBody};
use crate::clock::now_ms;
use crate::config::Env;
use crate::door::{ConnState, read_body};
use crate::state::{Core, Shared, Snapshot};
use crate::walk::{Caller, Role, admit, check_address, client_of};

pub(crate) use self::failures::Failures;
pub(super) use self::flow::word as new_word;

/// A step of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SsoStep {
    /// To the provider.
    Begin,
    /// Back from it.
    Callback,
    /// Whether it is configured.
    Readiness,
    /// What an admin UI wants to know first.
    UiSettings,
    /// The end of a session.
    Logout,
    /// The form for name and password.
    PasswordForm,
    /// Name and password, from a form or as JSON.
    Password,
    /// The same, for a code that somebody else exchanges.
    PasswordForCode,
    /// Such a code.
    Exchange,
    /// What an invited user sets a password with.
    Onboard,
    /// The password.
    Claim,
    /// Another one in its place.
    ChangePassword,
    /// A command line begins.
    CliStart,
    /// Its user has signed in and types the code it shows.
    CliComplete,
    /// It asks for its key.
    CliPoll,
}

impl SsoStep {
    /// Whether it is for people with a key.
    fn needs_key(self) -> bool {
        matches!(self, Self::Readiness | Self::UiSettings | Self::Logout | Self::ChangePassword)
    }
}

/// The largest request, bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// One request of somebody who signs in.
struct Visit {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    caller: Option<Caller>,
    head: Parts,
    body: Bytes,
    /// What the path names.
    named: String,
    address: Option<String>,
    now: i64,
}

/// Answers a step.
pub(crate) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    step: SsoStep,
    (path, named): (&'static str, Option<String>),
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let visit = match enter(core, conn, step, path, request).await {
        Ok(visit) => Visit { named: named.unwrap_or_default(), ..visit },
        Err(error) => return answer::openai_error(&error),
    };
    let for_people = reply::wants_page(&visit.head.headers);
    // Beside the data plane: providers and the database take their time.
    let done = core.shared.control.spawn(async move { run(&visit, step).await }).await;
    let done = done.unwrap_or_else(|gone| Err(Refused::failed(gone)));
    done.unwrap_or_else(|refused| refused.reply(step == SsoStep::CliPoll, for_people))
        .into_response(for_people)
}

async fn enter(
    core: &Arc<Core>,
    conn: &ConnState,
    step: SsoStep,
    path: &'static str,
    request: Request<Incoming>,
) -> Result<Visit, llm_types::Error> {
    let snapshot = core.shared.snapshot();
    let (head, body) = request.into_parts();
    check_address(conn, &snapshot, &head)?;
    let caller = if step.needs_key() {
        let caller = admit(core, conn, &snapshot, &head).await?;
        caller.may_call_route(&snapshot, path)?;
        if step == SsoStep::Readiness && caller.role() == Role::Other {
            return Err(crate::routes::operators_only(&caller, path));
        }
        Some(caller)
    } else {
        None
    };
    let body = read_body(body, BODY_LIMIT).await?;
    let address = client_of(conn, &snapshot, &head).map(|address| address.to_string());
    let shared = Arc::clone(&core.shared);
    Ok(Visit { shared, snapshot, caller, head, body, named: String::new(), address, now: now_ms() })
}

async fn run(visit: &Visit, step: SsoStep) -> Step<Reply> {
    match step {
        SsoStep::Begin => sign_in::begin(visit).await,
        SsoStep::Callback => sign_in::callback(visit).await,
        SsoStep::Readiness => Ok(status::readiness(visit)),
        SsoStep::UiSettings => Ok(status::ui_settings(visit)),
        SsoStep::Logout => session::end(visit).await,
        SsoStep::PasswordForm => password::form(visit),
        SsoStep::Password => password::sign_in(visit).await,
        SsoStep::PasswordForCode => password::sign_in_for_code(visit).await,
        SsoStep::Exchange => password::exchange(visit).await,
        SsoStep::Onboard => onboarding::begin(visit).await,
        SsoStep::Claim => onboarding::claim(visit).await,
        SsoStep::ChangePassword => own_password::change(visit).await,
        SsoStep::CliStart => cli::start(visit).await,
        SsoStep::CliComplete => cli::complete(visit).await,
        SsoStep::CliPoll => cli::poll(visit).await,
    }
}

impl Visit {
    fn env(&self) -> &Env {
        &self.snapshot.config.origin.env
    }

    /// A parameter of the query.
    fn param(&self, name: &str) -> Option<String> {
        query::param(self.head.uri.query(), name).filter(|value| !value.is_empty())
    }

    /// A member of the body, which is a form or a JSON object.
    fn field(&self, name: &str) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        let found = match serde_json::from_str::<Value>(text) {
            Ok(value) => value.get(name)?.as_str().map(str::to_owned),
            Err(_) => query::param(Some(text), name),
        };
        found.filter(|value| !value.is_empty())
    }

    /// Whose doing it is, as far as an address tells: of IPv6 its network, of which one may have all addresses.
    fn source(&self) -> String {
        match self.address.as_deref().and_then(|address| address.parse().ok()) {
            Some(IpAddr::V6(address)) => {
                let bits = u128::from(address) & (u128::MAX << 64);
                format!("{}/64", Ipv6Addr::from(bits))
            }
            Some(IpAddr::V4(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// Writes a slip; whether there was none of its name.
    async fn note(&self, slip: &SlipName, body: &str, until: i64) -> Step<bool> {
        match self.db()?.put_slip(slip, body, &self.source(), (until, self.now)).await {
            Ok(SlipPut::Written) => Ok(true),
            Ok(SlipPut::Exists) => Ok(false),
            Ok(SlipPut::TooMany) => {
                let words = "too many sign-ins are under way: try again in a few minutes";
                Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, words))
            }
            Err(error) => Err(Refused::failed(error)),
        }
    }

    fn db(&self) -> Step<&Db> {
        let words = "No connected db.";
        self.shared.directory.db().ok_or_else(|| Refused::new(StatusCode::SERVICE_UNAVAILABLE, words))
    }

    /// Where people reach this gateway.
    fn base(&self) -> Step<String> {
        let base = self.env().value("PROXY_BASE_URL").map(|base| base.trim_end_matches('/').to_owned());
        base.ok_or_else(|| {
            let words = "single sign-on lacks the variable PROXY_BASE_URL: where people reach this gateway";
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, words)
        })
    }

    /// Whether people come over TLS.
    fn is_secure(&self) -> bool {
        self.env().value("PROXY_BASE_URL").is_some_and(|base| base.starts_with("https://"))
    }

    /// A request of the gateway's own, for somebody.
    fn job(&self, by: &str, body: &Value) -> Step<Job> {
        let moment = Moment { now: self.now, calendar: self.snapshot.calendar.clone() };
        let actor = Actor {
            changed_by: by.to_owned(),
            api_key: "sso".to_owned(),
            user: by.to_owned(),
            address: self.address.clone(),
            at: moment.now,
        };
        let db = self.db()?.clone();
        let db = if self.snapshot.config.calls.audited { db.acting(actor) } else { db };
        Ok(Job {
            shared: Arc::clone(&self.shared),
            db,
            caller: Caller::Operator,
            named: None,
            named_too: None,
            query: None,
            body: body.to_string().into(),
            moment,
            by: by.to_owned(),
            sees_nothing: false,
        })
    }
}

/// A change that the management API would refuse to make: the gateway's own request was at fault.
fn unmade(refusal: Refusal) -> Refused {
    let reason = refusal.reason();
    match refusal {
        Refusal::Error(error) if error.kind() == llm_types::ErrorKind::Overloaded => {
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, reason)
        }
        _ => Refused::failed(reason),
    }
}
