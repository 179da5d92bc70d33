//! How SCIM says no (RFC 7644 §3.12).

use http::StatusCode;
use serde_json::{Value, json};

use crate::admin::refusal::Refusal;

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Why a SCIM request is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// One of the RFC's words, where one fits.
    kind: Option<&'static str>,
    detail: String,
}

impl Fault {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, kind: None, detail: detail.into() }
    }

    /// Status 400 with one of the RFC's words.
    pub(super) fn bad(kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: Some(kind), detail: detail.into() }
    }

    pub(super) fn missing(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} `{id}` is not here"))
    }

    /// Something that has to be somebody's alone is another's.
    pub(super) fn taken(detail: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, kind: Some("uniqueness"), detail: detail.into() }
    }

    /// Others change the same thing again and again.
    pub(super) fn crowded() -> Self {
        let detail = "others change the same resource at the same time: try again";
        Self { status: StatusCode::CONFLICT, kind: None, detail: detail.to_owned() }
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "schemas": [SCHEMA],
            "status": self.status.as_u16().to_string(),
            "detail": self.detail,
        });
        if let Some(kind) = self.kind {
            body["scimType"] = kind.into();
        }
        body
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let detail = match &refusal {
            Refusal::Error(error) => error.message().to_owned(),
            other => other.reason(),
        };
        let status = refusal.into_response().status();
        // What is refused field by field is a wrong value here.
        match status {
            StatusCode::UNPROCESSABLE_ENTITY => Self::bad("invalidValue", detail),
            StatusCode::CONFLICT => Self::taken(detail),
            status => Self::new(status, detail),
        }
    }
}

impl From<gateway_db::DbError> for Fault {
    fn from(error: gateway_db::DbError) -> Self {
        Refusal::from(error).into()
    }
}
