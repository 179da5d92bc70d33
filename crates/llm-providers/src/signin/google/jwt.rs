//! Claims of a service account, signed with its key (RFC 7515, RS256).

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llm_types::{Result, Secret};
use serde_json::{Value, json};

use crate::signin::SigningKey;

/// The longest life Google allows signed claims.
const LIFE: Duration = Duration::from_secs(3_600);

/// The signed claims.
pub(super) fn signed(key: &SigningKey, key_id: Option<&str>, claims: &Value) -> Result<Secret> {
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = key_id {
        header["kid"] = Value::from(id);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut text = format!("{}.{}", part(&header), part(claims));
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut text);
    Ok(Secret::new(text))
}

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
