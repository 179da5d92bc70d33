//! What is made within something else: that is there, and has as much as is asked of it.

use gateway_db::{KeySettings, ScopeId, ScopeKind, ScopeRecord, ScopeSettings};
use http::StatusCode;
use llm_types::{ErrorKind, Money};
use serde_json::Value;

use super::job::Job;
use super::refusal::Refusal;

/// Names of models that stand for those of whatever the key is in.
const INHERITED: [&str; 2] = ["all-team-models", "all-proxy-models"];

/// What somebody asks for within something else.
pub(super) struct Asked<'a> {
    /// `Project`, `Team` or `Key`.
    pub(super) who: &'a str,
    pub(super) models: &'a [String],
    pub(super) max_budget: Option<Money>,
    pub(super) tpm_limit: Option<i64>,
    pub(super) rpm_limit: Option<i64>,
}

impl<'a> Asked<'a> {
    /// What a team or a project asks for.
    pub(super) fn by(who: &'a str, settings: &'a ScopeSettings) -> Self {
        let ScopeSettings { models, max_budget, tpm_limit, rpm_limit, .. } = settings;
        let (max_budget, tpm_limit, rpm_limit) = (*max_budget, *tpm_limit, *rpm_limit);
        Self { who, models, max_budget, tpm_limit, rpm_limit }
    }

    /// Sees that something has as much as is asked of it: models, money, rates.
    ///
    /// # Errors
    /// Status 400 in LiteLLM's words.
    pub(super) fn fits(&self, kind: &str, whole: &ScopeRecord) -> Result<(), Refusal> {
        let (own, id) = (&whole.settings, &whole.id.id);
        let refused = |message: String| Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
        let label = capital(kind);
        let open = own.models.is_empty()
            || own.models.iter().any(|model| matches!(model.as_str(), "*" | "all-proxy-models"));
        let inherits = |model: &str| self.who == "Key" && INHERITED.contains(&model);
        let foreign = |model: &&String| !open && !own.models.contains(model) && !inherits(model);
        if let Some(model) = self.models.iter().find(foreign) {
            return refused(format!(
                "Model '{model}' not in {kind}'s allowed models. {label} allowed models={:?}. {label}: {id}",
                own.models
            ));
        }
        let usd = |money: Option<Money>| money.map(Money::as_usd);
        #[expect(clippy::cast_precision_loss, reason = "rates are far below 2^53")]
        let count = |limit: Option<i64>| limit.map(|limit| limit as f64);
        let limits = [
            ("max_budget", usd(self.max_budget), usd(own.max_budget)),
            ("tpm_limit", count(self.tpm_limit), count(own.tpm_limit)),
            ("rpm_limit", count(self.rpm_limit), count(own.rpm_limit)),
        ];
        for (name, asked, most) in limits {
            if let (Some(asked), Some(most)) = (asked, most)
                && asked > most
            {
                let who = self.who;
                return refused(format!(
                    "{who} {name} ({asked}) exceeds {kind}'s {name} ({most}). {label}: {id}"
                ));
            }
        }
        Ok(())
    }
}

fn capital(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

impl Job {
    /// Sees that what a key is put into is there, and has what the key asks of it; what it had before is not looked at
    /// again.
    ///
    /// # Errors
    /// With LiteLLM's words.
    pub(super) async fn check_place_of_key(
        &self,
        becomes: &KeySettings,
        was: &KeySettings,
    ) -> Result<(), Refusal> {
        if let Some(id) =
            becomes.organization_id.as_ref().filter(|_| becomes.organization_id != was.organization_id)
        {
            self.organization(id).await?;
        }
        if let Some(id) = &becomes.project_id {
            self.check_project_of_key(id, becomes, was).await?;
        }
        let text = |settings: &KeySettings| {
            settings.extra.get("end_user_budget_id").and_then(Value::as_str).map(str::to_owned)
        };
        if let Some(id) = text(becomes).filter(|id| !id.is_empty() && text(was).as_ref() != Some(id))
            && self.db.scope(&ScopeId::new(ScopeKind::Budget, &id)).await?.is_none()
        {
            let message = format!("end_user_budget_id={id} does not match any budget.");
            return Err(Refusal::detail(StatusCode::BAD_REQUEST, message));
        }
        self.check_access_groups(&becomes.access_group_ids, &was.access_group_ids).await
    }

    async fn check_project_of_key(
        &self,
        id: &str,
        becomes: &KeySettings,
        was: &KeySettings,
    ) -> Result<(), Refusal> {
        let moves = becomes.project_id != was.project_id;
        let (models, max_budget) = (&becomes.models, becomes.max_budget);
        if !moves && *models == was.models && max_budget == was.max_budget {
            return Ok(());
        }
        let Some(project) = self.db.scope(&ScopeId::new(ScopeKind::Project, id)).await? else {
            let message = format!("Project not found, project_id={id}");
            return if moves { Err(Refusal::detail(StatusCode::NOT_FOUND, message)) } else { Ok(()) };
        };
        let project = self.with_shared_budget(project).await?;
        Asked { who: "Key", models, max_budget, tpm_limit: None, rpm_limit: None }.fits("project", &project)
    }

    /// Sees that a team's organisation is there and has what the team asks of it; what it had before is not looked at
    /// again.
    ///
    /// # Errors
    /// With LiteLLM's words.
    pub(super) async fn check_place_of_team(
        &self,
        becomes: &ScopeSettings,
        was: &ScopeSettings,
    ) -> Result<(), Refusal> {
        self.check_access_groups(&listed(becomes), &listed(was)).await?;
        let Some(id) = &becomes.organization_id else { return Ok(()) };
        let moves = becomes.organization_id != was.organization_id;
        let mut asked = Asked::by("Team", becomes);
        if !moves {
            // What stays is not asked for.
            asked.models = if becomes.models == was.models { &[] } else { asked.models };
            asked.max_budget = asked.max_budget.filter(|_| becomes.max_budget != was.max_budget);
            asked.tpm_limit = asked.tpm_limit.filter(|_| becomes.tpm_limit != was.tpm_limit);
            asked.rpm_limit = asked.rpm_limit.filter(|_| becomes.rpm_limit != was.rpm_limit);
        }
        match self.organization(id).await {
            Ok(organization) => asked.fits("organization", &self.with_shared_budget(organization).await?),
            // One that is gone is told where a team is put into it.
            Err(refusal) if moves => Err(refusal),
            Err(_) => Ok(()),
        }
    }

    async fn organization(&self, id: &str) -> Result<ScopeRecord, Refusal> {
        let found = self.db.scope(&ScopeId::new(ScopeKind::Organization, id)).await?;
        found.ok_or_else(|| {
            let message = format!("Organization not found for organization_id={id}");
            Refusal::Detail(StatusCode::BAD_REQUEST, message.into())
        })
    }

    /// With the limits that it has from a shared budget.
    async fn with_shared_budget(&self, mut record: ScopeRecord) -> Result<ScopeRecord, Refusal> {
        let Some(id) = record.settings.budget_id.clone() else { return Ok(record) };
        let Some(budget) = self.db.scope(&ScopeId::new(ScopeKind::Budget, id)).await? else {
            return Ok(record);
        };
        let (own, shared) = (&mut record.settings, budget.settings);
        own.max_budget = own.max_budget.or(shared.max_budget);
        own.tpm_limit = own.tpm_limit.or(shared.tpm_limit);
        own.rpm_limit = own.rpm_limit.or(shared.rpm_limit);
        Ok(record)
    }

    async fn check_access_groups(&self, becomes: &[String], was: &[String]) -> Result<(), Refusal> {
        for id in becomes.iter().filter(|id| !was.contains(id)) {
            if self.db.scope(&ScopeId::new(ScopeKind::AccessGroup, id)).await?.is_none() {
                let message =
                    format!("Access group '{id}' does not exist: make it by /v1/access_group first");
                return Err(Refusal::about(
                    ErrorKind::BadRequest,
                    "bad_request_error",
                    "access_group_ids",
                    message,
                ));
            }
        }
        Ok(())
    }

    /// Refuses a shared budget that is not there: whoever is given it would have none.
    ///
    /// # Errors
    /// Status 400 naming `budget_id`.
    pub(super) async fn check_budget(&self, id: Option<&str>) -> Result<(), Refusal> {
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(()) };
        if self.db.scope(&ScopeId::new(ScopeKind::Budget, id)).await?.is_some() {
            return Ok(());
        }
        let message = format!("Budget with id '{id}' does not exist: make it by /budget/new first");
        Err(Refusal::about(ErrorKind::BadRequest, "bad_request_error", "budget_id", message))
    }
}

/// The access groups of a team.
fn listed(team: &ScopeSettings) -> Vec<String> {
    let list = team.extra.get("access_group_ids").and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
