//! Secrets of virtual keys: where a request carries one, how it is hashed, how new ones are made.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a whole secret, `sk-` included: what the database stores and the directory is keyed by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyDigest(pub(crate) [u8; 32]);

impl KeyDigest {
    /// The digest of a secret.
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Lower-case hex, as LiteLLM names keys.
    pub(crate) fn to_hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.0
            .iter()
            .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
            .map(char::from)
            .collect()
    }

    /// Reads 64 hex digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether two digests are equal, in time that does not depend on where they differ.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

const LITELLM_API_KEY: HeaderName = HeaderName::from_static("x-litellm-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");
const APIM_KEY: HeaderName = HeaderName::from_static("ocp-apim-subscription-key");

/// How an authorization begins that is a signature of AWS, version 4.
const AWS_SIGNATURE: &[u8] = b"AWS4-HMAC-SHA256";

/// What a request presents as its secret.
#[derive(PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    /// Nothing at all.
    Nothing,
    /// An authorization header without a secret in it.
    Malformed,
    /// These bytes.
    Secret(&'a [u8]),
}

/// The secret a request presents; the first place that has one wins (LiteLLM surface §4.1). A header
/// that the operator configured is looked at before all others.
pub(crate) fn presented<'a>(headers: &'a HeaderMap, configured: Option<&HeaderName>) -> Presented<'a> {
    let usual = [&LITELLM_API_KEY, &AUTHORIZATION, &API_KEY, &X_API_KEY, &GOOG_API_KEY, &APIM_KEY];
    for name in configured.into_iter().chain(usual) {
        let Some(value) = headers.get(name) else { continue };
        let value = value.as_bytes().trim_ascii();
        let signed = value.starts_with(AWS_SIGNATURE).then(|| access_key_id(value).unwrap_or_default());
        let secret = signed.unwrap_or_else(|| without_scheme(value));
        return if secret.is_empty() { Presented::Malformed } else { Presented::Secret(secret) };
    }
    Presented::Nothing
}

/// The access key id of an AWS signature, version 4: what stands before the scope (date, region,
/// service, `aws4_request`) in `Credential=`. `None` when the value is no such signature.
///
/// Clients of Amazon's SDKs sign their requests with a pair of strings of their own; the virtual key is
/// the access key id, as LiteLLM takes it. The signature cannot be proved here: that takes the other
/// string of the pair, which the gateway never had. So the access key id alone is the secret, it travels
/// in the clear like any bearer token, and the connection must be protected as for one. What the
/// signature would say of the body and the time is not looked at.
fn access_key_id(value: &[u8]) -> Option<&[u8]> {
    let rest = value.strip_prefix(AWS_SIGNATURE)?;
    let mut fields = rest.split(|byte| *byte == b',' || *byte == b' ');
    let credential = fields.find_map(|field| field.strip_prefix(b"Credential="))?;
    credential.rsplitn(5, |byte| *byte == b'/').nth(4)
}

/// The value without `Bearer ` or `Basic ` in front.
fn without_scheme(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    for scheme in [b"bearer".as_slice(), b"basic"] {
        if value.len() >= scheme.len() && value[..scheme.len()].eq_ignore_ascii_case(scheme) {
            let rest = &value[scheme.len()..];
            if rest.is_empty() || rest[0] == b' ' {
                return rest.trim_ascii();
            }
        }
    }
    value
}

/// A new secret: `sk-` and 16 random bytes in URL-safe base64, as LiteLLM makes them.
///
/// # Errors
/// When the operating system has no randomness to give.
pub(crate) fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A new random id, as LiteLLM makes them: a UUID of version 4.
pub(crate) fn new_id() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Whether two texts are equal, in time that does not depend on where they differ.
pub(crate) fn same_text(one: &str, other: &str) -> bool {
    KeyDigest::of(one.as_bytes()).same(&KeyDigest::of(other.as_bytes()))
}

/// The shortest secret of which the end is shown, in bytes.
const SHORTEST_SHOWN: usize = 11;

/// How a secret is shown: `sk-...` and its last four characters.
///
/// Of a text too short for a key nothing is shown: four characters would be all of it.
pub(crate) fn masked(secret: &str) -> String {
    if secret.len() < SHORTEST_SHOWN {
        return "sk-...".to_owned();
    }
    let tail: String = secret.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    format!("sk-...{tail}")
}

#[cfg(test)]
mod tests;
