//! A private RSA key that signs texts (PKCS #1, SHA-256): claims for token services, requests.

use std::fmt;
use std::sync::Arc;

use llm_types::{Result, Secret};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::given::fault;

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

    /// The signature of a text.
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
            .map_err(|_| fault("the private key cannot sign"))?;
        Ok(signature)
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
