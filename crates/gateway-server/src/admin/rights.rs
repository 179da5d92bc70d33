//! What callers may do who are no administrators: whose keys, teams and figures are theirs (surface §4.3).
//!
//! An internal user has its own keys; a team's administrator the team's members and keys; an organisation's
//! administrator its teams. A request is looked at before it is done: it passes, is refused, or is narrowed to
//! what is the caller's own.

mod figures;
mod keys;
mod people;
mod seen;
mod teams;

use gateway_db::{ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use llm_types::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::job::Job;
use super::keys::hash_of;
use super::query;
use super::refusal::Refusal;
use super::{Action, CredentialAction, KeyAction, OrganizationAction, TagAction, TeamAction};
use crate::walk::{Caller, Role};

/// Who asks, and what is theirs.
struct Rights {
    user: String,
    /// Reads only (`internal_user_viewer`).
    looks_only: bool,
    /// Teams the user is a member of.
    teams: Vec<ScopeRecord>,
    /// Organisations the user administers.
    organizations: Vec<String>,
}

/// Whose calls a caller may see.
pub(super) enum SpendScope {
    /// Everybody's.
    All,
    /// A user's, and those of teams that it runs.
    Own { user: String, teams: Vec<String> },
}

/// Whose calls the caller may see.
///
/// # Errors
/// When the database cannot be asked, or nothing is the caller's.
pub(super) async fn spend_scope(job: &Job) -> Result<SpendScope, Refusal> {
    if job.caller.role() != Role::Other {
        return Ok(SpendScope::All);
    }
    let Some(rights) = Rights::of(job).await? else { return Err(not_yours_to_see()) };
    let teams = rights.teams_run(job).await?;
    Ok(SpendScope::Own { user: rights.user, teams })
}

/// Lets a request of somebody who is no administrator pass, narrowed to what is theirs.
///
/// # Errors
/// When it is about what is not theirs.
pub(super) async fn gate(job: &mut Job, action: Action, path: &str) -> Result<(), Refusal> {
    if action == Action::Credential(CredentialAction::PublicKeys) && job.caller.role() != Role::Admin {
        let message = "The public keys of credentials are for proxy admins only.";
        return Err(Refusal::detail(StatusCode::FORBIDDEN, message));
    }
    let own = matches!(action, Action::User(action) if action.is_own())
        || matches!(
            action,
            Action::Report(_) | Action::Team(TeamAction::MetadataSchema) | Action::Key(KeyAction::Health)
        );
    // What an operator lets a key see is everybody's (`permissions.get_spend_routes`).
    let sees_spend =
        matches!(action, Action::Spend(action) if action.reads()) && permits(job, "get_spend_routes");
    if own || sees_spend || job.caller.role() != Role::Other {
        return Ok(());
    }
    let Some(rights) = Rights::of(job).await? else { return own_key_only(job, action, path) };
    if rights.looks_only && !action.reads() {
        return Err(crate::routes::operators_only(&job.caller, path).into());
    }
    match action {
        Action::Key(action) => rights.keys(job, action, path).await,
        Action::Team(action) => rights.teams(job, action, path).await,
        Action::User(action) => rights.users(job, action, path).await,
        Action::Project(action) => rights.projects(job, action, path).await,
        Action::Organization(OrganizationAction::Info) => {
            job.param("organization_id").map_or(Ok(()), |asked| rights.administers(&asked))
        }
        Action::Organization(OrganizationAction::InfoOfSeveral) => {
            super::organizations::named(job)?.iter().try_for_each(|asked| rights.administers(asked))
        }
        // The handler shows those that the caller is a member of.
        Action::Organization(OrganizationAction::List) => Ok(()),
        Action::Organization(
            OrganizationAction::MemberAdd
            | OrganizationAction::MemberUpdate
            | OrganizationAction::MemberDelete,
        ) => {
            let body = object(job)?;
            let asked = body.get("organization_id").and_then(Value::as_str).unwrap_or_default();
            rights.administers(asked)
        }
        Action::Activity(of, _) => rights.days(job, of, path).await,
        Action::Tag(TagAction::List) => {
            narrow(job, "user_id", &rights.user);
            Ok(())
        }
        Action::Invitation(action) => rights.invites(job, action, path).await,
        Action::Spend(action) if action.is_scoped() => rights.spend(job, action).await,
        _ => Err(crate::routes::operators_only(&job.caller, path).into()),
    }
}

/// Whether the key has a permission of its own.
fn permits(job: &Job, name: &str) -> bool {
    match &job.caller {
        Caller::Operator => false,
        Caller::Key(entry) => entry.record.settings.permissions.get(name) == Some(&Value::Bool(true)),
    }
}

/// A key without a user may look at itself.
fn own_key_only(job: &Job, action: Action, path: &str) -> Result<(), Refusal> {
    let own = match &job.caller {
        Caller::Operator => None,
        Caller::Key(entry) => Some(&entry.record.hash),
    };
    match action {
        Action::Key(KeyAction::Info) => match job.param("key") {
            Some(key) if own != Some(&hash_of(&key)) => Err(not_yours_to_see()),
            _ => Ok(()),
        },
        // Shown as far as it is the key's own.
        Action::Key(KeyAction::InfoOfSeveral) => Ok(()),
        _ => Err(crate::routes::operators_only(&job.caller, path).into()),
    }
}

fn not_yours_to_see() -> Refusal {
    Refusal::about(ErrorKind::Forbidden, "auth_error", "key", "You are not allowed to access this key's info")
}

fn refused(message: impl Into<String>) -> Refusal {
    Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error").into()
}

/// Sets a parameter of the query, whatever it was.
fn narrow(job: &mut Job, name: &str, value: &str) {
    job.query = Some(query::with(job.query.as_deref(), name, value));
}

/// Sets a list of ids in the query to those of them that are the caller's; all of the caller's where none are asked for.
fn narrow_to(job: &mut Job, name: &str, own: Vec<String>, none: &str) -> Result<(), Refusal> {
    let asked = job.param(name);
    let is_asked =
        |own: &String| asked.as_ref().is_none_or(|asked| asked.split(',').any(|id| id.trim() == own));
    let seen: Vec<String> = own.into_iter().filter(is_asked).collect();
    if seen.is_empty() {
        return Err(refused(none));
    }
    narrow(job, name, &seen.join(","));
    Ok(())
}

/// The organisations the caller administers.
pub(super) async fn organizations(job: &Job) -> Result<Vec<String>, Refusal> {
    Ok(Rights::of(job).await?.map(|rights| rights.organizations).unwrap_or_default())
}

impl Rights {
    /// Those of the caller; none where its key belongs to nobody.
    async fn of(job: &Job) -> Result<Option<Self>, Refusal> {
        let Caller::Key(entry) = &job.caller else { return Ok(None) };
        let Some(user) = entry.record.settings.user_id.clone() else { return Ok(None) };
        let record = job.db.scope(&ScopeId::new(ScopeKind::User, &user)).await?;
        let said = entry.bearer.as_ref().and_then(|bearer| bearer.role.clone());
        let role = said.or_else(|| record.and_then(|record| record.settings.role));
        let member = |kind| ScopeQuery { member: Some(user.clone()), ..ScopeQuery::of(kind) };
        let teams = job.db.list_scopes(&member(ScopeKind::TeamMember)).await?.items;
        let organizations = job.db.list_scopes(&member(ScopeKind::OrganizationMember)).await?.items;
        let administers = |record: &ScopeRecord| record.settings.role.as_deref() == Some("org_admin");
        let organizations =
            organizations.into_iter().filter(administers).map(|record| record.id.id).collect();
        let looks_only = role.as_deref() == Some("internal_user_viewer");
        Ok(Some(Self { user, looks_only, teams, organizations }))
    }

    fn is_member(&self, team: &str) -> bool {
        self.teams.iter().any(|member| member.id.id == team)
    }

    /// Whether the team is run by the caller: as its administrator, or its organisation's.
    async fn runs(&self, job: &Job, team: &str) -> Result<bool, Refusal> {
        let admin =
            |member: &ScopeRecord| member.id.id == team && member.settings.role.as_deref() == Some("admin");
        Ok(self.teams.iter().any(admin) || self.owns(job, team).await?)
    }

    /// Whether the team is one of an organisation that the caller administers.
    async fn owns(&self, job: &Job, team: &str) -> Result<bool, Refusal> {
        let record = job.db.scope(&ScopeId::new(ScopeKind::Team, team)).await?;
        let owner = record.and_then(|record| record.settings.organization_id);
        Ok(owner.is_some_and(|owner| self.organizations.contains(&owner)))
    }

    /// Whether the team lets its members do something (`team_member_permissions`).
    async fn team_permits(&self, job: &Job, team: &str, route: &str) -> Result<bool, Refusal> {
        if !self.is_member(team) {
            return Ok(false);
        }
        let record = job.db.scope(&ScopeId::new(ScopeKind::Team, team)).await?;
        let permissions =
            record.and_then(|record| record.settings.extra.get("team_member_permissions").cloned());
        let permissions = permissions.as_ref().and_then(Value::as_array);
        Ok(permissions.is_some_and(|routes| routes.iter().any(|permitted| permitted == route)))
    }

    /// The teams that the caller runs: as their administrator, or their organisation's.
    async fn teams_run(&self, job: &Job) -> Result<Vec<String>, Refusal> {
        let admin = |member: &&ScopeRecord| member.settings.role.as_deref() == Some("admin");
        let mut run: Vec<String> =
            self.teams.iter().filter(admin).map(|member| member.id.id.clone()).collect();
        for organization in &self.organizations {
            let organization_id = Some(organization.clone());
            let query = ScopeQuery { organization_id, ..ScopeQuery::of(ScopeKind::Team) };
            run.extend(job.db.list_scopes(&query).await?.items.into_iter().map(|team| team.id.id));
        }
        Ok(run)
    }

    fn administers(&self, asked: &str) -> Result<(), Refusal> {
        if self.organizations.iter().any(|own| own == asked) {
            return Ok(());
        }
        Err(refused(format!("You do not administer organization={asked}")))
    }
}

/// The body as an object; what is none is the handler's to refuse.
fn object(job: &Job) -> Result<Map<String, Value>, Refusal> {
    job.fields()?.finish()
}
