//! What teams begin with that an identity provider brings (`default_team_params`).

use gateway_db::ScopeSettings;
use serde_json::json;

use super::Snapshot;
use crate::limits::next_reset;

impl Snapshot {
    /// The settings of such a team at its beginning.
    pub(crate) fn new_team(&self, now_ms: i64) -> ScopeSettings {
        let usual = &self.config.budgets.team_defaults;
        let mut settings = ScopeSettings {
            models: usual.models.clone(),
            max_budget: usual.max_budget,
            budget_duration: usual.budget_duration.clone(),
            budget_reset_at: usual
                .budget_duration
                .as_deref()
                .and_then(|period| next_reset(period, now_ms, &self.calendar)),
            tpm_limit: usual.tpm_limit,
            rpm_limit: usual.rpm_limit,
            ..ScopeSettings::default()
        };
        if !usual.member_permissions.is_empty() {
            settings.extra.insert("team_member_permissions".to_owned(), json!(usual.member_permissions));
        }
        settings
    }
}
