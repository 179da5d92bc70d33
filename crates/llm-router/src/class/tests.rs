//! Which class an error belongs to.

use http::StatusCode;

use super::*;

/// §5.2, §5.3: provider answers and the classes policies know them by.
#[test]
fn kinds_and_statuses_have_classes() {
    let check = |kind: ErrorKind, status: u16, expect: ErrorClass| {
        let mut error = Error::new(kind, "no").with_origin(Origin::Upstream);
        if status != 0 {
            error = error.with_status(StatusCode::from_u16(status).expect("a status"));
        }
        assert_eq!(ErrorClass::of(&error), expect, "{kind:?} {status}");
    };
    check(ErrorKind::BadRequest, 400, ErrorClass::BadRequest);
    check(ErrorKind::BadRequest, 409, ErrorClass::Conflict);
    check(ErrorKind::BadRequest, 422, ErrorClass::BadRequest);
    check(ErrorKind::ContextTooLong, 400, ErrorClass::ContextWindow);
    check(ErrorKind::ContentFiltered, 400, ErrorClass::ContentPolicy);
    check(ErrorKind::Unauthenticated, 401, ErrorClass::Authentication);
    check(ErrorKind::QuotaExceeded, 402, ErrorClass::PaymentRequired);
    check(ErrorKind::QuotaExceeded, 429, ErrorClass::RateLimit);
    check(ErrorKind::Timeout, 504, ErrorClass::Timeout);
    check(ErrorKind::Overloaded, 529, ErrorClass::InternalServer);
    check(ErrorKind::Overloaded, 502, ErrorClass::BadGateway);
    check(ErrorKind::BadUpstream, 504, ErrorClass::Timeout);
    check(ErrorKind::BadUpstream, 200, ErrorClass::Other);
    // Without a status, by kind.
    check(ErrorKind::Unreachable, 0, ErrorClass::InternalServer);
    check(ErrorKind::Overloaded, 0, ErrorClass::ServiceUnavailable);
    check(ErrorKind::RateLimited, 0, ErrorClass::RateLimit);
    check(ErrorKind::BudgetExceeded, 0, ErrorClass::Ours);
}

#[test]
fn our_own_refusals_are_ours() {
    let full = Error::new(ErrorKind::RateLimited, "no place").with_origin(Origin::Gateway);
    assert_eq!(ErrorClass::of(&full), ErrorClass::Ours);
}
