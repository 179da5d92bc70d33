//! Command lines sign in, as LiteLLM's does: it shows a code and waits, its user signs in with a browser and types the
//! code there, and it fetches a key (after RFC 8628).

use gateway_db::{ScopeId, ScopeKind, SlipName};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Refused, Reply, Step};
use super::session::{self, Purpose, User};
use super::{Visit, flow, page, unmade};
use crate::admin::teams::teams_of;
use crate::identity::{KeyDigest, same_text};

/// Sign-ins that wait.
const KIND: &str = "cli_login";
/// How often a code may be mistyped.
const TRIES: u8 = 5;
/// What the address of the browser says it is for (`source`).
const SOURCE: &str = "litellm-cli";
/// Who proves that it is the command line that began.
const SECRET: &str = "x-litellm-cli-poll-secret";
/// Letters of codes; none looks like another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A sign-in of a command line. Of what proves something only the digest is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Login {
    poll: String,
    code: String,
    until: i64,
    state: State,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Nobody has signed in.
    Waiting,
    /// Somebody has, and is to type the code.
    Confirming { user: String, ticket: String, wrong: u8 },
    /// The key may be fetched.
    Ready { user: String },
}

fn digest(text: &str) -> String {
    KeyDigest::of(text.as_bytes()).to_hex()
}

fn slip(id: &str) -> SlipName {
    SlipName { kind: KIND, name: id.to_owned() }
}

fn gone() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "this sign-in of a command line is not known or is over: begin again")
}

/// A sign-in as it is kept, and as it was written.
async fn read(visit: &Visit, id: &str) -> Step<(Login, String)> {
    let body = visit.db()?.slip(&slip(id), visit.now).await.map_err(Refused::failed)?.ok_or_else(gone)?;
    let login = serde_json::from_str(&body).map_err(Refused::failed)?;
    Ok((login, body))
}

/// Writes what became of a sign-in, if it is still as it was read.
async fn write(visit: &Visit, id: &str, old: &str, new: &Login) -> Step<()> {
    let new = serde_json::to_string(new).map_err(Refused::failed)?;
    match visit.db()?.change_slip(&slip(id), (old, &new), visit.now).await.map_err(Refused::failed)? {
        true => Ok(()),
        false => Err(gone()),
    }
}

/// `/sso/cli/start`.
pub(super) async fn start(visit: &Visit) -> Step<Reply> {
    let word = || flow::word().map_err(Refused::failed);
    let (id, poll, code) = (format!("cli-{}", word()?), word()?, new_code()?);
    let until = visit.now.saturating_add(flow::PATIENCE);
    let login = Login { poll: digest(&poll), code: digest(&code), until, state: State::Waiting };
    let body = serde_json::to_string(&login).map_err(Refused::failed)?;
    visit.note(&slip(&id), &body, until).await?;
    let url = visit.base().ok().map(|base| format!("{base}/sso/key/generate?source={SOURCE}&key={id}"));
    Ok(Reply::json(json!({
        "login_id": id,
        "poll_secret": poll,
        "user_code": code,
        "verification_uri": url,
        "expires_in": flow::PATIENCE / 1_000,
        "interval": 2,
    })))
}

fn new_code() -> Step<String> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(Refused::failed)?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    let letters: String = bytes.iter().map(letter).collect();
    Ok(format!("{}-{}", &letters[..4], &letters[4..]))
}

/// The sign-in that a browser comes for, if it comes for one.
pub(super) async fn asked(visit: &Visit) -> Step<Option<String>> {
    if visit.param("source").as_deref() != Some(SOURCE) {
        return Ok(None);
    }
    let id = visit.param("key").unwrap_or_default();
    match read(visit, &id).await?.0.state {
        State::Waiting => Ok(Some(id)),
        _ => Err(gone()),
    }
}

/// Somebody has signed in for a command line: the page where its code is typed.
pub(super) async fn confirm(visit: &Visit, id: &str, user: &User) -> Step<Reply> {
    let (login, old) = read(visit, id).await?;
    if !matches!(login.state, State::Waiting) {
        return Err(gone());
    }
    let ticket = flow::word().map_err(Refused::failed)?;
    let state = State::Confirming { user: user.id.clone(), ticket: digest(&ticket), wrong: 0 };
    write(visit, id, &old, &Login { state, ..login }).await?;
    Ok(Reply::page(page::confirm(id, &ticket, user.email.as_deref().unwrap_or(&user.id))))
}

/// `/sso/cli/complete/{login_id}`: the code, from the page of the browser that signed in.
pub(super) async fn complete(visit: &Visit) -> Step<Reply> {
    let id = &visit.named;
    let (login, old) = read(visit, id).await?;
    let State::Confirming { user, ticket, wrong } = &login.state else { return Err(gone()) };
    if !same_text(&digest(&visit.field("ticket").unwrap_or_default()), ticket) {
        return Err(
            Refused::new(StatusCode::FORBIDDEN, "this is not the browser that signed in").about("ticket")
        );
    }
    let typed = visit.field("user_code").unwrap_or_default().trim().to_ascii_uppercase();
    if same_text(&digest(&typed), &login.code) {
        let state = State::Ready { user: user.clone() };
        write(visit, id, &old, &Login { state, ..login }).await?;
        let words = "Your terminal has its key. You may close this page.";
        return Ok(Reply::json(json!({ "status": "ready" })).with_page(page::plain("Signed in", words)));
    }
    let wrong = wrong.saturating_add(1);
    if wrong >= TRIES {
        visit.db()?.take_slip(&slip(id), &old, visit.now).await.map_err(Refused::failed)?;
        return Err(gone());
    }
    let state = State::Confirming { user: user.clone(), ticket: ticket.clone(), wrong };
    write(visit, id, &old, &Login { state, ..login }).await?;
    let words = "this is not the code that the terminal shows: go back and type it again";
    Err(Refused::new(StatusCode::BAD_REQUEST, words).about("user_code"))
}

/// `/sso/cli/poll/{key_id}`.
pub(super) async fn poll(visit: &Visit) -> Step<Reply> {
    let id = &visit.named;
    let (login, old) = read(visit, id).await?;
    let secret = visit.head.headers.get(SECRET).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !same_text(&digest(secret), &login.poll) {
        let words = format!("`{SECRET}` is not what /sso/cli/start gave for this sign-in");
        return Err(Refused::new(StatusCode::FORBIDDEN, words));
    }
    let State::Ready { user } = login.state else { return Ok(Reply::json(json!({ "status": "pending" }))) };
    let user = alive(visit, user).await?;
    let job = visit.job(&user.id, &json!({}))?;
    let teams = teams_of(&job, &user.id).await.map_err(unmade)?;
    let team = match visit.param("team_id") {
        Some(team) if !teams.contains(&team) => {
            let words = format!("team `{team}` is none of {teams:?}, the teams of user `{}`", user.id);
            return Err(Refused::new(StatusCode::FORBIDDEN, words));
        }
        None if teams.len() > 1 => return choose(visit, &user, &teams).await,
        said => said.or_else(|| teams.first().cloned()),
    };
    if !visit.db()?.take_slip(&slip(id), &old, visit.now).await.map_err(Refused::failed)? {
        return Err(gone());
    }
    let session = session::begin(visit, &user, Purpose::Call(team.clone())).await?;
    Ok(Reply::json(json!({
        "status": "ready",
        "key": session.key,
        "user_id": user.id,
        "teams": teams,
        "team_id": team,
        "expires_in": session.lasts(visit.now),
    })))
}

/// The user, unless it was blocked or deleted meanwhile.
async fn alive(visit: &Visit, id: String) -> Step<User> {
    let found = visit.db()?.scope(&ScopeId::new(ScopeKind::User, &id)).await.map_err(Refused::failed)?;
    match found.filter(|user| !user.settings.blocked) {
        Some(user) => {
            let role = user.settings.role.unwrap_or_default();
            Ok(User { id, email: user.settings.email, role, method: "sso" })
        }
        None => Err(Refused::new(StatusCode::FORBIDDEN, format!("User={id} is blocked or was deactivated"))),
    }
}

/// Which of several teams the key is for is the command line's to ask.
async fn choose(visit: &Visit, user: &User, teams: &[String]) -> Step<Reply> {
    let mut details: Vec<Value> = Vec::with_capacity(teams.len());
    for id in teams {
        let team = visit.db()?.scope(&ScopeId::new(ScopeKind::Team, id)).await.map_err(Refused::failed)?;
        let alias = team.and_then(|team| team.settings.alias);
        details.push(json!({ "team_id": id, "team_alias": alias }));
    }
    Ok(Reply::json(json!({
        "status": "ready",
        "requires_team_selection": true,
        "user_id": user.id,
        "teams": teams,
        "team_details": details,
    })))
}
