//! The record of one finished call: what spend, logs and callbacks are made from.

use serde::Serialize;

use crate::{DeploymentId, ErrorKind, KeyHash, Money, ProviderId, RequestId, Usage};

/// How a reply was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// The provider's bytes went to the caller as they came.
    Forwarded,
    /// The reply was translated between dialects.
    Translated,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// The caller got the whole answer.
    Completed,
    /// The provider failed after the answer had begun.
    Cut,
    /// The caller left before the end.
    HungUp,
    /// The caller got an error.
    Failed(ErrorKind),
}

/// One finished call. Times are milliseconds since the Unix epoch or durations in microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct CallEvent {
    /// The call's id.
    pub id: RequestId,
    /// The virtual key; `None` for the master key.
    pub key: Option<KeyHash>,
    /// The end user named in the request.
    pub end_user: Option<String>,
    /// The model group the caller asked for.
    pub model_group: String,
    /// The deployment that answered.
    pub deployment: Option<DeploymentId>,
    /// Its provider.
    pub provider: Option<ProviderId>,
    /// The provider's model name.
    pub model: Option<String>,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// How it was carried.
    pub lane: Lane,
    /// How it ended.
    pub outcome: CallOutcome,
    /// What it consumed.
    pub usage: Option<Usage>,
    /// What it cost; `None` when the model has no price.
    pub cost: Option<Money>,
    /// When it arrived, in Unix milliseconds.
    pub started_ms: i64,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// When the first byte of the answer left, in microseconds after the start.
    pub first_byte_us: Option<u64>,
    /// Attempts beyond the first, on the same model group.
    pub retries: u32,
    /// Model groups tried beyond the first.
    pub fallbacks: u32,
}
