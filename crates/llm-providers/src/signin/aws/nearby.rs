//! Keys of the container or instance this process runs on.

use http::{HeaderName, Method};
use llm_types::{Result, Secret, Transport};
use serde_json::Value;

use super::{AwsKeys, Found};
use crate::signin::Given;
use crate::signin::fetch::{Ask, strange, time};

const CONTAINER: &str = "the container's credentials endpoint";
const INSTANCE: &str = "the instance's metadata service";
/// Where an instance's metadata name its role.
const ROLES: &str = "latest/meta-data/iam/security-credentials/";

/// Keys of the task a container runs.
pub(super) async fn container(transport: &dyn Transport, url: &str, token: Option<&Given>) -> Result<Found> {
    let mut ask = Ask::get(CONTAINER, url).nearby();
    if let Some(token) = token {
        ask = ask.header(http::header::AUTHORIZATION, token.read()?.reveal())?;
    }
    read(CONTAINER, &ask.value(transport).await?)
}

/// Keys of the role of an instance (IMDSv2: a token of the session first).
pub(super) async fn instance(transport: &dyn Transport, endpoint: &str) -> Result<Found> {
    let endpoint = endpoint.trim_end_matches('/');
    let token_url = format!("{endpoint}/latest/api/token");
    let ask = Ask::get(INSTANCE, &token_url).method(Method::PUT).nearby();
    let life = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
    let token = ask.header(life, "21600")?.text(transport).await?;
    let header = HeaderName::from_static("x-aws-ec2-metadata-token");
    let roles_url = format!("{endpoint}/{ROLES}");
    let roles = Ask::get(INSTANCE, &roles_url).nearby().header(header.clone(), token.trim())?;
    let roles = roles.text(transport).await?;
    let role = roles.lines().map(str::trim).find(|line| !line.is_empty());
    let role = role.ok_or_else(|| strange(INSTANCE, "that the instance has no role"))?;
    let url = format!("{endpoint}/{ROLES}{role}");
    let ask = Ask::get(INSTANCE, &url).nearby().header(header, token.trim())?;
    read(INSTANCE, &ask.value(transport).await?)
}

fn read(whom: &str, answer: &Value) -> Result<Found> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| strange(whom, &format!("no `{name}`")));
    let keys = AwsKeys {
        id: needed("AccessKeyId")?,
        secret: Secret::new(needed("SecretAccessKey")?),
        session: text("Token").map(Secret::new),
    };
    let expires = match text("Expiration") {
        Some(text) => Some(time(&text).ok_or_else(|| strange(whom, "no time in `Expiration`"))?),
        None => None,
    };
    Ok((keys, expires))
}
