//! The steps of signing in (RFC 6749, RFC 7636, OpenID Connect Core): where people are sent, and what comes back. Pure,
//! but for the secrets it makes.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::COOKIE;
use sha2::{Digest as _, Sha256};

use super::provider::Provider;
use crate::admin::query::escaped;
use crate::identity::same_text;

/// How long signing in may take, milliseconds.
pub(super) const PATIENCE: i64 = 10 * 60 * 1_000;

/// One attempt, of one browser: all of it is in the browser's cookie, and what others see of it (`state`, `nonce`, the
/// challenge) is derived from that, so that nothing has to be kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    /// 32 random bytes; the verifier of PKCE.
    secret: String,
    /// When it is over, in Unix milliseconds.
    pub(super) until: i64,
    /// The sign-in of a command line that it is for.
    pub(super) login: Option<String>,
}

impl Attempt {
    /// A new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub(super) fn begin(now: i64, login: Option<String>) -> Result<Self, getrandom::Error> {
        Ok(Self { secret: word()?, until: now.saturating_add(PATIENCE), login })
    }

    /// It as a cookie's value.
    pub(super) fn cookie(&self) -> String {
        format!("{}.{}.{}", self.secret, self.until, self.login.as_deref().unwrap_or_default())
    }

    /// The attempt of a cookie, unless it is over.
    pub(super) fn open(cookie: &str, now: i64) -> Option<Self> {
        let (secret, rest) = cookie.split_once('.')?;
        let (until, login) = rest.split_once('.')?;
        let until = until.parse().ok()?;
        let login = (!login.is_empty()).then(|| login.to_owned());
        (secret.len() == 43 && now < until && until <= now.saturating_add(PATIENCE)).then(|| Self {
            secret: secret.to_owned(),
            until,
            login,
        })
    }

    fn derived(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{purpose}\n{}", self.cookie())))
    }

    /// What the provider gives back.
    pub(super) fn state(&self) -> String {
        self.derived("state")
    }

    /// What the provider puts into its ID token.
    pub(super) fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// Whether the answer is to this attempt; takes the same time wherever they differ.
    pub(super) fn is_answered_by(&self, state: &str) -> bool {
        same_text(&self.state(), state)
    }

    /// What is shown of the verifier (`S256`).
    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.secret.as_bytes()))
    }

    /// Where the browser is sent.
    pub(super) fn address(&self, provider: &Provider, redirect: &str) -> String {
        let join = if provider.authorize.contains('?') { '&' } else { '?' };
        let (state, nonce, challenge) = (self.state(), self.nonce(), self.challenge());
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &provider.client_id),
            ("redirect_uri", redirect),
            ("scope", &provider.scope),
            ("state", &state),
        ];
        if provider.speaks_openid() {
            pairs.push(("nonce", &nonce));
        }
        if provider.pkce {
            pairs.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
        }
        format!("{}{join}{}", provider.authorize, form(&pairs))
    }

    /// What is sent for a code.
    pub(super) fn exchange(&self, provider: &Provider, redirect: &str, code: &str) -> String {
        let mut pairs =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect)];
        if provider.secret_in_form {
            pairs.extend([
                ("client_id", provider.client_id.as_str()),
                ("client_secret", provider.client_secret.reveal()),
            ]);
        }
        if provider.pkce {
            pairs.push(("code_verifier", &self.secret));
        }
        form(&pairs)
    }
}

impl Provider {
    /// The authorization of the question for a token, where the secret is not in the form.
    pub(super) fn authorization(&self) -> Option<String> {
        let pair = format!("{}:{}", self.client_id, self.client_secret.reveal());
        (!self.secret_in_form).then(|| format!("Basic {}", STANDARD.encode(pair)))
    }
}

/// The cookie of this name.
pub(super) fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// 32 random bytes in URL-safe base64.
///
/// # Errors
/// When there is no randomness.
pub(in crate::admin) fn word() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Pairs as a form or a query.
fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests;
