//! Instance principals of Oracle Cloud: the metadata service gives an instance a certificate and its key; the
//! tenancy's token service takes a request signed with them for a token of a session, whose key is made here.
//!
//! Vendor's pages: <https://docs.oracle.com/en-us/iaas/Content/Identity/Tasks/callingservicesfrominstances.htm>,
//! <https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm>.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use llm_types::{Result, Transport};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Signer, held, sign_of};
use crate::signin::fetch::{Ask, send, strange};
#[cfg(feature = "hyper")]
use crate::signin::given::fault;
use crate::signin::{Held, SigningKey};

/// Where instances ask for what is known about them.
pub const INSTANCE: &str = "http://169.254.169.254/opc/v2";
/// Whom messages name.
const METADATA: &str = "the instance's metadata service";
const TOKENS: &str = "Oracle Cloud's token service";
/// What is signed here, in this order: no host.
const SIGNED: [&str; 5] = ["date", "(request-target)", "content-length", "content-type", "x-content-sha256"];
/// How a certificate says whose the instance is; the second is said of Oracle's own services.
const TENANCY: [&str; 2] = ["opc-tenant:", "opc-identity:"];

/// The instance this process runs on.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Where its metadata are: [`INSTANCE`].
    pub metadata: String,
    /// Where tokens are given; the service of the instance's region where nothing is said.
    pub tokens: Option<String>,
}

impl Instance {
    /// What signs until the session's token ends.
    pub(in crate::signin) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let service = self.service(transport).await?;
        let leaf = certificate(&self.metadata(transport, "identity/cert.pem").await?)?;
        let key = self.metadata(transport, "identity/key.pem").await?;
        let key = SigningKey::from_pem(&key)
            .map_err(|why| strange(METADATA, &format!("with a key of the instance that is {why}")))?;
        let between = certificate(&self.metadata(transport, "identity/intermediate.pem").await?)?;
        let session = new_key().await?;
        let details = json!({
            "certificate": STANDARD.encode(&leaf),
            "publicKey": STANDARD.encode(session.spki()),
            "intermediateCertificates": [STANDARD.encode(&between)],
            "purpose": "DEFAULT",
            "fingerprintAlgorithm": "SHA256",
        });
        let id = format!("{}/fed-x509-sha256/{}", tenancy(&leaf)?, fingerprint(&leaf));
        let url = format!("{}/v1/x509", service.trim_end_matches('/'));
        let mut request = Ask::post(TOKENS, &url).json(&details).request()?;
        sign_of(&SIGNED, &mut request, &Signer { id, key }, now)?;
        let answer = send(transport, TOKENS, request).await?;
        let answer: Value =
            serde_json::from_str(&answer).map_err(|_| strange(TOKENS, "something that is not JSON"))?;
        let token = answer.get("token").and_then(Value::as_str);
        held(token.ok_or_else(|| strange(TOKENS, "no `token`"))?, session, now)
    }

    /// The token service of the instance's region and realm.
    async fn service(&self, transport: &dyn Transport) -> Result<String> {
        if let Some(tokens) = &self.tokens {
            return Ok(tokens.clone());
        }
        let text = self.metadata(transport, "instance/regionInfo").await?;
        let info: Value =
            serde_json::from_str(&text).map_err(|_| strange(METADATA, "a `regionInfo` that is not JSON"))?;
        let name = |member: &str| {
            let text = info.get(member).and_then(Value::as_str).filter(|text| is_name(text));
            text.ok_or_else(|| strange(METADATA, &format!("a `regionInfo` without `{member}`")))
        };
        Ok(format!("https://auth.{}.{}", name("regionIdentifier")?, name("realmDomainComponent")?))
    }

    async fn metadata(&self, transport: &dyn Transport, path: &str) -> Result<String> {
        let url = format!("{}/{path}", self.metadata.trim_end_matches('/'));
        Ask::get(METADATA, &url).nearby().header(AUTHORIZATION, "Bearer Oracle")?.text(transport).await
    }
}

/// Whether a text may be a part of a host's name, or an id.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// The first certificate of a PEM.
fn certificate(pem: &str) -> Result<Vec<u8>> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes());
    let der = der.map_err(|_| strange(METADATA, "no certificate in PEM (`-----BEGIN CERTIFICATE-----`)"))?;
    Ok(der.as_ref().to_vec())
}

/// Whose the instance is: its certificate's subject says so, in a text whose length stands before it.
fn tenancy(certificate: &[u8]) -> Result<&str> {
    let found = TENANCY.iter().find_map(|words| {
        let at = certificate.windows(words.len()).position(|window| window == words.as_bytes())?;
        let length = usize::from(*certificate.get(at.checked_sub(1)?)?);
        let id = std::str::from_utf8(certificate.get(at + words.len()..at + length)?).ok()?;
        is_name(id).then_some(id)
    });
    found.ok_or_else(|| strange(METADATA, "a certificate that names no tenancy (`opc-tenant:…`)"))
}

/// A certificate's digest, as key ids write it.
fn fingerprint(certificate: &[u8]) -> String {
    let bytes: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// The key of a session, made beside the runtime where there is one.
#[cfg(feature = "hyper")]
async fn new_key() -> Result<SigningKey> {
    if tokio::runtime::Handle::try_current().is_err() {
        return SigningKey::generate();
    }
    let made = tokio::task::spawn_blocking(SigningKey::generate).await;
    made.unwrap_or_else(|_| Err(fault("making the key of a session of Oracle Cloud failed")))
}

#[cfg(not(feature = "hyper"))]
async fn new_key() -> Result<SigningKey> {
    SigningKey::generate()
}

#[cfg(test)]
mod tests;
