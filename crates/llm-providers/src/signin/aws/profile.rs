//! Profiles: the files that AWS's tools share.
//!
//! Vendor's page: <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>.

use std::collections::HashMap;
use std::path::PathBuf;

use llm_types::{Result, Secret};

use super::{Aws, AwsKeys, Nearby, Places, Role, Sso, sts_endpoint};
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
    /// Where the tokens of people who signed in lie, and who is asked for keys.
    pub sso: Places,
}

/// Where a profile's keys come from.
///
/// # Errors
/// [`llm_types::ErrorKind::Unauthenticated`] naming the profile that is not in the files, or what in it is not
/// supported.
pub fn from_profile(name: &str, files: &Files, nearby: &Nearby) -> Result<Aws> {
    let profiles = Profiles::read(files)?;
    profiles.source(name, (&files.region, &files.sso), nearby, 0)
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

    fn source(
        &self,
        name: &str,
        (region, places): (&str, &Places),
        nearby: &Nearby,
        depth: usize,
    ) -> Result<Aws> {
        let Some(profile) = self.0.get(name) else {
            return Err(fault(format!("there is no AWS profile `{name}`")));
        };
        if depth > LONGEST_CHAIN {
            return Err(fault(format!("AWS profile `{name}` refers to itself")));
        }
        let get = said(profile);
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
                    Ok(Aws::Role { by: Box::new(self.own(name, &get, places)?), role })
                }
                (None, Some(other), _) => {
                    let by = self.source(other, (&region, places), nearby, depth + 1)?;
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
        self.own(name, &get, places)
    }

    /// What a profile has itself, in the order of AWS's tools: a person's sign-in, keys, a program.
    fn own<'p>(&self, name: &str, get: &impl Fn(&str) -> Option<&'p str>, places: &Places) -> Result<Aws> {
        if let Some((account, role)) = get("sso_account_id").zip(get("sso_role_name")) {
            return self.sso(name, get, (account, role), places).map(Aws::Sso);
        }
        match get("credential_process") {
            Some(command) if get("aws_access_key_id").is_none() => {
                Ok(Aws::Process(Secret::new(command.to_owned())))
            }
            _ => keys_of(name, get).map(Aws::Keys),
        }
    }

    /// A person's sign-in: of a session that profiles share, or of the profile itself.
    fn sso<'p>(
        &self,
        name: &str,
        get: &impl Fn(&str) -> Option<&'p str>,
        (account, role): (&str, &str),
        places: &Places,
    ) -> Result<Sso> {
        let missing = |what: &str| fault(format!("AWS profile `{name}` has no `{what}`"));
        let session = get("sso_session");
        let region = match session {
            None => get("sso_region").map(str::to_owned),
            Some(session) => {
                let section = self.0.get(&format!("sso-session {session}")).ok_or_else(|| {
                    fault(format!(
                        "AWS profile `{name}` refers to `[sso-session {session}]`, which is not there"
                    ))
                })?;
                said(section)("sso_region").map(str::to_owned)
            }
        };
        let named = session.or(get("sso_start_url")).ok_or_else(|| missing("sso_start_url"))?;
        Ok(Sso {
            profile: name.to_owned(),
            named: named.to_owned(),
            is_session: session.is_some(),
            region: region.ok_or_else(|| missing("sso_region"))?,
            account: account.to_owned(),
            role: role.to_owned(),
            places: places.clone(),
        })
    }
}

/// The settings of a section that say something.
fn said<'p>(section: &'p HashMap<String, String>) -> impl Fn(&str) -> Option<&'p str> {
    move |key| section.get(key).map(String::as_str).filter(|value| !value.is_empty())
}

fn keys_of<'p>(name: &str, get: &impl Fn(&str) -> Option<&'p str>) -> Result<AwsKeys> {
    let keys = get("aws_access_key_id").zip(get("aws_secret_access_key"));
    let Some((id, secret)) = keys else {
        let other = ["sso_session", "sso_start_url"].into_iter().find(|key| get(key).is_some());
        let found = other.map_or("no keys".to_owned(), |other| {
            format!("`{other}` without `sso_account_id` and `sso_role_name`")
        });
        return Err(fault(format!(
            "AWS profile `{name}`: found {found}, expected `aws_access_key_id` and `aws_secret_access_key`, \
             `role_arn`, `sso_account_id` and `sso_role_name`, or `credential_process`"
        )));
    };
    let session = get("aws_session_token").map(|token| Secret::new(token.to_owned()));
    Ok(AwsKeys { id: id.to_owned(), secret: Secret::new(secret.to_owned()), session })
}
