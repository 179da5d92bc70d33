//! Asking services for tokens: one request, one answer, errors without secrets.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use llm_types::{Error, ErrorKind, HttpRequest, Origin, Result, Retry, Secret, Timeouts, Transport};
use serde_json::Value;

use super::given::fault;
use super::{Held, Key};

/// The largest answer taken, bytes.
const ANSWER_LIMIT: usize = 1 << 20;
/// The longest part of a service's words shown, characters.
const SHOWN: usize = 300;
/// How long a token lives whose answer does not say.
const ASSUMED_LIFE: Duration = Duration::from_secs(3_600);

/// One request to a service that gives tokens.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// Who is asked, for messages: `Google's token service`.
    whom: &'a str,
    method: Method,
    url: &'a str,
    headers: HeaderMap,
    body: String,
    timeouts: Timeouts,
}

impl<'a> Ask<'a> {
    pub(super) fn get(whom: &'a str, url: &'a str) -> Self {
        Self { method: Method::GET, ..Self::post(whom, url) }
    }

    pub(super) fn post(whom: &'a str, url: &'a str) -> Self {
        let timeouts = Timeouts {
            connect: Some(Duration::from_secs(5)),
            first_byte: Some(Duration::from_secs(15)),
            read: Some(Duration::from_secs(15)),
            total: Some(Duration::from_secs(30)),
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self { whom, method: Method::POST, url, headers, body: String::new(), timeouts }
    }

    /// A service on this machine or its host, which answers at once or is not there.
    pub(super) fn nearby(mut self) -> Self {
        self.timeouts.connect = Some(Duration::from_secs(2));
        self.timeouts.first_byte = Some(Duration::from_secs(5));
        self
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| fault(format!("what {} is asked with cannot stand in a header", self.whom)))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(super) fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        self.body = form(pairs);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.headers.insert(CONTENT_TYPE, kind);
        self
    }

    pub(super) fn json(mut self, value: &Value) -> Self {
        self.body = value.to_string();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// The request, for those who sign it.
    pub(super) fn request(self) -> Result<HttpRequest> {
        let uri: Uri = self.url.parse().map_err(|_| fault(format!("`{}` is not a URL", self.url)))?;
        let body = Bytes::from(self.body);
        Ok(HttpRequest { method: self.method, uri, headers: self.headers, body, timeouts: self.timeouts })
    }

    /// Asks; the answer's text if its status says success.
    pub(super) async fn text(self, transport: &dyn Transport) -> Result<String> {
        let whom = self.whom.to_owned();
        send(transport, &whom, self.request()?).await
    }

    /// Asks; the answer's status and text, whatever the status.
    pub(super) async fn answer(self, transport: &dyn Transport) -> Result<(StatusCode, String)> {
        let whom = self.whom.to_owned();
        answer(transport, &whom, self.request()?).await
    }

    /// Asks; the answer as JSON.
    pub(super) async fn value(self, transport: &dyn Transport) -> Result<Value> {
        let whom = self.whom.to_owned();
        let text = self.text(transport).await?;
        serde_json::from_str(&text).map_err(|_| strange(&whom, "something that is not JSON"))
    }
}

/// Sends a request; the answer's text if its status says success.
pub(super) async fn send(transport: &dyn Transport, whom: &str, request: HttpRequest) -> Result<String> {
    let mut sent = request.body.to_vec();
    // What headers hold is not shown either.
    for value in request.headers.values().filter(|value| value.is_sensitive()) {
        let text = value.to_str().unwrap_or_default();
        for word in text.split(' ') {
            sent.extend_from_slice(b"&h=");
            sent.extend_from_slice(word.as_bytes());
        }
    }
    let (status, text) = answer(transport, whom, request).await?;
    if status.is_success() { Ok(text) } else { Err(refused(whom, status, &text, &sent)) }
}

/// Sends a request; the answer's status and text, whatever the status.
async fn answer(transport: &dyn Transport, whom: &str, request: HttpRequest) -> Result<(StatusCode, String)> {
    let unreached = |error: Error| {
        let message = format!("sign-in: {whom} cannot be asked: {}", error.message());
        error.with_message(message)
    };
    let response = transport.send(request).await.map_err(unreached)?;
    let status = response.status;
    let answer = response.body.collect(ANSWER_LIMIT).await.map_err(unreached)?;
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}

/// The error behind an answer with an error status. What was sent is not shown, should it be repeated.
pub(super) fn refused(whom: &str, status: StatusCode, text: &str, sent: &[u8]) -> Error {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let member = |name: &str| json.get(name).and_then(Value::as_str);
    let inner = json.pointer("/error/message").and_then(Value::as_str);
    let words = [member("error"), member("error_description"), inner, member("message"), member("Message")];
    let mut words: Vec<_> = words.into_iter().flatten().map(str::to_owned).collect();
    words.extend(["Code", "Message"].into_iter().filter_map(|tag| element(text, tag)));
    let mut words = words.join(": ");
    hide(&mut words, sent);
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    let kind = if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        ErrorKind::Unauthenticated
    } else {
        ErrorKind::BadUpstream
    };
    let message = format!("sign-in: {whom} answered status {}{said}", status.as_u16());
    Error::new(kind, message).with_origin(Origin::Gateway).with_retry(Retry::Elsewhere)
}

/// Hides the long values of a form, should words repeat them.
fn hide(words: &mut String, sent: &[u8]) {
    let sent = String::from_utf8_lossy(sent);
    for value in sent.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value) {
        let plain = decoded(value);
        for secret in [value, &plain].into_iter().filter(|value| value.len() >= 16) {
            if !secret.starts_with("http") && words.contains(secret) {
                *words = words.replace(secret, "***");
            }
        }
    }
}

/// An answer that is none.
pub(super) fn strange(whom: &str, what: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("sign-in: {whom} answered {what}"))
        .with_origin(Origin::Gateway)
        .with_retry(Retry::Elsewhere)
}

/// A token as a header.
pub(super) fn bearer(token: &str) -> Result<Key> {
    worded("Bearer", token)
}

/// A token as a header, behind a word.
pub(super) fn worded(word: &str, token: &str) -> Result<Key> {
    let mut value = HeaderValue::from_str(&format!("{word} {}", token.trim()))
        .map_err(|_| fault("a token holds a character that no header may carry"))?;
    value.set_sensitive(true);
    Ok(Key::Bearer(value))
}

/// The token of an OAuth answer (RFC 6749 §5.1). Some services write `expires_in` as text, and managed
/// identities of Azure an `expires_on` in Unix seconds.
pub(super) fn oauth(whom: &str, answer: &Value, now: SystemTime) -> Result<(Secret, Option<SystemTime>)> {
    let token = answer.get("access_token").or_else(|| answer.get("id_token")).and_then(Value::as_str);
    let token = token.ok_or_else(|| strange(whom, "no `access_token`"))?;
    let number = |name: &str| -> Option<u64> {
        let value = answer.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    // `expires_at` of those who state one is in milliseconds.
    let at = || number("expires_at").map(|end| if end > 100_000_000_000 { end / 1_000 } else { end });
    let end = number("expires_on").or_else(at);
    let expires = match (number("expires_in"), end) {
        (Some(life), _) => now + Duration::from_secs(life.min(10_000_000)),
        (None, Some(end)) => SystemTime::UNIX_EPOCH + Duration::from_secs(end.min(100_000_000_000)),
        (None, None) => now + ASSUMED_LIFE,
    };
    Ok((Secret::new(token.to_owned()), Some(expires)))
}

/// As [`oauth`], ready to be held.
pub(super) fn held(whom: &str, answer: &Value, now: SystemTime) -> Result<Held> {
    let (token, expires) = oauth(whom, answer, now)?;
    Ok(Held::new(bearer(token.reveal())?, expires, now))
}

/// A time as RFC 3339 writes it, in UTC: `2026-11-21T15:04:05Z`.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let (date, rest) = text.split_once('T')?;
    let clock = rest.trim_end_matches('Z');
    let clock = clock.split_once('+').map_or(clock, |(clock, _)| clock);
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut parts = clock.split(':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let second: i64 = parts.next()?.split('.').next()?.parse().ok()?;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// A time as RFC 3339 writes it, in UTC, to the second.
pub(super) fn stamp(at: SystemTime) -> String {
    let ((year, month, date), _, (hour, minute, second)) = civil(at);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A time as HTTP's headers write it (RFC 9110 §5.6.7): `Sat, 21 Nov 2026 15:04:05 GMT`.
pub(super) fn http_date(at: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let ((year, month, date), day, (hour, minute, second)) = civil(at);
    let named =
        |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied());
    let weekday = named(&DAYS, day.rem_euclid(7)).unwrap_or(DAYS[0]);
    let month = named(&MONTHS, month - 1).unwrap_or(MONTHS[0]);
    format!("{weekday}, {date:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The date of a time (year, month, day), the days since 1970-01-01, and the time of day, in UTC.
fn civil(at: SystemTime) -> ((i64, i64, i64), i64, (u64, u64, u64)) {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (day, clock) = (i64::try_from(seconds / 86_400).unwrap_or(i64::MAX / 2), seconds % 86_400);
    // The inverse of `days`: years begin in March, so that leap days end them.
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let of_years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = of_years + era * 400 + i64::from(month <= 2);
    ((year, month, date), day, (clock / 3_600, clock / 60 % 60, clock % 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The text of the first element of a name in XML whose texts hold no markup.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = xml.find(&open)? + open.len();
    let text = &xml[start..start + xml[start..].find(&close)?];
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

/// A form as browsers write it.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(super) fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes all text");
        }
    }
}

pub(super) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digits = if byte == b'%' { (bytes.next(), bytes.next()) } else { (None, None) };
        let value = |digit: u8| char::from(digit).to_digit(16);
        match digits {
            (Some(high), Some(low)) => {
                let byte =
                    value(high).zip(value(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                out.extend(byte);
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
