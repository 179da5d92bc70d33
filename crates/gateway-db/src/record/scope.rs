//! A scope: whoever a call is charged to besides its key, and what it may use.

use llm_types::Money;

use super::JsonMap;

/// What kind of scope it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ScopeKind {
    /// Models that keys and teams may use besides their own lists, by naming it; nobody is charged to it.
    AccessGroup,
    /// Limits that other scopes share by naming them (`budget_id`); nobody is charged to it.
    Budget,
    /// A customer: the end user that a request names.
    Customer,
    /// What may be spent on the models of an access group (`model_info.access_groups`): whoever may use a model
    /// because a list names its group is charged to it.
    ModelAccessGroup,
    /// An organisation.
    Organization,
    /// A user as a member of an organisation.
    OrganizationMember,
    /// A part of what a key or another scope may use: of one model, of one more period. `id` says whose part it is,
    /// `member` which.
    Part,
    /// A project of a team.
    Project,
    /// A request tag.
    Tag,
    /// A team.
    Team,
    /// A user as a member of a team.
    TeamMember,
    /// A user.
    User,
}

impl ScopeKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::AccessGroup,
        Self::Budget,
        Self::Customer,
        Self::ModelAccessGroup,
        Self::Organization,
        Self::OrganizationMember,
        Self::Part,
        Self::Project,
        Self::Tag,
        Self::Team,
        Self::TeamMember,
        Self::User,
    ];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessGroup => "access_group",
            Self::Budget => "budget",
            Self::Customer => "customer",
            Self::ModelAccessGroup => "model_access_group",
            Self::Organization => "organization",
            Self::OrganizationMember => "organization_member",
            Self::Part => "part",
            Self::Project => "project",
            Self::Tag => "tag",
            Self::Team => "team",
            Self::TeamMember => "team_member",
            Self::User => "user",
        }
    }

    /// Whether it is a user's membership of something.
    #[must_use]
    pub const fn is_membership(self) -> bool {
        matches!(self, Self::OrganizationMember | Self::TeamMember)
    }

    /// The kind with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Which scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId {
    /// Its kind.
    pub kind: ScopeKind,
    /// Its id; of a membership, the team's or organisation's.
    pub id: String,
    /// Of a membership, the user's id; else empty.
    pub member: String,
}

impl ScopeId {
    /// A scope that is no membership.
    #[must_use]
    pub fn new(kind: ScopeKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), member: String::new() }
    }

    /// A user's membership of a team or an organisation.
    #[must_use]
    pub fn member(kind: ScopeKind, id: impl Into<String>, user: impl Into<String>) -> Self {
        Self { kind, id: id.into(), member: user.into() }
    }

    /// The name under which the parts of a key are kept.
    #[must_use]
    pub fn owner_of_key(hash: &str) -> String {
        format!("key:{hash}")
    }

    /// The scope, no membership, that goes by this name as an owner.
    #[must_use]
    pub fn of_owner(name: &str) -> Option<Self> {
        let (kind, id) = name.split_once(':')?;
        Some(Self::new(ScopeKind::parse(kind)?, id))
    }

    /// The name under which its parts are kept.
    #[must_use]
    pub fn as_owner(&self) -> String {
        match self.member.as_str() {
            "" => format!("{}:{}", self.kind.as_str(), self.id),
            member => format!("{}:{}:{member}", self.kind.as_str(), self.id),
        }
    }
}

/// What an operator sets on a scope. `None` means that there is no such limit, owner or period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScopeSettings {
    /// The name for people.
    pub alias: Option<String>,
    /// A user's mail address.
    pub email: Option<String>,
    /// A user's role in the whole gateway, a member's role in its team or organisation.
    pub role: Option<String>,
    /// The organisation it belongs to.
    pub organization_id: Option<String>,
    /// The team a project belongs to.
    pub team_id: Option<String>,
    /// The shared budget whose limits hold where it sets none itself.
    pub budget_id: Option<String>,
    /// Models it may use; empty is every model.
    pub models: Vec<String>,
    /// Free map of the operator.
    pub metadata: JsonMap,
    /// Hard limit on `spend` in the current period.
    pub max_budget: Option<Money>,
    /// Limit that only alerts.
    pub soft_budget: Option<Money>,
    /// The period in LiteLLM's words, such as `30d`.
    pub budget_duration: Option<String>,
    /// When the current period ends, in Unix milliseconds.
    pub budget_reset_at: Option<i64>,
    /// Requests per minute.
    pub rpm_limit: Option<i64>,
    /// Tokens per minute.
    pub tpm_limit: Option<i64>,
    /// Batch tokens per day.
    pub tpd_limit: Option<i64>,
    /// Calls at the same time.
    pub max_parallel_requests: Option<i64>,
    /// Model → budget of its own.
    pub model_max_budget: JsonMap,
    /// Model → requests per minute.
    pub model_rpm_limit: JsonMap,
    /// Model → tokens per minute.
    pub model_tpm_limit: JsonMap,
    /// Whether every call is refused.
    pub blocked: bool,
    /// Every further field of LiteLLM's by its name there, so that nothing is lost.
    pub extra: JsonMap,
}

/// A scope to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewScope {
    /// Which.
    pub id: ScopeId,
    /// What the operator set.
    pub settings: ScopeSettings,
    /// Recorded spend to begin with.
    pub spend: Money,
    /// Now, in Unix milliseconds.
    pub created_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
}

/// A stored scope.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeRecord {
    /// Which.
    pub id: ScopeId,
    /// What the operator set.
    pub settings: ScopeSettings,
    /// Spent in the current budget period, as far as shipped.
    pub spend: Money,
    /// Spent ever; a preset spend is not in it.
    pub total_spend: Money,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
    /// When its settings last changed.
    pub updated_at: i64,
    /// Who changed them.
    pub updated_by: Option<String>,
    /// When it was deleted: a tombstone, kept for history and for other replicas.
    pub deleted_at: Option<i64>,
    /// Who deleted it.
    pub deleted_by: Option<String>,
    /// Grows with every change of any scope's settings, in commit order; spend does not count.
    pub version: i64,
}
