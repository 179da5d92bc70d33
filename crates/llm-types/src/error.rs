//! The one error: what happened (kind), whose fault it is (origin), and what may be tried (retry).

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{ProviderId, Usage};

/// A result with the one error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happened. Few enough to remember; the message has the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request is malformed or has a wrong value.
    BadRequest,
    /// The request body is larger than allowed.
    TooLarge,
    /// The prompt does not fit into the model's context window.
    ContextTooLong,
    /// No key, or one that is unknown, expired or blocked.
    Unauthenticated,
    /// A known key without the right to do this.
    Forbidden,
    /// The model, route or object does not exist.
    NotFound,
    /// The other side has no way to express a parameter.
    Unsupported,
    /// Too many requests or tokens in a time window.
    RateLimited,
    /// The provider account has no credit left.
    QuotaExceeded,
    /// A budget of ours has nothing left.
    BudgetExceeded,
    /// A content policy refused the prompt or the answer.
    ContentFiltered,
    /// The provider or the gateway has no capacity right now.
    Overloaded,
    /// Somebody did not answer in time.
    Timeout,
    /// No connection to the provider.
    Unreachable,
    /// The provider answered something that is not its protocol, or failed inside.
    BadUpstream,
    /// A fault of ours.
    Internal,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The caller's request.
    Caller,
    /// The gateway or its operator's settings.
    Gateway,
    /// The provider.
    Upstream,
}

/// What may be tried next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Nothing: the same request fails everywhere.
    Never,
    /// The same deployment may succeed.
    Same,
    /// Another deployment may succeed, this one will not.
    Elsewhere,
    /// The same deployment may succeed after this wait.
    After(Duration),
}

/// An error born once, where it was understood, and rendered once, at the door.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    origin: Origin,
    retry: Retry,
    message: String,
    param: Option<String>,
    code: Option<String>,
    vendor_type: Option<String>,
    provider: Option<ProviderId>,
    status: Option<StatusCode>,
    usage: Option<Usage>,
    source: Option<std::sync::Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error with a message that is safe to show to callers.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (origin, retry) = kind.defaults();
        Self(Box::new(Inner {
            kind,
            origin,
            retry,
            message: message.into(),
            param: None,
            code: None,
            vendor_type: None,
            provider: None,
            status: None,
            usage: None,
            source: None,
        }))
    }

    /// A malformed request: names the field at fault.
    pub fn bad_param(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, message).with_param(param)
    }

    /// A parameter the other side cannot express.
    pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message).with_param(param)
    }

    /// Replaces the message, for context that only a later layer has.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Sets whose fault it is.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.0.origin = origin;
        self
    }

    /// Sets what may be tried next.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Names the request field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// The vendor's or our own machine-readable code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The vendor's own error type, shown to callers where LiteLLM shows it.
    #[must_use]
    pub fn with_vendor_type(mut self, vendor_type: impl Into<String>) -> Self {
        self.0.vendor_type = Some(vendor_type.into());
        self
    }

    /// The provider that answered.
    #[must_use]
    pub fn with_provider(mut self, provider: ProviderId) -> Self {
        self.0.provider = Some(provider);
        self
    }

    /// The HTTP status the provider answered with.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Usage the provider reported although the call failed: it is billed.
    #[must_use]
    pub fn with_usage(mut self, usage: Usage) -> Self {
        self.0.usage = Some(usage);
        self
    }

    /// The cause, for logs only; it is never sent to callers.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(std::sync::Arc::new(source));
        self
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose fault it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// What may be tried next.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The message for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The request field at fault.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// The machine-readable code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The vendor's own error type.
    #[must_use]
    pub fn vendor_type(&self) -> Option<&str> {
        self.0.vendor_type.as_deref()
    }

    /// The provider that answered.
    #[must_use]
    pub fn provider(&self) -> Option<&ProviderId> {
        self.0.provider.as_ref()
    }

    /// The provider's HTTP status.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Usage reported with the failure.
    #[must_use]
    pub fn usage(&self) -> Option<&Usage> {
        self.0.usage.as_ref()
    }
}

impl ErrorKind {
    /// The word for logs and the spend log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::TooLarge => "too_large",
            Self::ContextTooLong => "context_too_long",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Unsupported => "unsupported",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::BudgetExceeded => "budget_exceeded",
            Self::ContentFiltered => "content_filtered",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::BadUpstream => "bad_upstream",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status of a kind where no provider answered one. LiteLLM surface §5.2.
    #[must_use]
    pub const fn usual_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ContextTooLong | Self::Unsupported | Self::ContentFiltered => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Timeout => 408,
            Self::TooLarge => 413,
            Self::BudgetExceeded => 422,
            Self::RateLimited | Self::QuotaExceeded => 429,
            Self::Unreachable | Self::BadUpstream | Self::Internal => 500,
            Self::Overloaded => 503,
        }
    }

    /// The usual fault and remedy of a kind; an error may be born with others.
    const fn defaults(self) -> (Origin, Retry) {
        match self {
            Self::BadRequest
            | Self::TooLarge
            | Self::ContextTooLong
            | Self::Unauthenticated
            | Self::Forbidden
            | Self::NotFound
            | Self::Unsupported
            | Self::ContentFiltered => (Origin::Caller, Retry::Never),
            Self::BudgetExceeded | Self::Internal => (Origin::Gateway, Retry::Never),
            Self::QuotaExceeded => (Origin::Upstream, Retry::Elsewhere),
            Self::RateLimited | Self::Overloaded | Self::Timeout | Self::Unreachable | Self::BadUpstream => {
                (Origin::Upstream, Retry::Same)
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("origin", &inner.origin)
            .field("retry", &inner.retry)
            .field("message", &inner.message)
            .field("param", &inner.param)
            .field("code", &inner.code)
            .field("provider", &inner.provider)
            .field("status", &inner.status)
            .field("source", &inner.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind
            && self.0.message == other.0.message
            && self.0.param == other.0.param
            && self.0.code == other.0.code
            && self.0.status == other.0.status
    }
}
