//! The travelling record: what is asked, by whom it is answered is not known yet.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway_db::{CallId, LONGEST_NAME};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};
use hyper::body::Incoming;
use llm_providers::dialect::Glance;
use llm_providers::operations::Asked;
use llm_providers::{Dialect, DialectId, ParamPolicy};
use llm_router::Controls;
use llm_types::{ChatRequest, Error, ErrorKind, Operation, Result, seldom};
use parking_lot::Mutex;
use serde_json::Value;

use super::extras::Extras;
use super::media::Held;
use super::recall::Keep;
use super::{notes, query};
use crate::answer::{self, ReplyBody, names};
use crate::clock::now_ms;
use crate::door::{Arrived, Growing, read_body};
use crate::identity::{Link, Part};
use crate::state::{Admitted, Core, Snapshot};

/// Largest request body unless the configuration says otherwise, bytes.
const BODY_LIMIT: u64 = 100 * 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CUSTOMER_ID: HeaderName = HeaderName::from_static("x-litellm-customer-id");
const END_USER_ID: HeaderName = HeaderName::from_static("x-litellm-end-user-id");

/// By which door a call came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entrance<'a> {
    /// The caller's dialect.
    pub(crate) dialect: &'static dyn Dialect,
    /// The route as the table names it.
    pub(crate) path: &'static str,
    /// LiteLLM's name for calls of this kind, in the spend log.
    pub(crate) call_type: &'static str,
    /// The model, where the path names it.
    pub(crate) model: Option<&'a str>,
    /// Whether a stream is wanted, where the path says it.
    pub(crate) stream: Option<bool>,
    /// What is asked, where it is no chat.
    pub(crate) operation: Option<Operation>,
}

/// One call on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) core: Arc<Core>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) path: &'static str,
    pub(crate) call_type: &'static str,
    pub(crate) head: Parts,
    pub(crate) id: CallId,
    /// The id callers see: their own if they sent one.
    pub(crate) shown_id: HeaderValue,
    pub(crate) started: Instant,
    pub(crate) started_ms: i64,
    pub(crate) body: Bytes,
    pub(crate) glance: Glance,
    pub(crate) controls: Controls,
    /// What the caller adds to the operators' policies for parameters a provider cannot express.
    pub(crate) policy: ParamPolicy,
    /// Headers and body members that the caller adds for its provider.
    pub(crate) extras: Extras,
    pub(crate) tags: Vec<String>,
    pub(crate) end_user: Option<String>,
    /// The customer, the tags and the groups of models as scopes that pay for the call.
    pub(crate) named: Vec<Link>,
    /// What its customer may use, where that is said for all of whom nobody has said it.
    pub(super) allowance: Vec<Part>,
    /// Budgets of the configuration that it pays into, by their names in messages.
    pub(crate) funds: Vec<(String, Part)>,
    /// What is told of its priority, where models are shared by priority.
    pub(crate) priority: OnceLock<super::priority::Told>,
    /// Whether any header speaks to the gateway: most calls have none, and none is looked for then.
    asks: bool,
    /// The caller wants a stream as one JSON list: Gemini's without `alt=sse`.
    pub(crate) listed: bool,
    /// The body as the caller sent it, where another is sent in its place.
    said: Option<Bytes>,
    /// Its turn among the calls that are answered at the same time, where there is a bound.
    pub(super) admitted: Option<Arc<Admitted>>,
    /// The reply is to be kept.
    pub(crate) keep: Option<Keep>,
    /// The reply is made here to its end, whether or not the caller stays.
    pub(crate) runs_on: bool,
    /// The provider makes the reply while nobody waits.
    pub(crate) waits_elsewhere: bool,
    /// Whether the caller wants a stream of a reply that runs on.
    pub(crate) wants_stream: bool,
    /// The caller wants to know what groups failed with (`include_fallback_errors`).
    pub(crate) tells_fallbacks: bool,
    /// After how long a silence the caller wants a sign of life; `Some(None)` for never.
    pub(super) keepalive: Option<Option<Duration>>,
    /// The session that the body names (`litellm_session_id`, `metadata.session_id`).
    pub(super) session: Option<String>,
    /// The trace that the body names (`litellm_trace_id`, `metadata.trace_id`).
    pub(super) trace: Option<String>,
    /// What the caller wants noted in its row of the spend log (`metadata.spend_logs_metadata`).
    pub(super) notes: Option<Box<Value>>,
    /// Nothing of what is said is to be kept in the spend log (`no-log`).
    pub(super) no_log: bool,
    /// A key and an address of the caller's own.
    pub(super) brought: Option<Box<super::brought::Brought>>,
    /// How sure the caller is of its question (`metadata.lar1`), for the strategy of that name.
    pub(super) lar1: Option<Value>,
    /// What the caller wants of the router for this call (`router_settings_override`).
    pub(super) routing: Option<Value>,
    /// The model that was asked for, where its budget at the key is spent and another serves.
    pub(crate) instead_of: Option<String>,
    /// Which auto router sent it where.
    pub(crate) routed: Option<Box<super::auto::Routed>>,
    /// What deployments may want to know of it.
    pub(super) hints: OnceLock<super::asked::Hints>,
    /// What was counted of the prompt.
    pub(super) counted: super::asked::Counted,
    path_model: Option<String>,
    path_stream: Option<bool>,
    operation: Option<Operation>,
    /// What is asked, where it is no chat.
    pub(crate) asked: Option<Box<Asked>>,
    /// The rest of it, where its file is still arriving.
    pub(super) arriving: Option<Arc<Growing>>,
    /// What was fetched for it, by URL.
    pub(super) fetched: Mutex<Held>,
    /// The request in canonical form, made when somebody needs it.
    canonical: Mutex<Option<Arc<ChatRequest>>>,
}

impl Call {
    /// A call whose head has arrived.
    pub(crate) fn begin(core: &Arc<Core>, entrance: &Entrance<'_>, mut head: Parts) -> Self {
        let is_gemini = entrance.dialect.id() == DialectId::Gemini;
        if is_gemini {
            query::take_key(&mut head);
        }
        let listed = is_gemini
            && entrance.stream == Some(true)
            && query::value(head.uri.query(), "alt").is_none_or(|alt| alt != "sse");
        let id = CallId(core.ids.lock().u128(..));
        let asks = head.headers.keys().any(|name| name.as_str().starts_with("x-litellm-"));
        let theirs = asks.then(|| head.headers.get(names::CALL_ID).cloned()).flatten();
        let shown_id = theirs.unwrap_or_else(|| id_value(id));
        Self {
            core: Arc::clone(core),
            snapshot: core.shared.snapshot(),
            dialect: entrance.dialect,
            path: entrance.path,
            call_type: entrance.call_type,
            asks,
            listed,
            path_model: entrance.model.map(str::to_owned),
            path_stream: entrance.stream,
            operation: entrance.operation,
            asked: None,
            arriving: None,
            head,
            id,
            shown_id,
            started: Instant::now(),
            started_ms: now_ms(),
            body: Bytes::new(),
            glance: Glance::default(),
            controls: Controls::default(),
            policy: ParamPolicy::default(),
            extras: Extras::default(),
            tags: Vec::new(),
            end_user: None,
            named: Vec::new(),
            allowance: Vec::new(),
            funds: Vec::new(),
            priority: OnceLock::new(),
            said: None,
            keep: None,
            runs_on: false,
            waits_elsewhere: false,
            wants_stream: false,
            tells_fallbacks: false,
            keepalive: None,
            admitted: None,
            session: None,
            trace: None,
            notes: None,
            brought: None,
            no_log: false,
            lar1: None,
            routing: None,
            instead_of: None,
            routed: None,
            hints: OnceLock::new(),
            counted: super::asked::Counted::default(),
            fetched: Mutex::default(),
            canonical: Mutex::new(None),
        }
    }

    /// Reads the body and looks it over.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`], [`ErrorKind::BadRequest`] naming what is wrong, and for members that
    /// callers may not send [`ErrorKind::Unauthenticated`], as LiteLLM does.
    pub(crate) async fn receive(&mut self, body: Incoming) -> Result<()> {
        self.glance = match self.operation {
            None => {
                self.body = read_body(body, self.body_limit()).await?;
                self.dialect.glance(&self.body)?
            }
            Some(operation) => seldom(|| self.receive_operation(operation, body)).await?,
        };
        self.look_over()
    }

    /// Takes a body of a chat that is there already, and looks it over.
    ///
    /// # Errors
    /// As [`Call::receive`].
    pub(super) fn receive_whole(&mut self, body: Bytes) -> Result<()> {
        self.body = body;
        self.glance = self.dialect.glance(&self.body)?;
        self.look_over()
    }

    /// What the request asks for, of what its body and head say.
    fn look_over(&mut self) -> Result<()> {
        if let Some(name) = self.glance.lacks {
            let route = self.path.trim_start_matches("/v1");
            let message = format!("{route}: Missing required parameter: '{name}'.");
            return Err(Error::bad_param(name, message));
        }
        if let Some(stream) = self.path_stream {
            self.glance.stream = stream;
        }
        self.name_model();
        self.glance.include_usage |= self.snapshot.config.general.always_stream_usage;
        if self.asks {
            self.read_headers();
        }
        self.read_controls()?;
        notes::want_session(self)?;
        let of_token = self.end_user.take();
        let end_user = of_token.or_else(|| self.end_user()).or_else(|| self.glance.user.clone());
        self.end_user = end_user.map(as_booked);
        if self.snapshot.config.general.enforce_user && self.end_user.is_none() {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                "Authentication Error, BadRequest please pass param=user on all calls",
            )
            .with_vendor_type("auth_error")
            .with_param("user"));
        }
        Ok(())
    }

    /// A call that this one needs: an operation, or a chat where none is named, asked for by the gateway itself, with
    /// this one's payers.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when the body is no such request.
    pub(super) fn inner(
        &self,
        path: &'static str,
        call_type: &'static str,
        operation: Option<Operation>,
        body: Bytes,
    ) -> Result<Self> {
        let (head, ()) = http::Request::new(()).into_parts();
        let dialect = llm_providers::dialects::dialect(DialectId::OpenaiChat);
        let (model, stream) = (None, None);
        let entrance = Entrance { dialect, path, call_type, model, stream, operation };
        let mut call = Self::begin(&self.core, &entrance, head);
        call.snapshot = Arc::clone(&self.snapshot);
        match operation {
            Some(operation) => {
                let (asked, glance) = Asked::read(operation, body.clone(), "application/json")?;
                (call.asked, call.glance) = (Some(Box::new(asked)), glance);
            }
            None => call.glance = dialect.glance(&body)?,
        }
        call.body = body;
        call.end_user.clone_from(&self.end_user);
        call.tags.clone_from(&self.tags);
        call.named.clone_from(&self.named);
        call.allowance.clone_from(&self.allowance);
        Ok(call)
    }

    /// A header of the caller's, as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Reads the request of an operation. Large files of forms do not come into memory.
    async fn receive_operation(&mut self, operation: Operation, body: Incoming) -> Result<Glance> {
        let kind = self.head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let (kind, limit) = (kind.unwrap_or_default(), self.body_limit());
        let arrived = match operation.is_form() {
            true => {
                let sent_on = self.snapshot.config.general.stream_uploads;
                self.core.shared.uploads.receive(body, kind, (limit, sent_on)).await?
            }
            false => Arrived::Whole(read_body(body, limit).await?),
        };
        let (asked, glance) = match arrived {
            Arrived::Whole(body) => Asked::read(operation, body, kind)?,
            Arrived::Apart(texts, form) => Asked::of_form(operation, texts, form)?,
            Arrived::Begun(texts, form, growing) => {
                self.arriving = Some(growing);
                Asked::of_form(operation, texts, form)?
            }
        };
        self.body = asked.body.clone();
        self.asked = Some(Box::new(asked));
        Ok(glance)
    }

    /// Reads the body of a request that the dialect's glance does not know.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`], [`ErrorKind::BadRequest`] when the connection ends inside it.
    pub(crate) async fn receive_plain(&mut self, body: Incoming) -> Result<()> {
        self.body = read_body(body, self.body_limit()).await?;
        self.name_model();
        Ok(())
    }

    /// The most bytes a body may have.
    pub(super) fn body_limit(&self) -> usize {
        let limit = self.snapshot.config.general.max_request_bytes.unwrap_or(BODY_LIMIT);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Settles which model is asked for: the path's, the body's, or the operator's default; aliases are
    /// replaced by what they stand for.
    fn name_model(&mut self) {
        if let Some(model) = self.path_model.take() {
            self.glance.model = model;
        }
        if self.glance.model.is_empty()
            && let Some(model) = &self.snapshot.config.general.default_model
        {
            self.glance.model.clone_from(model);
        }
        self.read_alias();
    }

    /// The request in canonical form.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] naming the field at fault.
    pub(crate) fn canonical(&self) -> Result<Arc<ChatRequest>> {
        let mut slot = self.canonical.lock();
        if let Some(request) = &*slot {
            return Ok(Arc::clone(request));
        }
        let mut request = self.dialect.decode_request(&self.body)?;
        // Some dialects say by the path whether a stream is wanted.
        request.stream = self.glance.stream;
        let request = Arc::new(request);
        *slot = Some(Arc::clone(&request));
        Ok(request)
    }

    /// The id of a reply that its provider gives none. Responses are asked for by it later: it is the
    /// gateway's own, whatever id the caller gave its call.
    pub(crate) fn reply_id(&self) -> String {
        match self.dialect.id() {
            DialectId::OpenaiResponses => format!("resp_{}", self.id_digits()),
            _ => self.shown_id.to_str().unwrap_or_default().to_owned(),
        }
    }

    /// The call's id as hexadecimal digits.
    pub(crate) fn id_digits(&self) -> String {
        format!("{:032x}", self.id.0)
    }

    /// The body as the caller sent it.
    pub(crate) fn said(&self) -> &Bytes {
        self.said.as_ref().unwrap_or(&self.body)
    }

    /// Whether a conversation is to be made shorter, not answered.
    pub(crate) fn compacts(&self) -> bool {
        self.path.ends_with("/responses/compact")
    }

    /// Sends another body in place of the caller's; model and stream stay what was asked.
    ///
    /// # Errors
    /// As [`Dialect::glance`].
    pub(crate) fn replace_body(&mut self, body: Bytes) -> Result<()> {
        let glance = self.dialect.glance(&body)?;
        let asked = std::mem::replace(&mut self.glance, glance);
        self.glance.model = asked.model;
        self.glance.stream = asked.stream;
        self.glance.include_usage = asked.include_usage;
        let before = std::mem::replace(&mut self.body, body);
        self.said.get_or_insert(before);
        // What was found in the body before does not hold for this one.
        *self.canonical.get_mut() = None;
        self.counted = super::asked::Counted::default();
        Ok(())
    }

    /// Microseconds since the call arrived.
    pub(crate) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Puts the call's id on an error's headers, and into its body where the operator wants it.
    pub(crate) fn stamp(&self, mut response: Response<ReplyBody>) -> Response<ReplyBody> {
        if self.snapshot.config.general.call_id_in_errors {
            response = answer::with_call_id(response, self.shown_id.to_str().unwrap_or_default());
        }
        response.headers_mut().insert(names::CALL_ID, self.shown_id.clone());
        if let Some(asked) = &self.instead_of {
            response.headers_mut().insert(names::BUDGET_FALLBACK, answer::text(asked));
        }
        if let Some(told) = self.priority.get() {
            response.headers_mut().insert(names::PRIORITY, answer::text(told.word()));
            response.headers_mut().insert(names::SATURATION, answer::text(&told.percent()));
        }
        // Anthropic's SDK reads the id of a failed request from this header.
        if self.dialect.id() == DialectId::Anthropic {
            response.headers_mut().entry(REQUEST_ID).or_insert_with(|| self.shown_id.clone());
        }
        response
    }

    /// The end user whose spend is added up.
    pub(super) fn counted_end_user(&self) -> Option<&str> {
        self.end_user.as_deref().filter(|_| !self.snapshot.config.budgets.end_users_uncounted)
    }

    /// The end user that headers name; they win over the body (surface §6.2).
    fn end_user(&self) -> Option<String> {
        let value = |name: &HeaderName| self.head.headers.get(name)?.to_str().ok().map(str::to_owned);
        let ours = self.asks.then(|| [CUSTOMER_ID, END_USER_ID].iter().find_map(value)).flatten();
        ours.or_else(|| self.snapshot.config.general.user_headers.end_user.iter().find_map(value))
    }

    /// Replaces a name of `model_alias_map` by what it stands for.
    fn read_alias(&mut self) {
        let aliases = &self.snapshot.config.calls.aliases;
        if let Some((_, target)) = aliases.iter().find(|(name, _)| *name == self.glance.model) {
            self.glance.model.clone_from(target);
        }
    }

    /// Adds tags that its payers put on it.
    pub(super) fn tag(&mut self, tags: Vec<String>) {
        for tag in tags.into_iter().map(without_nul) {
            if !self.tags.contains(&tag) {
                self.tags.push(tag.clone());
            }
            if !self.controls.tags.contains(&tag) {
                self.controls.tags.push(tag);
            }
        }
    }
}

/// A call id as callers see it: a UUID.
fn id_value(id: CallId) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in id.0.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// A name as the ledger keeps it: a customer with a longer one is counted and billed under its beginning.
fn as_booked(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
    without_nul(name)
}

/// A text as PostgreSQL can keep it.
pub(super) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests;
