//! Whose people are whose: who administers an organisation makes, lists and removes its users, and who runs a team
//! invites them.

use gateway_db::{ScopeId, ScopeKind, ScopeQuery};
use http::StatusCode;
use serde_json::Value;

use super::{Rights, narrow_to, object};
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::admin::{InvitationAction, UserAction};

/// Roles that only administrators of the gateway give.
const ADMINISTRATIVE: [&str; 2] = ["proxy_admin", "proxy_admin_viewer"];

impl Rights {
    pub(super) async fn users(&self, job: &mut Job, action: UserAction, path: &str) -> Result<(), Refusal> {
        match action {
            UserAction::List => self.lists_users(job),
            UserAction::New => self.makes_user(job, path).await,
            UserAction::Delete | UserAction::BulkDelete => self.removes_users(job).await,
            _ => Err(crate::routes::operators_only(&job.caller, path).into()),
        }
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

    /// A user is made by who administers every organisation that it begins in, and runs its teams.
    async fn makes_user(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let texts = |name: &str| {
            let list = body.get(name).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let mut organizations = texts("organizations");
        organizations.extend(text("organization_id").map(str::to_owned));
        if organizations.is_empty() || !organizations.iter().all(|id| self.organizations.contains(id)) {
            return Err(crate::routes::operators_only(&job.caller, path).into());
        }
        if let Some(role) = text("user_role").filter(|role| ADMINISTRATIVE.contains(role)) {
            let own = job.caller.role_name().unwrap_or_else(|| "None".to_owned());
            let words = format!(
                "Only proxy admins can create administrative users (proxy_admin, proxy_admin_viewer). Attempted to \
                 create user with role: {role}. Your role: {own}"
            );
            return Err(Refusal::Detail(StatusCode::FORBIDDEN, words.into()));
        }
        if body.get("permissions").is_some_and(|said| !said.is_null()) {
            return Err(Refusal::detail(StatusCode::FORBIDDEN, "Only proxy admins can set `permissions`."));
        }
        let mut teams = texts("teams");
        teams.extend(text("team_id").map(str::to_owned));
        let objects = body.get("teams").and_then(Value::as_array).into_iter().flatten();
        teams.extend(objects.filter_map(|team| team.get("team_id")?.as_str()).map(str::to_owned));
        for team in &teams {
            if !self.runs(job, team).await? {
                let words = format!("You do not run team={team}: only who runs it adds members");
                return Err(Refusal::detail(StatusCode::FORBIDDEN, words));
            }
        }
        Ok(())
    }

    /// Users are deleted by who administers every organisation that they are in.
    async fn removes_users(&self, job: &Job) -> Result<(), Refusal> {
        if self.organizations.is_empty() {
            let words = "Only PROXY_ADMIN or ORG_ADMIN users may delete users.";
            return Err(Refusal::detail(StatusCode::FORBIDDEN, words));
        }
        let body = object(job)?;
        for user in body.get("user_ids").and_then(Value::as_array).into_iter().flatten() {
            let Some(user) = user.as_str() else { continue };
            if !self.has_whole(job, user).await? {
                let words = format!(
                    "User {user} is not exclusively within your administered organizations: only a proxy admin deletes it"
                );
                return Err(Refusal::detail(StatusCode::FORBIDDEN, words));
            }
        }
        Ok(())
    }

    /// Whether a user is no administrator, in some organisation, and in none that the caller does not administer.
    async fn has_whole(&self, job: &Job, user: &str) -> Result<bool, Refusal> {
        let record = job.db.scope(&ScopeId::new(ScopeKind::User, user)).await?;
        let role = record.and_then(|record| record.settings.role);
        if role.is_some_and(|role| ADMINISTRATIVE.contains(&role.as_str())) {
            return Ok(false);
        }
        let member = |kind| ScopeQuery { member: Some(user.to_owned()), ..ScopeQuery::of(kind) };
        let organizations = job.db.list_scopes(&member(ScopeKind::OrganizationMember)).await?.items;
        let within = organizations.iter().all(|member| self.organizations.contains(&member.id.id));
        Ok(within && !organizations.is_empty())
    }

    /// An invitation sets a password, which opens all that its user may do: it is given by who runs every team and
    /// organisation that the user is in.
    pub(super) async fn invites(
        &self,
        job: &Job,
        action: InvitationAction,
        path: &str,
    ) -> Result<(), Refusal> {
        let run = self.teams_run(job).await?;
        if !matches!(action, InvitationAction::New | InvitationAction::Delete) {
            return Err(crate::routes::operators_only(&job.caller, path).into());
        }
        let role = job.caller.role_name().unwrap_or_else(|| "None".to_owned());
        if run.is_empty() && self.organizations.is_empty() {
            let words = format!("Not allowed to access this endpoint, your role={role}");
            return Err(Refusal::detail(StatusCode::BAD_REQUEST, words));
        }
        let body = object(job)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let user = match action {
            InvitationAction::New => text("user_id").map(str::to_owned),
            _ => match text("invitation_id") {
                Some(id) => {
                    job.db.invitation(&crate::admin::invitations::hash_of(id)).await?.map(|it| it.user_id)
                }
                None => None,
            },
        };
        let Some(user) = user else { return Ok(()) };
        if self.oversees(job, &user, &run).await? {
            return Ok(());
        }
        let words = "You can only create invitations for users in your organization or team.";
        Err(Refusal::detail(StatusCode::BAD_REQUEST, words))
    }

    /// Whether all that a user is a member of is run by the caller, and is something.
    async fn oversees(&self, job: &Job, user: &str, run: &[String]) -> Result<bool, Refusal> {
        let record = job.db.scope(&ScopeId::new(ScopeKind::User, user)).await?;
        // One that is not there is the handler's to refuse.
        let Some(record) = record else { return Ok(true) };
        if record.settings.role.is_some_and(|role| ADMINISTRATIVE.contains(&role.as_str())) {
            return Ok(false);
        }
        let member = |kind| ScopeQuery { member: Some(user.to_owned()), ..ScopeQuery::of(kind) };
        let teams = job.db.list_scopes(&member(ScopeKind::TeamMember)).await?.items;
        let organizations = job.db.list_scopes(&member(ScopeKind::OrganizationMember)).await?.items;
        let whole = teams.iter().all(|member| run.contains(&member.id.id))
            && organizations.iter().all(|member| self.organizations.contains(&member.id.id));
        Ok(whole && !(teams.is_empty() && organizations.is_empty()))
    }
}
