//! Oracle Cloud Infrastructure: each request is signed with a user's API key.
//!
//! Vendor's page: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm> (HTTP
//! signatures, draft-cavage-http-signatures-08, `rsa-sha256`).

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue};
use llm_types::{HttpRequest, Result};
use sha2::{Digest as _, Sha256};

use super::SigningKey;
use super::fetch::http_date;
use super::given::fault;

/// What is signed, in this order.
const SIGNED: &str = "date (request-target) host content-length content-type x-content-sha256";
/// The digest of the body.
const DIGEST: HeaderName = HeaderName::from_static("x-content-sha256");

/// A user's API key.
#[derive(Debug, Clone, PartialEq)]
pub struct OciKey {
    /// The tenancy's id.
    pub tenancy: String,
    /// The user's id.
    pub user: String,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The private key.
    pub key: SigningKey,
}

/// Signs a request: sets `date`, `x-content-sha256` and `authorization`.
pub(crate) fn sign(request: &mut HttpRequest, key: &OciKey, now: SystemTime) -> Result<()> {
    let date = http_date(now);
    let digest = STANDARD.encode(Sha256::digest(&request.body));
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    let host = request.uri.authority().map_or("", |authority| authority.as_str());
    let content_type =
        request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = format!(
        "date: {date}\n(request-target): {} {target}\nhost: {host}\ncontent-length: {}\n\
         content-type: {content_type}\nx-content-sha256: {digest}",
        request.method.as_str().to_ascii_lowercase(),
        request.body.len(),
    );
    let signature = STANDARD.encode(key.key.sign(text.as_bytes())?);
    let id = format!("{}/{}/{}", key.tenancy, key.user, key.fingerprint);
    let said = format!(
        "Signature version=\"1\",keyId=\"{id}\",algorithm=\"rsa-sha256\",headers=\"{SIGNED}\",\
         signature=\"{signature}\""
    );
    let mut said = HeaderValue::try_from(said)
        .map_err(|_| fault("tenancy, user or fingerprint hold a character that no header may carry"))?;
    said.set_sensitive(true);
    request.headers.insert(DATE, HeaderValue::try_from(date).expect("a date is ASCII"));
    request.headers.insert(DIGEST, HeaderValue::try_from(digest).expect("base64 is ASCII"));
    request.headers.insert(AUTHORIZATION, said);
    Ok(())
}

#[cfg(test)]
mod tests;
