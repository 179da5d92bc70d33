//! What the operator says of people beside limits: who may make keys, what teams begin with, how often a password may
//! be wrong, by which headers callers say for whom they call.

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderName;
use llm_types::Money;

use crate::identity::Network;

/// Who may make keys, and what requests for them must have (`key_generation_settings`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// Of keys of teams (`team_key_generation`); administrators need not follow it.
    pub team: Option<KeyRule>,
    /// Of keys without a team (`personal_key_generation`).
    pub personal: Option<KeyRule>,
    /// Nobody but administrators makes keys without a team (`general_settings.default_team_disabled`).
    pub teams_only: bool,
}

/// A rule for keys of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRule {
    /// Who makes them: roles in the team (`allowed_team_member_roles`), or of users (`allowed_user_roles`); `None` is
    /// everybody who could without the rule.
    pub roles: Option<Vec<String>>,
    /// Fields that the request must have (`required_params`).
    pub required: Vec<String>,
}

/// What teams begin with that an identity provider brings (`default_team_params`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamDefaults {
    /// The models they may use.
    pub models: Vec<String>,
    /// What they may spend.
    pub max_budget: Option<Money>,
    /// After which that begins anew, such as `30d`.
    pub budget_duration: Option<String>,
    /// Tokens a minute.
    pub tpm_limit: Option<i64>,
    /// Requests a minute.
    pub rpm_limit: Option<i64>,
    /// What members may do with keys (`team_member_permissions`).
    pub member_permissions: Vec<String>,
}

/// A member of teams' metadata that the operator has names for (`team_metadata_schema`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TeamField {
    /// The member.
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
}

/// Which members the metadata of rows of the spend log have (`spend_logs_metadata_fields`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowMetadata {
    /// These.
    Only(Vec<String>),
    /// All but these.
    Without(Vec<String>),
}

impl RowMetadata {
    /// Whether rows have a member.
    pub fn has(&self, name: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|listed| listed == name);
        match self {
            Self::Only(names) => listed(names),
            Self::Without(names) => !listed(names),
        }
    }
}

/// How often a password may be wrong (`max_failed_login_attempts_per_source`, `failed_login_*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInLimits {
    /// By one address; of one name by one address it is half, at least one.
    pub per_source: u32,
    /// The same for some addresses, the narrowest network first; 0 is no limit.
    pub overrides: Vec<(Network, u32)>,
    /// How long a wrong password counts.
    pub window: Duration,
    /// How long nothing is tried then.
    pub block: Duration,
}

impl SignInLimits {
    /// How often an address may be wrong; 0 is no limit.
    pub(crate) fn of(&self, address: Option<IpAddr>) -> u32 {
        let of = |address: IpAddr| self.overrides.iter().find(|(network, _)| network.contains(address));
        address.and_then(of).map_or(self.per_source, |(_, limit)| *limit)
    }
}

/// Headers by which a caller says for whom it calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserHeaders {
    /// The end user, the first that is there (`user_header_mappings` with `customer`, `user_header_name`).
    pub end_user: Vec<HeaderName>,
    /// The internal user who pays with the key (`user_header_mappings` with `internal_user`).
    pub internal_user: Option<HeaderName>,
}
