//! What callers see of an error: its HTTP status and the words LiteLLM uses for its type.
//!
//! LiteLLM surface §5.1–5.3: an error of a provider mostly keeps the provider's status; the types are
//! few and follow from the status, except that provider refusals of a parameter (400, 422) keep the
//! provider's own type and parameter.

use http::StatusCode;
use llm_types::{Error, ErrorKind};

/// An error as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'e> {
    /// The HTTP status.
    pub status: StatusCode,
    /// LiteLLM's `type`.
    pub kind: &'e str,
    /// The request field at fault, where LiteLLM names it.
    pub param: Option<&'e str>,
}

/// How an error is shown.
#[must_use]
pub fn shown(error: &Error) -> Shown<'_> {
    let status = status(error);
    let own = error.status().is_none();
    let refused = error.kind() == ErrorKind::BadRequest && matches!(status.as_u16(), 400 | 422);
    let kind = match error.kind() {
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded if status.as_u16() == 429 => "throttling_error",
        ErrorKind::BudgetExceeded => "budget_exceeded",
        _ => default_kind(status),
    };
    let kind = error.vendor_type().filter(|name| (own || refused) && !name.is_empty()).unwrap_or(kind);
    let param = error.param().filter(|_| own || refused || matches!(status.as_u16(), 429 | 500));
    Shown { status, kind, param }
}

/// The type LiteLLM gives to an error that has none.
fn default_kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "internal_server_error",
    }
}

/// The HTTP status of an error: the provider's where it says what ours would, else the kind's.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    let upstream = error.status().map_or(0, |status| status.as_u16());
    let code = match (error.kind(), upstream) {
        (ErrorKind::BadRequest | ErrorKind::Unsupported | ErrorKind::BudgetExceeded, 400..=499)
        | (ErrorKind::QuotaExceeded, 402 | 403)
        | (ErrorKind::Overloaded | ErrorKind::BadUpstream | ErrorKind::Unreachable, 500 | 502..=504)
        | (ErrorKind::Timeout, 504) => upstream,
        (ErrorKind::Overloaded, 529) => 500,
        (kind, _) => kind.usual_status(),
    };
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests;
