//! Invited users set a password: a link gives people a form and programs a word, and the password sent with the word
//! begins a session (surface §3.6).

use gateway_db::{Invitation, ScopeId, ScopeKind, ScopeRecord, SlipName};
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::reply::{Refused, Reply, Step};
use super::session::{self, Purpose, User};
use super::{Visit, flow, page, password, unmade};
use crate::admin::invitations::hash_of;
use crate::admin::{scope_view, teams};
use crate::identity::hash_password;

/// Words that links gave.
const WORDS: &str = "onboarding";
/// How long such a word holds, milliseconds.
const WORD_LASTS: i64 = 15 * 60_000;

/// `/onboarding/get_token`: what somebody with a link sets a password with. Looking at it uses nothing up.
pub(super) async fn begin(visit: &Visit) -> Step<Reply> {
    let link = visit.param("invite_link").ok_or_else(|| Refused::missing("query", &["invite_link"]))?;
    let invitation = open(visit, &link).await?;
    let user = invited(visit, &invitation).await?;
    let word = flow::word().map_err(Refused::failed)?;
    let until = visit.now.saturating_add(WORD_LASTS).min(invitation.expires_at);
    visit.note(&slip(&word), &invitation.id, until).await?;
    let token = session::wrapped(&user, &word, until);
    let base = visit.base().unwrap_or_default();
    let form = page::set_password(&link, &user.id, &word, user.email.as_deref().unwrap_or(&user.id));
    Ok(Reply::json(json!({
        "login_url": format!("{base}/ui/onboarding?user_id={}&token={token}", user.id),
        "token": token,
        "user_email": user.email,
    }))
    .with_page(form))
}

/// `/onboarding/claim_token`: sets the password, once for each invitation.
pub(super) async fn claim(visit: &Visit) -> Step<Reply> {
    let names = ["invitation_link", "user_id", "password"];
    let [link, user_id, password] = names.map(|name| visit.field(name));
    let (Some(link), Some(user_id), Some(password)) = (&link, &user_id, &password) else {
        let lacks: Vec<&str> = names
            .into_iter()
            .zip([&link, &user_id, &password])
            .filter(|(_, has)| has.is_none())
            .map(|(name, _)| name)
            .collect();
        return Err(Refused::missing("body", &lacks));
    };
    let invitation = open(visit, link).await?;
    if invitation.user_id != *user_id {
        let shown: String = user_id.chars().take(200).collect();
        return Err(denied(format!(
            "Invalid invitation link. The user submitting this form does not match the user this link is attached \
             to. Got={shown}"
        )));
    }
    let word = presented(visit).ok_or_else(|| denied("Missing onboarding session."))?;
    let bound = visit.db()?.slip(&slip(&word), visit.now).await.map_err(Refused::failed)?;
    if bound.as_ref() != Some(&invitation.id) {
        return Err(denied("Invalid onboarding session for invitation link."));
    }
    let user = invited(visit, &invitation).await?;
    let hash = hashed(visit, password).await?;
    let job = visit.job(&user.id, &json!({}))?;
    if !job.db.accept_invitation(&invitation, &hash, visit.now).await.map_err(Refused::failed)? {
        return Err(denied(USED));
    }
    let record = record(visit, &user.id).await?;
    let teams = teams::teams_of(&job, &user.id).await.map_err(unmade)?;
    let row = Value::Object(scope_view::user(&record, job.spent(&record), &teams));
    let session = session::begin(visit, &user, Purpose::Manage).await?;
    Ok(session.reply_with(visit, &json!({ "user": row })))
}

const USED: &str = "Invitation link has already been used.";

/// The hash of a new password, if it is one as passwords must be.
pub(super) async fn hashed(visit: &Visit, chosen: &str) -> Step<String> {
    if let Some(lacks) = visit.snapshot.config.general.passwords.lacks(chosen) {
        let why = format!("The password lacks: {lacks}.");
        return Err(Refused::told(StatusCode::BAD_REQUEST, why));
    }
    let chosen = chosen.to_owned();
    password::hashing(|| Ok(()), move || hash_password(&chosen)).await?.map_err(Refused::failed)
}

/// The invitation of a link that may still be made use of.
async fn open(visit: &Visit, link: &str) -> Step<Invitation> {
    let found = visit.db()?.invitation(&hash_of(link)).await.map_err(Refused::failed)?;
    let invitation = found.ok_or_else(|| denied("Invitation link does not exist in db."))?;
    if invitation.accepted_at.is_some() {
        return Err(denied(USED));
    }
    if invitation.expires_at <= visit.now {
        return Err(denied("Invitation link has expired."));
    }
    Ok(invitation)
}

async fn record(visit: &Visit, id: &str) -> Step<ScopeRecord> {
    let found = visit.db()?.scope(&ScopeId::new(ScopeKind::User, id)).await.map_err(Refused::failed)?;
    found.ok_or_else(|| denied("User does not exist in db."))
}

/// Whom an invitation is for.
async fn invited(visit: &Visit, invitation: &Invitation) -> Step<User> {
    let record = record(visit, &invitation.user_id).await?;
    if record.settings.blocked {
        return Err(denied(format!("User={} is blocked or was deactivated", invitation.user_id)));
    }
    Ok(User::by_password(&record))
}

/// The word that a program presents as a key, and a form as a field.
fn presented(visit: &Visit) -> Option<String> {
    let header = visit.head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer =
        header.and_then(|text| text.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, word)| word.trim().to_owned()).or_else(|| visit.field("token"))
}

/// The database keeps what proves a word, not the word.
fn slip(word: &str) -> SlipName {
    SlipName { kind: WORDS, name: hash_of(word) }
}

fn denied(why: impl Into<String>) -> Refused {
    Refused::told(StatusCode::UNAUTHORIZED, why)
}
