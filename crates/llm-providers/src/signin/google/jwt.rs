//! Claims of a service account, signed with its key (RFC 7515, RS256).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llm_types::{Result, Secret};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::signin::given::fault;

/// The longest life Google allows signed claims.
const LIFE: Duration = Duration::from_secs(3_600);

/// A private RSA key, read once.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<RsaKeyPair>,
    pem: Secret,
}

impl SigningKey {
    /// Reads a key in PEM.
    ///
    /// # Errors
    /// In words, without the key, what is wrong with it.
    pub fn from_pem(pem: &str) -> Result<Self, String> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| "no private key in PEM (`-----BEGIN PRIVATE KEY-----`)".to_owned())?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err("a key that is no RSA key".to_owned()),
        };
        let pair = pair.map_err(|why| format!("an RSA key that cannot be used: {why}"))?;
        Ok(Self { pair: Arc::new(pair), pem: Secret::new(pem.to_owned()) })
    }

    /// The signed claims.
    pub(super) fn sign(&self, key_id: Option<&str>, claims: &Value) -> Result<Secret> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = key_id {
            header["kid"] = Value::from(id);
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut text = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| fault("the service account's key cannot sign"))?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature, &mut text);
        Ok(Secret::new(text))
    }

    /// The public part, for tests.
    #[cfg(test)]
    pub(super) fn public(&self) -> &[u8] {
        use ring::signature::KeyPair as _;
        self.pair.public_key().as_ref()
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
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
