//! Names and passwords: the operator's (`UI_USERNAME`, `UI_PASSWORD`), for when there is no identity provider or it is
//! away, and those that users set by invitations (surface §4.11).

use gateway_db::{ScopeId, ScopeKind, ScopeSettings, SlipName};
use http::StatusCode;
use llm_types::Money;
use serde_json::json;
use tokio::sync::Semaphore;

use super::failures::Source;
use super::reply::{Refused, Reply, Step};
use super::session::{self, Purpose, User};
use super::{Visit, flow, page, sign_in as sso, unmade};
use crate::admin::job::OPERATOR;
use crate::identity::{is_password, same_text};

/// Codes of people who signed in and whose session somebody else fetches; each says whose.
const CODES: &str = "login_code";
/// How long such a code holds, milliseconds.
const CODE_LASTS: i64 = 60_000;
const ADMIN: &str = "proxy_admin";

/// How many passwords are hashed at the same time: each takes 16 MiB, and anybody may ask for it.
static HASHING: Semaphore = Semaphore::const_new(4);

/// The form, where there is a password at all.
pub(super) fn form(visit: &Visit) -> Step<Reply> {
    credentials(visit).map(|_| Reply::page(page::password()))
}

/// Name and password that let in.
fn credentials(visit: &Visit) -> Step<(String, String)> {
    let general = &visit.snapshot.config.general;
    let sso = !matches!(sso::configured(visit), Ok(None));
    if general.sso_only && sso {
        let words = "sign-in by password is off (`disable_password_login_when_sso_enabled`): begin at /sso/key/generate";
        return Err(Refused::new(StatusCode::FORBIDDEN, words));
    }
    let name = visit.env().value("UI_USERNAME").unwrap_or("admin").to_owned();
    let master = general.master_key.as_ref().map(|key| key.reveal().to_owned());
    match visit.env().value("UI_PASSWORD").map(str::to_owned).or(master) {
        Some(password) => Ok((name, password)),
        None => {
            let words = "there is nothing to sign in with: set a master key or UI_PASSWORD, or configure single sign-on";
            Err(Refused::new(StatusCode::NOT_FOUND, words))
        }
    }
}

/// `/login` and `/v2/login`.
pub(super) async fn sign_in(visit: &Visit) -> Step<Reply> {
    let user = known(visit).await?;
    session::begin(visit, &user, Purpose::Manage).await.map(|session| session.reply(visit))
}

/// `/v3/login`: a code instead of the session.
pub(super) async fn sign_in_for_code(visit: &Visit) -> Step<Reply> {
    let user = known(visit).await?;
    let slip = SlipName { kind: CODES, name: flow::word().map_err(Refused::failed)? };
    let until = visit.now.saturating_add(CODE_LASTS);
    visit.note(&hashed(&slip), &user.id, until).await?;
    Ok(Reply::json(json!({ "code": slip.name, "expires_in": CODE_LASTS / 1_000 })))
}

/// `/v3/login/exchange`: the session of a code, once.
pub(super) async fn exchange(visit: &Visit) -> Step<Reply> {
    let slip = hashed(&SlipName { kind: CODES, name: visit.field("code").unwrap_or_default() });
    let db = visit.db()?;
    let id = db.slip(&slip, visit.now).await.map_err(Refused::failed)?;
    let taken = match &id {
        Some(id) => db.take_slip(&slip, id, visit.now).await.map_err(Refused::failed)?,
        None => false,
    };
    let Some(id) = id.filter(|_| taken) else {
        let words = "the code is not known, was used, or is over";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, words).about("code"));
    };
    let user = if id == OPERATOR { operator_user(visit).await? } else { member_user(visit, &id).await? };
    session::begin(visit, &user, Purpose::Manage).await.map(|session| session.reply(visit))
}

/// The database keeps what proves a code, not the code.
fn hashed(slip: &SlipName) -> SlipName {
    SlipName { kind: slip.kind, name: crate::identity::KeyDigest::of(slip.name.as_bytes()).to_hex() }
}

/// Whoever knows name and password.
async fn known(visit: &Visit) -> Step<User> {
    let (name, password) = credentials(visit)?;
    slowed(visit)?;
    let said = |name: &str| visit.field(name).unwrap_or_default();
    let (said_name, said_password) = (said("username"), said("password"));
    // Both are compared, whatever the first one says.
    if same_text(&said_name, &name) & same_text(&said_password, &password) {
        return operator_user(visit).await;
    }
    match member(visit, &said_name, &said_password).await? {
        Some(user) => Ok(user),
        None => {
            missed(visit);
            let words = "Invalid credentials used to access UI.";
            Err(Refused::new(StatusCode::UNAUTHORIZED, words).about("invalid_credentials"))
        }
    }
}

/// The user with this mail address or id, and this password.
async fn member(visit: &Visit, name: &str, password: &str) -> Step<Option<User>> {
    let job = visit.job(name, &json!({}))?;
    let by_email = if name.is_empty() { None } else { job.user_by_email(name).await.map_err(unmade)? };
    let found = match by_email {
        Some(user) => Some(user),
        None => job.db.scope(&ScopeId::new(ScopeKind::User, name)).await.map_err(Refused::failed)?,
    };
    let stored = match &found {
        Some(user) => job.db.password(&user.id.id).await.map_err(Refused::failed)?,
        None => None,
    };
    // As much time passes where there is nobody.
    let right = fits(visit, password, stored.as_deref()).await?;
    match found.filter(|_| right) {
        Some(user) => member_user(visit, &user.id.id).await.map(Some),
        None => Ok(None),
    }
}

/// A user who has proved to be one.
async fn member_user(visit: &Visit, id: &str) -> Step<User> {
    let found = visit.db()?.scope(&ScopeId::new(ScopeKind::User, id)).await.map_err(Refused::failed)?;
    match found {
        Some(user) if !user.settings.blocked => Ok(User::by_password(&user)),
        _ => {
            let why = format!("User={id} is blocked or was deactivated");
            Err(Refused::new(StatusCode::FORBIDDEN, why))
        }
    }
}

/// Whether a hash is a password's. Who waited for others' hashes may have tried too often meanwhile.
pub(super) async fn fits(visit: &Visit, password: &str, stored: Option<&str>) -> Step<bool> {
    let (password, stored) = (password.to_owned(), stored.map(str::to_owned));
    hashing(|| slowed(visit), move || is_password(&password, stored.as_deref())).await
}

/// Does something with hashes when it may, unless `check` says no then.
pub(super) async fn hashing<T: Send + 'static>(
    check: impl FnOnce() -> Step<()>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Step<T> {
    let place = HASHING.acquire().await.map_err(Refused::failed)?;
    check()?;
    // The place is the work's: it goes on when whoever asked for it has left.
    let working = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(place);
        done
    });
    working.await.map_err(Refused::failed)
}

/// Whether the caller may try a password now.
fn slowed(visit: &Visit) -> Step<()> {
    let limits = &visit.snapshot.config.general.sign_ins;
    let until = trying(visit, |source| visit.shared.failures.blocked(source, limits, visit.now));
    let Some(until) = until else { return Ok(()) };
    let seconds = (until - visit.now + 999) / 1_000;
    let words = format!("too many wrong passwords from this address: try again in {seconds} seconds");
    Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, words))
}

/// Notes that a password was wrong.
pub(super) fn missed(visit: &Visit) {
    let limits = &visit.snapshot.config.general.sign_ins;
    trying(visit, |source| visit.shared.failures.note(source, limits, visit.now));
    let address = visit.address.as_deref().unwrap_or("unknown");
    tracing::warn!(address, "somebody gave a wrong name or password");
}

/// Does something with who tries a password.
fn trying<T>(visit: &Visit, work: impl FnOnce(Source<'_>) -> T) -> T {
    let (place, name) = (visit.source(), visit.field("username"));
    let address = visit.address.as_deref().and_then(|address| address.parse().ok());
    let place = if place.is_empty() { "unknown" } else { &place };
    work(Source { address, place, name: name.as_deref() })
}

/// The user that the operator is, made where it is not there.
async fn operator_user(visit: &Visit) -> Step<User> {
    let job = visit.job(OPERATOR, &json!({}))?;
    let id = ScopeId::new(ScopeKind::User, OPERATOR);
    let found = job.db.scope(&id).await.map_err(Refused::failed)?;
    let is_admin = found.as_ref().is_some_and(|user| user.settings.role.as_deref() == Some(ADMIN));
    if found.is_none() {
        let settings = ScopeSettings { role: Some(ADMIN.to_owned()), ..ScopeSettings::default() };
        let made = job.make(id, settings, Money::ZERO).await;
        // Another window may have been quicker.
        if let Err(refusal) = made
            && job
                .db
                .scope(&ScopeId::new(ScopeKind::User, OPERATOR))
                .await
                .map_err(Refused::failed)?
                .is_none()
        {
            return Err(unmade(refusal));
        }
    } else if !is_admin {
        let edit = crate::admin::scope_fields::ScopeEdit {
            role: gateway_db::Change::Set(ADMIN.to_owned()),
            ..Default::default()
        };
        job.edit(&id, edit).await.map_err(unmade)?;
    }
    Ok(User { id: OPERATOR.to_owned(), email: None, role: ADMIN.to_owned(), method: session::BY_PASSWORD })
}
