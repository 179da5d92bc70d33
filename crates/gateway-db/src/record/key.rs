//! A virtual key: what it may do, what it has spent, and who made it.

use llm_types::{KeyHash, Money};

/// A JSON object whose keys keep their order.
pub type JsonMap = serde_json::Map<String, serde_json::Value>;

/// What an operator sets on a key. `None` means that there is no such limit, owner or period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeySettings {
    /// Unique among living keys.
    pub alias: Option<String>,
    /// The user it belongs to; the user need not exist.
    pub user_id: Option<String>,
    /// The team it belongs to.
    pub team_id: Option<String>,
    /// The organisation it belongs to.
    pub organization_id: Option<String>,
    /// The project it belongs to.
    pub project_id: Option<String>,
    /// The agent it belongs to.
    pub agent_id: Option<String>,
    /// Models it may use; empty is every model.
    pub models: Vec<String>,
    /// Requested model name → name used instead.
    pub aliases: JsonMap,
    /// LiteLLM's old per-key router settings.
    pub config: JsonMap,
    /// Free map of rights, such as `get_spend_routes`.
    pub permissions: JsonMap,
    /// Free map of the operator.
    pub metadata: JsonMap,
    /// Hard limit on `spend` in the current period.
    pub max_budget: Option<Money>,
    /// Limit that only alerts.
    pub soft_budget: Option<Money>,
    /// The period in LiteLLM's words, such as `30d`.
    pub budget_duration: Option<String>,
    /// When the current period ends.
    pub budget_reset_at: Option<i64>,
    /// Requests per minute.
    pub rpm_limit: Option<i64>,
    /// Tokens per minute.
    pub tpm_limit: Option<i64>,
    /// Batch tokens per day.
    pub tpd_limit: Option<i64>,
    /// Calls at the same time.
    pub max_parallel_requests: Option<i64>,
    /// Model → budget of its own.
    pub model_max_budget: JsonMap,
    /// Model → requests per minute.
    pub model_rpm_limit: JsonMap,
    /// Model → tokens per minute.
    pub model_tpm_limit: JsonMap,
    /// Routes, wildcards or route groups it may call; empty is the default of its type.
    pub allowed_routes: Vec<String>,
    /// `default`, `llm_api`, `management` or `read_only`.
    pub key_type: Option<String>,
    /// A blocked key answers 401 everywhere.
    pub blocked: bool,
    /// When it stops working.
    pub expires_at: Option<i64>,
    /// Unified access groups.
    pub access_group_ids: Vec<String>,
    /// Whether it is rotated on a schedule.
    pub auto_rotate: bool,
    /// The schedule in LiteLLM's words.
    pub rotation_interval: Option<String>,
    /// When it is rotated next.
    pub rotate_at: Option<i64>,
    /// Every further field of LiteLLM's by its name there (`guardrails`, `object_permission`,
    /// `budget_limits`, `router_settings`, `tags`, `budget_id`, …), so that nothing is lost.
    pub extra: JsonMap,
}

/// A key to be stored. The secret itself is never stored, only its hash.
#[derive(Debug, Clone, PartialEq)]
pub struct NewKey {
    /// Lower-case SHA-256 hex of the secret.
    pub hash: KeyHash,
    /// The masked secret, such as `sk-...L85g`.
    pub name: Option<String>,
    /// What the operator set.
    pub settings: KeySettings,
    /// Recorded spend to begin with.
    pub spend: Money,
    /// Now.
    pub created_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
}

/// A stored key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRecord {
    /// Lower-case SHA-256 hex of the secret.
    pub hash: KeyHash,
    /// The masked secret.
    pub name: Option<String>,
    /// What the operator set.
    pub settings: KeySettings,
    /// Spent in the current budget period, as far as shipped.
    pub spend: Money,
    /// Spent ever; a preset spend is not in it.
    pub total_spend: Money,
    /// When it was made.
    pub created_at: i64,
    /// Who made it.
    pub created_by: Option<String>,
    /// When its settings last changed.
    pub updated_at: i64,
    /// Who changed them.
    pub updated_by: Option<String>,
    /// When the latest call with it began, as far as shipped.
    pub last_active: Option<i64>,
    /// How often its secret was replaced.
    pub rotation_count: i64,
    /// When its secret was last replaced.
    pub last_rotation_at: Option<i64>,
    /// When it was deleted: a tombstone, kept for history and for other replicas.
    pub deleted_at: Option<i64>,
    /// Who deleted it.
    pub deleted_by: Option<String>,
    /// Grows with every change of any key's settings, in commit order; spend does not count.
    pub version: i64,
}

impl KeyRecord {
    /// The record of a caller who is known by other means than a stored key, such as a token of an identity
    /// provider: nothing spent, never stored. `hash` names the caller in counters and in the ledger.
    #[must_use]
    pub fn unstored(hash: KeyHash, settings: KeySettings) -> Self {
        Self {
            hash,
            name: None,
            settings,
            spend: Money::ZERO,
            total_spend: Money::ZERO,
            created_at: 0,
            created_by: None,
            updated_at: 0,
            updated_by: None,
            last_active: None,
            rotation_count: 0,
            last_rotation_at: None,
            deleted_at: None,
            deleted_by: None,
            version: 0,
        }
    }
}
