//! Keys of AWS: given, from a file, printed by a program, or temporary ones of the token service, the sign-in
//! portal, a container or an instance.
//!
//! Vendor's pages: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>,
//! `API_AssumeRoleWithWebIdentity.html`, <https://docs.aws.amazon.com/sdkref/latest/guide/> (files,
//! environment, containers), and the EC2 user guide on instance metadata version 2.

mod chain;
mod nearby;
mod process;
mod profile;
mod sign;
mod sso;
mod sts;

use std::time::{Duration, SystemTime};

use llm_types::{BoxFuture, Result, Secret, Transport};

use super::{Given, Held, Key};

pub(crate) use chain::chained;
pub use profile::{Files, from_profile};
pub(crate) use sign::{CHAINED, is_chained, sign};
pub use sso::{Places, Sso};

/// Where instances ask for keys.
pub const INSTANCE: &str = "http://169.254.169.254";
/// Where containers ask for keys, before the path in `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
pub const CONTAINER: &str = "http://169.254.170.2";
/// How long keys of a file are used before the file is looked at again: tools replace them.
const FILE_LIFE: Duration = Duration::from_secs(900);

/// Keys to sign with.
#[derive(Debug, Clone, PartialEq)]
pub struct AwsKeys {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
    /// The session token of temporary keys.
    pub session: Option<Secret>,
}

/// Where keys come from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Aws {
    /// They were given.
    Keys(AwsKeys),
    /// A profile of the files that AWS's tools share.
    Profile {
        /// Its name.
        name: String,
        /// The files.
        files: Files,
        /// What the file may refer to: the container or instance this process runs on.
        nearby: Box<Nearby>,
    },
    /// A role, taken on with other keys.
    Role {
        /// The other keys.
        by: Box<Self>,
        /// The role.
        role: Role,
    },
    /// A role, taken on with a token of another identity provider.
    WebIdentity {
        /// The token.
        token: Given,
        /// The role.
        role: Role,
    },
    /// The container or instance this process runs on.
    Nearby(Nearby),
    /// What a program of the operator's prints: its command line.
    Process(Secret),
    /// A role of IAM Identity Center, for a person who has signed in with AWS's tools.
    Sso(Sso),
}

/// A role to take on.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its resource name (ARN).
    pub arn: String,
    /// The name of the session, for audits.
    pub session: String,
    /// A word its owner agreed on with us.
    pub external_id: Option<String>,
    /// Names and values to mark the session with.
    pub tags: Vec<(String, String)>,
    /// The token service's URL.
    pub endpoint: String,
    /// The region of the token service, for signatures.
    pub region: String,
}

/// Services on the machine or its host that hand out keys.
#[derive(Debug, Clone, PartialEq)]
pub enum Nearby {
    /// A container's.
    Container {
        /// Where to ask.
        url: String,
        /// What to say in `authorization`.
        token: Option<Given>,
    },
    /// An instance's metadata, version 2.
    Instance {
        /// [`INSTANCE`], or what `AWS_EC2_METADATA_SERVICE_ENDPOINT` says.
        endpoint: String,
    },
}

/// Keys and until when they hold.
pub(super) type Found = (AwsKeys, Option<SystemTime>);

impl Aws {
    pub(super) async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<Held> {
        let (keys, expires) = self.keys(transport, now).await?;
        Ok(Held::new(Key::Aws(keys), expires, now))
    }

    fn keys<'a>(&'a self, transport: &'a dyn Transport, now: SystemTime) -> BoxFuture<'a, Result<Found>> {
        Box::pin(async move {
            match self {
                Self::Keys(keys) => Ok((keys.clone(), None)),
                Self::Profile { name, files, nearby } => {
                    let (keys, expires) = from_profile(name, files, nearby)?.keys(transport, now).await?;
                    Ok((keys, Some(expires.unwrap_or(now + FILE_LIFE))))
                }
                Self::Role { by, role } => {
                    let (keys, _) = by.keys(transport, now).await?;
                    sts::assume(transport, role, &keys, now).await
                }
                Self::WebIdentity { token, role } => {
                    sts::assume_with_token(transport, role, &token.read()?).await
                }
                Self::Nearby(Nearby::Container { url, token }) => {
                    nearby::container(transport, url, token.as_ref()).await
                }
                Self::Nearby(Nearby::Instance { endpoint }) => nearby::instance(transport, endpoint).await,
                Self::Process(command) => process::keys(command).await,
                Self::Sso(sso) => sso.keys(transport, now).await,
            }
        })
    }
}

/// The token service of a region.
#[must_use]
pub fn sts_endpoint(region: &str) -> String {
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://sts.{region}.{end}")
}

#[cfg(test)]
mod tests;
