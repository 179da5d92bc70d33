//! Snowflake's key-pair authentication: a user signs a JSON web token with the private half of a key pair, the
//! public half of which the account knows.
//!
//! Vendor's page: <https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use llm_types::Result;
use serde_json::json;

use super::{Held, SigningKey, fetch, jwt};

/// The longest life the vendor allows a token.
const LIFE: Duration = Duration::from_secs(3_600);
/// The header that says what kind of token signs in.
const KIND: HeaderName = HeaderName::from_static("x-snowflake-authorization-token-type");

/// A user and its key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPair {
    /// The account's identifier, as it stands in its URL.
    pub account: String,
    /// The user's name.
    pub user: String,
    /// The private key.
    pub key: SigningKey,
}

impl KeyPair {
    /// A token that holds from `now`.
    pub(super) fn sign(&self, now: SystemTime) -> Result<Held> {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let name = format!("{}.{}", locator(&self.account), self.user.to_uppercase());
        let claims = json!({
            "iss": format!("{name}.SHA256:{}", STANDARD.encode(self.key.digest())),
            "sub": name,
            "iat": seconds,
            "exp": seconds + LIFE.as_secs(),
        });
        let token = jwt::signed(&self.key, None, &claims)?;
        let mut held = Held::new(fetch::bearer(token.reveal())?, Some(now + LIFE), now);
        held.headers.push((KIND, HeaderValue::from_static("KEYPAIR_JWT")));
        Ok(held)
    }
}

/// The account in capitals, without its region: `xy12345.us-east-1` is `XY12345`. A name of the whole world's
/// (`acme-1a2b.global`) ends before its dash.
fn locator(account: &str) -> String {
    let end = if account.contains(".global") { '-' } else { '.' };
    account.split(end).next().unwrap_or_default().to_uppercase()
}

#[cfg(test)]
mod tests;
