//! Keys of IAM Identity Center: a person has signed in with AWS's tools (`aws sso login`), whose token lies
//! in a file; for it the portal gives keys of a role.
//!
//! Vendor's pages: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>, the API
//! references of the portal (`GetRoleCredentials`) and of OIDC (`CreateToken`).

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use http::HeaderName;
use llm_types::{Error, Result, Secret, Transport};
use ring::digest;
use serde_json::{Map, Value, json};

use super::{AwsKeys, Found};
use crate::signin::fetch::{Ask, form, stamp, strange, time};
use crate::signin::given::{fault, file};

const PORTAL: &str = "AWS's sign-in portal";
const OIDC: &str = "AWS's sign-in service";
/// A token that holds no longer than this is renewed first.
const LAST: Duration = Duration::from_secs(60);

/// A role that a person may take on.
#[derive(Debug, Clone, PartialEq)]
pub struct Sso {
    /// The profile, for messages.
    pub profile: String,
    /// What the token's file is named after: the name of a session, or the start URL of profiles without.
    pub named: String,
    /// Whether `named` is a session: its tokens can be renewed.
    pub is_session: bool,
    /// The region of the portal.
    pub region: String,
    /// The account.
    pub account: String,
    /// The role's name.
    pub role: String,
    /// Where it is asked.
    pub places: Places,
}

/// Where tokens lie and who is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Places {
    /// The folder of tokens: `~/.aws/sso/cache`.
    pub cache: PathBuf,
    /// The portal, where it is not the region's (`AWS_ENDPOINT_URL_SSO`).
    pub portal: Option<String>,
    /// The service that renews tokens, where it is not the region's (`AWS_ENDPOINT_URL_SSO_OIDC`).
    pub oidc: Option<String>,
}

impl Sso {
    /// The keys of the role.
    pub(super) async fn keys(&self, transport: &dyn Transport, now: SystemTime) -> Result<Found> {
        let token = self.token(transport, now).await?;
        let base = self.endpoint(self.places.portal.as_deref(), "portal.sso");
        let query = form(&[("role_name", &self.role), ("account_id", &self.account)]);
        let url = format!("{base}/federation/credentials?{query}");
        let header = HeaderName::from_static("x-amz-sso_bearer_token");
        let answer = Ask::get(PORTAL, &url).header(header, token.reveal())?.value(transport).await?;
        read(&answer)
    }

    /// The person's token; one that is over is renewed where it can be.
    async fn token(&self, transport: &dyn Transport, now: SystemTime) -> Result<Secret> {
        let path = self.path();
        let text = file(&path).map_err(|error| self.signed_out("has not signed in").with_source(error))?;
        let held: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|_| fault(format!("`{}` is no JSON object", path.display())))?;
        let said = |name: &str| held.get(name).and_then(Value::as_str);
        let token = said("accessToken").ok_or_else(|| self.signed_out("has not signed in"))?;
        let until = said("expiresAt").and_then(|text| time(&text.replace("UTC", "Z")));
        if until.is_some_and(|until| now + LAST < until) {
            return Ok(Secret::new(token.to_owned()));
        }
        let renewable = self.is_session && said("refreshToken").is_some() && said("clientId").is_some();
        if renewable {
            return self.renew(transport, &path, held, now).await;
        }
        Err(self.signed_out("signed in too long ago"))
    }

    /// Renews a token and puts the new one where the old one was: it may be renewed once only.
    async fn renew(
        &self,
        transport: &dyn Transport,
        path: &Path,
        mut held: Map<String, Value>,
        now: SystemTime,
    ) -> Result<Secret> {
        let said = |name: &str| held.get(name).cloned().unwrap_or_default();
        let url = format!("{}/token", self.endpoint(self.places.oidc.as_deref(), "oidc"));
        let asked = json!({
            "clientId": said("clientId"), "clientSecret": said("clientSecret"),
            "grantType": "refresh_token", "refreshToken": said("refreshToken"),
        });
        let answer = Ask::post(OIDC, &url).json(&asked).value(transport).await;
        let answer = answer.map_err(|error| self.signed_out("signed in too long ago").with_source(error))?;
        let token = answer.get("accessToken").and_then(Value::as_str);
        let token = token.ok_or_else(|| strange(OIDC, "no `accessToken`"))?.to_owned();
        let life = answer.get("expiresIn").and_then(Value::as_u64).unwrap_or_default();
        held.insert("accessToken".to_owned(), token.as_str().into());
        held.insert("expiresAt".to_owned(), stamp(now + Duration::from_secs(life)).into());
        if let Some(next) = answer.get("refreshToken").filter(|next| next.is_string()) {
            held.insert("refreshToken".to_owned(), next.clone());
        }
        if let Err(error) = replace(path, &Value::Object(held).to_string()) {
            let message = format!("`{}` cannot be written: {}", path.display(), error.kind());
            return Err(fault(message).with_source(error));
        }
        Ok(Secret::new(token))
    }

    /// The file of the token: the SHA-1 of what it is named after.
    fn path(&self) -> PathBuf {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.named.as_bytes());
        let name: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.places.cache.join(format!("{name}.json"))
    }

    fn endpoint(&self, given: Option<&str>, service: &str) -> String {
        let end = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let own = || format!("https://{service}.{}.{end}", self.region);
        given.map_or_else(own, |given| given.trim_end_matches('/').to_owned())
    }

    fn signed_out(&self, what: &str) -> Error {
        let profile = &self.profile;
        fault(format!(
            "nobody is signed in for AWS profile `{profile}`, or somebody {what}: run `aws sso login --profile {profile}`"
        ))
    }
}

/// Replaces a file whole, readable by its owner only.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;

    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(&beside)?.write_all(text.as_bytes())?;
    std::fs::rename(beside, path)
}

fn read(answer: &Value) -> Result<Found> {
    let text = |name: &str| answer.pointer(&format!("/roleCredentials/{name}")).and_then(Value::as_str);
    let needed =
        |name: &str| text(name).map(str::to_owned).ok_or_else(|| strange(PORTAL, &format!("no `{name}`")));
    let keys = AwsKeys {
        id: needed("accessKeyId")?,
        secret: Secret::new(needed("secretAccessKey")?),
        session: text("sessionToken").map(|token| Secret::new(token.to_owned())),
    };
    let until = answer.pointer("/roleCredentials/expiration").and_then(Value::as_u64);
    let until = until.ok_or_else(|| strange(PORTAL, "no time in `expiration`"))?;
    Ok((keys, Some(SystemTime::UNIX_EPOCH + Duration::from_millis(until))))
}

#[cfg(test)]
mod tests;
