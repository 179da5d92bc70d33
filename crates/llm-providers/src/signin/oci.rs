//! Oracle Cloud Infrastructure: each request is signed with a user's API key, or with the key of a session whose
//! token says who it is: a user's sign-in, a function or job that Oracle runs (a resource principal), or an instance.
//!
//! Vendor's pages: <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm> (HTTP
//! signatures, draft-cavage-http-signatures-08, `rsa-sha256`),
//! <https://docs.oracle.com/en-us/iaas/Content/API/SDKDocs/clitoken.htm> (key id `ST$<token>`).

mod instance;

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, DATE};
use http::{HeaderName, HeaderValue};
use llm_types::{HttpRequest, Result};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use instance::{INSTANCE, Instance};

use super::fetch::http_date;
use super::given::fault;
use super::{Given, Held, Key, SigningKey, jwt};

/// What is signed, in this order.
const SIGNED: [&str; 6] =
    ["date", "(request-target)", "host", "content-length", "content-type", "x-content-sha256"];
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
        held(token.reveal(), key, now)
    }
}

/// A session's token and key, until the token ends.
fn held(token: &str, key: SigningKey, now: SystemTime) -> Result<Held> {
    let end = jwt::claims(token).get("exp").and_then(Value::as_u64);
    let end = end
        .map_or(now + UNSTATED, |end| SystemTime::UNIX_EPOCH + Duration::from_secs(end.min(100_000_000_000)));
    if end <= now {
        return Err(fault("the token of a session of Oracle Cloud has ended: sign in again"));
    }
    Ok(Held::new(Key::Oci(Signer { id: format!("ST${token}"), key }), Some(end), now))
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
    sign_of(&SIGNED, request, signer, now)
}

/// Signs these headers of a request.
fn sign_of(names: &[&str], request: &mut HttpRequest, signer: &Signer, now: SystemTime) -> Result<()> {
    let date = http_date(now);
    let digest = STANDARD.encode(Sha256::digest(&request.body));
    let lines: Vec<String> = names.iter().map(|name| line(name, request, &date, &digest)).collect();
    let signature = STANDARD.encode(signer.key.sign(lines.join("\n").as_bytes())?);
    let (id, signed) = (&signer.id, names.join(" "));
    let said = format!(
        "Signature version=\"1\",keyId=\"{id}\",algorithm=\"rsa-sha256\",headers=\"{signed}\",\
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

/// What is signed of a header.
fn line(name: &str, request: &HttpRequest, date: &str, digest: &str) -> String {
    match name {
        "date" => format!("date: {date}"),
        "(request-target)" => {
            let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
            format!("(request-target): {} {target}", request.method.as_str().to_ascii_lowercase())
        }
        "host" => format!("host: {}", request.uri.authority().map_or("", |authority| authority.as_str())),
        "content-length" => format!("content-length: {}", request.body.len()),
        "x-content-sha256" => format!("x-content-sha256: {digest}"),
        name => {
            let value = request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            format!("{name}: {value}")
        }
    }
}

#[cfg(test)]
mod tests;
