//! What a dialect must do, in both directions: the only traits an implementor meets.
//!
//! Everything here is pure and synchronous. The caller's side reads requests and writes replies; the
//! provider's side writes requests and reads replies; the relay side forwards a reply between two
//! parties that speak the same dialect, byte for byte, and learns from it what settlement needs.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use llm_types::{ChatRequest, ChatResponse, Error, Event, Finish, Result, Usage};
use serde_json::{Map, Value};

use crate::media::MediaKind;
use crate::scan::Names;
use crate::{Deposit, DialectId, Target};

mod invoked;

pub use invoked::InvokedTools;

/// A protocol, both ways.
pub trait Dialect: Send + Sync + fmt::Debug + 'static {
    /// Which dialect this is.
    fn id(&self) -> DialectId;

    // ── the caller's side ──────────────────────────────────────────────────────────────────────

    /// Looks a request body over once, without parsing messages: what the rooms need to know of it.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] when it is not one well-formed JSON object, or a field the
    /// rooms need has a wrong type; the error names the field, what was found and what was expected.
    fn glance(&self, body: &[u8]) -> Result<Glance>;

    /// Reads a whole request.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] naming the field at fault.
    fn decode_request(&self, body: &[u8]) -> Result<ChatRequest>;

    /// The members of a request that its reply repeats, for [`ReplyContext::echo`]; nothing in most
    /// dialects.
    fn echo(&self, _body: &[u8]) -> Option<Arc<Map<String, Value>>> {
        None
    }

    /// Writes a reply.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Internal`] when the reply cannot be written as JSON.
    fn encode_response(&self, response: &ChatResponse, cx: &ReplyContext) -> Result<Bytes>;

    /// Writes a stream, event by event.
    fn stream_encoder(&self, cx: ReplyContext) -> Box<dyn StreamEncoder>;

    /// Writes an error: its status and body.
    fn encode_error(&self, error: &Error) -> (StatusCode, Bytes);

    /// The headers that belong to an error in this dialect, beside its body.
    fn error_headers(&self, _error: &Error) -> HeaderMap {
        HeaderMap::new()
    }

    // ── the provider's side ────────────────────────────────────────────────────────────────────

    /// Writes a request for a provider.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unsupported`] naming a parameter that this dialect cannot express and
    /// that [`Target::policy`] does not allow to drop.
    fn encode_request(&self, request: &ChatRequest, target: &Target) -> Result<Encoded>;

    /// Whether media at an `http` or `https` URL can stay there: the provider fetches them, or the dialect
    /// has no place for such media, and says so. Where not, a caller that can fetches them
    /// ([`crate::media`]) before [`Dialect::encode_request`]; one that cannot has them refused by it.
    fn takes_url(&self, _kind: MediaKind, _url: &str, target: &Target) -> bool {
        !target.spec.quirks.no_media_urls
    }

    /// Reads a whole reply with a success status.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadUpstream`] when it is not this dialect, or the error it holds.
    fn decode_response(&self, body: &[u8]) -> Result<ChatResponse>;

    /// Whether replies may say no more than where the answer will be ([`Dialect::later`]). Streams are then
    /// the replies one after the other, each a server-sent event.
    fn answers_later(&self) -> bool {
        false
    }

    /// Where the answer is asked for, behind the target's base URL, when a reply says that it is being made.
    fn later(&self, _body: &[u8]) -> Option<String> {
        None
    }

    /// How a streamed body is cut into frames.
    fn framing(&self) -> Framing;

    /// Reads a stream, frame by frame.
    fn stream_decoder(&self) -> Box<dyn StreamDecoder>;

    /// Reads a reply with an error status.
    fn decode_error(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error;

    // ── the relay: caller and provider speak this dialect ──────────────────────────────────────

    /// The caller's bytes made ready for a provider: the model name replaced, the gateway's own
    /// fields removed, what the target's record demands patched in place; all else untouched. When
    /// nothing has to change the same bytes are returned without a copy.
    ///
    /// # Errors
    /// As [`Dialect::encode_request`].
    fn forward_request(&self, body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded>;

    /// Defaults of a target that must stay out of a forwarded body: the version of the API that the
    /// caller's headers ask for refuses them.
    fn refused_defaults(&self, _caller: &HeaderMap) -> &'static [&'static str] {
        &[]
    }

    /// Whether a body may name media by a URL that cannot stay there, by one look; such a request may have
    /// to be written anew instead of being forwarded. `false` where callers of this dialect mean what they
    /// write.
    fn may_name_media(&self, _body: &[u8], _glance: &Glance, _target: &Target) -> bool {
        false
    }

    /// Whether a request of a caller in this dialect is written anew for a target, and its reply read, because
    /// the target says in another way what the caller asks for. One look; most requests are forwarded.
    fn rewrites(&self, _body: &[u8], _glance: &Glance, _target: &Target) -> bool {
        false
    }

    /// What settlement needs to know of a whole reply that is forwarded as it is.
    fn reply_facts(&self, body: &[u8]) -> ReplyFacts;

    /// A whole reply that is forwarded, where callers could not work with it as it came: with ids for calls
    /// that have none. `None`: it is forwarded as it is.
    fn mended_reply(&self, _body: &Bytes) -> Option<Bytes> {
        None
    }

    /// Forwards a streamed reply. `show_usage` tells whether the caller asked for a usage record.
    fn relay(&self, show_usage: bool) -> Box<dyn Relay>;
}

/// A span of a request body, in bytes.
pub type Span = std::ops::Range<usize>;

/// What one look over a request body tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    /// The model asked for, unescaped; empty when the body does not name one.
    pub model: String,
    /// Where the model's JSON string stands, quotes included.
    pub model_span: Option<Span>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// Whether the caller wants a usage record at the end of the stream (always true for dialects
    /// that always send one).
    pub include_usage: bool,
    /// The cap on answer tokens, the largest if several fields give one.
    pub max_tokens: Option<u64>,
    /// How many answers are wanted (at least 1).
    pub n: u64,
    /// Bytes of the prompt: messages, system, tools. For estimates of input tokens.
    pub prompt_bytes: u64,
    /// The end user the request names.
    pub user: Option<String>,
    /// Whether tools are offered.
    pub has_tools: bool,
    /// Whether sampling or a cap is asked for by a name that some models refuse (`temperature`, `top_p`,
    /// `max_tokens`).
    pub sampled: bool,
    /// Whether there are members beyond those every model takes: a dialect with models that differ must
    /// look closer.
    pub rare: bool,
    /// The member that must hold the prompt and is not there.
    pub lacks: Option<&'static str>,
    /// Top-level members that the gateway itself understands (`metadata`, `tags`, `fallbacks`,
    /// `num_retries`, `timeout`, `drop_params`, `litellm_metadata`, …): name and span of the value.
    pub controls: Vec<(Control, Span)>,
    /// The names of members at every depth; `None` where they were not noted.
    pub names: Option<Names>,
}

impl Glance {
    /// Whether a member of the body, at whatever depth, may have this name.
    #[must_use]
    pub fn may_hold(&self, name: &str) -> bool {
        self.names.is_none_or(|names| names.may_hold(name))
    }
}

/// Top-level members of a request that are meant for the gateway. LiteLLM surface §6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Control {
    /// `metadata`: on OpenAI-like routes both the provider's and the gateway's.
    Metadata,
    /// `litellm_metadata`
    LitellmMetadata,
    /// `tags`
    Tags,
    /// `fallbacks`
    Fallbacks,
    /// `context_window_fallbacks`
    ContextWindowFallbacks,
    /// `content_policy_fallbacks`
    ContentPolicyFallbacks,
    /// `disable_fallbacks`
    DisableFallbacks,
    /// `num_retries` or `max_retries`
    NumRetries,
    /// `timeout` or `request_timeout`, seconds
    Timeout,
    /// `stream_timeout`, seconds
    StreamTimeout,
    /// `drop_params`
    DropParams,
    /// `additional_drop_params`
    AdditionalDropParams,
    /// `allowed_openai_params`
    AllowedOpenaiParams,
    /// `extra_headers` or `headers`: headers for the provider.
    ExtraHeaders,
    /// `extra_body`: members for the provider's body.
    ExtraBody,
    /// `priority`
    Priority,
    /// `enable_tag_filtering`
    EnableTagFiltering,
    /// `include_fallback_errors`
    IncludeFallbackErrors,
    /// `keepalive_seconds`: the pause between signs of life in a stream.
    KeepaliveSeconds,
    /// `mock_testing_fallbacks`
    MockFallbacks,
    /// `mock_testing_context_fallbacks`
    MockContextFallbacks,
    /// `mock_testing_content_policy_fallbacks`
    MockContentPolicyFallbacks,
    /// `mock_testing_rate_limit_error`
    MockRateLimit,
    /// `allowed_model_region`
    AllowedModelRegion,
    /// `router_settings_override`
    RouterSettings,
    /// `litellm_session_id`
    Session,
    /// `litellm_trace_id`
    Trace,
    /// `no-log`
    NoLog,
    /// `cache`, `caching`, `guardrails`, `policies`, … : stripped, read later.
    Other,
    /// `api_key`: a key of the caller's own for the provider, which few operators allow (surface §4.7)
    OwnKey,
    /// `api_base` or `base_url`: where the caller wants the provider to be, which few operators allow
    OwnBase,
    /// A member callers may not send (`model_list`, `aws_role_name`, …; surface §4.7).
    Banned,
}

/// A request in a provider's dialect, before sign-in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// Path and query to put behind the target's base URL, with a leading slash.
    pub path: String,
    /// Headers of the dialect (version, beta features), without sign-in.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Files that the provider wants left with it before; few dialects have any.
    pub beforehand: Option<Box<[Deposit]>>,
}

/// What a reply's writer must know beside the reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplyContext {
    /// The id to use where the provider gave none.
    pub id: String,
    /// The model name to show where the provider gave none.
    pub model: String,
    /// Unix seconds now, for dialects that state a time of creation.
    pub now: i64,
    /// Whether the caller asked for a usage record at the end of a stream.
    pub include_usage: bool,
    /// How long the call has taken so far, in milliseconds, for dialects that state it.
    pub elapsed_ms: u64,
    /// What the reply repeats of the request ([`Dialect::echo`]).
    pub echo: Option<Arc<Map<String, Value>>>,
}

/// How a streamed body is cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events.
    Sse,
    /// One JSON document a line.
    Ndjson,
    /// AWS event stream, binary.
    EventStream,
}

impl Framing {
    /// The content type of a body framed so: what a caller is told of a stream in its dialect.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::EventStream => "application/vnd.amazon.eventstream",
        }
    }

    /// The media type to ask a provider for.
    #[must_use]
    pub const fn accept(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Ndjson | Self::EventStream => self.content_type(),
        }
    }
}

/// One frame of a streamed body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// The SSE `event:` name or the AWS `:event-type`; empty when there is none. Of an AWS frame that
    /// is no event it is `exception:` or `error:` and the `:exception-type` or `:error-code`.
    pub event: Bytes,
    /// The data: SSE `data:` lines joined by line feeds, or the payload.
    pub data: Bytes,
}

/// Reads a provider's stream.
pub trait StreamDecoder: Send + fmt::Debug {
    /// Reads one frame and appends what happened.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadUpstream`] when the frame is not this dialect. An error the provider
    /// *states* is an [`Event::Error`], not an `Err`.
    fn push(&mut self, frame: &Frame, out: &mut Vec<Event>) -> Result<()>;

    /// The body has ended: appends what was still open. A stream that the dialect requires to say its
    /// end and that did not appends no [`Event::Done`].
    fn finish(&mut self, out: &mut Vec<Event>);
}

/// Writes a stream for a caller.
pub trait StreamEncoder: Send + fmt::Debug {
    /// Writes one event. [`Event::Error`] becomes the dialect's error event and nothing may follow.
    fn push(&mut self, event: &Event, out: &mut BytesMut);

    /// The stream has ended. Without a preceding [`Event::Done`] or [`Event::Error`] this writes the
    /// dialect's error event: a cut stream never ends as a clean stop.
    fn finish(&mut self, out: &mut BytesMut);
}

/// What a reply told, for settlement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReplyFacts {
    /// The provider's id of the reply.
    pub id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// What it consumed.
    pub usage: Option<Usage>,
    /// Why it ended (first answer).
    pub finish: Option<Finish>,
    /// Bytes of answer text seen so far, for estimates when no usage comes.
    pub answer_bytes: u64,
    /// The functions it calls.
    pub tools: InvokedTools,
    /// The error it held.
    pub error: Option<Error>,
    /// Whether the reply was complete by its dialect's rules.
    pub complete: bool,
}

/// Forwards a streamed reply between parties of one dialect.
///
/// Complete frames pass as they came; an incomplete one waits for its rest. Output must not depend
/// on how the bytes were split.
pub trait Relay: Send + fmt::Debug {
    /// Takes bytes from the provider; appends what the caller is to receive now (slices of the input
    /// wherever possible).
    fn push(&mut self, bytes: Bytes, out: &mut Vec<Bytes>);

    /// The provider's body has ended (or failed, with `cut`): appends what is still owed. If the
    /// stream was not complete that is the dialect's error event.
    fn finish(&mut self, cut: Option<&Error>, out: &mut Vec<Bytes>);

    /// What has been learnt so far.
    fn facts(&self) -> &ReplyFacts;
}
