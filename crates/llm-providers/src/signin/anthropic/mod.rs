//! Anthropic's workload identity federation: a token of another identity provider buys a short-lived one (RFC 7523).
//!
//! Vendor's pages: <https://platform.claude.com/docs/en/manage-claude/workload-identity-federation> and
//! `wif-reference` beside it.

mod identity;
mod issuer;
mod keycloak;

use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, StatusCode};
use llm_types::{Error, Result, Secret, Transport};
use serde_json::{Map, Value};

use super::fetch::{self, Ask, strange};
use super::{Held, Key};

pub use identity::{FOLDERS, Identity, Place};
pub use issuer::Issuer;
pub use keycloak::{Keycloak, Proof};

/// Whom messages name.
const WHOM: &str = "Anthropic's token service";
/// Where it is, behind the URL of the API.
pub const PATH: &str = "/v1/oauth/token";
/// How the exchange is asked for.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The header of beta features.
const BETAS: HeaderName = HeaderName::from_static("anthropic-beta");
/// What every request with such a token must say there.
const OAUTH: &str = "oauth-2025-04-20";
/// What the exchange must say there: it leads to the service that knows federation.
const EXCHANGE: &str = "oauth-2025-04-20,oidc-federation-2026-04-01";
/// How long a token lives whose answer does not say.
const ASSUMED_LIFE: Duration = Duration::from_secs(60);
/// Answers that repeat so many characters of a secret in a row are not shown.
const REPEATED: usize = 12;

/// Who asks, by which rule, and how it proves that.
#[derive(Debug, Clone, PartialEq)]
pub struct Federation {
    /// Where the exchange is.
    pub url: String,
    /// The federation rule.
    pub rule: String,
    /// The organisation.
    pub organization: String,
    /// The service account that the token acts for.
    pub account: Option<String>,
    /// The workspace that the token is for.
    pub workspace: Option<String>,
    /// Where identity tokens come from.
    pub identity: Identity,
}

impl Federation {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let mut identity = self.identity.token(transport, now).await?;
        let (mut status, mut text) = self.exchange(transport, &identity).await?;
        if status == StatusCode::UNAUTHORIZED {
            // Each identity token is taken once. One that was replaced meanwhile is worth another attempt, the same is not.
            let again = self.identity.token(transport, now).await?;
            if again != identity {
                identity = again;
                (status, text) = self.exchange(transport, &identity).await?;
            }
        }
        if status.is_success() { held(&text, now) } else { Err(self.denied(status, &text, &identity)) }
    }

    async fn exchange(&self, transport: &dyn Transport, identity: &Secret) -> Result<(StatusCode, String)> {
        let ask = Ask::post(WHOM, &self.url).json(&Value::Object(self.body(identity)));
        ask.header(BETAS, EXCHANGE)?.answer(transport).await
    }

    /// What the exchange is asked with.
    fn body(&self, identity: &Secret) -> Map<String, Value> {
        let said = [
            ("grant_type", Some(GRANT)),
            ("federation_rule_id", Some(self.rule.as_str())),
            ("organization_id", Some(self.organization.as_str())),
            ("service_account_id", self.account.as_deref()),
            ("workspace_id", self.workspace.as_deref()),
            ("assertion", Some(identity.reveal().as_str())),
        ];
        said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }

    /// Why there is no token, with what may help: the service words all denials alike.
    fn denied(&self, status: StatusCode, text: &str, identity: &Secret) -> Error {
        let error = refusal(WHOM, status, text, &[identity.reveal()]);
        if status != StatusCode::UNAUTHORIZED {
            return error;
        }
        let mut hints = vec![
            "why is told in the Claude Console only, in the history of the federation rule (an identity token \
             counts once: `jti_reused` says that this one was taken before)",
        ];
        if self.workspace.is_none() {
            hints.push("a rule of several workspaces wants `anthropic_federation_workspace_id`");
        }
        if self.account.is_none() {
            hints.push("`anthropic_service_account_id` is not set");
        }
        let message = format!("{}; {}", error.message(), hints.join("; "));
        error.with_message(message)
    }
}

/// The token of an answer.
fn held(text: &str, now: SystemTime) -> Result<Held> {
    let answer: Value =
        serde_json::from_str(text).map_err(|_| strange(WHOM, "something that is not JSON"))?;
    let kind = answer.get("token_type").and_then(Value::as_str);
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err(strange(WHOM, "a token that is no bearer token"));
    }
    let token = answer.get("access_token").and_then(Value::as_str).map(str::trim);
    let token = token.filter(|token| !token.is_empty()).ok_or_else(|| strange(WHOM, "no `access_token`"))?;
    let life = answer.get("expires_in").and_then(Value::as_u64).filter(|life| *life > 0);
    let life = life.map_or(ASSUMED_LIFE, |life| Duration::from_secs(life.min(10_000_000)));
    let mut held = Held::new(fetch::bearer(token)?, Some(now + life), now);
    held.listed.push((BETAS, HeaderValue::from_static(OAUTH)));
    Ok(held)
}

/// The error behind an answer with an error status; nothing of it is shown where it repeats a secret.
fn refusal(whom: &str, status: StatusCode, text: &str, secrets: &[&str]) -> Error {
    let error = fetch::refused(whom, status, text, &[]);
    if !secrets.iter().any(|secret| repeats(error.message(), secret)) {
        return error;
    }
    let bare = fetch::refused(whom, status, "", &[]);
    let message = format!("{}, and repeats what it was asked with (not shown)", bare.message());
    bare.with_message(message)
}

/// Whether words repeat a longer run of a secret.
fn repeats(words: &str, secret: &str) -> bool {
    let run = REPEATED.min(secret.len());
    run > 0
        && words
            .as_bytes()
            .windows(run)
            .any(|window| std::str::from_utf8(window).is_ok_and(|window| secret.contains(window)))
}

/// The token that a key signs in with.
fn token_of(held: &Held) -> Option<Secret> {
    let Key::Bearer(value) = &held.key else { return None };
    let text = value.to_str().ok()?;
    Some(Secret::new(text.strip_prefix("Bearer ")?.to_owned()))
}

#[cfg(test)]
mod tests;
