//! A private RSA key that signs texts (PKCS #1, SHA-256): claims for token services, requests.

mod generate;

use std::fmt;
use std::sync::Arc;

use llm_types::{Result, Secret};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

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
        if pem.contains("ENCRYPTED") {
            return Err("a private key behind a passphrase (`openssl pkey` writes it without)".to_owned());
        }
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

    /// The public part: an `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub(super) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public part as certificates hold it: a `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7).
    pub(super) fn spki(&self) -> Vec<u8> {
        // What follows is a string of bits, all of whose bytes are used.
        let bits = [&[0], self.public()].concat();
        der(0x30, &[RSA_ENCRYPTION, &der(0x03, &bits)].concat())
    }

    /// The SHA-256 digest of [`SigningKey::spki`].
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.spki()).into()
    }
}

/// The algorithm of the key: `rsaEncryption`, without parameters.
const RSA_ENCRYPTION: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A value of DER: tag, length, content.
pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    match length {
        [] => out.push(0),
        [short @ 0..0x80] => out.push(*short),
        long => {
            let bytes = u8::try_from(long.len()).expect("a length has eight bytes at most");
            out.push(0x80 | bytes);
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
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
