//! Which of LiteLLM's exception classes an error is, and what that means for retries and cooldowns.

use llm_types::{Error, ErrorKind, Origin};

/// The exception classes policies name. LiteLLM surface §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// 400, 413, 422: the request is at fault.
    BadRequest,
    /// 400: the prompt is longer than the context window.
    ContextWindow,
    /// 400: a content policy refused.
    ContentPolicy,
    /// 401: the deployment's key is refused.
    Authentication,
    /// 402: the account has no credit.
    PaymentRequired,
    /// 403: the key may not do this.
    PermissionDenied,
    /// 404: no such model or deployment.
    NotFound,
    /// 408, 504: no answer in time.
    Timeout,
    /// 409: the provider is busy with something that excludes this.
    Conflict,
    /// 429: too many requests or tokens.
    RateLimit,
    /// 500, 529 and no connection.
    InternalServer,
    /// 502.
    BadGateway,
    /// 503.
    ServiceUnavailable,
    /// Any other status.
    Other,
    /// Ours, not the deployment's: budgets, guardrails, faults of the gateway.
    Ours,
}

impl ErrorClass {
    /// The class of an error an attempt ended with.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if error.origin() == Origin::Gateway {
            return Self::Ours;
        }
        match error.kind() {
            ErrorKind::BadRequest if status(error) == 409 => Self::Conflict,
            ErrorKind::BadRequest | ErrorKind::TooLarge | ErrorKind::Unsupported => Self::BadRequest,
            ErrorKind::ContextTooLong => Self::ContextWindow,
            ErrorKind::ContentFiltered => Self::ContentPolicy,
            ErrorKind::Unauthenticated => Self::Authentication,
            ErrorKind::Forbidden => Self::PermissionDenied,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::QuotaExceeded if matches!(status(error), 402 | 403) => Self::PaymentRequired,
            ErrorKind::RateLimited | ErrorKind::QuotaExceeded => Self::RateLimit,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Overloaded | ErrorKind::Unreachable | ErrorKind::BadUpstream => match status(error) {
                429 => Self::RateLimit,
                408 | 504 => Self::Timeout,
                502 => Self::BadGateway,
                503 => Self::ServiceUnavailable,
                500.. => Self::InternalServer,
                _ => Self::Other,
            },
            ErrorKind::BudgetExceeded | ErrorKind::Internal => Self::Ours,
        }
    }
}

impl ErrorClass {
    /// LiteLLM's name of the exception. LiteLLM surface §5.2.
    #[must_use]
    pub const fn litellm_name(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequestError",
            Self::ContextWindow => "ContextWindowExceededError",
            Self::ContentPolicy => "ContentPolicyViolationError",
            Self::Authentication => "AuthenticationError",
            Self::PaymentRequired | Self::Conflict | Self::Other => "APIError",
            Self::PermissionDenied => "PermissionDeniedError",
            Self::NotFound => "NotFoundError",
            Self::Timeout => "Timeout",
            Self::RateLimit => "RateLimitError",
            Self::InternalServer | Self::Ours => "InternalServerError",
            Self::BadGateway => "BadGatewayError",
            Self::ServiceUnavailable => "ServiceUnavailableError",
        }
    }
}

/// The status LiteLLM's rules are written in: the provider's, else the one its kind stands for.
#[must_use]
pub fn status(error: &Error) -> u16 {
    error.status().map_or_else(|| error.kind().usual_status(), |status| status.as_u16())
}

#[cfg(test)]
mod tests;
