//! Identity tokens of Keycloak, for a client of its own (RFC 6749 §4.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use llm_types::{Result, Secret, Transport};
use serde_json::Value;

use super::super::fetch::{Ask, escape, strange};
use super::refusal;

/// Whom messages name.
const WHOM: &str = "Keycloak's token service";

/// The client, and where it asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Keycloak {
    /// Where.
    pub url: String,
    /// The client.
    pub client: String,
    /// Its secret.
    pub secret: Secret,
    /// How the secret is told.
    pub proof: Proof,
    /// For what the token is wanted.
    pub scope: Option<String>,
}

/// How a client tells its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// In the header `authorization` (`client_secret_basic`).
    Header,
    /// In the form (`client_secret_post`).
    Form,
}

impl Keycloak {
    pub(super) async fn token(&self, transport: &dyn Transport) -> Result<Secret> {
        let mut pairs = vec![("grant_type", "client_credentials")];
        if self.proof == Proof::Form {
            pairs.extend([("client_id", self.client.as_str()), ("client_secret", self.secret.reveal())]);
        }
        pairs.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let mut ask = Ask::post(WHOM, &self.url).form(&pairs);
        let basic = self.basic();
        if self.proof == Proof::Header {
            ask = ask.header(AUTHORIZATION, &format!("Basic {basic}"))?;
        }
        let (status, text) = ask.answer(transport).await?;
        if !status.is_success() {
            let mut escaped = String::new();
            escape(self.secret.reveal(), &mut escaped);
            return Err(refusal(WHOM, status, &text, &[self.secret.reveal(), &escaped, &basic]));
        }
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| strange(WHOM, "no `access_token`"))?;
        Ok(Secret::new(token.to_owned()))
    }

    /// Name and secret, each percent-encoded first (RFC 6749 §2.3.1): they may hold colons.
    fn basic(&self) -> String {
        let mut pair = String::new();
        escape(&self.client, &mut pair);
        pair.push(':');
        escape(self.secret.reveal(), &mut pair);
        STANDARD.encode(pair)
    }
}
