//! JSON web tokens: claims signed with a key (RFC 7515, RS256 and ES256), and claims of tokens that others signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llm_types::{Result, Secret};
use serde_json::{Value, json};

use super::{EcKey, SigningKey};

/// The signed claims.
pub(super) fn signed(key: &SigningKey, key_id: Option<&str>, claims: &Value) -> Result<Secret> {
    compose("RS256", key_id, claims, |text| key.sign(text))
}

/// The claims, signed with a key on a curve, which the header names.
pub(super) fn signed_on_curve(key: &EcKey, claims: &Value) -> Result<Secret> {
    compose("ES256", Some(&key.id()), claims, |text| key.sign(text))
}

fn compose(
    algorithm: &str,
    key_id: Option<&str>,
    claims: &Value,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<Secret> {
    let mut header = json!({"alg": algorithm, "typ": "JWT"});
    if let Some(id) = key_id {
        header["kid"] = Value::from(id);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut text = format!("{}.{}", part(&header), part(claims));
    let signature = sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut text);
    Ok(Secret::new(text))
}

/// The claims of a token, which its service has checked; nothing where it is none.
pub(super) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
