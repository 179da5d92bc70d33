//! Errors, both ways: what OpenAI-like providers answer into ours, ours into what callers see.
//!
//! The kind follows from the status; where a vendor's words or codes say more than its status they
//! decide. Sources: OpenAI's guide to error codes, LiteLLM surface §5.3, recorded answers of vendors.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use llm_types::{Error, ErrorKind, Retry};

use crate::error_table::shown;
use crate::scan::{self, Item, Kind};
use crate::write;

/// The longest piece of an unknown error body that is shown.
const SHOWN_BODY: usize = 1000;

/// Writes the body of an error: `{"error":{"message","type","param","code"}}`, `code` a string of the
/// status (LiteLLM surface §5.1).
pub(crate) fn encode(error: &Error) -> (StatusCode, Bytes) {
    let shown = shown(error);
    let mut body = Vec::with_capacity(128);
    write::object(&mut body, |object| {
        object.object("error", |inner| {
            inner.text("message", error.message());
            inner.text("type", shown.kind);
            inner.value("param", &shown.param);
            inner.text("code", shown.status.as_str());
        });
    });
    (shown.status, body.into())
}

/// Reads a reply with an error status.
pub(crate) fn decode(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let said = scan::value(body).ok().map(Said::read).unwrap_or_default();
    let message = said.message.clone().unwrap_or_else(|| plain(status, body));
    let error = said.into_error(status.as_u16(), message).with_status(status);
    match wait(headers, SystemTime::now()) {
        Some(wait) if matches!(error.retry(), Retry::Same | Retry::After(_)) => {
            error.with_retry(Retry::After(wait))
        }
        _ => error,
    }
}

/// Reads an error that came with a success status: the whole reply or frame that holds it.
pub(crate) fn decode_within(reply: Item<'_>) -> Error {
    Said::read(reply).within_success()
}

/// Reads an error object that came with a success status.
pub(crate) fn decode_object(object: Item<'_>) -> Error {
    let mut said = Said::default();
    said.take(object);
    said.within_success()
}

/// What an error body says, in whichever of the known shapes.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    code: Option<String>,
}

impl Said {
    /// Known shapes: OpenAI's `{"error":{…}}`; the same members at the top (Mistral, Cerebras);
    /// `{"error":"text","code":"text"}` (xAI); FastAPI's `{"detail":…}`; Gemini's `[{"error":…}]`.
    fn read(body: Item<'_>) -> Self {
        let mut said = Self::default();
        match body.kind {
            Kind::Array => {
                let mut first = None;
                body.elements(|element| {
                    first.get_or_insert(element);
                });
                return first.map(Self::read).unwrap_or_default();
            }
            Kind::String => said.message = text(body),
            _ => {}
        }
        said.take(body);
        if let Some(error) = body.member("error") {
            match error.kind {
                Kind::Object => said.take(error),
                _ => said.message = text(error).or(said.message),
            }
        }
        if said.message.is_none()
            && let Some(detail) = body.member("detail")
        {
            said.message = text(detail).or_else(|| Some(clip(detail.text)));
        }
        said
    }

    fn take(&mut self, object: Item<'_>) {
        object.members(|member| {
            let value = member.value;
            match &*member.name {
                "message" => self.message = text(value).or(self.message.take()),
                "type" | "error_type" => self.kind = text(value).or(self.kind.take()),
                "param" => self.param = text(value).or(self.param.take()),
                "code" => self.code = text(value).or(self.code.take()),
                _ => {}
            }
        });
    }

    /// The error's `code` may be the status it should have had (OpenRouter), else its type tells.
    fn within_success(self) -> Error {
        let code = self.code.as_deref().and_then(|code| code.parse().ok());
        let status = code.filter(|code| (400..600).contains(code)).unwrap_or_else(|| self.status_of_words());
        let message = self.message.clone();
        let message =
            message.unwrap_or_else(|| "the provider reported an error without a message".to_owned());
        let error = self.into_error(status, message);
        match StatusCode::from_u16(status) {
            Ok(status) => error.with_status(status),
            Err(_) => error,
        }
    }

    fn into_error(self, status: u16, message: String) -> Error {
        let kind = self.kind_at(status, &message);
        let mut error = Error::new(kind, message);
        if let (429, ErrorKind::QuotaExceeded) = (status, kind) {
            error = error.with_retry(Retry::Elsewhere);
        }
        if let Some(kind) = self.kind {
            error = error.with_vendor_type(kind);
        }
        if let Some(param) = self.param {
            error = error.with_param(param);
        }
        if let Some(code) = self.code {
            error = error.with_code(code);
        }
        error
    }

    /// Words before status for what callers act on: context length, content policy, quota, rate.
    fn kind_at(&self, status: u16, message: &str) -> ErrorKind {
        let lower = message.to_ascii_lowercase();
        let code = self.code.as_deref().unwrap_or_default();
        let kind = self.kind.as_deref().unwrap_or_default();
        let client_side = (400..500).contains(&status) && !matches!(status, 401 | 403 | 404 | 429);
        if (client_side || status == 500) && (code == "context_length_exceeded" || is_context(&lower)) {
            return ErrorKind::ContextTooLong;
        }
        if (client_side || status == 403) && is_policy(code, kind, &lower) {
            return ErrorKind::ContentFiltered;
        }
        if code == "insufficient_quota" || kind == "insufficient_quota" || status == 402 {
            return ErrorKind::QuotaExceeded;
        }
        if client_side && (code == "model_not_found" || code == "DeploymentNotFound") {
            return ErrorKind::NotFound;
        }
        if client_side && (lower.contains("rate limit") || lower.contains("service tier capacity exceeded")) {
            return ErrorKind::RateLimited;
        }
        of_status(status)
    }

    /// The status an error within a 200 stands for, from its type; 500 when it does not say.
    fn status_of_words(&self) -> u16 {
        let words = [self.kind.as_deref(), self.code.as_deref()];
        let has = |word: &str| words.iter().flatten().any(|found| found.contains(word));
        match () {
            () if has("rate_limit") || has("insufficient_quota") => 429,
            () if has("invalid_request") || has("context_length") || has("content_") => 400,
            () if has("authentication") || has("invalid_api_key") => 401,
            () if has("permission") => 403,
            () if has("not_found") => 404,
            () if has("overloaded") || has("unavailable") => 503,
            () => 500,
        }
    }
}

fn of_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        503 | 529 => ErrorKind::Overloaded,
        400..=499 => ErrorKind::BadRequest,
        _ => ErrorKind::BadUpstream,
    }
}

/// LiteLLM surface §5.3, and what llama.cpp, Ollama and Gemini say.
fn is_context(lower: &str) -> bool {
    const WORDS: [&str; 14] = [
        "this model's maximum context length is",
        "exceed context limit",
        "string too long. expected a string with maximum length",
        "model's maximum context limit",
        "is longer than the model's context length",
        "input tokens exceed the configured limit",
        "`inputs` tokens + `max_new_tokens` must be",
        "exceeds the available context size",
        "exceeds the maximum number of tokens allowed",
        "exceeded max context length",
        "prompt is too long",
        "context_length_exceeded",
        "maximum context length",
        "context window",
    ];
    let between =
        |start: &str, end: &str| lower.find(start).is_some_and(|at| lower[at + start.len()..].contains(end));
    WORDS.iter().any(|words| lower.contains(words))
        || between("current length is", "while limit is")
        || between("maximum input length is", "tokens")
}

fn is_policy(code: &str, kind: &str, lower: &str) -> bool {
    let named = |word: &str| {
        matches!(word, "content_policy_violation" | "content_filter" | "ResponsibleAIPolicyViolation")
    };
    named(code)
        || named(kind)
        || lower.contains("content_policy_violation")
        || (lower.contains("invalid prompt") && lower.contains("violating our usage policy"))
        || lower.contains("request was rejected as a result of the safety system")
        || lower.contains("triggering content management policy")
        || lower.contains("content violates usage guidelines")
}

/// How long the provider asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date.
fn wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let read = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = read("retry-after-ms").and_then(|text| text.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let text = read(header::RETRY_AFTER.as_str())?;
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => date(text).map(|then| then.duration_since(now).unwrap_or_default()),
    }
}

/// An HTTP date, `Wed, 21 Oct 2026 07:28:00 GMT` (RFC 9110, section 5.6.7).
fn date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut words = rest.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    // Days since 1970 in the proleptic Gregorian calendar, years beginning in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = u64::try_from(days * 86400 + hour * 3600 + minute * 60 + second).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Text of a scalar: vendors write codes as numbers too; `null` and empty are nothing.
fn text(item: Item<'_>) -> Option<String> {
    match item.kind {
        Kind::String => item.as_str().map(Into::into).filter(|text: &String| !text.is_empty()),
        Kind::Number | Kind::Bool => Some(item.text.to_owned()),
        Kind::Object | Kind::Array => Some(clip(item.text)),
        Kind::Null => None,
    }
}

/// The body of an error without a message: itself if it is short text, else what is known.
fn plain(status: StatusCode, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let body = body.trim();
    if body.is_empty() { format!("the provider answered {status} without a body") } else { clip(body) }
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN_BODY) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
