//! The management API: thin, and the only place that writes settings.

mod access_groups;
mod activity;
mod allocation;
mod audit;
mod budget_fields;
mod budgets;
mod cache_activity;
mod capture_rate;
mod credentials;
mod customers;
mod days;
mod fallbacks;
mod fields;
mod invitations;
mod job;
mod keys;
mod lax;
mod members;
mod metrics;
mod model_groups;
mod model_spend;
mod models;
mod organizations;
mod projects;
mod query;
mod refusal;
mod reload;
mod reports;
mod rights;
mod scim;
mod scope_fields;
mod scope_view;
mod settings;
mod shapes;
mod spend;
mod spend_names;
mod spend_query;
mod spend_row;
mod sso;
mod tag_usage;
mod tags;
mod teams;
mod token_keys;
mod tool_spend;
mod users;
mod view;
mod within;

pub(crate) use access_groups::AccessGroupAction;
pub(crate) use activity::ActivityOf;
pub(crate) use audit::AuditAction;
pub(crate) use budgets::BudgetAction;
pub(crate) use credentials::CredentialAction;
pub(crate) use customers::CustomerAction;
pub(crate) use fallbacks::FallbackAction;
pub(crate) use fields::Fields;
pub(crate) use invitations::InvitationAction;
pub(crate) use job::manage;
pub(crate) use keys::KeyAction;
pub(crate) use metrics::MetricsAction;
pub(crate) use model_groups::ModelGroupAction;
pub(crate) use models::ModelAction;
pub(crate) use organizations::OrganizationAction;
pub(crate) use projects::ProjectAction;
pub(crate) use refusal::Refusal;
pub(crate) use reports::ReportOf;
pub(crate) use scim::{Of as ScimOf, ScimAction, Verb as ScimVerb, answer as provision};
pub(crate) use settings::SettingAction;
pub(crate) use spend::SpendAction;
pub(crate) use spend_names::NamesOf;
pub(crate) use sso::{Failures, SsoStep, answer as sign_in};
pub(crate) use tags::TagAction;
pub(crate) use teams::TeamAction;
pub(crate) use token_keys::TokenKeyAction;
pub(crate) use users::UserAction;

use http::StatusCode;

/// What a management request is about, and what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Virtual keys.
    Key(KeyAction),
    /// Teams and their members.
    Team(TeamAction),
    /// Users.
    User(UserAction),
    /// Customers, the end users that requests name.
    Customer(CustomerAction),
    /// Organisations and their members.
    Organization(OrganizationAction),
    /// Projects of teams.
    Project(ProjectAction),
    /// Groups of models that teams and keys may use.
    AccessGroup(AccessGroupAction),
    /// Access groups of models that are kept in the database, and their budgets.
    ModelGroup(ModelGroupAction),
    /// Shared budgets.
    Budget(BudgetAction),
    /// Links by which users set a password.
    Invitation(InvitationAction),
    /// Virtual keys of the bearers of tokens.
    TokenKey(TokenKeyAction),
    /// Request tags.
    Tag(TagAction),
    /// Deployments that are kept in the database.
    Model(ModelAction),
    /// Credentials that are kept in the database.
    Credential(CredentialAction),
    /// Users and groups of an identity provider.
    Scim(ScimAction),
    /// What was changed, and by whom.
    Audit(AuditAction),
    /// What was spent.
    Spend(SpendAction),
    /// Settings that are kept in the database.
    Setting(SettingAction),
    /// What is tried after a model group has failed.
    Fallback(FallbackAction),
    /// How deployments do.
    Metrics(MetricsAction),
    /// What somebody's keys spent.
    Report(ReportOf),
    /// What each day came to; on one page where it says so.
    Activity(ActivityOf, bool),
}

impl Action {
    /// The status of success; one without content has no body.
    fn status(self) -> StatusCode {
        match self {
            Self::AccessGroup(action) => action.status(),
            _ => StatusCode::OK,
        }
    }

    /// Whether it changes nothing.
    fn reads(self) -> bool {
        match self {
            Self::Key(action) => action.reads(),
            Self::Team(action) => action.reads(),
            Self::User(action) => action.reads(),
            Self::Customer(action) => matches!(action, CustomerAction::Info | CustomerAction::List),
            Self::Organization(action) => {
                use OrganizationAction::{Info, InfoOfSeveral, List};
                matches!(action, Info | InfoOfSeveral | List)
            }
            Self::Project(action) => action.reads(),
            Self::AccessGroup(action) => action.reads(),
            Self::ModelGroup(action) => action.reads(),
            Self::Scim(action) => action.reads(),
            Self::Budget(action) => action.reads(),
            Self::Spend(action) => action.reads(),
            Self::Setting(action) => action.reads(),
            Self::Fallback(action) => action == FallbackAction::Read,
            Self::Report(_) | Self::Activity(..) | Self::Audit(_) | Self::Metrics(_) => true,
            Self::Tag(action) => matches!(action, TagAction::Info | TagAction::List),
            Self::Invitation(action) => matches!(action, InvitationAction::Info),
            Self::TokenKey(action) => action.reads(),
            Self::Model(_) => false,
            Self::Credential(action) => action.reads(),
        }
    }
}
