//! Who may make keys, and what requests for them must have (`key_generation_settings`, `default_team_disabled`). The
//! words of refusals are LiteLLM's.

use gateway_db::{JsonMap, ScopeId, ScopeKind};
use http::StatusCode;
use serde_json::{Value, json};

use crate::admin::job::Job;
use crate::admin::refusal::Refusal;
use crate::config::KeyRule;
use crate::walk::{Caller, Role};

fn refused(words: impl Into<Value>) -> Refusal {
    Refusal::Detail(StatusCode::BAD_REQUEST, words.into())
}

impl Job {
    /// Sees that the caller may make the key that the request describes.
    ///
    /// # Errors
    /// Status 400 with what the operator's rules do not allow.
    pub(super) async fn check_generation(&self) -> Result<(), Refusal> {
        let snapshot = self.shared.snapshot();
        let rules = &snapshot.config.budgets.key_rules;
        let asked = self.fields()?.finish()?;
        match (asked.get("team_id").and_then(Value::as_str), &rules.team, &rules.personal) {
            (Some(team), Some(rule), _) => self.check_team_key(rule, &asked, team).await,
            (None, _, Some(rule)) => self.check_personal_key(rule, &asked),
            (None, _, None) => Ok(()),
            (Some(_), None, _) => return Ok(()),
        }?;
        if rules.teams_only && !asked.contains_key("team_id") && self.caller.role() == Role::Other {
            let words = "Personal key creation has been restricted by admin (`default_team_disabled`): name a `team_id`";
            return Err(refused(words));
        }
        Ok(())
    }

    async fn check_team_key(&self, rule: &KeyRule, asked: &JsonMap, team: &str) -> Result<(), Refusal> {
        if self.db.scope(&ScopeId::new(ScopeKind::Team, team)).await?.is_none() {
            return Err(refused(format!("Unable to find team object in database. Team ID: {team}")));
        }
        if self.caller.role() == Role::Admin {
            return Ok(());
        }
        if let Some(user) = asked.get("user_id").and_then(Value::as_str) {
            self.role_in_team(user, team).await?;
        }
        let own = self.user().unwrap_or_default();
        let role = self.role_in_team(&own, team).await?;
        match &rule.roles {
            Some(roles) if !roles.contains(&role) => Err(refused(format!(
                "Team member role {role} not in allowed_team_member_roles={}",
                listed(roles)
            ))),
            _ => has_all(asked, &rule.required),
        }
    }

    async fn role_in_team(&self, user: &str, team: &str) -> Result<String, Refusal> {
        let member = self.db.scope(&ScopeId::member(ScopeKind::TeamMember, team, user)).await?;
        match member {
            Some(member) => Ok(member.settings.role.unwrap_or_else(|| "user".to_owned())),
            None => Err(refused(format!("User={user} not assigned to team={team}"))),
        }
    }

    fn check_personal_key(&self, rule: &KeyRule, asked: &JsonMap) -> Result<(), Refusal> {
        let role = self.caller.role_name();
        match &rule.roles {
            Some(roles) if !role.as_ref().is_some_and(|role| roles.contains(role)) => Err(refused(format!(
                "Personal key creation has been restricted by admin. Allowed roles={}. Your role={}",
                listed(roles),
                role.as_deref().unwrap_or("None")
            ))),
            _ => has_all(asked, &rule.required),
        }
    }

    fn user(&self) -> Option<String> {
        match &self.caller {
            Caller::Operator => None,
            Caller::Key(entry) => entry.record.settings.user_id.clone(),
        }
    }
}

/// A list as Python writes it.
fn listed(roles: &[String]) -> String {
    let quoted: Vec<String> = roles.iter().map(|role| format!("'{role}'")).collect();
    format!("[{}]", quoted.join(", "))
}

fn has_all(asked: &JsonMap, required: &[String]) -> Result<(), Refusal> {
    match required.iter().find(|name| !asked.contains_key(name.as_str())) {
        Some(name) => Err(refused(json!(format!("Required param {name} not in data")))),
        None => Ok(()),
    }
}
