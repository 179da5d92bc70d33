//! How steps of signing in answer: JSON for programs, a page for people.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::page;
use crate::answer::{self, ReplyBody};

/// What a step answers.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    value: Value,
    /// The same for people, if it is not to be JSON for them.
    page: Option<String>,
    /// Only a page; programs get it too.
    page_only: bool,
    location: Option<String>,
    cookies: Vec<String>,
}

/// Why somebody is not signed in.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    why: String,
    param: Option<&'static str>,
    /// What stands in `detail`, where LiteLLM's framework words the refusal.
    detail: Option<Value>,
}

pub(super) type Step<T> = Result<T, Refused>;

impl Reply {
    pub(super) fn json(value: Value) -> Self {
        let (status, page, cookies) = (StatusCode::OK, None, Vec::new());
        Self { status, value, page, page_only: false, location: None, cookies }
    }

    /// A page, whoever asks.
    pub(super) fn page(page: String) -> Self {
        Self { page: Some(page), page_only: true, ..Self::json(Value::Null) }
    }

    /// The browser goes on somewhere else.
    pub(super) fn see(location: String) -> Self {
        Self { status: StatusCode::SEE_OTHER, location: Some(location), ..Self::json(Value::Null) }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// What people see instead of the JSON.
    pub(super) fn with_page(self, page: String) -> Self {
        Self { page: Some(page), ..self }
    }

    pub(super) fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// The answer. Nobody keeps it, and nothing on it runs or loads.
    pub(super) fn into_response(self, for_people: bool) -> Response<ReplyBody> {
        let mut response = match (&self.page, &self.location) {
            (Some(page), _) if for_people || self.page_only => html(self.status, page),
            (_, Some(_)) => answer::empty(self.status),
            _ => answer::json_response(self.status, &self.value),
        };
        let headers = response.headers_mut();
        // Addresses and cookies are made of what is printable ASCII; one that is not cannot be sent.
        if let Some(location) = self.location.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(LOCATION, location);
        }
        for cookie in self.cookies.iter().filter_map(|text| HeaderValue::try_from(text).ok()) {
            headers.append(SET_COOKIE, cookie);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

/// What a page may do: nothing but show itself and send its own form.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

fn html(status: StatusCode, page: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(page.to_owned().into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Whether it is a browser that asks.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

impl Refused {
    pub(super) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), param: None, detail: None }
    }

    /// A refusal as `{"detail": {"error": …}}`.
    pub(super) fn told(status: StatusCode, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { detail: Some(json!({ "error": why })), ..Self::new(status, why) }
    }

    /// Parameters or fields that are not there.
    pub(super) fn missing(place: &str, names: &[&str]) -> Self {
        let entry = |name: &&str| json!({ "type": "missing", "loc": [place, name], "msg": "Field required" });
        let detail = names.iter().map(entry).collect();
        let why = format!("the {place} lacks {}", names.join(", "));
        Self { detail: Some(detail), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, why) }
    }

    pub(super) fn about(self, param: &'static str) -> Self {
        Self { param: Some(param), ..self }
    }

    /// Something that should work did not; the log has it, too.
    pub(super) fn failed(why: impl std::fmt::Display) -> Self {
        tracing::warn!(%why, "signing in failed");
        Self::new(StatusCode::BAD_GATEWAY, format!("signing in failed: {why}"))
    }

    /// The answer; command lines show `detail` as it is.
    pub(super) fn reply(self, as_detail: bool, for_people: bool) -> Reply {
        let kind = match self.status.as_u16() {
            401 | 403 => "auth_error",
            400..500 => "bad_request_error",
            _ => "internal_server_error",
        };
        let code = self.status.as_u16().to_string();
        let value = if let Some(detail) = &self.detail {
            json!({ "detail": detail })
        } else if as_detail {
            json!({ "detail": self.why })
        } else {
            json!({ "error": { "message": self.why, "type": kind, "param": self.param, "code": code } })
        };
        let reply = Reply::json(value).with_status(self.status);
        if for_people { reply.with_page(page::plain("Not signed in", &self.why)) } else { reply }
    }
}
