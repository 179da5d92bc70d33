//! A ChatGPT subscription: a user's sign-in left tokens in a file, as LiteLLM and OpenAI's Codex keep them. What
//! has ended is renewed with the refresh token, and the file is written again so that programs share it.
//!
//! Facts: the open source of Codex, <https://github.com/openai/codex> (`codex-rs/login`).

mod device;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue};
use llm_types::{Result, Transport};
use serde_json::Value;

use super::copilot::write_private;
use super::fetch::{self, Ask, strange};
use super::given::{fault, file};
use super::{Held, RENEW, jwt};

pub use device::{Device, ISSUER, keep};

/// Whom messages name.
const WHOM: &str = "OpenAI's token service";
/// Where tokens are renewed.
pub const TOKEN_URL: &str = "https://auth.openai.com/oauth/token";
/// The application of Codex, which subscriptions are open to.
const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// The claim that names the account.
const CLAIM: &str = "https://api.openai.com/auth";
/// The header that names it.
const ACCOUNT: HeaderName = HeaderName::from_static("chatgpt-account-id");

/// Where a user's tokens are.
#[derive(Debug, Clone, PartialEq)]
pub struct Chatgpt {
    /// The file of the tokens.
    pub file: PathBuf,
    /// Where they are renewed.
    pub url: String,
}

impl Chatgpt {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let text = file(&self.file).map_err(|error| {
            let hint = "sign in with `gateway login chatgpt`, or name the file of a sign-in in `CHATGPT_TOKEN_DIR` and \
                        `CHATGPT_AUTH_FILE`";
            let message = format!("{}: {hint}", error.message());
            error.with_message(message)
        })?;
        let mut kept: Value = serde_json::from_str(&text)
            .map_err(|_| fault(format!("`{}` holds no JSON", self.file.display())))?;
        if let Some(held) = held(tokens(&kept), now)? {
            return Ok(held);
        }
        let Some(refresh) = word(tokens(&kept), "refresh_token") else {
            return Err(fault(format!("`{}` has no text `refresh_token`", self.file.display())));
        };
        let asked = [
            ("client_id", CLIENT),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("scope", "openid profile email"),
        ];
        let answer = Ask::post(WHOM, &self.url).form(&asked).value(transport).await?;
        renew(&mut kept, &answer, now);
        let fresh = held(tokens(&kept), now)?.ok_or_else(|| strange(WHOM, "no `access_token` that holds"))?;
        // A refresh token may be good once only: who cannot keep the new one must be told.
        write_private(&self.file, &kept.to_string()).map_err(|why| {
            fault(format!("`{}` cannot be written: {}", self.file.display(), why.kind())).with_source(why)
        })?;
        Ok(fresh)
    }
}

/// The object of the tokens: Codex keeps them in a member.
fn tokens(kept: &Value) -> &Value {
    kept.get("tokens").filter(|tokens| tokens.is_object()).unwrap_or(kept)
}

fn word<'t>(tokens: &'t Value, name: &str) -> Option<&'t str> {
    tokens.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Puts what the service gave in the place of what was kept.
fn renew(kept: &mut Value, answer: &Value, now: SystemTime) {
    let place = if kept.get("tokens").is_some_and(Value::is_object) { &mut kept["tokens"] } else { kept };
    let Some(place) = place.as_object_mut() else { return };
    place.shift_remove("expires_at");
    for name in ["access_token", "refresh_token", "id_token"] {
        if let Some(token) = answer.get(name).filter(|token| token.is_string()) {
            place.insert(name.to_owned(), token.clone());
        }
    }
    if let Some(life) = answer.get("expires_in").and_then(Value::as_u64) {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        place.insert("expires_at".to_owned(), (now.as_secs() + life.min(10_000_000)).into());
    }
}

/// What signs in, if the access token holds a while.
fn held(tokens: &Value, now: SystemTime) -> Result<Option<Held>> {
    let Some(token) = word(tokens, "access_token") else { return Ok(None) };
    let claims = jwt::claims(token);
    let stated = tokens.get("expires_at").and_then(Value::as_u64);
    let end = stated.or_else(|| claims.get("exp").and_then(Value::as_u64));
    let end = end.map(|end| SystemTime::UNIX_EPOCH + Duration::from_secs(end.min(100_000_000_000)));
    if end.is_none_or(|end| end <= now + RENEW) {
        return Ok(None);
    }
    let account = word(tokens, "account_id").map(str::to_owned);
    let claimed = |claims: &Value| claims.get(CLAIM)?.get("chatgpt_account_id")?.as_str().map(str::to_owned);
    let account =
        account.or_else(|| claimed(&claims)).or_else(|| claimed(&jwt::claims(word(tokens, "id_token")?)));
    let mut held = Held::new(fetch::bearer(token)?, end, now);
    if let Some(value) = account.and_then(|account| HeaderValue::try_from(account).ok()) {
        held.headers.push((ACCOUNT, value));
    }
    Ok(Some(held))
}

#[cfg(test)]
mod tests;
