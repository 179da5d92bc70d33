//! Whose figures are whose: a user sees what its own keys came to, who runs a team or an organisation all of it.

use http::StatusCode;

use super::{Rights, narrow};
use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::admin::{ActivityOf, SpendAction};

impl Rights {
    /// What the caller's own keys spent; who runs a team sees its calls.
    pub(super) async fn spend(&self, job: &mut Job, action: SpendAction) -> Result<(), Refusal> {
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

    /// What each day came to.
    pub(super) async fn days(&self, job: &mut Job, of: ActivityOf, path: &str) -> Result<(), Refusal> {
        match of {
            ActivityOf::User | ActivityOf::Tag => {
                narrow(job, "user_id", &self.user);
                Ok(())
            }
            ActivityOf::Organization => self.days_of_organizations(job),
            ActivityOf::Team => self.days_of_teams(job).await,
            ActivityOf::Customer => Err(crate::routes::operators_only(&job.caller, path).into()),
        }
    }

    /// Those of the organisations that the caller administers; who administers none sees none.
    fn days_of_organizations(&self, job: &mut Job) -> Result<(), Refusal> {
        let asked = listed(job, "organization_ids");
        if let Some(other) = asked.iter().find(|asked| !self.organizations.contains(asked)) {
            let words = format!("You do not administer organization={other}");
            return Err(Refusal::detail(StatusCode::FORBIDDEN, words));
        }
        let seen = if asked.is_empty() { self.organizations.clone() } else { asked };
        narrow_to_these(job, "organization_ids", &seen);
        Ok(())
    }

    /// Those of the caller's teams: all of it where every one of them shows it to the caller, else what the caller's
    /// own keys did.
    async fn days_of_teams(&self, job: &mut Job) -> Result<(), Refusal> {
        let run = self.teams_run(job).await?;
        let asked = listed(job, "team_ids");
        let own = |team: &str| self.is_member(team) || run.iter().any(|run| run == team);
        if let Some(other) = asked.iter().find(|asked| !own(asked)) {
            let words =
                format!("User does not belong to Team= {other}. Call `/user/info` to see user's teams");
            return Err(Refusal::detail(StatusCode::NOT_FOUND, words));
        }
        let mut seen = asked;
        if seen.is_empty() {
            seen.extend(run.iter().cloned());
            let member = self.teams.iter().map(|team| &team.id.id);
            seen.extend(member.filter(|team| !run.contains(team)).cloned());
        }
        let mut whole = true;
        for team in &seen {
            whole =
                whole && (run.contains(team) || self.team_permits(job, team, "/team/daily/activity").await?);
        }
        if !whole {
            narrow(job, "user_id", &self.user);
        }
        narrow_to_these(job, "team_ids", &seen);
        Ok(())
    }
}

/// Sets a list of ids in the query; none at all shows nothing.
fn narrow_to_these(job: &mut Job, name: &str, ids: &[String]) {
    job.sees_nothing = ids.is_empty();
    if !ids.is_empty() {
        narrow(job, name, &ids.join(","));
    }
}

/// The ids that a parameter lists.
fn listed(job: &Job, name: &str) -> Vec<String> {
    let words = job.param(name).unwrap_or_default();
    words.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
}
