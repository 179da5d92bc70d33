//! Whose teams and projects are whose: members see them, their administrators and their organisation's run them.

use serde_json::Value;

use super::{Rights, narrow, object, refused};
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::admin::teams::open_teams;
use crate::admin::{ProjectAction, TeamAction, projects};

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

impl Rights {
    pub(super) async fn teams(&self, job: &mut Job, action: TeamAction, path: &str) -> Result<(), Refusal> {
        match action {
            TeamAction::List | TeamAction::ListPaged => {
                narrow(job, "user_id", &self.user);
                Ok(())
            }
            TeamAction::New => self.begins_team(job, path),
            TeamAction::Block | TeamAction::Unblock | TeamAction::Delete => self.ends_teams(job, path).await,
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

    /// An organisation's administrator blocks its teams, and deletes them; a team's own administrator does not.
    async fn ends_teams(&self, job: &Job, path: &str) -> Result<(), Refusal> {
        let body = object(job)?;
        let several = body.get("team_ids").and_then(Value::as_array).into_iter().flatten();
        let teams = several.chain(body.get("team_id")).filter_map(Value::as_str);
        let mut any = false;
        for team in teams {
            any = true;
            if !self.owns(job, team).await? {
                return Err(crate::routes::operators_only(&job.caller, path).into());
            }
        }
        if any { Ok(()) } else { Err(crate::routes::operators_only(&job.caller, path).into()) }
    }

    async fn changes_team(&self, job: &Job, action: TeamAction) -> Result<(), Refusal> {
        let body = object(job)?;
        // What the path names counts before what the body says, as it does for the handler.
        let named = job.named.as_deref().or_else(|| body.get("team_id").and_then(Value::as_str));
        let Some(team) = named else { return Ok(()) };
        if !self.runs(job, team).await? {
            return Err(refused(format!("Only the administrators of team={team} may do this")));
        }
        if self.owns(job, team).await? {
            // It stays among the caller's organisations, whose limits hold for it.
            return match body.get("organization_id").filter(|_| action == TeamAction::Update) {
                None => Ok(()),
                Some(new) => self.administers(new.as_str().unwrap_or("null")),
            };
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
    pub(super) async fn projects(&self, job: &Job, action: ProjectAction, path: &str) -> Result<(), Refusal> {
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
}
