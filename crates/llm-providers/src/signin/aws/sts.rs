//! The token service: temporary keys of a role.

use std::time::SystemTime;

use llm_types::{Result, Secret, Transport};

use super::{AwsKeys, Found, Role, sign};
use crate::signin::fetch::{Ask, element, send, strange, time};

/// Whom messages name.
const WHOM: &str = "AWS's token service";
/// The version of its API.
const VERSION: &str = "2011-06-15";

/// Takes on a role with other keys.
pub(super) async fn assume(
    transport: &dyn Transport,
    role: &Role,
    keys: &AwsKeys,
    now: SystemTime,
) -> Result<Found> {
    let named: Vec<(String, String)> = (1..)
        .zip(&role.tags)
        .flat_map(|(number, (name, value))| {
            let member = |part: &str| format!("Tags.member.{number}.{part}");
            [(member("Key"), name.clone()), (member("Value"), value.clone())]
        })
        .collect();
    let mut pairs = vec![
        ("Action", "AssumeRole"),
        ("Version", VERSION),
        ("RoleArn", &*role.arn),
        ("RoleSessionName", &*role.session),
    ];
    pairs.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    pairs.extend(named.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let url = format!("{}/", role.endpoint.trim_end_matches('/'));
    let mut request = Ask::post(WHOM, &url).form(&pairs).request()?;
    sign(&mut request, keys, ("sts", &role.region), now)?;
    read(&send(transport, WHOM, request).await?)
}

/// Takes on a role with a token of another identity provider; such a request is not signed.
pub(super) async fn assume_with_token(
    transport: &dyn Transport,
    role: &Role,
    token: &Secret,
) -> Result<Found> {
    let pairs = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", VERSION),
        ("RoleArn", &*role.arn),
        ("RoleSessionName", &*role.session),
        ("WebIdentityToken", token.reveal()),
    ];
    let url = format!("{}/", role.endpoint.trim_end_matches('/'));
    read(&Ask::post(WHOM, &url).form(&pairs).text(transport).await?)
}

/// The keys in an answer: XML, or JSON where the service heeds `accept`.
fn read(answer: &str) -> Result<Found> {
    let text = |name: &str| element(answer, name).or_else(|| json_text(answer, name));
    let needed = |name: &str| text(name).ok_or_else(|| strange(WHOM, &format!("no `{name}`")));
    let keys = AwsKeys {
        id: needed("AccessKeyId")?,
        secret: Secret::new(needed("SecretAccessKey")?),
        session: Some(Secret::new(needed("SessionToken")?)),
    };
    let expires = needed("Expiration")?;
    // JSON has the time in Unix seconds, at times as a float in scientific notation.
    let seconds = expires.parse::<f64>().ok().map(std::time::Duration::from_secs_f64);
    let expires = time(&expires).or_else(|| seconds.map(|seconds| SystemTime::UNIX_EPOCH + seconds));
    Ok((keys, Some(expires.ok_or_else(|| strange(WHOM, "no time in `Expiration`"))?)))
}

/// A member of the object `Credentials`, wherever that stands.
fn json_text(answer: &str, name: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(answer).ok()?;
    let value = ["AssumeRole", "AssumeRoleWithWebIdentity"]
        .iter()
        .find_map(|action| json.pointer(&format!("/{action}Response/{action}Result/Credentials/{name}")))?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
