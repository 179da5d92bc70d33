//! `/invitation/*`: links by which users set a password (surface §3.6).

use gateway_db::{Invitation, ScopeId, ScopeKind};
use http::StatusCode;
use serde_json::{Value, json};

use super::job::Job;
use super::refusal::Refusal;
use super::view::time;
use crate::identity::KeyDigest;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationAction {
    New,
    Info,
    Update,
    Delete,
}

/// How long an invitation holds, milliseconds: seven days.
const LASTS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Does what is asked about invitations.
pub(super) async fn run(job: Job, action: InvitationAction) -> Result<Value, Refusal> {
    match action {
        InvitationAction::New => new(&job).await,
        InvitationAction::Info => info(&job).await,
        InvitationAction::Update => update(&job).await,
        InvitationAction::Delete => delete(&job).await,
    }
}

async fn new(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let user = fields.required("user_id");
    fields.finish()?;
    if job.db.scope(&ScopeId::new(ScopeKind::User, &user)).await?.is_none() {
        let message = format!("User id={user} does not exist: make the user by /user/new first");
        return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
    }
    let id = super::sso::new_word().map_err(|why| {
        Refusal::detail(StatusCode::INTERNAL_SERVER_ERROR, format!("there is no randomness: {why}"))
    })?;
    let now = job.moment.now;
    let invitation = Invitation {
        id: hash_of(&id),
        user_id: user,
        accepted_at: None,
        expires_at: now.saturating_add(LASTS),
        created_at: now,
        created_by: job.by.clone(),
        updated_at: now,
        updated_by: job.by.clone(),
    };
    job.db.insert_invitation(&invitation).await?;
    Ok(row(&id, &invitation))
}

async fn info(job: &Job) -> Result<Value, Refusal> {
    let id = job.param("invitation_id").ok_or_else(|| Refusal::missing("invitation_id"))?;
    let found = job.db.invitation(&hash_of(&id)).await?.ok_or_else(unknown)?;
    Ok(row(&id, &found))
}

/// Marks an invitation as made use of, or as good again until it is over.
async fn update(job: &Job) -> Result<Value, Refusal> {
    let mut fields = job.fields()?;
    let id = fields.required("invitation_id");
    let accepted = fields.needs("is_accepted", |fields| fields.flag("is_accepted"));
    fields.finish()?;
    let now = job.moment.now;
    let marked = job.db.mark_invitation(&hash_of(&id), accepted.then_some(now), (now, &job.by)).await?;
    Ok(row(&id, &marked.ok_or_else(unknown)?))
}

async fn delete(job: &Job) -> Result<Value, Refusal> {
    let id = job.fields()?.naming("invitation_id")?;
    let gone = job.db.delete_invitation(&hash_of(&id)).await?.ok_or_else(unknown)?;
    Ok(row(&id, &gone))
}

/// Under what an invitation is kept: whoever reads the database cannot make use of it.
pub(super) fn hash_of(id: &str) -> String {
    KeyDigest::of(id.as_bytes()).to_hex()
}

fn unknown() -> Refusal {
    Refusal::detail(StatusCode::BAD_REQUEST, "Invitation id does not exist in the database.")
}

/// An invitation as LiteLLM shows it.
fn row(id: &str, it: &Invitation) -> Value {
    json!({
        "id": id,
        "user_id": it.user_id,
        "is_accepted": it.accepted_at.is_some(),
        "accepted_at": time(it.accepted_at),
        "expires_at": time(Some(it.expires_at)),
        "created_at": time(Some(it.created_at)),
        "created_by": it.created_by,
        "updated_at": time(Some(it.updated_at)),
        "updated_by": it.updated_by,
    })
}
