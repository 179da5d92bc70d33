//! What callers may do who are no administrators: whose keys, teams and figures are theirs (surface §4.3).
//!
//! An internal user has its own keys; a team's administrator the team's members and keys; an organisation's
//! administrator its teams. A request is looked at before it is done: it passes, is refused, or is narrowed to
//! what is the caller's own.

use gateway_db::{KeyName, KeyRecord, ScopeId, ScopeKind, ScopeQuery, ScopeRecord};
use http::StatusCode;
use llm_types::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::job::Job;
use super::keys::hash_of;
use super::refusal::Refusal;
use super::teams::open_teams;
use super::{
    Action, ActivityOf, CredentialAction, KeyAction, OrganizationAction, ProjectAction, SpendAction,
    TeamAction, UserAction,
};
use super::{projects, query};
use crate::walk::{Caller, Role};

/// What a team's administrator may not give the team: its owner decides what it may spend and use.
const NOT_FOR_TEAM_ADMINS: [&str; 14] = [
    "spend",
    "max_budget",
    "soft_budget",
    "budget_duration",
    "budget_id",
    "budget_limits",
    "tpm_limit",
    "rpm_limit",
    "tpd_limit",
    "max_parallel_requests",
    "models",
    "model_max_budget",
    "organization_id",
    "blocked",
];

/// What who is no administrator may not give a key: it would reach models, money or rules that are not theirs.
const NOT_FOR_USERS: [&str; 12] = [
    "spend",
    "budget_id",
    "organization_id",
    "project_id",
    "access_group_ids",
    "aliases",
    "config",
    "permissions",
    "router_settings",
    "end_user_budget_id",
    "enforced_params",
    "created_by",
];

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
        Action::User(UserAction::List) => rights.lists_users(job),
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
        Action::Activity(ActivityOf::User, _) => {
            narrow(job, "user_id", &rights.user);
            Ok(())
        }
        Action::Activity(ActivityOf::Organization, _) => {
            let own = rights.organizations.clone();
            narrow_to(job, "organization_ids", own, "You do not administer any of these organizations")
        }
        Action::Activity(ActivityOf::Team, _) => {
            let own = rights.teams_run(job).await?;
            narrow_to(job, "team_ids", own, "You do not run any of these teams")
        }
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

impl Job {
    /// The teams whose things the caller sees; `None` for administrators, who see everything.
    pub(super) async fn teams_seen(&self) -> Result<Option<Vec<String>>, Refusal> {
        if self.caller.role() != Role::Other {
            return Ok(None);
        }
        let rights = Rights::of(self).await?;
        Ok(Some(rights.into_iter().flat_map(|rights| rights.teams).map(|team| team.id.id).collect()))
    }

    /// The organisations the caller is a member of; `None` for administrators, who see everything.
    pub(super) async fn organizations_seen(&self) -> Result<Option<Vec<String>>, Refusal> {
        if self.caller.role() != Role::Other {
            return Ok(None);
        }
        let Some(rights) = Rights::of(self).await? else { return Ok(Some(Vec::new())) };
        let query = ScopeQuery { member: Some(rights.user), ..ScopeQuery::of(ScopeKind::OrganizationMember) };
        let found = self.db.list_scopes(&query).await?.items;
        Ok(Some(found.into_iter().map(|member| member.id.id).collect()))
    }
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
        if self.teams.iter().any(admin) {
            return Ok(true);
        }
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

    async fn keys(&self, job: &mut Job, action: KeyAction, path: &str) -> Result<(), Refusal> {
        match action {
            KeyAction::Generate => self.generates(job).await,
            KeyAction::Update | KeyAction::Block | KeyAction::Unblock | KeyAction::Regenerate => {
                self.changes(job, path).await
            }
            KeyAction::BulkUpdateOfTeam => self.changes_keys_of_team(job, path).await,
            KeyAction::Delete => {
                for name in named_keys(job)? {
                    let record = job.db.key_by_name(&name).await?;
                    self.may_change(job, record.as_ref()).await?;
                }
                Ok(())
            }
            KeyAction::Info => {
                let Some(key) = job.param("key") else { return Ok(()) };
                let record = job.db.key_by_hash(&hash_of(&key)).await?;
                match record {
                    Some(record) if !self.may_see(job, &record).await? => Err(not_yours_to_see()),
                    _ => Ok(()),
                }
            }
            KeyAction::List => {
                let team = job.param("team_id");
                let runs = match &team {
                    Some(team) => self.runs(job, team).await?,
                    None => false,
                };
                if !runs {
                    narrow(job, "user_id", &self.user);
                }
                Ok(())
            }
            _ => Err(crate::routes::operators_only(&job.caller, path).into()),
        }
    }

    /// A key for oneself, or for a team that lets one.
    async fn generates(&self, job: &mut Job) -> Result<(), Refusal> {
        let mut body = object(job)?;
        ordinary(&body)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let (user, team) = (text("user_id"), text("team_id"));
        self.may_give(job, user.as_deref(), team.as_deref(), "/key/generate").await?;
        if user.is_none() {
            body.insert("user_id".to_owned(), self.user.clone().into());
            job.body = Value::Object(body).to_string().into();
        }
        Ok(())
    }

    /// Whether a key may belong to a user and a team.
    async fn may_give(
        &self,
        job: &Job,
        user: Option<&str>,
        team: Option<&str>,
        route: &str,
    ) -> Result<(), Refusal> {
        let runs = match team {
            Some(team) => self.runs(job, team).await?,
            None => false,
        };
        if let Some(user) = user.filter(|user| *user != self.user)
            && !runs
        {
            let own = &self.user;
            return Err(refused(format!(
                "User can only create keys for themselves. Got user_id={user}, Your ID={own}"
            )));
        }
        let Some(team) = team.filter(|_| !runs) else { return Ok(()) };
        if self.team_permits(job, team, route).await? {
            return Ok(());
        }
        Err(refused(format!(
            "Team member does not have permissions for endpoint: {route}. Only the administrators of team={team} and \
             members with this permission do"
        )))
    }

    /// A key that is the caller's own, or a team's that it runs.
    async fn may_change(&self, job: &Job, record: Option<&KeyRecord>) -> Result<(), Refusal> {
        let Some(record) = record else { return Ok(()) };
        let settings = &record.settings;
        let own = settings.user_id.as_deref() == Some(&self.user);
        let runs = match &settings.team_id {
            Some(team) => self.runs(job, team).await?,
            None => false,
        };
        if own || runs {
            return Ok(());
        }
        Err(refused("You can only change your own keys, and those of teams that you administer"))
    }

    async fn may_see(&self, job: &Job, record: &KeyRecord) -> Result<bool, Refusal> {
        let settings = &record.settings;
        let asking = matches!(&job.caller, Caller::Key(entry) if entry.record.hash == record.hash);
        let own = asking || settings.user_id.as_deref() == Some(&self.user);
        Ok(match &settings.team_id {
            Some(team) if !own => {
                self.runs(job, team).await? || self.team_permits(job, team, "/key/info").await?
            }
            _ => own,
        })
    }

    /// A change of one key: what it was must be the caller's, and what it becomes too.
    async fn changes(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let name = match (job.named.as_deref().or_else(|| text("key")), text("key_alias")) {
            (Some(key), _) => KeyName::Hash(hash_of(key)),
            (None, Some(alias)) => KeyName::Alias(alias.to_owned()),
            (None, None) => return Ok(()),
        };
        let record = job.db.key_by_name(&name).await?;
        self.may_change(job, record.as_ref()).await?;
        ordinary(&body)?;
        let team = record.as_ref().and_then(|record| record.settings.team_id.as_deref());
        let leaves = ["user_id", "team_id"].iter().find(|name| body.get(**name).is_some_and(Value::is_null));
        if let Some(name) = leaves {
            return Err(refused(format!("only an administrator takes `{name}` off a key")));
        }
        let (user, new_team) = (text("user_id"), text("team_id").filter(|new| Some(*new) != team));
        if user.is_some() || new_team.is_some() {
            self.may_give(job, user, new_team.or(team), path).await?;
        }
        Ok(())
    }

    /// Keys of a team are changed together by those who run it, and by members it lets change keys.
    async fn changes_keys_of_team(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let Some(team) = body.get("team_id").and_then(Value::as_str) else { return Ok(()) };
        if !self.runs(job, team).await? && !self.team_permits(job, team, "/key/update").await? {
            return Err(crate::routes::operators_only(&job.caller, path).into());
        }
        body.get("update_fields").and_then(Value::as_object).map_or(Ok(()), ordinary)
    }

    /// What the caller's own keys spent; who runs a team sees its calls.
    async fn spend(&self, job: &mut Job, action: SpendAction) -> Result<(), Refusal> {
        // What is asked is narrowed where it is answered.
        if matches!(action, SpendAction::Names(_)) {
            return Ok(());
        }
        if matches!(action, SpendAction::Logs | SpendAction::LogsPaged | SpendAction::Session)
            && let Some(team) = job.param("team_id")
            && self.runs(job, &team).await?
        {
            return Ok(());
        }
        narrow(job, "user_id", &self.user);
        Ok(())
    }

    /// Users are listed by those who administer organisations, their own.
    fn lists_users(&self, job: &mut Job) -> Result<(), Refusal> {
        if self.organizations.is_empty() {
            let words = "Only proxy admins and organization admins can list users.";
            return Err(Refusal::detail(StatusCode::FORBIDDEN, words));
        }
        let own = self.organizations.clone();
        narrow_to(job, "organization_ids", own, "You do not administer any of these organizations")
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

    async fn teams(&self, job: &mut Job, action: TeamAction, path: &str) -> Result<(), Refusal> {
        match action {
            TeamAction::List | TeamAction::ListPaged => {
                narrow(job, "user_id", &self.user);
                Ok(())
            }
            TeamAction::New => self.begins_team(job, path),
            TeamAction::Info | TeamAction::Permissions => {
                let Some(team) = job.param("team_id") else { return Ok(()) };
                if self.is_member(&team) || self.runs(job, &team).await? {
                    return Ok(());
                }
                Err(refused(format!("You are no member of team={team}")))
            }
            // The answer is about the caller, or the handler looks for what is theirs.
            TeamAction::MemberMe | TeamAction::Available | TeamAction::SpendByUser => Ok(()),
            TeamAction::MemberAdd if self.joins(job)? => Ok(()),
            TeamAction::Update
            | TeamAction::SetPermissions
            | TeamAction::MemberAdd
            | TeamAction::MemberUpdate
            | TeamAction::MemberDelete
            | TeamAction::MemberResetSpend
            | TeamAction::MemberResetBudget
            | TeamAction::MembersRemove
            | TeamAction::MembersLimit
            | TeamAction::Callbacks
            | TeamAction::CallbackAdd
            | TeamAction::CallbackDelete
            | TeamAction::DisableLogging => self.changes_team(job, action).await,
            _ => Err(crate::routes::operators_only(&job.caller, path).into()),
        }
    }

    /// Whether the caller joins a team that is open to all, as a plain member.
    fn joins(&self, job: &Job) -> Result<bool, Refusal> {
        let body = object(job)?;
        let team = body.get("team_id").and_then(Value::as_str);
        let plain = body.keys().all(|name| name == "team_id" || name == "member");
        let member = body.get("member").and_then(|member| match member {
            Value::Array(list) => list.first().filter(|_| list.len() == 1)?.as_object(),
            one => one.as_object(),
        });
        let own = member.is_some_and(|member| {
            let text = |name: &str| member.get(name).and_then(Value::as_str);
            text("user_id") == Some(&self.user) && text("role").is_none_or(|role| role == "user")
        });
        Ok(plain && own && team.is_some_and(|team| open_teams(job).iter().any(|open| open == team)))
    }

    /// An organisation's administrator makes its teams.
    fn begins_team(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        match body.get("organization_id").and_then(Value::as_str) {
            Some(organization) if self.organizations.iter().any(|own| own == organization) => Ok(()),
            _ => Err(crate::routes::operators_only(&job.caller, path).into()),
        }
    }

    async fn changes_team(&self, job: &Job, action: TeamAction) -> Result<(), Refusal> {
        let body = object(job)?;
        // What the path names counts before what the body says, as it does for the handler.
        let named = job.named.as_deref().or_else(|| body.get("team_id").and_then(Value::as_str));
        let Some(team) = named else { return Ok(()) };
        if !self.runs(job, team).await? {
            return Err(refused(format!("Only the administrators of team={team} may do this")));
        }
        let limit = NOT_FOR_TEAM_ADMINS.iter().find(|name| body.contains_key(**name));
        match limit {
            Some(name) if action == TeamAction::Update => {
                Err(refused(format!("only an administrator of the gateway sets `{name}` of a team")))
            }
            _ => Ok(()),
        }
    }

    /// Members see the projects of their teams; who runs a team makes and changes them.
    async fn projects(&self, job: &Job, action: ProjectAction, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        match action {
            ProjectAction::List => Ok(()),
            ProjectAction::Info => {
                let Some(id) = job.param("project_id") else { return Ok(()) };
                match projects::existing(job, &id, "project_id").await?.settings.team_id {
                    Some(team) if self.is_member(&team) || self.runs(job, &team).await? => Ok(()),
                    _ => Err(refused("You don't have access to this project")),
                }
            }
            ProjectAction::New => self.runs_project_of(job, text("team_id")).await,
            ProjectAction::Update => {
                let Some(id) = text("project_id") else { return Ok(()) };
                let stored = projects::existing(job, &id, "project_id").await?.settings.team_id;
                self.runs_project_of(job, stored).await?;
                match text("team_id") {
                    Some(team) => self.runs_project_of(job, Some(team)).await,
                    None => Ok(()),
                }
            }
            ProjectAction::Delete => Err(crate::routes::operators_only(&job.caller, path).into()),
        }
    }

    /// Whoever runs a team runs its projects.
    async fn runs_project_of(&self, job: &Job, team: Option<String>) -> Result<(), Refusal> {
        match team {
            Some(team) if self.runs(job, &team).await? => Ok(()),
            _ => Err(refused("Only admins or team admins can create and update projects")),
        }
    }

    fn administers(&self, asked: &str) -> Result<(), Refusal> {
        if self.organizations.iter().any(|own| own == asked) {
            return Ok(());
        }
        Err(refused(format!("You do not administer organization={asked}")))
    }
}

/// Whether a key is given nothing that only administrators give.
fn ordinary(body: &Map<String, Value>) -> Result<(), Refusal> {
    match NOT_FOR_USERS.iter().find(|name| body.get(**name).is_some_and(|value| !value.is_null())) {
        Some(name) => Err(refused(format!("only an administrator of the gateway sets `{name}` of a key"))),
        None => Ok(()),
    }
}

/// The body as an object; what is none is the handler's to refuse.
fn object(job: &Job) -> Result<Map<String, Value>, Refusal> {
    job.fields()?.finish()
}

/// The keys that `/key/delete` names.
fn named_keys(job: &Job) -> Result<Vec<KeyName>, Refusal> {
    let body = object(job)?;
    let texts = |name: &str| {
        let list = body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|item| item.as_str().map(str::to_owned))
    };
    let keys = texts("keys").map(|key| KeyName::Hash(hash_of(&key)));
    Ok(keys.chain(texts("key_aliases").map(KeyName::Alias)).collect())
}
