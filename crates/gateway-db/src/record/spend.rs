//! What calls consumed: one row per call, and sums per day.

use llm_types::{KeyHash, Money};

use super::PageRequest;

/// One finished call as the spend log keeps it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpendRow {
    /// The ledger's id of the call as text, or the id an imported row came with.
    pub request_id: String,
    /// The id shown to the caller (`x-litellm-call-id`), where it is another one.
    pub call_id: Option<String>,
    /// When it arrived.
    pub started_at: i64,
    /// How long it took, in microseconds.
    pub duration_us: i64,
    /// When the first byte left, in microseconds after the start.
    pub first_byte_us: Option<i64>,
    /// The key's hash; `None` for calls without a virtual key.
    pub key: Option<KeyHash>,
    /// The key's user at that time.
    pub user_id: Option<String>,
    /// The key's team at that time.
    pub team_id: Option<String>,
    /// The key's organisation at that time.
    pub organization_id: Option<String>,
    /// The end user named in the request.
    pub end_user: Option<String>,
    /// The model group asked for.
    pub model_group: String,
    /// The provider's model name.
    pub model: Option<String>,
    /// The provider's slug.
    pub provider: Option<String>,
    /// The deployment that answered.
    pub deployment: Option<String>,
    /// LiteLLM's call type, such as `acompletion`.
    pub call_type: String,
    /// How it ended: `completed`, `cut`, `hung_up`, `failed` or `unknown`.
    pub outcome: String,
    /// The HTTP status the caller got.
    pub status: i64,
    /// The kind of failure, such as `rate_limited`.
    pub error: Option<String>,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// Tokens were counted by us because the provider reported none.
    pub estimated: bool,
    /// The model has no price: the cost is unknown, not zero.
    pub unpriced: bool,
    /// The process died before the outcome was known: booked at its reservation.
    pub unknown_outcome: bool,
    /// The answer came from our cache.
    pub cache_hit: bool,
    /// The whole prompt, cached parts included.
    pub input_tokens: i64,
    /// The whole answer, reasoning included.
    pub output_tokens: i64,
    /// Prompt tokens read from the provider's cache.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write_tokens: i64,
    /// Answer tokens spent on reasoning.
    pub reasoning_tokens: i64,
    /// The provider's whole usage as JSON text, where more is known than the columns hold.
    pub usage: Option<String>,
    /// What it cost; `None` when the model has no price.
    pub cost: Option<Money>,
    /// Attempts beyond the first.
    pub retries: i64,
    /// Model groups tried beyond the first.
    pub fallbacks: i64,
    /// Request tags as a JSON array.
    pub tags: Option<String>,
    /// Everything else as a JSON object.
    pub metadata: Option<String>,
    /// The key's project at that time.
    pub project_id: Option<String>,
    /// What it was booked at first, where its cost was derived anew since.
    pub booked_cost: Option<Money>,
    /// The session that the call belongs to.
    pub session_id: Option<String>,
    /// The parts of budgets that paid besides, as [`crate::Owner::parts`] has them.
    pub parts: Option<String>,
    /// The tools that the answer invoked, as a JSON array of names.
    pub tools: Option<String>,
}

/// What a list of calls is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SpendSort {
    /// When they arrived.
    #[default]
    StartedAt,
    /// When they were over.
    EndedAt,
    /// What they cost.
    Cost,
    /// Tokens of prompt and answer.
    Tokens,
    /// The provider's model.
    Model,
    /// How long they took.
    Duration,
    /// When the first byte left.
    FirstByte,
}

/// Which rows of the spend log; empty fields do not filter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpendQuery {
    /// One call, by `request_id` or `call_id`.
    pub request_id: Option<String>,
    /// Calls of one key.
    pub key: Option<KeyHash>,
    /// Calls of one user.
    pub user_id: Option<String>,
    /// Calls of one team.
    pub team_id: Option<String>,
    /// Calls for one end user.
    pub end_user: Option<String>,
    /// Calls to one model group.
    pub model_group: Option<String>,
    /// Calls of one session.
    pub session_id: Option<String>,
    /// Calls of sessions whose ids hold this text.
    pub session_part: Option<String>,
    /// Calls of one of these keys.
    pub keys: Option<Vec<KeyHash>>,
    /// Calls that the provider's model of this name answered.
    pub model: Option<String>,
    /// Calls that this deployment answered.
    pub deployment: Option<String>,
    /// Calls that failed, or that did not.
    pub failed: Option<bool>,
    /// Failures with this status.
    pub error_status: Option<i64>,
    /// Part of the kind of failure, in any case.
    pub error_part: Option<String>,
    /// Calls that a cache of replies answered, or did not.
    pub cached: Option<bool>,
    /// Calls that cost this or more.
    pub cost_from: Option<Money>,
    /// Calls that cost this or less.
    pub cost_to: Option<Money>,
    /// Calls with this id, key, user, team, customer, session or deployment.
    pub search: Option<String>,
    /// Of the calls of a session, the latest alone.
    pub one_of_session: bool,
    /// What the list is ordered by; of the same, by when they arrived.
    pub sort: SpendSort,
    /// The first or smallest first.
    pub ascending: bool,
    /// Calls that arrived at this time or later.
    pub from: Option<i64>,
    /// Calls that arrived before this time.
    pub until: Option<i64>,
    /// Which page.
    pub page: PageRequest,
}

/// Sums of one UTC day and one combination of owner and model. Texts are empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DailySpend {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    /// The key's hash.
    pub key: String,
    /// The key's user.
    pub user_id: String,
    /// The key's team.
    pub team_id: String,
    /// The key's organisation.
    pub organization_id: String,
    /// The model group asked for.
    pub model_group: String,
    /// The provider's model name.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// LiteLLM's call type.
    pub call_type: String,
    /// All calls.
    pub requests: i64,
    /// Calls that failed (outcome `failed` or `cut`).
    pub failed: i64,
    /// Calls whose model has no price.
    pub unpriced: i64,
    /// The whole prompts.
    pub input_tokens: i64,
    /// The whole answers.
    pub output_tokens: i64,
    /// Prompt tokens read from providers' caches.
    pub cache_read_tokens: i64,
    /// Prompt tokens written to providers' caches.
    pub cache_write_tokens: i64,
    /// Answer tokens spent on reasoning.
    pub reasoning_tokens: i64,
    /// What they cost.
    pub cost: Money,
    /// How long they took together, in microseconds.
    pub duration_us: i64,
}

/// Which days and owners; empty fields do not filter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DailyQuery {
    /// First day, as days since 1970-01-01.
    pub from_day: Option<i64>,
    /// Last day, itself included.
    pub to_day: Option<i64>,
    /// One key.
    pub key: Option<KeyHash>,
    /// One user.
    pub user_id: Option<String>,
    /// One team.
    pub team_id: Option<String>,
    /// One model group.
    pub model_group: Option<String>,
}

/// What one key spent on one model, over all days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSpend {
    /// The provider's model name; the model group where no provider was reached.
    pub model: String,
    /// Calls.
    pub requests: i64,
    /// What they cost.
    pub cost: Money,
}
