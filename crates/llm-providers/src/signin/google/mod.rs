//! Tokens of Google Cloud.
//!
//! Vendor's pages: <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
//! (signed claims for a token), <https://google.aip.dev/auth/4110> and its neighbours (kinds of credentials
//! and their files), <https://cloud.google.com/compute/docs/access/authenticate-workloads> (metadata server).

mod account;
mod file;

use std::time::SystemTime;

use http::{HeaderName, Method};
use llm_types::{Result, Secret, Transport};
use serde_json::{Value, json};

use super::fetch::{self, Ask, strange};
use super::{Given, Held, jwt};

pub use super::SigningKey;
pub use file::project_of;

/// What tokens are asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Whom messages name.
const WHOM: &str = "Google's token service";
/// Where service accounts and users get tokens.
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
/// Where machines of the cloud ask, without the scheme; `GCE_METADATA_HOST` names another.
pub const METADATA_HOST: &str = "metadata.google.internal";

/// Who asks for a token, and how it proves that.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Google {
    /// A service account with its key.
    ServiceAccount {
        /// The account's address.
        email: String,
        /// The id of the key.
        key_id: Option<String>,
        /// The key.
        key: SigningKey,
        /// Where to ask.
        token_url: String,
    },
    /// A user who has signed in with Google's tools.
    User {
        /// The tools' id.
        client: String,
        /// The tools' secret.
        secret: Secret,
        /// What the user's sign-in left.
        refresh: Secret,
        /// Where to ask.
        token_url: String,
    },
    /// The machine this process runs on.
    Metadata {
        /// The metadata server.
        host: String,
    },
    /// Another identity provider that a pool of the project trusts (workload identity federation).
    Federated {
        /// The pool and its provider.
        audience: String,
        /// What kind the other token is.
        kind: String,
        /// Where to exchange it.
        token_url: String,
        /// The other token.
        subject: Subject,
    },
    /// A service account that another credential may speak for.
    Impersonated {
        /// The other credential.
        by: Box<Self>,
        /// Where to ask.
        url: String,
    },
}

/// The token of another identity provider.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// As text or in a file.
    Given(Given),
    /// At a URL, asked with headers; `member` is the member of a JSON answer, the whole text without it.
    Url {
        /// The URL.
        url: String,
        /// Headers to send.
        headers: Vec<(String, Secret)>,
        /// The member of a JSON answer.
        member: Option<String>,
    },
}

impl Google {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let (token, expires) = self.token(transport, now).await?;
        Ok(Held::new(fetch::bearer(token.reveal())?, expires, now))
    }

    fn token<'a>(
        &'a self,
        transport: &'a dyn Transport,
        now: SystemTime,
    ) -> llm_types::BoxFuture<'a, Result<(Secret, Option<SystemTime>)>> {
        Box::pin(async move {
            let answer = match self {
                Self::ServiceAccount { email, key_id, key, token_url } => {
                    let claims = account::claims(email, SCOPE, token_url, now);
                    let signed = jwt::signed(key, key_id.as_deref(), &claims)?;
                    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                    let pairs = [("grant_type", grant), ("assertion", signed.reveal().as_str())];
                    Ask::post(WHOM, token_url).form(&pairs).value(transport).await?
                }
                Self::User { client, secret, refresh, token_url } => {
                    let pairs = [
                        ("grant_type", "refresh_token"),
                        ("client_id", client.as_str()),
                        ("client_secret", secret.reveal()),
                        ("refresh_token", refresh.reveal()),
                    ];
                    Ask::post(WHOM, token_url).form(&pairs).value(transport).await?
                }
                Self::Metadata { host } => metadata(transport, host).await?,
                Self::Federated { audience, kind, token_url, subject } => {
                    exchange(transport, audience, kind, token_url, &subject.read(transport).await?).await?
                }
                Self::Impersonated { by, url } => {
                    let (token, _) = by.token(transport, now).await?;
                    return impersonate(transport, url, &token).await;
                }
            };
            fetch::oauth(WHOM, &answer, now)
        })
    }
}

async fn metadata(transport: &dyn Transport, host: &str) -> Result<Value> {
    let url = format!(
        "http://{host}/computeMetadata/v1/instance/service-accounts/default/token?scopes={}",
        SCOPE.replace(':', "%3A").replace('/', "%2F")
    );
    let ask = Ask::get("Google's metadata server", &url).nearby();
    ask.header(HeaderName::from_static("metadata-flavor"), "Google")?.value(transport).await
}

/// Exchanges a token (RFC 8693).
async fn exchange(
    transport: &dyn Transport,
    audience: &str,
    kind: &str,
    token_url: &str,
    token: &Secret,
) -> Result<Value> {
    let pairs = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", audience),
        ("scope", SCOPE),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", kind),
        ("subject_token", token.reveal()),
    ];
    Ask::post(WHOM, token_url).form(&pairs).value(transport).await
}

/// A service account's token, by the word of another credential.
async fn impersonate(
    transport: &dyn Transport,
    url: &str,
    token: &Secret,
) -> Result<(Secret, Option<SystemTime>)> {
    let whom = "Google's service for impersonation";
    let ask = Ask::post(whom, url).json(&json!({"scope": [SCOPE], "lifetime": "3600s"}));
    let ask = ask.header(http::header::AUTHORIZATION, &format!("Bearer {}", token.reveal()))?;
    let answer = ask.value(transport).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let token = text("accessToken").ok_or_else(|| strange(whom, "no `accessToken`"))?;
    let expires = text("expireTime").and_then(fetch::time);
    let expires = expires.ok_or_else(|| strange(whom, "no time in `expireTime`"))?;
    Ok((Secret::new(token.to_owned()), Some(expires)))
}

impl Subject {
    pub(super) async fn read(&self, transport: &dyn Transport) -> Result<Secret> {
        let (url, headers, member) = match self {
            Self::Given(given) => return given.read(),
            Self::Url { url, headers, member } => (url, headers, member),
        };
        let whom = "the identity provider named in the credentials";
        let mut ask = Ask::get(whom, url).method(Method::GET);
        for (name, value) in headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| strange(whom, "nothing: a header of the credentials has no valid name"))?;
            ask = ask.header(name, value.reveal())?;
        }
        let text = ask.text(transport).await?;
        let Some(member) = member else { return Ok(Secret::new(text.trim().to_owned())) };
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let token = json.get(member).and_then(Value::as_str);
        let token = token.ok_or_else(|| strange(whom, "no token where the credentials say it is"))?;
        Ok(Secret::new(token.to_owned()))
    }
}

#[cfg(test)]
mod tests;
