//! A change to a key, in which "leave it", "clear it" and "set it" are three things.

use llm_types::Money;

use super::JsonMap;

/// What happens to a field that may be empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes empty.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Change<T> {
    /// Sets a value, or clears the field where there is none.
    #[must_use]
    pub fn to(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }

    /// The value after the change.
    #[must_use]
    pub fn apply(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// A change to one key. Fields that are always there use `Option`: `None` leaves them.
/// The names are those of [`KeySettings`](super::KeySettings).
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "each field is documented under the same name in `KeySettings`")]
pub struct KeyPatch {
    pub alias: Change<String>,
    pub user_id: Change<String>,
    pub team_id: Change<String>,
    pub organization_id: Change<String>,
    pub project_id: Change<String>,
    pub agent_id: Change<String>,
    pub models: Option<Vec<String>>,
    pub aliases: Option<JsonMap>,
    pub config: Option<JsonMap>,
    pub permissions: Option<JsonMap>,
    pub metadata: Option<JsonMap>,
    pub max_budget: Change<Money>,
    pub soft_budget: Change<Money>,
    pub budget_duration: Change<String>,
    pub budget_reset_at: Change<i64>,
    pub rpm_limit: Change<i64>,
    pub tpm_limit: Change<i64>,
    pub tpd_limit: Change<i64>,
    pub max_parallel_requests: Change<i64>,
    pub model_max_budget: Option<JsonMap>,
    pub model_rpm_limit: Option<JsonMap>,
    pub model_tpm_limit: Option<JsonMap>,
    pub allowed_routes: Option<Vec<String>>,
    pub key_type: Change<String>,
    pub blocked: Option<bool>,
    pub expires_at: Change<i64>,
    pub access_group_ids: Option<Vec<String>>,
    pub auto_rotate: Option<bool>,
    pub rotation_interval: Change<String>,
    pub rotate_at: Change<i64>,
    /// Entries to set in `extra`; a JSON null removes the entry. Entries not named stay.
    pub extra: JsonMap,
    /// Overwrites the spend of the current period (`/key/update` with `spend`, `/key/{key}/reset_spend`).
    pub spend: Option<Money>,
}
