//! ID tokens that an identity provider gives us as its client (OpenID Connect Core §3.1.3.7).

use std::time::Duration;

use serde_json::{Map, Value};

use super::keys::is_asymmetric;
use super::source::{Verdict, discovery_of};
use super::token::{Expected, Token};
use crate::config::JwtAuth;
use crate::state::Shared;

/// How long keys of providers are good, and by how much clocks may differ.
const FRESH: Duration = Duration::from_secs(600);
const STALE: Duration = Duration::from_secs(3_600);
const LEEWAY: Duration = Duration::from_secs(60);

/// An ID token, taken apart and not believed yet.
pub(crate) struct IdToken<'t>(Token<'t>);

/// Why the signature of a token says nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unproved {
    /// Its issuer's keys cannot be had.
    NoKeys,
    /// It does not hold.
    Refuted(&'static str),
}

/// Who a token must be from and for, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Audience<'e> {
    pub(crate) issuer: Option<&'e str>,
    pub(crate) client: &'e str,
    pub(crate) nonce: &'e str,
    /// Unix milliseconds.
    pub(crate) now: i64,
}

impl<'t> IdToken<'t> {
    /// Takes a token apart. One without a signature, or with one that is made with a shared secret, is none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(token: &'t str) -> Result<Self, &'static str> {
        let token = Token::read(token.as_bytes())?;
        if !is_asymmetric(&token.alg) {
            return Err("Validation fails: The specified alg value is not allowed");
        }
        Ok(Self(token))
    }

    /// A claim.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.claims.get(name)?.as_str()
    }

    /// Every claim.
    pub(crate) fn into_claims(self) -> Map<String, Value> {
        self.0.claims
    }

    /// Checks the signature with the keys at an address, or with those an issuer's discovery document names.
    ///
    /// # Errors
    /// When it does not hold, or there are no keys.
    pub(crate) async fn prove(&self, shared: &Shared, keys: &KeysAt) -> Result<(), Unproved> {
        let auth = JwtAuth { fresh: FRESH, stale: STALE, leeway: LEEWAY, ..JwtAuth::default() };
        let url = match keys {
            KeysAt::Set(url) => url.clone(),
            KeysAt::Issuer(issuer) => discovery_of(issuer),
        };
        let source = shared.jwt.source(&url);
        let mut verdict = source.judge(&self.0, &auth);
        if matches!(verdict, Verdict::NoSuchKey | Verdict::NoKeys) || source.is_due(&auth) {
            source.refresh(&shared.jwt.transport).await;
            verdict = source.judge(&self.0, &auth);
        }
        match verdict {
            Verdict::Proved => Ok(()),
            Verdict::NoKeys => Err(Unproved::NoKeys),
            Verdict::NoSuchKey => Err(Unproved::Refuted("no key of its issuer has signed it")),
            Verdict::Refuted => Err(Unproved::Refuted("its signature does not hold")),
        }
    }

    /// Checks what it claims.
    ///
    /// # Errors
    /// What does not hold.
    pub(crate) fn check(&self, audience: &Audience<'_>) -> Result<(), &'static str> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
        let now = audience.now as f64 / 1_000.0;
        let (issuer, audience_id) = (audience.issuer, Some(audience.client));
        let expected = Expected { issuer, audience: audience_id, now, leeway: LEEWAY.as_secs_f64() };
        expected.check(&self.0.claims)?;
        let several = self.0.claims.get("aud").and_then(Value::as_array).is_some_and(|list| list.len() > 1);
        match self.text("azp") {
            Some(party) if party != audience.client => return Err("it was given to somebody else (`azp`)"),
            None if several => {
                return Err("it has several audiences and does not say whom it was given to (`azp`)");
            }
            _ => {}
        }
        if !crate::identity::same_text(self.text("nonce").unwrap_or_default(), audience.nonce) {
            return Err("it is the answer to another sign-in (`nonce`)");
        }
        Ok(())
    }
}

/// Where public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeysAt {
    /// At this address.
    Set(String),
    /// Where the discovery document of this issuer says.
    Issuer(String),
}

#[cfg(test)]
mod tests;
