//! How management routes say no (surface §3.1).

use gateway_db::{DbError, DbErrorKind, ScopeId, ScopeKind};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use llm_types::{Error, ErrorKind, Origin};
use serde_json::{Value, json};

use crate::answer::{self, ReplyBody};

/// Why a management request is not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An error in OpenAI's shape.
    Error(Error),
    /// Fields of the wrong type: status 422, one entry per field.
    Fields(Vec<Value>),
    /// A status and what stands in `detail`: how LiteLLM's framework words some refusals.
    Detail(StatusCode, Value),
    /// A problem document (RFC 9457): how `/management/v1` says no.
    Problem(StatusCode, Value),
}

impl Refusal {
    /// A refusal with LiteLLM's type, for a field.
    pub(super) fn about(kind: ErrorKind, vendor_type: &str, param: &str, message: impl Into<String>) -> Self {
        Self::Error(Error::new(kind, message).with_vendor_type(vendor_type).with_param(param))
    }

    /// A refusal as `{"detail": {"error": …}}`.
    pub(crate) fn detail(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Detail(status, json!({ "error": message.into() }))
    }

    /// A problem document; `allowed` is what could have been said instead, where there is such a list.
    pub(super) fn problem(status: StatusCode, kind: &str, words: &str, allowed: &[&str]) -> Self {
        let mut title = kind.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let mut body = json!({
            "type": format!("urn:litellm:error:{kind}"),
            "title": title,
            "status": status.as_u16(),
            "detail": words,
        });
        if !allowed.is_empty() {
            body["allowed"] = json!(allowed);
        }
        Self::Problem(status, body)
    }

    /// One entry of a list of field problems, in the shape of LiteLLM's framework.
    pub(super) fn field(kind: &str, name: &str, message: &str, found: &Value) -> Value {
        json!({ "type": kind, "loc": ["body", name], "msg": message, "input": found })
    }

    /// Fields that do not go together, each of them being right.
    pub(crate) fn value(message: &str) -> Self {
        let mut problem = Self::field("value_error", "", &format!("Value error, {message}"), &Value::Null);
        problem["loc"] = json!(["body"]);
        Self::Fields(vec![problem])
    }

    /// Something of this id is here already. So is said by who looks first, and by who came second when two were made
    /// at the same time.
    pub(super) fn taken(id: &ScopeId) -> Self {
        let (kind, id) = (id.kind, &id.id);
        let bad = |words: String| Self::detail(StatusCode::BAD_REQUEST, words);
        let about =
            |field: &str, words: String| Self::about(ErrorKind::BadRequest, "bad_request", field, words);
        match kind {
            ScopeKind::Team => bad(format!("Team id = {id} already exists. Please use a different team id.")),
            ScopeKind::Budget => bad(format!("Budget with id '{id}' already exists.")),
            ScopeKind::Tag => bad(format!("Tag {id} already exists")),
            ScopeKind::User => {
                Self::detail(StatusCode::CONFLICT, format!("User with id {id} already exists"))
            }
            ScopeKind::Customer => about(
                "user_id",
                format!("Customer already exists, passed user_id={id}. Please pass a new user_id."),
            ),
            ScopeKind::Project => about(
                "project_id",
                format!("Project id = {id} already exists. Please use a different project id."),
            ),
            ScopeKind::Organization => about(
                "organization_id",
                format!("Organization id = {id} already exists. Please use a different organization id."),
            ),
            _ => about("id", format!("the {} `{id}` exists already", kind.as_str())),
        }
    }

    /// A field is not there that must be.
    pub(super) fn missing(name: &str) -> Self {
        Self::Fields(vec![Self::field("missing", name, "Field required", &Value::Null)])
    }

    /// The same, said of a request of this method: what is asked by GET stands in the query.
    pub(super) fn asked_by(self, method: &Method) -> Self {
        let Self::Fields(mut problems) = self else { return self };
        if method == Method::GET {
            problems.iter_mut().for_each(|problem| problem["loc"][0] = "query".into());
        }
        Self::Fields(problems)
    }

    /// Why, in words: for lists in which some entries are done and some are not.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Error(error) => error.to_string(),
            Self::Fields(problems) => Value::from(problems.clone()).to_string(),
            Self::Detail(_, detail) | Self::Problem(_, detail) => detail.to_string(),
        }
    }

    /// Whether it comes from a refusal of the database of this kind.
    pub(super) fn is_about(&self, kind: DbErrorKind) -> bool {
        let Self::Error(error) = self else { return false };
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<DbError>());
        source.is_some_and(|source| source.kind() == kind)
    }

    /// The answer.
    pub(crate) fn into_response(self) -> Response<ReplyBody> {
        match self {
            Self::Error(error) => answer::openai_error(&error),
            Self::Detail(status, detail) => answer::detail(status, detail),
            Self::Problem(status, body) => {
                let mut response = answer::json_response(status, &body);
                let kind = HeaderValue::from_static("application/problem+json");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Self::Fields(problems) => answer::detail(StatusCode::UNPROCESSABLE_ENTITY, problems),
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        let refusal = match error.kind() {
            DbErrorKind::DuplicateAlias => Error::new(
                ErrorKind::BadRequest,
                "Key with that alias already exists. Unique key aliases across all keys are required",
            )
            .with_vendor_type("bad_request_error")
            .with_param("key_alias"),
            DbErrorKind::DuplicateKey => {
                Error::new(ErrorKind::BadRequest, "a key with this secret exists already")
                    .with_vendor_type("bad_request_error")
                    .with_param("key")
            }
            // It came from the database, which names nothing.
            DbErrorKind::BadName if std::error::Error::source(&error).is_some() => {
                let words = "a text holds a NUL character, which cannot be kept";
                Error::new(ErrorKind::BadRequest, words).with_vendor_type("bad_request")
            }
            DbErrorKind::DuplicateScope | DbErrorKind::DuplicateName | DbErrorKind::BadName => {
                let said =
                    Error::new(ErrorKind::BadRequest, error.to_string()).with_vendor_type("bad_request");
                match error.field() {
                    Some(field) => said.with_param(field),
                    None => said,
                }
            }
            DbErrorKind::NotFound => Error::new(ErrorKind::NotFound, "Key not found.")
                .with_vendor_type("not_found_error")
                .with_param("key"),
            _ if error.is_temporary() => {
                Error::new(ErrorKind::Overloaded, "the database does not answer: try again")
                    .with_origin(Origin::Gateway)
                    .with_vendor_type("no_db_connection")
            }
            _ => Error::new(
                ErrorKind::Internal,
                "the database refused the change; the gateway's log has the reason",
            ),
        };
        Self::Error(refusal.with_source(error))
    }
}
