//! The fields that requests about teams, users, customers, … share, as a change of their settings.

use gateway_db::{Change, JsonMap, ScopeSettings};
use llm_types::Money;

use super::budget_fields::{check_extra, check_model_budgets, end_of_period};
use super::fields::{Fields, Moment, always, reset};
use super::refusal::Refusal;

/// A change of a scope's settings.
#[derive(Debug, Clone, Default)]
pub(super) struct ScopeEdit {
    pub(super) alias: Change<String>,
    pub(super) email: Change<String>,
    pub(super) role: Change<String>,
    pub(super) organization_id: Change<String>,
    pub(super) team_id: Change<String>,
    pub(super) budget_id: Change<String>,
    pub(super) models: Option<Vec<String>>,
    pub(super) metadata: Option<JsonMap>,
    pub(super) blocked: Option<bool>,
    pub(super) spend: Option<Money>,
    pub(super) limits: LimitEdit,
    /// What LiteLLM has and the columns do not; a null removes the entry.
    pub(super) extra: JsonMap,
}

/// The part of it that is about money and rates.
#[derive(Debug, Clone, Default)]
pub(super) struct LimitEdit {
    pub(super) max_budget: Change<Money>,
    pub(super) soft_budget: Change<Money>,
    pub(super) budget_duration: Change<String>,
    pub(super) budget_reset_at: Change<i64>,
    pub(super) rpm_limit: Change<i64>,
    pub(super) tpm_limit: Change<i64>,
    pub(super) tpd_limit: Change<i64>,
    pub(super) max_parallel_requests: Change<i64>,
    pub(super) model_max_budget: Option<JsonMap>,
    pub(super) model_rpm_limit: Option<JsonMap>,
    pub(super) model_tpm_limit: Option<JsonMap>,
}

impl Fields {
    /// The change a request asks for, less the fields its caller has taken; what nobody knows goes into
    /// `extra`.
    ///
    /// # Errors
    /// Every field of a wrong type together, or the first value that makes no sense.
    pub(super) fn scope(mut self, moment: &Moment) -> Result<ScopeEdit, Refusal> {
        let ends = self.text("budget_reset_at");
        let mut edit = ScopeEdit {
            organization_id: self.text("organization_id"),
            budget_id: self.text("budget_id"),
            models: always(self.texts("models")),
            metadata: always(self.map("metadata")),
            blocked: always(self.flag("blocked")),
            spend: match self.money("spend") {
                Change::Set(spend) => Some(spend),
                Change::Keep | Change::Clear => None,
            },
            limits: self.limits(),
            ..ScopeEdit::default()
        };
        edit.extra = self.kept()?;
        if let Some(budgets) = &edit.limits.model_max_budget {
            check_model_budgets(budgets)?;
        }
        check_extra(&edit.extra)?;
        edit.limits.budget_reset_at = match ends {
            Change::Set(at) => Change::Set(end_of_period(&at)?),
            Change::Keep | Change::Clear => reset(&edit.limits.budget_duration, moment)?,
        };
        Ok(edit)
    }

    fn limits(&mut self) -> LimitEdit {
        LimitEdit {
            max_budget: self.money("max_budget"),
            soft_budget: self.money("soft_budget"),
            budget_duration: self.period("budget_duration"),
            budget_reset_at: Change::Keep,
            rpm_limit: self.count("rpm_limit"),
            tpm_limit: self.count("tpm_limit"),
            tpd_limit: self.count("tpd_limit"),
            max_parallel_requests: self.count("max_parallel_requests"),
            model_max_budget: always(self.map("model_max_budget")),
            model_rpm_limit: always(self.rates("model_rpm_limit")),
            model_tpm_limit: always(self.rates("model_tpm_limit")),
        }
    }
}

impl ScopeEdit {
    /// The settings of a new scope.
    pub(super) fn settings(self) -> ScopeSettings {
        let mut settings = ScopeSettings::default();
        self.apply(&mut settings);
        settings
    }

    /// Changes settings.
    pub(super) fn apply(self, settings: &mut ScopeSettings) {
        change(&mut settings.alias, self.alias);
        change(&mut settings.email, self.email);
        change(&mut settings.role, self.role);
        change(&mut settings.organization_id, self.organization_id);
        change(&mut settings.team_id, self.team_id);
        change(&mut settings.budget_id, self.budget_id);
        replace(&mut settings.models, self.models);
        replace(&mut settings.metadata, self.metadata);
        replace(&mut settings.blocked, self.blocked);
        self.limits.apply(settings);
        for (name, value) in self.extra {
            if value.is_null() {
                settings.extra.shift_remove(&name);
            } else {
                settings.extra.insert(name, value);
            }
        }
    }
}

impl LimitEdit {
    /// Changes settings.
    pub(super) fn apply(self, settings: &mut ScopeSettings) {
        change(&mut settings.max_budget, self.max_budget);
        change(&mut settings.soft_budget, self.soft_budget);
        change(&mut settings.budget_duration, self.budget_duration);
        change(&mut settings.budget_reset_at, self.budget_reset_at);
        change(&mut settings.rpm_limit, self.rpm_limit);
        change(&mut settings.tpm_limit, self.tpm_limit);
        change(&mut settings.tpd_limit, self.tpd_limit);
        change(&mut settings.max_parallel_requests, self.max_parallel_requests);
        replace(&mut settings.model_max_budget, self.model_max_budget);
        replace(&mut settings.model_rpm_limit, self.model_rpm_limit);
        replace(&mut settings.model_tpm_limit, self.model_tpm_limit);
    }
}

fn change<T>(field: &mut Option<T>, change: Change<T>) {
    *field = change.apply(field.take());
}

fn replace<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
