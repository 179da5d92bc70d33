//! Where public keys come from: fetched beside calls, kept, and fetched again when one is unknown, but not often.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::HeaderMap;
use llm_providers::transport::HyperTransport;
use serde_json::Value;
use tokio::sync::Mutex;

use super::keys::{PublicKey, read_set};
use super::token::Token;
use crate::clock::now_ms;
use crate::config::JwtAuth;
use crate::document::{self, Bounds};

/// How far one goes for a document.
const BOUNDS: Bounds = Bounds { patience: Duration::from_secs(10), largest: 1 << 20 };
/// How long a failed try, or a try for one unknown key, keeps others from trying again, milliseconds.
const PAUSE: i64 = 10_000;
/// What the address of a discovery document holds.
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The keys of one address.
#[derive(Debug)]
pub(super) struct Source {
    url: String,
    held: ArcSwapOption<Held>,
    /// When it was fetched last, or tried.
    tried: AtomicI64,
    fetching: Mutex<()>,
}

#[derive(Debug)]
struct Held {
    keys: Vec<PublicKey>,
    at: i64,
}

/// What a source says of a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of its keys proves it.
    Proved,
    /// The key it names does not.
    Refuted,
    /// There is no such key.
    NoSuchKey,
    /// There are no keys, or they are too old.
    NoKeys,
}

impl Source {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            held: ArcSwapOption::empty(),
            tried: AtomicI64::new(i64::MIN / 2),
            fetching: Mutex::default(),
        }
    }

    /// What the keys that are held say. Waits for nothing.
    pub(super) fn judge(&self, token: &Token<'_>, auth: &JwtAuth) -> Verdict {
        let held = self.held.load();
        let Some(held) = held.as_ref().filter(|held| !held.is_over(auth)) else { return Verdict::NoKeys };
        let mut named = held.keys.iter().filter(|key| key.may_have_signed(token)).peekable();
        if named.peek().is_none() {
            return Verdict::NoSuchKey;
        }
        if named.any(|key| key.proves(token)) { Verdict::Proved } else { Verdict::Refuted }
    }

    /// Whether it is time to fetch again.
    pub(super) fn is_due(&self, auth: &JwtAuth) -> bool {
        let age = self.held.load().as_ref().map(|held| now_ms().saturating_sub(held.at));
        let old = age.is_none_or(|age| age >= millis(auth.fresh));
        old && !self.tried_lately()
    }

    fn tried_lately(&self) -> bool {
        now_ms().saturating_sub(self.tried.load(Ordering::Relaxed)) < PAUSE
    }

    /// Fetches, unless somebody did so a moment ago. Of callers that wait together one does.
    pub(super) async fn refresh(&self, transport: &HyperTransport) {
        let _alone = self.fetching.lock().await;
        if self.tried_lately() {
            return;
        }
        self.tried.store(now_ms(), Ordering::Relaxed);
        match fetch(transport, &self.url).await {
            Ok(keys) => {
                tracing::debug!(url = self.url, keys = keys.len(), "public keys of JWTs");
                self.held.store(Some(std::sync::Arc::new(Held { keys, at: now_ms() })));
            }
            Err(why) => tracing::warn!(url = self.url, why, "public keys of JWTs cannot be fetched"),
        }
    }
}

impl Held {
    fn is_over(&self, auth: &JwtAuth) -> bool {
        now_ms().saturating_sub(self.at) > millis(auth.fresh).saturating_add(millis(auth.stale))
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// The keys behind an address; a discovery document says where they are.
async fn fetch(transport: &HyperTransport, url: &str) -> Result<Vec<PublicKey>, String> {
    if !url.contains(DISCOVERY) {
        return read_set(&get(transport, url).await?);
    }
    let document = get(transport, url).await?;
    let document: Value =
        serde_json::from_slice(&document).map_err(|error| format!("it is not JSON: {error}"))?;
    let keys = document.get("jwks_uri").and_then(Value::as_str);
    let keys = keys.ok_or("the discovery document does not contain a 'jwks_uri' field")?;
    read_set(&get(transport, keys).await?)
}

/// The address of an issuer's discovery document.
pub(super) fn discovery_of(issuer: &str) -> String {
    format!("{}{DISCOVERY}", issuer.trim_end_matches('/'))
}

/// One document.
async fn get(transport: &HyperTransport, url: &str) -> Result<Bytes, String> {
    document::get(transport, url, HeaderMap::new(), BOUNDS).await
}
