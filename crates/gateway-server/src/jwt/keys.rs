//! Public keys of issuers, and what they prove (RFC 7517, RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

use super::token::Token;

/// The most keys that one issuer may have.
const MOST: usize = 100;

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub(super) kid: Option<String>,
    /// The algorithm it is for, where it says so.
    alg: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The keys of a set; those that are for other things or of other kinds are left out. A symmetric key is never taken.
///
/// # Errors
/// When the document is no set of keys.
pub(super) fn read_set(document: &[u8]) -> Result<Vec<PublicKey>, String> {
    let value: Value =
        serde_json::from_slice(document).map_err(|error| format!("it is not JSON: {error}"))?;
    let keys = value.get("keys").and_then(Value::as_array).ok_or("it has no list `keys`")?;
    Ok(keys.iter().filter_map(read).take(MOST).collect())
}

fn read(key: &Value) -> Option<PublicKey> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let point = |length: usize| {
        let (x, y) = (bytes("x")?, bytes("y")?);
        (x.len() == length && y.len() == length).then(|| [&[4], x.as_slice(), &y].concat())
    };
    let material = match (text("kty")?, text("crv")) {
        ("RSA", _) => Material::Rsa { n: bytes("n")?, e: bytes("e")? },
        ("EC", Some("P-256")) => Material::P256(point(32)?),
        ("EC", Some("P-384")) => Material::P384(point(48)?),
        ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x").filter(|x| x.len() == 32)?),
        _ => return None,
    };
    Some(PublicKey { kid: text("kid").map(str::to_owned), alg: text("alg").map(str::to_owned), material })
}

/// Whether tokens may be signed so at all: by keys of which one half is public.
pub(super) fn is_asymmetric(alg: &str) -> bool {
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"].contains(&alg)
}

impl PublicKey {
    /// Whether a token names this key, or none.
    pub(super) fn may_have_signed(&self, token: &Token<'_>) -> bool {
        token.kid.is_none() || token.kid == self.kid
    }

    /// Whether the key proves a token. The kind of key says which algorithms there are, not the token.
    pub(super) fn proves(&self, token: &Token<'_>) -> bool {
        if self.alg.as_ref().is_some_and(|alg| *alg != token.alg) {
            return false;
        }
        let (message, signature) = (token.signed.as_bytes(), &token.signature);
        let rsa = |parameters: &RsaParameters, n: &[u8], e: &[u8]| {
            let n = n.strip_prefix(&[0]).unwrap_or(n);
            RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
        };
        let plain = |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
        };
        match (&self.material, token.alg.as_str()) {
            (Material::Rsa { n, e }, "RS256") => rsa(&RSA_PKCS1_2048_8192_SHA256, n, e),
            (Material::Rsa { n, e }, "RS384") => rsa(&RSA_PKCS1_2048_8192_SHA384, n, e),
            (Material::Rsa { n, e }, "RS512") => rsa(&RSA_PKCS1_2048_8192_SHA512, n, e),
            (Material::Rsa { n, e }, "PS256") => rsa(&RSA_PSS_2048_8192_SHA256, n, e),
            (Material::Rsa { n, e }, "PS384") => rsa(&RSA_PSS_2048_8192_SHA384, n, e),
            (Material::Rsa { n, e }, "PS512") => rsa(&RSA_PSS_2048_8192_SHA512, n, e),
            (Material::P256(key), "ES256") => plain(&ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), "ES384") => plain(&ECDSA_P384_SHA384_FIXED, key),
            (Material::Ed25519(key), "EdDSA") => plain(&ED25519, key),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
