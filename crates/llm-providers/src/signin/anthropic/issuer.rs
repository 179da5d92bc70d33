//! Identity tokens that this process signs itself, verified by the set of public keys that is left with Anthropic.

use std::time::{Duration, SystemTime};

use llm_types::{Result, Secret};
use serde_json::{Value, json};

use super::super::{EcKey, jwt};
use crate::uuid::uuid;

/// Who signs identity tokens, and what they say.
#[derive(Debug, Clone, PartialEq)]
pub struct Issuer {
    /// The issuer's URL (`iss`).
    pub url: String,
    /// Whom they speak for (`sub`).
    pub subject: String,
    /// Whom they are for (`aud`).
    pub audience: Option<String>,
    /// How long they hold.
    pub life: Duration,
    /// What they are signed with.
    pub key: EcKey,
}

impl Issuer {
    /// A token from `now`, unlike every other.
    pub(super) fn token(&self, now: SystemTime) -> Result<Secret> {
        jwt::signed_on_curve(&self.key, &self.claims(now))
    }

    fn claims(&self, now: SystemTime) -> Value {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims = json!({
            "sub": self.subject,
            "iss": self.url,
            "iat": seconds,
            "exp": seconds + self.life.as_secs(),
            "jti": uuid(),
        });
        if let Some(audience) = &self.audience {
            claims["aud"] = Value::from(audience.as_str());
        }
        claims
    }
}
