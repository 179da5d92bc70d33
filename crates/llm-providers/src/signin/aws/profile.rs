//! Profiles: the files that AWS's tools share.
//!
//! Vendor's page: <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>.

use std::collections::HashMap;
use std::path::PathBuf;

use llm_types::{Result, Secret};

use super::{Aws, AwsKeys, Nearby, Role, sts_endpoint};
use crate::signin::Given;
use crate::signin::given::{fault, file};

/// The longest chain of profiles that refer to each other.
const LONGEST_CHAIN: usize = 8;

/// Where the files are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Files {
    /// `~/.aws/credentials`, or what `AWS_SHARED_CREDENTIALS_FILE` says.
    pub credentials: PathBuf,
    /// `~/.aws/config`, or what `AWS_CONFIG_FILE` says.
    pub config: PathBuf,
    /// The region of the token service where the files name none.
    pub region: String,
}

/// Where a profile's keys come from.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] naming the profile that is not in the files, or what in it is not
/// supported.
pub fn from_profile(name: &str, files: &Files, nearby: &Nearby) -> Result<Aws> {
    let profiles = Profiles::read(files)?;
    profiles.source(name, &files.region, nearby, 0)
}

/// All profiles, those of the credentials file over those of the configuration file.
struct Profiles(HashMap<String, HashMap<String, String>>);

impl Profiles {
    fn read(files: &Files) -> Result<Self> {
        let mut profiles = Self(HashMap::new());
        let (config, credentials) = (file(&files.config), file(&files.credentials));
        if let (Err(_), Err(error)) = (&config, &credentials) {
            return Err(error.clone());
        }
        profiles.add(&config.unwrap_or_default());
        profiles.add(&credentials.unwrap_or_default());
        Ok(profiles)
    }

    /// Adds the profiles of a file: `[name]` or `[profile name]`, then `key = value` lines. Lines that begin
    /// with a space belong to the setting before them and are none we need.
    fn add(&mut self, text: &str) {
        let mut current = None;
        for line in text.lines() {
            let bare = line.trim();
            if bare.is_empty() || bare.starts_with(['#', ';']) || line.starts_with([' ', '\t']) {
                continue;
            }
            if let Some(section) = bare.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                let name = section.0.trim();
                let name = name.strip_prefix("profile ").unwrap_or(name).trim();
                current = Some(name.to_owned());
                self.0.entry(name.to_owned()).or_default();
            } else if let (Some(profile), Some((key, value))) = (&current, bare.split_once('=')) {
                let value = value.split(" #").next().unwrap_or_default().trim();
                let members = self.0.entry(profile.clone()).or_default();
                members.insert(key.trim().to_ascii_lowercase(), value.to_owned());
            }
        }
    }

    fn source(&self, name: &str, region: &str, nearby: &Nearby, depth: usize) -> Result<Aws> {
        let Some(profile) = self.0.get(name) else {
            return Err(fault(format!("there is no AWS profile `{name}`")));
        };
        if depth > LONGEST_CHAIN {
            return Err(fault(format!("AWS profile `{name}` refers to itself")));
        }
        let get = |key: &str| profile.get(key).map(String::as_str).filter(|value| !value.is_empty());
        if let Some(arn) = get("role_arn") {
            let region = get("region").unwrap_or(region).to_owned();
            let role = Role {
                arn: arn.to_owned(),
                session: get("role_session_name").unwrap_or("gateway").to_owned(),
                external_id: get("external_id").map(str::to_owned),
                tags: Vec::new(),
                endpoint: sts_endpoint(&region),
                region: region.clone(),
            };
            return match (get("web_identity_token_file"), get("source_profile"), get("credential_source")) {
                (Some(path), _, _) => Ok(Aws::WebIdentity { token: Given::File(path.into()), role }),
                (None, Some(other), _) if other == name => {
                    Ok(Aws::Role { by: Box::new(Aws::Keys(keys_of(name, &get)?)), role })
                }
                (None, Some(other), _) => {
                    let by = self.source(other, &region, nearby, depth + 1)?;
                    Ok(Aws::Role { by: Box::new(by), role })
                }
                (None, None, Some("Ec2InstanceMetadata" | "EcsContainer")) => {
                    Ok(Aws::Role { by: Box::new(Aws::Nearby(nearby.clone())), role })
                }
                (None, None, other) => {
                    let found = other.map_or("nothing".to_owned(), |other| format!("`{other}`"));
                    Err(fault(format!(
                        "AWS profile `{name}`: found {found} to take on its role with, expected \
                         `source_profile`, `web_identity_token_file`, or `credential_source` with \
                         `Ec2InstanceMetadata` or `EcsContainer`"
                    )))
                }
            };
        }
        keys_of(name, &get).map(Aws::Keys)
    }
}

fn keys_of<'p>(name: &str, get: &impl Fn(&str) -> Option<&'p str>) -> Result<AwsKeys> {
    let keys = get("aws_access_key_id").zip(get("aws_secret_access_key"));
    let Some((id, secret)) = keys else {
        let other =
            ["sso_session", "sso_start_url", "credential_process"].into_iter().find(|key| get(key).is_some());
        let found = other.map_or("no keys".to_owned(), |other| format!("`{other}`, which is not supported"));
        return Err(fault(format!(
            "AWS profile `{name}`: found {found}, expected `aws_access_key_id` and `aws_secret_access_key`, or \
             `role_arn`"
        )));
    };
    let session = get("aws_session_token").map(|token| Secret::new(token.to_owned()));
    Ok(AwsKeys { id: id.to_owned(), secret: Secret::new(secret.to_owned()), session })
}
