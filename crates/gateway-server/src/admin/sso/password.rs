//! The operator's name and password (`UI_USERNAME`, `UI_PASSWORD`), for when there is no identity provider or it is away
//! (surface §4.11).

use dashmap::DashMap;
use gateway_db::{ScopeId, ScopeKind, ScopeSettings, SlipName};
use http::StatusCode;
use llm_types::Money;
use serde_json::json;

use super::reply::{Refused, Reply, Step};
use super::session::{self, Purpose, User};
use super::{Visit, flow, page, sign_in as sso, unmade};
use crate::admin::job::OPERATOR;
use crate::identity::same_text;

/// Codes of people who signed in and whose session somebody else fetches.
const CODES: &str = "login_code";
/// How long such a code holds, milliseconds.
const CODE_LASTS: i64 = 60_000;
/// How many wrong passwords an address may try in a minute.
const TRIES: u32 = 10;
const MINUTE: i64 = 60_000;
/// The most addresses that are remembered.
const MOST: usize = 10_000;
const ADMIN: &str = "proxy_admin";

/// Wrong passwords of late, by address.
#[derive(Debug, Default)]
pub(crate) struct Failures(DashMap<String, (i64, u32)>);

impl Failures {
    fn are_too_many(&self, address: &str, now: i64) -> bool {
        self.0.get(address).is_some_and(|seen| now < seen.0 && seen.1 >= TRIES)
    }

    fn note(&self, address: &str, now: i64) {
        if self.0.len() >= MOST {
            self.0.retain(|_, (until, _)| now < *until);
        }
        let mut seen = self.0.entry(address.to_owned()).or_insert((now.saturating_add(MINUTE), 0));
        if seen.0 <= now {
            *seen = (now.saturating_add(MINUTE), 0);
        }
        seen.1 = seen.1.saturating_add(1);
    }
}

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
    let user = operator(visit).await?;
    session::begin(visit, &user, Purpose::Manage).await.map(|session| session.reply(visit))
}

/// `/v3/login`: a code instead of the session.
pub(super) async fn sign_in_for_code(visit: &Visit) -> Step<Reply> {
    operator(visit).await?;
    let slip = SlipName { kind: CODES, name: flow::word().map_err(Refused::failed)? };
    let until = visit.now.saturating_add(CODE_LASTS);
    visit.db()?.put_slip(&hashed(&slip), "", until, visit.now).await.map_err(Refused::failed)?;
    Ok(Reply::json(json!({ "code": slip.name, "expires_in": CODE_LASTS / 1_000 })))
}

/// `/v3/login/exchange`: the session of a code, once.
pub(super) async fn exchange(visit: &Visit) -> Step<Reply> {
    let slip = SlipName { kind: CODES, name: visit.field("code").unwrap_or_default() };
    if !visit.db()?.take_slip(&hashed(&slip), "", visit.now).await.map_err(Refused::failed)? {
        let words = "the code is not known, was used, or is over";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, words).about("code"));
    }
    let user = operator_user(visit).await?;
    session::begin(visit, &user, Purpose::Manage).await.map(|session| session.reply(visit))
}

/// The database keeps what proves a code, not the code.
fn hashed(slip: &SlipName) -> SlipName {
    SlipName { kind: slip.kind, name: crate::identity::KeyDigest::of(slip.name.as_bytes()).to_hex() }
}

/// Whoever knows name and password.
async fn operator(visit: &Visit) -> Step<User> {
    let (name, password) = credentials(visit)?;
    let address = visit.address.as_deref().unwrap_or("unknown");
    let failures = &visit.shared.failures;
    if failures.are_too_many(address, visit.now) {
        let words = "too many wrong passwords from this address: try again in a minute";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, words));
    }
    let said = |name: &str| visit.field(name).unwrap_or_default();
    // Both are compared, whatever the first one says.
    let right = same_text(&said("username"), &name) & same_text(&said("password"), &password);
    if !right {
        failures.note(address, visit.now);
        tracing::warn!(address, "somebody gave a wrong name or password");
        let words = "Invalid credentials used to access UI.";
        return Err(Refused::new(StatusCode::UNAUTHORIZED, words).about("invalid_credentials"));
    }
    operator_user(visit).await
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
    Ok(User { id: OPERATOR.to_owned(), email: None, role: ADMIN.to_owned(), method: "username_password" })
}
