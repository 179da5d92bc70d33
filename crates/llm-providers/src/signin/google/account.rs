//! What a service account claims, to be signed with its key.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The longest life Google allows signed claims.
const LIFE: Duration = Duration::from_secs(3_600);

/// What the account claims to the service at `audience`.
pub(super) fn claims(email: &str, scope: &str, audience: &str, now: SystemTime) -> Value {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    json!({
        "iss": email,
        "scope": scope,
        "aud": audience,
        "iat": now.as_secs(),
        "exp": (now + LIFE).as_secs(),
    })
}
