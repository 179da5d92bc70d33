//! Fetches what a caller names by URL: behind a guard that keeps private networks private, within limits
//! of size, time and number, through a few redirects.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use llm_providers::media::{Fetched, Wanted, type_of};
use llm_providers::transport::{HyperTransport, NOT_PUBLIC};
use llm_types::{Body, ErrorKind, HttpRequest, HttpResponse, Timeouts};

/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How long fetching one URL may take at most, redirects included.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server may take to answer or to go on.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest part of a URL shown in a message, characters.
const SHOWN: usize = 120;

/// Why something could not be fetched: words for the caller.
pub(super) type Why = String;

/// Fetches for one call.
#[derive(Debug)]
pub(super) struct Fetcher {
    /// Connects where the operator lets it.
    pub(super) transport: HyperTransport,
    /// The most bytes of one URL.
    pub(super) limit: u64,
    /// How long one URL may take.
    pub(super) patience: Duration,
    /// How many bytes all URLs of the call may still have.
    pub(super) left: AtomicU64,
}

impl Fetcher {
    /// Fetches one URL and checks that it is what the caller says.
    pub(super) async fn fetch(&self, wanted: &Wanted) -> Result<Fetched, Why> {
        let late = || format!("it took longer than {} s", self.patience.as_secs_f64());
        let got = tokio::time::timeout(self.patience, self.follow(&wanted.url)).await.map_err(|_| late())?;
        let (kind, bytes) = got?;
        let mime = type_of(wanted.kind, kind.as_deref(), &wanted.url, &bytes)
            .map_err(|found| format!("found {found}, expected a {}", wanted.kind.name()))?;
        Ok(Fetched { mime, data: BASE64_STANDARD.encode(&bytes) })
    }

    /// Asks, and asks elsewhere where the answer says so. Every URL goes through the same guard.
    async fn follow(&self, url: &str) -> Result<(Option<String>, Bytes), Why> {
        let mut uri = address(url)?;
        for _ in 0..=REDIRECTS {
            let response = self.ask(uri.clone()).await?;
            if !is_redirect(response.status) {
                return self.take(response).await;
            }
            let location = response.headers.get(LOCATION).and_then(|to| to.to_str().ok());
            uri = address(&joined(&uri, location.ok_or("its redirect names no URL")?))?;
        }
        Err(format!("it is redirected more than {REDIRECTS} times"))
    }

    async fn ask(&self, uri: Uri) -> Result<HttpResponse, Why> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        let timeouts =
            Timeouts { connect: Some(CONNECT), first_byte: Some(PAUSE), read: Some(PAUSE), total: None };
        let request = HttpRequest { method: Method::GET, uri, headers, body: Bytes::new(), timeouts };
        self.transport.exchange(request).await.map_err(|error| match (error.kind(), error.code()) {
            (_, Some(NOT_PUBLIC)) => {
                "it is not at a public address; the operator can allow its host with `user_url_allowed_hosts`"
                    .to_owned()
            }
            (ErrorKind::Timeout, _) => "its server did not answer in time".to_owned(),
            (ErrorKind::Unreachable, _) => "its server cannot be reached".to_owned(),
            _ => "its server gave no valid answer".to_owned(),
        })
    }

    /// The type and bytes of an answer.
    async fn take(&self, response: HttpResponse) -> Result<(Option<String>, Bytes), Why> {
        let HttpResponse { status, headers, body, .. } = response;
        if !status.is_success() {
            return Err(format!("its server answered status {}", status.as_u16()));
        }
        let stated = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if stated.is_some_and(|length| length > self.limit) {
            return Err(too_large(self.limit));
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).map(str::to_owned);
        let bytes = self.collect(body).await?;
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok((kind, bytes))
    }

    /// All bytes of a body, within what one URL and the whole call may have.
    async fn collect(&self, mut body: Body) -> Result<Bytes, Why> {
        let mut all = Vec::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| match error.kind() {
                ErrorKind::Timeout => "its server paused too long".to_owned(),
                _ => "its server ended the answer midway".to_owned(),
            })?;
            let size = piece.len() as u64;
            if all.len() as u64 + size > self.limit {
                return Err(too_large(self.limit));
            }
            let spent =
                self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(size));
            if spent.is_err() {
                return Err("all media of the request together are too large".to_owned());
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn too_large(limit: u64) -> Why {
    format!("it is larger than {:.1} MB", limit as f64 / 1024.0 / 1024.0)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// A URL as a request names it: without a fragment, and with nothing that signs in.
fn address(url: &str) -> Result<Uri, Why> {
    let url = url.split('#').next().unwrap_or(url).trim().replace(' ', "%20");
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err("expected a URL that begins with `http://` or `https://`".to_owned());
    }
    let uri: Uri = url.parse().map_err(|_| "it is not a URL".to_owned())?;
    match uri.authority() {
        None => Err("its URL has no host".to_owned()),
        Some(authority) if authority.as_str().contains('@') => {
            Err("its URL holds credentials; expected none".to_owned())
        }
        Some(_) => Ok(uri),
    }
}

/// Where a redirect leads, seen from a URL. RFC 3986 §5.2 without `..`.
fn joined(from: &Uri, to: &str) -> String {
    let scheme = from.scheme_str().unwrap_or("https");
    let host = from.authority().map_or("", |authority| authority.as_str());
    if to.contains("://") {
        to.to_owned()
    } else if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{scheme}://{host}{to}")
    } else if to.starts_with('?') {
        format!("{scheme}://{host}{}{to}", from.path())
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{host}{folder}/{to}")
    }
}

/// A URL as messages show it: without its query, which may hold a signature.
pub(super) fn shown(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or(url);
    let bare = bare.split_once('@').map_or(bare, |(_, rest)| rest);
    bare.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests;
