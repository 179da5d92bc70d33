//! Sessions: the user somebody is here, and the key they get for a while.

use std::collections::HashSet;

use gateway_db::{JsonMap, KeyName, KeyQuery, ScopeId, ScopeKind, ScopeRecord};
use http::StatusCode;
use llm_types::KeyHash;
use ring::hmac;
use serde_json::{Value, json};

use super::person::Person;
use super::reply::{Refused, Reply, Step};
use super::{Visit, page, unmade};
use crate::admin::fields::Fields;
use crate::admin::job::Job;
use crate::admin::members::Member;
use crate::admin::scope_fields::{LimitEdit, ScopeEdit};
use crate::admin::{UserAction, teams, users, view};
use crate::limits::parse_duration_ms;
use crate::walk::Caller;

/// What the key of a session may call: what manages and shows, no models.
const ROUTES: [&str; 28] = [
    "management_routes",
    "spend_tracking_routes",
    "global_spend_tracking_routes",
    "info_routes",
    "/session/logout",
    "/sso",
    "/audit",
    "/user",
    "/team",
    "/v2/team",
    "/v2/user",
    "/v2/key",
    "/organization",
    "/project",
    "/customer",
    "/end_user",
    "/budget",
    "/tag",
    "/credentials",
    "/invitation",
    "/access_group",
    "/v1/access_group",
    "/v1/unified_access_group",
    "/spend",
    "/global",
    "/model/block",
    "/model/unblock",
    "/model/{model}/update",
];
/// Where a key notes that it is a session's.
const MARK: &str = "sso_session";
/// Where it notes how its user signed in.
const METHOD: &str = "login_method";
/// How users sign in who have a password here.
pub(super) const BY_PASSWORD: &str = "username_password";
/// Where a user keeps who it is at the provider.
const SUBJECT: &str = "sso_subject";
/// The role of people of whom neither provider nor configuration says one.
const USUAL_ROLE: &str = "internal_user_viewer";
/// How long sessions last where nothing else is said.
const USUAL_LENGTH: &str = "24h";

/// Who somebody is here.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) email: Option<String>,
    pub(super) role: String,
    /// How they signed in, in LiteLLM's words.
    pub(super) method: &'static str,
}

impl User {
    /// A user who signs in by password.
    pub(super) fn by_password(record: &ScopeRecord) -> Self {
        let settings = &record.settings;
        let role = settings.role.clone().unwrap_or_else(|| USUAL_ROLE.to_owned());
        Self { id: record.id.id.clone(), email: settings.email.clone(), role, method: BY_PASSWORD }
    }
}

/// What a key is for.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// Managing.
    Manage,
    /// Calls of a command line, for one of the user's teams.
    Call(Option<String>),
}

/// A session that has begun.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) key: String,
    /// When it ends, in Unix milliseconds.
    ends: i64,
    user: User,
    base: String,
}

/// The user a person is: by its id, or by a mail address that is its own; else a new one. The provider's word on role
/// and teams is taken over.
///
/// # Errors
/// When the user is blocked, or the database refuses.
pub(super) async fn user(visit: &Visit, person: &Person) -> Step<User> {
    let job = visit.job(&person.id, &json!({}))?;
    let record = match known(&job, person).await? {
        Some(record) => record,
        None => made(visit, &job, person).await?,
    };
    bind(&job, &record, person).await?;
    let id = record.id.id.clone();
    if record.settings.blocked {
        let why = format!("User={id} is blocked or was deactivated");
        return Err(Refused::new(StatusCode::FORBIDDEN, why));
    }
    let has = record.settings.role.unwrap_or_else(|| USUAL_ROLE.to_owned());
    let role = match &person.role {
        Some(role) if *role != has => {
            let body = json!({ "user_id": id, "user_role": role });
            users::run(visit.job(&id, &body)?, UserAction::Update).await.map_err(unmade)?;
            role.clone()
        }
        _ => has,
    };
    join(&job, &id, &person.teams).await?;
    Ok(User { id, email: record.settings.email.or_else(|| person.email.clone()), role, method: "sso" })
}

/// A user is one person's at the provider: the first who signs in as it. Names and addresses that claims say may be given
/// to somebody else there; the subject is not (OpenID Connect Core §2, `sub`).
async fn bind(job: &Job, user: &ScopeRecord, person: &Person) -> Step<()> {
    let id = &user.id.id;
    match user.settings.extra.get(SUBJECT).and_then(Value::as_str) {
        Some(known) if known == person.subject => Ok(()),
        Some(_) => {
            let why = format!(
                "User={id} is somebody else at the provider (`{SUBJECT}`); an administrator may clear that"
            );
            Err(Refused::new(StatusCode::FORBIDDEN, why))
        }
        None => {
            let extra = JsonMap::from_iter([(SUBJECT.to_owned(), json!(person.subject))]);
            let edit = ScopeEdit { extra, ..ScopeEdit::default() };
            job.edit(&user.id, edit).await.map(drop).map_err(unmade)
        }
    }
}

async fn known(job: &Job, person: &Person) -> Step<Option<ScopeRecord>> {
    let by_id = job.db.scope(&ScopeId::new(ScopeKind::User, &person.id)).await.map_err(Refused::failed)?;
    match (by_id, &person.email) {
        (None, Some(email)) if person.email_is_own => job.user_by_email(email).await.map_err(unmade),
        (found, _) => Ok(found),
    }
}

async fn made(visit: &Visit, job: &Job, person: &Person) -> Step<ScopeRecord> {
    let usual = visit.snapshot.config.budgets.internal_user_defaults.get("user_role").and_then(Value::as_str);
    let role = person.role.as_deref().or(usual).unwrap_or(USUAL_ROLE);
    let taken = match &person.email {
        Some(email) => job.user_by_email(email).await.map_err(unmade)?.is_some(),
        None => false,
    };
    let body = json!({
        "user_id": person.id,
        "user_email": person.email.as_ref().filter(|_| !taken),
        "user_alias": person.name,
        "user_role": role,
        "sso_user_id": person.id,
        SUBJECT: person.subject,
        "auto_create_key": false,
    });
    let done = users::run(visit.job(&person.id, &body)?, UserAction::New).await;
    // The same person in another window may have been quicker.
    match (known(job, person).await?, done) {
        (Some(record), _) => Ok(record),
        (None, Err(refusal)) => Err(unmade(refusal)),
        (None, Ok(_)) => Err(Refused::failed("the user is gone again")),
    }
}

/// Makes a user a member of those teams of the provider's that are known here.
async fn join(job: &Job, user: &str, wanted: &[String]) -> Step<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let own: HashSet<String> = teams::teams_of(job, user).await.map_err(unmade)?.into_iter().collect();
    for team in wanted.iter().filter(|team| !own.contains(*team)) {
        let found = job.db.scope(&ScopeId::new(ScopeKind::Team, team)).await.map_err(Refused::failed)?;
        let Some(found) = found else { continue };
        let member = Member { user_id: Some(user.to_owned()), email: None, role: "user".to_owned() };
        let rest = (LimitEdit::default(), Vec::new(), teams::member_budget(&found));
        job.join(ScopeKind::TeamMember, team, &member, rest).await.map_err(unmade)?;
    }
    Ok(())
}

/// Begins a session: a key that is shown this once.
///
/// # Errors
/// When the database refuses.
pub(super) async fn begin(visit: &Visit, user: &User, purpose: Purpose) -> Step<Session> {
    let length = match &purpose {
        Purpose::Manage => {
            visit.env().value("LITELLM_UI_SESSION_DURATION").unwrap_or(USUAL_LENGTH).to_owned()
        }
        Purpose::Call(_) => {
            let hours = visit.env().value("LITELLM_CLI_JWT_EXPIRATION_HOURS");
            hours.map_or_else(|| USUAL_LENGTH.to_owned(), |hours| format!("{hours}h"))
        }
    };
    let Some(lasts) = parse_duration_ms(&length) else {
        let words = format!(
            "sessions last `{length}`, expected a duration such as `24h` (LITELLM_UI_SESSION_DURATION)"
        );
        return Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, words));
    };
    let job = visit.job(&user.id, &json!({}))?;
    forget_ended(&job, user).await?;
    let mut body =
        json!({ "user_id": user.id, "duration": length, "metadata": { MARK: true, METHOD: user.method } });
    match purpose {
        Purpose::Manage => body["allowed_routes"] = json!(ROUTES),
        Purpose::Call(team) => body["team_id"] = json!(team),
    }
    let fields = Fields::read(body.to_string().as_bytes()).map_err(unmade)?;
    let (_, key) = job.issue_key(fields).await.map_err(unmade)?;
    let base = visit.base().unwrap_or_default();
    Ok(Session { key, ends: visit.now.saturating_add(lasts), user: user.clone(), base })
}

/// Keys of sessions that are over are of no use to anybody.
async fn forget_ended(job: &Job, user: &User) -> Step<()> {
    let ended = KeyQuery {
        user_id: Some(user.id.clone()),
        expires_before: Some(job.moment.now),
        ..KeyQuery::default()
    };
    let mut keys = job.all_keys(ended).await.map_err(unmade)?;
    keys.retain(|key| is_session(&key.settings.metadata));
    let names: Vec<KeyName> = keys.into_iter().map(|key| KeyName::Hash(key.hash)).collect();
    if !names.is_empty() {
        job.delete_keys(&names).await.map_err(unmade)?;
    }
    Ok(())
}

/// Whether a key is a session's.
pub(super) fn is_session(metadata: &JsonMap) -> bool {
    metadata.get(MARK) == Some(&Value::Bool(true))
}

/// How the user of a session signed in.
pub(super) fn method_of(metadata: &JsonMap) -> Option<&str> {
    metadata.get(METHOD).filter(|_| is_session(metadata))?.as_str()
}

impl Session {
    /// What its holder is told.
    pub(super) fn reply(self, visit: &Visit) -> Reply {
        self.reply_with(visit, &json!({}))
    }

    /// The same, and something besides.
    pub(super) fn reply_with(self, visit: &Visit, more: &Value) -> Reply {
        let expires = view::time(Some(self.ends));
        let User { id, email, role, method } = &self.user;
        let token = wrapped(&self.user, &self.key, self.ends);
        let url = format!("{}/ui/?login=success", self.base);
        let mut value = json!({
            "redirect_url": url,
            "login_url": url,
            "token": token,
            "key": self.key,
            "token_type": "Bearer",
            "expires": expires,
            "user_id": id,
            "user_email": email,
            "user_role": role,
            "login_method": method,
        });
        for (name, more) in more.as_object().into_iter().flatten() {
            value[name] = more.clone();
        }
        let who = email.as_deref().unwrap_or(id);
        let page = page::signed_in(who, role, &self.key, expires.as_str().unwrap_or_default());
        let secure = if visit.is_secure() { "; Secure" } else { "" };
        let seconds = self.ends.saturating_sub(visit.now) / 1_000;
        let cookie = format!("token={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
        Reply::json(value).with_page(page).with_cookie(cookie)
    }

    /// Seconds until it ends.
    pub(super) fn lasts(&self, now: i64) -> i64 {
        self.ends.saturating_sub(now) / 1_000
    }
}

/// The token of LiteLLM's UI, which wraps a key. It is signed as such tokens are, with a secret that nobody has: the
/// gateway takes keys, not this, and the master key must not be guessed from it.
pub(super) fn wrapped(user: &User, key: &str, ends: i64) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let User { id, email, role, method } = user;
    let claims = json!({
        "user_id": id,
        "key": key,
        "user_email": email,
        "user_role": role,
        "login_method": method,
        "premium_user": true,
        "auth_header_name": "Authorization",
        "disabled_non_admin_personal_key_creation": false,
        "server_root_path": "",
        "password_reset_required": false,
        "exp": ends / 1_000,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
    let secret: [u8; 32] = std::array::from_fn(|_| fastrand::u8(..));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// `/session/logout`: deletes the key of the session that asks.
pub(super) async fn end(visit: &Visit) -> Step<Reply> {
    let refused = |why: &str| Err(Refused::new(StatusCode::BAD_REQUEST, why));
    let Some(Caller::Key(entry)) = &visit.caller else { return refused("the master key is no session") };
    let settings = &entry.record.settings;
    if !is_session(&settings.metadata) {
        return refused("this key is no session");
    }
    let by = settings.user_id.clone().unwrap_or_default();
    let hash: KeyHash = entry.record.hash.clone();
    visit.job(&by, &json!({}))?.delete_keys(&[KeyName::Hash(hash)]).await.map_err(unmade)?;
    let url = visit.env().value("PROXY_LOGOUT_URL");
    Ok(Reply::json(json!({ "message": "signed out", "redirect_url": url })))
}
