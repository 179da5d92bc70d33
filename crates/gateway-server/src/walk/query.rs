//! What the query of a URL says.

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderName, HeaderValue};

use crate::identity::{Presented, presented};
use crate::routes::decoded;

const GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// The first value of a query's parameter, its escapes undone.
pub(crate) fn value<'q>(query: Option<&'q str>, name: &str) -> Option<Cow<'q, str>> {
    let said = |pair: &'q str| pair.split_once('=').filter(|(said, _)| *said == name).map(|(_, value)| value);
    query?.split('&').find_map(said).map(decoded)
}

/// Gemini's callers may present their key as `?key=` (surface §4.1): it counts where no header has one.
pub(super) fn take_key(head: &mut Parts) {
    if presented(&head.headers, None) != Presented::Nothing {
        return;
    }
    let key = value(head.uri.query(), "key").and_then(|key| HeaderValue::try_from(&*key).ok());
    if let Some(mut key) = key.filter(|key| !key.is_empty()) {
        key.set_sensitive(true);
        head.headers.insert(GOOG_API_KEY, key);
    }
}

#[cfg(test)]
mod tests;
