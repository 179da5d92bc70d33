//! What a wire must do.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use llm_types::{Error, OperationReply, Pieces, Result, Upload};
use serde_json::Value;

use super::Job;
use crate::Auth;
use crate::dialects::openai_error;

/// The protocol of one operation: requests written, replies read. It keeps nothing: what it must know of the
/// calls it made before is in the rounds of replies it is given.
pub trait Wire: Send + Sync + fmt::Debug + 'static {
    /// Writes the first requests.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming a parameter that cannot be read,
    /// [`llm_types::ErrorKind::Unsupported`] naming one that this wire cannot express.
    fn begin(&self, job: &Job<'_>) -> Result<Vec<Sending>>;

    /// Reads the replies with a success status, round by round, the last one last.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadUpstream`] when a reply is not of this wire, or the error it holds.
    fn read(&self, job: &Job<'_>, rounds: &[Vec<Received>]) -> Result<Step>;

    /// How a reply with a success status is taken.
    fn taking(&self, _job: &Job<'_>) -> Taking {
        Taking::Whole
    }

    /// Whether it sends files on as they are: files outside memory may stay there. Of other wires the files are
    /// brought into memory first.
    fn streams(&self) -> bool {
        false
    }

    /// Reads a reply with an error status.
    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        openai_error(status, headers, body)
    }
}

/// How a reply is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// Whole, to be read.
    Whole,
    /// Its bytes are the caller's, as they come.
    Flow,
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// The last reply is in the caller's form already.
    Forward,
    /// The reply.
    Done(Box<OperationReply>),
    /// More is to be asked, after a pause.
    Ask(Duration, Vec<Sending>),
}

impl Step {
    /// The reply.
    #[must_use]
    pub fn done(reply: OperationReply) -> Self {
        Self::Done(Box::new(reply))
    }
}

/// A reply with a success status.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Received {
    /// The body as JSON.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadUpstream`] when it is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the provider's answer is not JSON: {error}");
            Error::new(llm_types::ErrorKind::BadUpstream, message)
        })
    }
}

/// One HTTP request before sign-in.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The method.
    pub method: Method,
    /// Where to.
    pub place: Place,
    /// Headers of the wire, `content-type` among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The body, where it does not stand in memory: `body` is empty then.
    pub pieces: Option<Pieces>,
    /// How to sign in, if not as the vendor's record says.
    pub auth: Option<Auth>,
}

/// A request's body.
#[derive(Debug, Clone)]
pub enum Payload {
    /// It stands in memory.
    Whole(Bytes),
    /// Some of it does not.
    Pieces(Pieces),
}

impl From<&Upload> for Payload {
    fn from(file: &Upload) -> Self {
        match &file.kept {
            None => Self::Whole(file.bytes.clone()),
            Some(kept) => Self::Pieces(kept.clone().into()),
        }
    }
}

/// Where a request goes. In paths `{model}`, `{project}`, `{region}` and `{version}` stand for the target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Behind the base URL, as the vendor's cloud wraps paths.
    Wrapped(String),
    /// Behind the base URL.
    Path(String),
    /// At another host of the vendor's, unless the operator gives a base URL.
    Host(&'static str, String),
    /// At a URL that the vendor named in a reply; it must be at the vendor's own domain.
    Link(String),
    /// At a URL that the vendor named in a reply, anywhere: fetched as a stranger would, without a key.
    Open(String),
}

impl Sending {
    /// A POST with a body of JSON.
    #[must_use]
    pub fn json(place: Place, body: &Value) -> Self {
        Self::bytes(place, HeaderValue::from_static("application/json"), body.to_string().into())
    }

    /// A POST with a body of some type.
    #[must_use]
    pub fn bytes(place: Place, mime: HeaderValue, body: Bytes) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, mime)]);
        Self { method: Method::POST, place, headers, body, pieces: None, auth: None }
    }

    /// A POST with a body that may stand outside memory.
    #[must_use]
    pub fn payload(place: Place, mime: HeaderValue, payload: Payload) -> Self {
        match payload {
            Payload::Whole(body) => Self::bytes(place, mime, body),
            Payload::Pieces(pieces) => {
                Self { pieces: Some(pieces), ..Self::bytes(place, mime, Bytes::new()) }
            }
        }
    }

    /// The request with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The request on the account of the target's project, as Google's services beside Vertex AI want it.
    #[must_use]
    pub fn with_project(self, job: &Job<'_>) -> Self {
        match job.target.cloud.as_ref().and_then(|cloud| cloud.project.as_deref()) {
            Some(project) => self.with("x-goog-user-project", project),
            None => self,
        }
    }

    /// The request signed in otherwise.
    #[must_use]
    pub fn signed(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// A GET.
    #[must_use]
    pub fn get(place: Place) -> Self {
        Self {
            method: Method::GET,
            place,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            pieces: None,
            auth: None,
        }
    }
}
