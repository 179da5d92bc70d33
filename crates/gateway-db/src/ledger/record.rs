//! What the ledger writes about a call: before it an intent, after it an outcome.

use llm_types::Money;

use super::CallId;

/// Whom a call is charged to. Empty texts mean that there is none; longer ones are cut at 255 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The key's hash, or the fixed name that calls without a virtual key are booked under.
    pub key: &'a str,
    /// The key's user.
    pub user_id: &'a str,
    /// The key's team.
    pub team_id: &'a str,
    /// The key's organisation.
    pub organization_id: &'a str,
    /// The end user named in the request.
    pub end_user: &'a str,
    /// The key's project.
    pub project_id: &'a str,
    /// The parts that pay besides, as a JSON array of pairs of id and member, with a third number, nano-dollars,
    /// where one pays for a share of the call only; empty where there are none. A pair without a member is another
    /// scope, by its name as an owner.
    pub parts: &'a str,
}

/// Written before a call leaves for a provider: what it may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent<'a> {
    /// The call.
    pub id: CallId,
    /// When it arrived, in Unix milliseconds.
    pub started_ms: i64,
    /// What was reserved for it in the budgets; booked if the outcome never becomes known.
    pub reserved: Money,
    /// Prompt tokens as estimated.
    pub reserved_input_tokens: u64,
    /// Answer tokens as reserved.
    pub reserved_output_tokens: u64,
    /// Whom it is charged to.
    pub owner: Owner<'a>,
    /// The model group asked for.
    pub model_group: &'a str,
    /// LiteLLM's call type, such as `acompletion`.
    pub call_type: &'a str,
    /// Whether a streamed answer was asked for.
    pub stream: bool,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum End {
    /// The caller got the whole answer.
    #[default]
    Completed,
    /// The provider failed after the answer had begun.
    Cut,
    /// The caller left before the end.
    HungUp,
    /// The caller got an error.
    Failed,
    /// The process died in between; the call is booked at its reservation.
    Unknown,
}

impl End {
    /// The word in the spend log's `outcome` column.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cut => "cut",
            Self::HungUp => "hung_up",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// True for calls that daily sums count as failed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Cut | Self::Failed)
    }
}

/// What a call consumed, as far as sums need it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The whole prompt, cached parts included.
    pub input: u64,
    /// The whole answer, reasoning included.
    pub output: u64,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: u64,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: u64,
    /// Answer tokens spent on reasoning.
    pub reasoning: u64,
}

/// Marks on a booked call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// The answer was streamed.
    pub stream: bool,
    /// Tokens were counted by us because the provider reported none.
    pub estimated: bool,
    /// The model has no price; `cost` is `None`.
    pub unpriced: bool,
    /// The outcome never became known; `cost` is the reservation.
    pub unknown_outcome: bool,
    /// The answer came from our cache.
    pub cache_hit: bool,
}

/// Written after a call: everything that the spend log and the sums need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The call; the same id as its intent, appended to the same shard.
    pub id: CallId,
    /// The id shown to the caller, if it is another one; may come from the request.
    pub call_id: &'a str,
    /// When it arrived, in Unix milliseconds.
    pub started_ms: i64,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// When the first byte left, in microseconds after the start.
    pub first_byte_us: Option<u64>,
    /// Whom it is charged to.
    pub owner: Owner<'a>,
    /// The model group asked for.
    pub model_group: &'a str,
    /// The provider's model name.
    pub model: &'a str,
    /// The provider's slug.
    pub provider: &'a str,
    /// The deployment that answered.
    pub deployment: &'a str,
    /// LiteLLM's call type.
    pub call_type: &'a str,
    /// How it ended.
    pub end: End,
    /// The HTTP status the caller got.
    pub status: u16,
    /// The kind of failure, such as `rate_limited`.
    pub error: &'a str,
    /// Marks.
    pub flags: Flags,
    /// Consumption.
    pub tokens: Tokens,
    /// What it cost; `None` when the model has no price.
    pub cost: Option<Money>,
    /// Attempts beyond the first.
    pub retries: u16,
    /// Model groups tried beyond the first.
    pub fallbacks: u16,
    /// The whole usage as JSON text, or empty when the fields above say it all.
    pub usage: &'a str,
    /// Request tags as a JSON array, or empty.
    pub tags: &'a str,
    /// Everything else as a JSON object, or empty.
    pub metadata: &'a str,
    /// The session that the call belongs to, or empty.
    pub session: &'a str,
    /// The tools that the answer invoked, as a JSON array of names, or empty.
    pub tools: &'a str,
}

impl<'a> Outcome<'a> {
    /// An empty outcome of a call: completed, nothing consumed, nothing charged.
    #[must_use]
    pub const fn of(id: CallId) -> Self {
        Self {
            id,
            call_id: "",
            started_ms: 0,
            duration_us: 0,
            first_byte_us: None,
            owner: Owner {
                key: "",
                user_id: "",
                team_id: "",
                organization_id: "",
                end_user: "",
                project_id: "",
                parts: "",
            },
            model_group: "",
            model: "",
            provider: "",
            deployment: "",
            call_type: "",
            end: End::Completed,
            status: 200,
            error: "",
            flags: Flags {
                stream: false,
                estimated: false,
                unpriced: false,
                unknown_outcome: false,
                cache_hit: false,
            },
            tokens: Tokens { input: 0, output: 0, cache_read: 0, cache_write: 0, reasoning: 0 },
            cost: Some(Money::ZERO),
            retries: 0,
            fallbacks: 0,
            usage: "",
            tags: "",
            metadata: "",
            session: "",
            tools: "",
        }
    }

    /// What is booked for an intent whose outcome nobody knows: its reservation.
    #[must_use]
    pub const fn unknown(intent: &Intent<'a>) -> Self {
        let mut outcome = Self::of(intent.id);
        outcome.started_ms = intent.started_ms;
        outcome.owner = intent.owner;
        outcome.model_group = intent.model_group;
        outcome.call_type = intent.call_type;
        outcome.end = End::Unknown;
        outcome.status = 0;
        outcome.flags.stream = intent.stream;
        outcome.flags.estimated = true;
        outcome.flags.unknown_outcome = true;
        outcome.tokens.input = intent.reserved_input_tokens;
        outcome.tokens.output = intent.reserved_output_tokens;
        outcome.cost = Some(intent.reserved);
        outcome
    }
}

/// One record of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "records are read one at a time and never kept")]
pub enum Record<'a> {
    /// A call begins.
    Intent(Intent<'a>),
    /// A call ended.
    Outcome(Outcome<'a>),
    /// An announced call never left for a provider: nothing is booked.
    Cancel(CallId),
}
