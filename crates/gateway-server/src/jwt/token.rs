//! A JWT in its parts, read and not believed yet (RFC 7519, RFC 7515).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The longest token that is looked at, bytes.
pub(crate) const LONGEST: usize = 16 * 1024;

/// A token in its parts.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// What is signed.
    pub(super) signed: &'t str,
    pub(super) signature: Vec<u8>,
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) claims: Map<String, Value>,
}

/// Whether a secret has the look of a JWT: three parts with dots between, and no virtual key.
pub(crate) fn looks_like_jwt(secret: &[u8]) -> bool {
    !secret.starts_with(b"sk-") && secret.iter().filter(|byte| **byte == b'.').count() == 2
}

impl<'t> Token<'t> {
    /// Takes a token apart. Of its header only `alg`, `kid` and `crit` are looked at: a key or a URL that it brings
    /// along (`jwk`, `jku`, `x5c`, `x5u`) is the sender's word for itself.
    ///
    /// # Errors
    /// What is wrong with it, in words for the caller.
    pub(super) fn read(secret: &'t [u8]) -> Result<Self, &'static str> {
        if secret.len() > LONGEST {
            return Err("the token is longer than 16 KB");
        }
        let text = std::str::from_utf8(secret).map_err(|_| "Invalid JWT: it is not text")?;
        let (signed, signature) = text.rsplit_once('.').ok_or("Invalid JWT: it has no signature")?;
        let (header, claims) = signed.split_once('.').ok_or("Invalid JWT: it has no claims")?;
        let header = object(header).ok_or("Invalid JWT: its header is no JSON object in base64url")?;
        let claims = object(claims).ok_or("Invalid JWT: its claims are no JSON object in base64url")?;
        if header.contains_key("crit") {
            return Err("Invalid JWT: its header has extensions (`crit`) that nobody here knows");
        }
        let text = |name: &str| header.get(name).and_then(Value::as_str).map(str::to_owned);
        let signature = URL_SAFE_NO_PAD.decode(signature);
        Ok(Self {
            signed,
            signature: signature.map_err(|_| "Invalid JWT: its signature is not base64url")?,
            alg: text("alg").ok_or("Invalid JWT: its header has no `alg`")?,
            kid: text("kid"),
            claims,
        })
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// What the claims of a token must say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'e> {
    pub(super) issuer: Option<&'e str>,
    pub(super) audience: Option<&'e str>,
    /// Seconds since 1970.
    pub(super) now: f64,
    /// Seconds by which clocks may differ.
    pub(super) leeway: f64,
}

impl Expected<'_> {
    /// Checks the claims that say for whom and when a token is; gives when it ends, in Unix milliseconds. A token
    /// that never ends is refused.
    ///
    /// # Errors
    /// What does not hold, in LiteLLM's words where it has some.
    pub(super) fn check(&self, claims: &Map<String, Value>) -> Result<i64, &'static str> {
        let time = |name: &str, wrong: &'static str| match claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().filter(|time| time.is_finite()).map(Some).ok_or(wrong),
        };
        let ends = time("exp", "Validation fails: `exp` is no number")?;
        let ends = ends.ok_or("Validation fails: Token is missing the \"exp\" claim")?;
        if ends + self.leeway <= self.now {
            return Err("Token Expired");
        }
        let begins = time("nbf", "Validation fails: `nbf` is no number")?;
        let issued = time("iat", "Validation fails: `iat` is no number")?;
        if begins.is_some_and(|at| at > self.now + self.leeway) {
            return Err("Validation fails: The token is not yet valid (nbf)");
        }
        if issued.is_some_and(|at| at > self.now + self.leeway) {
            return Err("Validation fails: The token is not yet valid (iat)");
        }
        if self.issuer.is_some_and(|issuer| claims.get("iss").and_then(Value::as_str) != Some(issuer)) {
            return Err("Validation fails: Invalid issuer");
        }
        if let Some(audience) = self.audience {
            let holds = match claims.get("aud") {
                None => return Err("Validation fails: Token is missing the \"aud\" claim"),
                Some(Value::Array(list)) => list.iter().any(|one| one == audience),
                Some(one) => one == audience,
            };
            if !holds {
                return Err("Validation fails: Audience doesn't match");
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "a float to integer cast saturates")]
        Ok(((ends + self.leeway) * 1_000.0) as i64)
    }
}

#[cfg(test)]
mod tests;
