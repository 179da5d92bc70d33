//! Oracle Cloud Infrastructure: each request is signed with a user's API key, or with the key of a session whose
//! token says who it is: a user's sign-in, or a function or job that Oracle runs (a resource principal).
//!
//! Vendor's pages: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm> (HTTP
//! signatures, draft-cavage-http-signatures-08, `rsa-sha256`),
//! <https://docs.oracle.com/en-us/iaas/Content/API/SDKDocs/clitoken.htm> (key id `ST$<token>`).

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue};
use llm_types::{HttpRequest, Result};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::fetch::http_date;
use super::given::fault;
use super::{Given, Held, Key, SigningKey, jwt};

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

impl OciKey {
    /// What signs for the user.
    pub(super) fn signer(&self) -> Signer {
        let id = format!("{}/{}/{}", self.tenancy, self.user, self.fingerprint);
        Signer { id, key: self.key.clone() }
    }
}

/// A session: a token, and the key that signs for it. Files are read at each fetch, for others replace them.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The token.
    pub token: Given,
    /// The private key, as PEM.
    pub key: Given,
}

/// A token that does not say when it ends is read again after this time.
const UNSTATED: Duration = Duration::from_secs(600);

impl Session {
    /// What signs until the token ends.
    pub(super) fn read(&self, now: SystemTime) -> Result<Held> {
        let (token, pem) = (self.token.read()?, self.key.read()?);
        let key = SigningKey::from_pem(pem.reveal())
            .map_err(|why| fault(format!("the key of a session of Oracle Cloud is {why}")))?;
        let end = jwt::claims(token.reveal()).get("exp").and_then(Value::as_u64);
        let end = end.map_or(now + UNSTATED, |end| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(end.min(100_000_000_000))
        });
        if end <= now {
            return Err(fault("the token of a session of Oracle Cloud has ended: sign in again"));
        }
        let id = format!("ST${}", token.reveal());
        Ok(Held::new(Key::Oci(Signer { id, key }), Some(end), now))
    }
}

/// What signs requests.
#[derive(Clone)]
pub struct Signer {
    /// Who signs, as Oracle Cloud knows it. The token of a session is part of it.
    id: String,
    key: SigningKey,
}

impl Signer {
    /// The token of a session.
    pub(super) fn token(&self) -> Option<&str> {
        self.id.strip_prefix("ST$")
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// Signs a request: sets `date`, `x-content-sha256` and `authorization`.
pub(crate) fn sign(request: &mut HttpRequest, signer: &Signer, now: SystemTime) -> Result<()> {
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
    let signature = STANDARD.encode(signer.key.sign(text.as_bytes())?);
    let id = &signer.id;
    let said = format!(
        "Signature version=\"1\",keyId=\"{id}\",algorithm=\"rsa-sha256\",headers=\"{SIGNED}\",\
         signature=\"{signature}\""
    );
    let mut said = HeaderValue::try_from(said).map_err(|_| {
        fault("tenancy, user, fingerprint or token hold a character that no header may carry")
    })?;
    said.set_sensitive(true);
    request.headers.insert(DATE, HeaderValue::try_from(date).expect("a date is ASCII"));
    request.headers.insert(DIGEST, HeaderValue::try_from(digest).expect("base64 is ASCII"));
    request.headers.insert(AUTHORIZATION, said);
    Ok(())
}

#[cfg(test)]
mod tests;
