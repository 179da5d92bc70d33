//! Every kind, and every answer LiteLLM was observed to give per provider status.

use http::StatusCode;
use llm_types::{Error, ErrorKind};

use super::shown;

#[test]
fn every_kind_of_ours_has_its_status_and_type() {
    for (kind, status, name) in [
        (ErrorKind::BadRequest, 400, "invalid_request_error"),
        (ErrorKind::TooLarge, 413, "invalid_request_error"),
        (ErrorKind::ContextTooLong, 400, "invalid_request_error"),
        (ErrorKind::Unauthenticated, 401, "authentication_error"),
        (ErrorKind::Forbidden, 403, "permission_error"),
        (ErrorKind::NotFound, 404, "invalid_request_error"),
        (ErrorKind::Unsupported, 400, "invalid_request_error"),
        (ErrorKind::RateLimited, 429, "throttling_error"),
        (ErrorKind::QuotaExceeded, 429, "throttling_error"),
        (ErrorKind::BudgetExceeded, 422, "budget_exceeded"),
        (ErrorKind::ContentFiltered, 400, "invalid_request_error"),
        (ErrorKind::Overloaded, 503, "internal_server_error"),
        (ErrorKind::Timeout, 408, "invalid_request_error"),
        (ErrorKind::Unreachable, 500, "internal_server_error"),
        (ErrorKind::BadUpstream, 500, "internal_server_error"),
        (ErrorKind::Internal, 500, "internal_server_error"),
    ] {
        let error = Error::new(kind, "text").with_param("field");
        let shown = shown(&error);
        assert_eq!(
            (shown.status.as_u16(), shown.kind, shown.param),
            (status, name, Some("field")),
            "{kind:?}"
        );
        let named = Error::new(kind, "text").with_vendor_type("own_type");
        assert_eq!(super::shown(&named).kind, "own_type", "{kind:?}");
    }
}

/// LiteLLM surface §5.3, "Observed proxy answers per upstream status".
#[test]
fn provider_errors_are_shown_as_observed() {
    let none = None;
    for (kind, upstream, status, name, param) in [
        (ErrorKind::BadRequest, 400, 400, "mock_type", Some("mock_param")),
        (ErrorKind::ContextTooLong, 400, 400, "invalid_request_error", none),
        (ErrorKind::Unauthenticated, 401, 401, "authentication_error", none),
        (ErrorKind::Forbidden, 403, 403, "permission_error", none),
        (ErrorKind::NotFound, 404, 404, "invalid_request_error", none),
        (ErrorKind::Timeout, 408, 408, "invalid_request_error", none),
        (ErrorKind::BadRequest, 409, 409, "invalid_request_error", none),
        (ErrorKind::BadRequest, 413, 413, "invalid_request_error", none),
        (ErrorKind::BadRequest, 422, 422, "mock_type", Some("mock_param")),
        (ErrorKind::RateLimited, 429, 429, "throttling_error", Some("mock_param")),
        (ErrorKind::BadUpstream, 500, 500, "internal_server_error", Some("mock_param")),
        (ErrorKind::BadUpstream, 502, 502, "internal_server_error", none),
        (ErrorKind::Overloaded, 503, 503, "internal_server_error", none),
        (ErrorKind::Timeout, 504, 504, "internal_server_error", none),
        (ErrorKind::Overloaded, 529, 500, "internal_server_error", Some("mock_param")),
    ] {
        let error = Error::new(kind, "upstream says so")
            .with_status(StatusCode::from_u16(upstream).unwrap())
            .with_vendor_type("mock_type")
            .with_param("mock_param");
        let shown = shown(&error);
        assert_eq!((shown.status.as_u16(), shown.kind, shown.param), (status, name, param), "{upstream}");
    }
}
