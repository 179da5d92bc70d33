//! Media that callers name by URL and the provider cannot fetch: the gateway fetches them and sends bytes.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use llm_providers::media::{Fetched, Wanted, wanted};
use llm_providers::{Dialect, Target};
use llm_router::Attempt;
use llm_types::{ChatRequest, Error, Result, seldom};
use serde_json::Value;

use super::Call;
use super::encode::overlaid;
use super::fetch::{Fetcher, PATIENCE, Why, shown};
use crate::state::Served;

/// How many URLs of one call are fetched at a time.
const AT_A_TIME: usize = 4;

/// Fetches what the request of an attempt names and its provider cannot fetch. What a call has fetched it
/// keeps for its next attempts.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] naming the part whose URL gives nothing that can be sent.
pub(super) async fn fetch(call: &Call, served: &Served, attempt: &Attempt<'_>) -> Result<()> {
    let mut missing = missing(call, served, attempt)?;
    if missing.is_empty() {
        return Ok(());
    }
    missing.retain(|wanted| !call.fetched.lock().contains_key(&wanted.url));
    seldom(|| fetch_all(call, missing, attempt.timeout)).await
}

/// The media a provider cannot fetch.
fn missing(call: &Call, served: &Served, attempt: &Attempt<'_>) -> Result<Vec<Wanted>> {
    let dialect = served.dialect_for(call.dialect);
    let target = served.target.target();
    let is_same = dialect.id() == call.dialect.id();
    if is_same && !dialect.may_name_media(&call.body, &call.glance, target) {
        return Ok(Vec::new());
    }
    match attempt.params {
        None => Ok(wanted(&*call.canonical()?, dialect, target)),
        Some(params) => {
            let request: ChatRequest = call.dialect.decode_request(&overlaid(&call.body, params)?)?;
            Ok(wanted(&request, dialect, target))
        }
    }
}

async fn fetch_all(call: &Call, missing: Vec<Wanted>, timeout: Option<Duration>) -> Result<()> {
    let settings = &call.snapshot.config.calls.media;
    if settings.max_bytes == 0 {
        let Some(first) = missing.first() else { return Ok(()) };
        return Err(refusal(call, first, "the operator lets nothing be fetched"));
    }
    let together = call.body_limit().max(usize::try_from(settings.max_bytes).unwrap_or(usize::MAX));
    let fetcher = Fetcher {
        transport: call.core.transport.guarded(settings.guard.clone()),
        limit: settings.max_bytes,
        left: AtomicU64::new(together as u64),
        patience: timeout.map_or(PATIENCE, |timeout| timeout.min(PATIENCE)),
    };
    let mut answers = stream::iter(missing)
        .map(|wanted| async {
            let _place = call.core.fetches.acquire().await;
            let got: Result<Fetched, Why> = fetcher.fetch(&wanted).await;
            (wanted, got)
        })
        .buffered(AT_A_TIME);
    while let Some((wanted, got)) = answers.next().await {
        let fetched = got.map_err(|why| refusal(call, &wanted, &why))?;
        call.fetched.lock().insert(wanted.url, fetched);
    }
    Ok(())
}

/// Whether a request in the caller's own dialect must be written anew, because bytes were fetched for it.
pub(super) fn changes(call: &Call, request: &ChatRequest, dialect: &dyn Dialect, target: &Target) -> bool {
    let fetched = call.fetched.lock();
    wanted(request, dialect, target).iter().any(|wanted| fetched.contains_key(&wanted.url))
}

/// What a call has fetched, by URL.
pub(super) type Held = HashMap<String, Fetched>;

fn refusal(call: &Call, wanted: &Wanted, why: &str) -> Error {
    let param = place(call, &wanted.url);
    let message = format!(
        "`{param}`: the {} at `{}` cannot be fetched: {why}. This model's provider takes no URL here; send the \
         bytes, such as a `data:` URL",
        wanted.kind.name(),
        shown(&wanted.url),
    );
    Error::bad_param(param, message)
}

/// Where a URL stands in the caller's body, such as `messages[0].content[1].image_url.url`.
fn place(call: &Call, url: &str) -> String {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    path_of(&body, url).unwrap_or_else(|| "messages".to_owned())
}

fn path_of(value: &Value, text: &str) -> Option<String> {
    let joined = |name: String, rest: String| match rest.as_str() {
        "" => name,
        rest if rest.starts_with('[') => format!("{name}{rest}"),
        rest => format!("{name}.{rest}"),
    };
    match value {
        Value::String(found) => (found == text).then(String::new),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, inner)| Some(joined(format!("[{index}]"), path_of(inner, text)?))),
        Value::Object(members) => {
            members.iter().find_map(|(name, inner)| Some(joined(name.clone(), path_of(inner, text)?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
