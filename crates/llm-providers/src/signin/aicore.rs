//! SAP AI Core: a token for a service key, and the deployment that orchestrates models.
//!
//! Vendor's pages: <https://help.sap.com/docs/sap-ai-core/sap-ai-core-service-guide/use-service-key>,
//! <https://help.sap.com/docs/sap-ai-core/sap-ai-core-service-guide/get-your-deployment-url>.

use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderName, Uri};
use llm_types::{Error, ErrorKind, Origin, Result, Retry, Transport};
use serde_json::Value;

use super::exchange::Exchanged;
use super::fetch::{Ask, strange};
use super::{Held, Key};

/// Whom messages name.
const WHOM: &str = "SAP AI Core";
/// The scenario and the executable that orchestrate models.
const ORCHESTRATION: &str = "orchestration";

/// Who asks, and where the API is.
#[derive(Debug, Clone, PartialEq)]
pub struct Aicore {
    /// The exchange of the service key for a token.
    pub exchange: Exchanged,
    /// The API's URL where its deployments are to be listed; not where the operator named one.
    pub api: Option<String>,
    /// The resource group.
    pub group: String,
}

impl Aicore {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let held = self.exchange.fetch(transport, now).await?;
        let Some(api) = &self.api else { return Ok(held) };
        let base = self.deployment(transport, api.trim_end_matches('/'), &held.key).await?;
        Ok(held.at(base))
    }

    /// The URL of the newest deployment that orchestrates.
    async fn deployment(&self, transport: &dyn Transport, api: &str, key: &Key) -> Result<Uri> {
        let listed = self.get(transport, &format!("{api}/v2/lm/deployments"), key).await?;
        let text =
            |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let listed = listed.get("resources").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut fit: Vec<&Value> =
            listed.iter().filter(|one| text(one, "scenarioId") == ORCHESTRATION).collect();
        fit.sort_by_key(|one| std::cmp::Reverse(text(one, "createdAt")));
        for one in fit {
            let url = format!("{api}/v2/lm/configurations/{}", text(one, "configurationId"));
            let configuration = self.get(transport, &url, key).await?;
            if text(&configuration, "executableId") == ORCHESTRATION {
                let url = text(one, "deploymentUrl");
                return url.parse().map_err(|_| strange(WHOM, "no URL in `deploymentUrl`"));
            }
        }
        let message = format!("sign-in: {WHOM} has no deployment of orchestration in this resource group");
        Err(Error::new(ErrorKind::Unauthenticated, message)
            .with_origin(Origin::Gateway)
            .with_retry(Retry::Elsewhere))
    }

    async fn get(&self, transport: &dyn Transport, url: &str, key: &Key) -> Result<Value> {
        let Key::Bearer(token) = key else { return Err(strange(WHOM, "no token")) };
        let ask = Ask::get(WHOM, url)
            .header(AUTHORIZATION, token.to_str().unwrap_or_default())?
            .header(HeaderName::from_static("ai-resource-group"), &self.group)?;
        ask.value(transport).await
    }
}

#[cfg(test)]
mod tests;
