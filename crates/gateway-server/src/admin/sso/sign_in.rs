//! The way to the provider and back.

use http::StatusCode;
use serde_json::{Map, Value};

use super::flow::{self, Attempt, cookie_of};
use super::person::{self, Person};
use super::provider::{self, Faults, Issuer, Provider};
use super::reply::{Refused, Reply, Step};
use super::session::{self, Purpose};
use super::{Visit, ask, cli, password};
use crate::jwt::{Audience, IdToken, KeysAt, Unproved};

/// Answers that were taken: each once.
const TAKEN: &str = "sso_answer";

/// The provider that is configured.
///
/// # Errors
/// What of it lacks.
pub(super) fn configured(visit: &Visit) -> Result<Option<Provider>, Faults> {
    let jwt = visit.snapshot.config.general.jwt.as_ref();
    provider::of_env(visit.env(), jwt.and_then(|jwt| jwt.fields.team_ids.as_ref()))
}

fn needed(visit: &Visit) -> Step<Provider> {
    let found = configured(visit).map_err(|faults| {
        let Faults { missing, wrong } = faults;
        let words = format!(
            "single sign-on is not configured: it lacks the variables {missing:?} {}",
            wrong.join("; ")
        );
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, words.trim_end())
    })?;
    found.ok_or_else(|| {
        let words = "single sign-on is not configured: set GENERIC_CLIENT_ID, MICROSOFT_CLIENT_ID, GOOGLE_CLIENT_ID or \
                     GITHUB_CLIENT_ID and what belongs to it";
        Refused::new(StatusCode::NOT_FOUND, words)
    })
}

/// The cookie's name. With the prefix browsers take it from this host alone, over TLS.
fn cookie_name(visit: &Visit) -> &'static str {
    if visit.is_secure() { "__Host-gateway_sso" } else { "gateway_sso" }
}

fn cookie(visit: &Visit, value: &str, seconds: i64) -> String {
    let secure = if visit.is_secure() { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", cookie_name(visit))
}

/// Where the provider sends people back to: an address of the configuration, whatever a request says of hosts.
fn redirect(visit: &Visit) -> Step<String> {
    Ok(format!("{}/sso/callback", visit.base()?))
}

/// `/sso/key/generate`: to the provider; to the form for name and password where there is none.
pub(super) async fn begin(visit: &Visit) -> Step<Reply> {
    let login = cli::asked(visit).await?;
    if login.is_none() && matches!(configured(visit), Ok(None)) {
        return password::form(visit);
    }
    let provider = needed(visit)?;
    let attempt = Attempt::begin(visit.now, login).map_err(Refused::failed)?;
    let address = attempt.address(&provider, &redirect(visit)?);
    Ok(Reply::see(address).with_cookie(cookie(visit, &attempt.cookie(), flow::PATIENCE / 1_000)))
}

/// `/sso/callback`.
pub(super) async fn callback(visit: &Visit) -> Step<Reply> {
    let provider = needed(visit)?;
    let attempt =
        cookie_of(&visit.head.headers, cookie_name(visit)).and_then(|own| Attempt::open(own, visit.now));
    let answered =
        attempt.filter(|attempt| attempt.is_answered_by(&visit.param("state").unwrap_or_default()));
    let attempt = answered.ok_or_else(|| {
        let why = "this is the answer to no sign-in of this browser: begin again at /sso/key/generate";
        Refused::new(StatusCode::BAD_REQUEST, why).about("state")
    })?;
    take(visit, &attempt).await?;
    let code = visit.param("code").ok_or_else(|| {
        let why: String = visit.param("error").unwrap_or_default().chars().take(100).collect();
        Refused::new(StatusCode::UNAUTHORIZED, format!("the provider signed nobody in: {why}"))
    })?;
    let said = who(visit, &provider, &attempt, &code).await?;
    let person = person::read(&provider, visit.env(), &said);
    let person = person.map_err(|why| Refused::new(StatusCode::FORBIDDEN, why))?;
    let reply = signed_in(visit, &attempt, &person).await?;
    Ok(reply.with_cookie(cookie(visit, "", 0)))
}

/// An answer is taken once, by whichever gateway it comes to.
async fn take(visit: &Visit, attempt: &Attempt) -> Step<()> {
    let slip = gateway_db::SlipName { kind: TAKEN, name: attempt.state() };
    if visit.note(&slip, "", attempt.until).await? {
        return Ok(());
    }
    let why = "this answer was given before: begin again at /sso/key/generate";
    Err(Refused::new(StatusCode::BAD_REQUEST, why).about("state"))
}

async fn signed_in(visit: &Visit, attempt: &Attempt, person: &Person) -> Step<Reply> {
    let user = session::user(visit, person).await?;
    match &attempt.login {
        Some(login) => cli::confirm(visit, login, &user).await,
        None => session::begin(visit, &user, Purpose::Manage).await.map(|session| session.reply(visit)),
    }
}

/// What the provider says of the person who brought a code.
async fn who(visit: &Visit, provider: &Provider, attempt: &Attempt, code: &str) -> Step<Map<String, Value>> {
    let form = attempt.exchange(provider, &redirect(visit)?, code);
    let transport = &visit.shared.jwt.transport;
    let tokens = ask::tokens(transport, provider, form).await;
    let tokens =
        tokens.map_err(|why| Refused::failed(format!("{} was asked for a token: {why}", provider.name)))?;
    let claims = id_claims(visit, provider, attempt, tokens.id.as_deref()).await?;
    let said = ask::person(transport, provider, &tokens.access).await;
    let said =
        said.map_err(|why| Refused::failed(format!("{} was asked who it is: {why}", provider.name)))?;
    person::together(claims, said).map_err(|why| Refused::new(StatusCode::UNAUTHORIZED, why))
}

/// The claims of the ID token, once it is proved. Providers without OpenID Connect give none.
async fn id_claims(
    visit: &Visit,
    provider: &Provider,
    attempt: &Attempt,
    token: Option<&str>,
) -> Step<Option<Map<String, Value>>> {
    let refused = |why: &str| {
        Refused::new(StatusCode::UNAUTHORIZED, format!("the provider's ID token is refused: {why}"))
            .about("id_token")
    };
    let Some(token) = token else {
        return match provider.keys {
            Some(_) if provider.speaks_openid() => Err(refused("there is none, and its issuer is known")),
            _ => Ok(None),
        };
    };
    let token = IdToken::read(token).map_err(refused)?;
    let issuer = issuer_of(provider, &token).map_err(refused)?;
    let audience = Audience {
        issuer: issuer.as_deref(),
        client: &provider.client_id,
        nonce: &attempt.nonce(),
        now: visit.now,
    };
    token.check(&audience).map_err(refused)?;
    let guessed = provider.keys.is_none();
    let keys = provider.keys.clone().or_else(|| of_same_host(provider, token.text("iss")));
    let Some(keys) = keys else { return Ok(Some(token.into_claims())) };
    match token.prove(&visit.shared, &keys).await {
        Ok(()) => {}
        // The token came from the provider itself, over a connection of ours (OpenID Connect Core §3.1.3.7, 6).
        Err(Unproved::NoKeys) if guessed => {
            tracing::info!(
                "the issuer of an ID token publishes no keys where they are expected: its signature is not looked at"
            );
        }
        Err(Unproved::NoKeys) => return Err(Refused::failed("the provider's public keys cannot be fetched")),
        Err(Unproved::Refuted(why)) => return Err(refused(why)),
    }
    Ok(Some(token.into_claims()))
}

/// Who must have issued the token.
fn issuer_of(provider: &Provider, token: &IdToken<'_>) -> Result<Option<String>, &'static str> {
    let tenant = match &provider.issuer {
        Issuer::Unknown => return Ok(None),
        Issuer::Is(issuer) => return Ok(Some(issuer.clone())),
        Issuer::Microsoft(tenant) => tenant,
    };
    let of = token.text("tid").ok_or("it names no tenant (`tid`)")?;
    // A tenant that is configured by its id is that one; by a name or by `common` the token says which.
    let is_id = tenant.len() == 36 && tenant.bytes().filter(|byte| *byte == b'-').count() == 4;
    if is_id && !tenant.eq_ignore_ascii_case(of) {
        return Err("it is of another tenant (`tid`)");
    }
    Ok(Some(format!("https://login.microsoftonline.com/{of}/v2.0")))
}

/// Where the keys of an issuer are that nobody configured: only on the host that gave the token, which is trusted.
fn of_same_host(provider: &Provider, issuer: Option<&str>) -> Option<KeysAt> {
    let host = |url: &str| {
        let uri: http::Uri = url.parse().ok()?;
        Some((uri.scheme_str()?.to_owned(), uri.authority()?.to_string()))
    };
    let issuer = issuer?;
    (host(issuer)? == host(&provider.token)?).then(|| KeysAt::Issuer(issuer.to_owned()))
}
