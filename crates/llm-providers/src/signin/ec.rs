//! A private key on the curve P-256 that signs texts (ECDSA, SHA-256), and the public set it is known by.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llm_types::{Result, Secret};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::given::fault;

/// What stands before a key of RFC 5915 to make it one of PKCS #8: the version, and `id-ecPublicKey` on `prime256v1`.
const AS_PKCS8: &[u8] = &[
    0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// What is wrong with most keys that cannot be used.
const UNUSABLE: &str = "a key that cannot be used: one on the curve P-256 with its public half is wanted, as \
                        `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes them";

/// A private key on P-256, read once.
#[derive(Clone)]
pub struct EcKey {
    pair: Arc<EcdsaKeyPair>,
    pem: Secret,
}

impl EcKey {
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
        let der = match &der {
            PrivateKeyDer::Pkcs8(der) => der.secret_pkcs8_der().to_vec(),
            PrivateKeyDer::Sec1(der) => {
                let key = super::rsa::der(0x04, der.secret_sec1_der());
                super::rsa::der(0x30, &[AS_PKCS8, &key].concat())
            }
            _ => return Err("an RSA key, where one on the curve P-256 is wanted".to_owned()),
        };
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new());
        let pair = pair.map_err(|_| UNUSABLE.to_owned())?;
        Ok(Self { pair: Arc::new(pair), pem: Secret::new(pem.to_owned()) })
    }

    /// The signature of a text, as tokens hold it (RFC 7518 §3.4).
    pub(super) fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        let signature = self.pair.sign(&SystemRandom::new(), text);
        signature
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| fault("the private key cannot sign"))
    }

    /// The id of the key: its thumbprint (RFC 7638).
    pub(super) fn id(&self) -> String {
        let [x, y] = self.point();
        // The members in the order that the thumbprint wants, without spaces.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    /// The set of public keys that verifies what this one signs (RFC 7517 §5).
    #[must_use]
    pub fn public_set(&self) -> Value {
        let [x, y] = self.point();
        let key = json!({
            "crv": "P-256",
            "kty": "EC",
            "x": x,
            "y": y,
            "use": "sig",
            "alg": "ES256",
            "kid": self.id(),
        });
        json!({ "keys": [key] })
    }

    /// The two coordinates of the public half.
    fn point(&self) -> [String; 2] {
        // An uncompressed point: a mark, and 32 bytes each (SEC 1, 2.3.3).
        let public = self.pair.public_key().as_ref();
        let (x, y) = public[1..].split_at(32);
        [URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)]
    }
}

impl PartialEq for EcKey {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem
    }
}

impl fmt::Debug for EcKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcKey(***)")
    }
}

#[cfg(test)]
pub(super) mod tests;
