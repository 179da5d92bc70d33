//! Tokens of Microsoft Entra.
//!
//! Vendor's pages: <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>,
//! `v2-oauth-ropc`, and `managed-identities-azure-resources/how-to-use-vm-token`.

use std::time::SystemTime;

use http::HeaderName;
use llm_types::{Result, Secret, Transport};

use super::fetch::{self, Ask, form};
use super::{Given, Held};

/// Whom messages name.
const WHOM: &str = "Microsoft Entra";
/// Where tenants sign in.
pub const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Where virtual machines ask for the token of their managed identity.
pub const INSTANCE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Who asks for a token, and how it proves that.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Entra {
    /// An application of a tenant.
    Application {
        /// Where the tenant signs in: [`AUTHORITY`] or a sovereign cloud's.
        authority: String,
        /// The tenant.
        tenant: String,
        /// The application (client) id.
        client: String,
        /// How the application proves that it is the one.
        proof: Proof,
        /// For what the token is wanted.
        scope: String,
    },
    /// The managed identity of the machine or app this process runs in.
    Managed {
        /// Where to ask: [`INSTANCE`], or `IDENTITY_ENDPOINT` of an app.
        endpoint: String,
        /// `IDENTITY_HEADER` of an app.
        header: Option<Secret>,
        /// The client id of a user-assigned identity.
        client: Option<String>,
        /// For what the token is wanted: a scope.
        scope: String,
    },
}

/// How an application proves that it is the one.
#[derive(Debug, Clone, PartialEq)]
pub enum Proof {
    /// A secret.
    Secret(Secret),
    /// A token of another identity provider that the application trusts (workload identity).
    Assertion(Given),
    /// A user's name and password, and the application's secret if it has one.
    Password(String, Secret, Option<Secret>),
}

impl Entra {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        match self {
            Self::Application { authority, tenant, client, proof, scope } => {
                let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
                let assertion = match proof {
                    Proof::Assertion(given) => given.read()?,
                    Proof::Secret(_) | Proof::Password(..) => Secret::default(),
                };
                let pairs = proof.pairs(client, scope, &assertion);
                let answer = Ask::post(WHOM, &url).form(&pairs).value(transport).await?;
                fetch::held(WHOM, &answer, now)
            }
            Self::Managed { endpoint, header, client, scope } => {
                let answer = managed(transport, endpoint, header.as_ref(), client.as_deref(), scope).await?;
                fetch::held("the managed identity's endpoint", &answer, now)
            }
        }
    }
}

impl Proof {
    fn pairs<'a>(
        &'a self,
        client: &'a str,
        scope: &'a str,
        assertion: &'a Secret,
    ) -> Vec<(&'a str, &'a str)> {
        const JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let mut pairs = vec![("client_id", client), ("scope", scope)];
        match self {
            Self::Secret(secret) => {
                pairs.push(("grant_type", "client_credentials"));
                pairs.push(("client_secret", secret.reveal()));
            }
            Self::Assertion(_) => {
                pairs.push(("grant_type", "client_credentials"));
                pairs.push(("client_assertion_type", JWT));
                pairs.push(("client_assertion", assertion.reveal()));
            }
            Self::Password(user, password, secret) => {
                pairs.push(("grant_type", "password"));
                pairs.push(("username", user));
                pairs.push(("password", password.reveal()));
                pairs.extend(secret.as_ref().map(|secret| ("client_secret", secret.reveal().as_str())));
            }
        }
        pairs
    }
}

/// A managed identity is asked for a resource: a scope without its last part.
async fn managed(
    transport: &dyn Transport,
    endpoint: &str,
    header: Option<&Secret>,
    client: Option<&str>,
    scope: &str,
) -> Result<serde_json::Value> {
    let whom = "the managed identity's endpoint";
    let resource = scope.trim_end_matches("/.default");
    let version = if header.is_some() { "2019-08-01" } else { "2018-02-01" };
    let mut pairs = vec![("api-version", version), ("resource", resource)];
    pairs.extend(client.map(|client| ("client_id", client)));
    let url = format!("{endpoint}?{}", form(&pairs));
    let ask = Ask::get(whom, &url).nearby();
    let ask = match header {
        Some(secret) => ask.header(HeaderName::from_static("x-identity-header"), secret.reveal())?,
        None => ask.header(HeaderName::from_static("metadata"), "true")?,
    };
    ask.value(transport).await
}

#[cfg(test)]
mod tests;
