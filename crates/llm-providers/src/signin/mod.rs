//! Credentials that are fetched and expire: tokens of Microsoft Entra and Google Cloud, temporary keys of
//! AWS, tokens that vendors give for keys; and keys that sign each request. Requests go through the transport; files are read again at each fetch, for others replace them.
//!
//! One fetch runs at a time for a credential; those who need it wait for that one. What is at hand is used
//! until shortly before its end, and renewed while it still holds. Errors never show secrets.

pub mod aicore;
pub mod anthropic;
pub mod aws;
pub mod chatgpt;
pub mod copilot;
mod ec;
pub mod entra;
mod exchange;
mod fetch;
mod given;
pub mod google;
mod jwt;
pub mod oci;
mod rsa;
pub mod snowflake;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime};

use futures_util::lock::Mutex as Turn;
use http::{HeaderName, HeaderValue, Uri};
use llm_types::{Error, Result, Secret, Transport};

pub use ec::EcKey;
pub use exchange::Exchanged;
pub use given::Given;
pub use rsa::SigningKey;

/// What is at hand is renewed when it holds no longer than this.
const RENEW: Duration = Duration::from_secs(300);
/// What holds no longer than this is not sent any more.
const LAST: Duration = Duration::from_secs(10);
/// After a renewal failed, how long the next one waits while the old one still holds.
const PAUSE: Duration = Duration::from_secs(30);

/// Where a credential comes from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// A token that was given and never renewed.
    Token(Secret),
    /// The same behind a word of its own, where others have `Bearer`.
    Worded(String, Secret),
    /// Microsoft Entra.
    Entra(entra::Entra),
    /// Google Cloud.
    Google(google::Google),
    /// AWS.
    Aws(aws::Aws),
    /// A service that gives a token for what the operator has.
    Exchange(Exchanged),
    /// SAP AI Core.
    Aicore(aicore::Aicore),
    /// GitHub Copilot.
    Copilot(copilot::Copilot),
    /// A ChatGPT subscription.
    Chatgpt(chatgpt::Chatgpt),
    /// Oracle Cloud, by a user's API key.
    Oci(oci::OciKey),
    /// Oracle Cloud, by a session.
    OciSession(oci::Session),
    /// Oracle Cloud, as the instance this process runs on.
    OciInstance(oci::Instance),
    /// A user's key pair.
    KeyPair(snowflake::KeyPair),
    /// Anthropic, by workload identity federation.
    Anthropic(Box<anthropic::Federation>),
}

/// What signs requests in.
#[derive(Debug, Clone)]
pub enum Key {
    /// The `authorization` header, marked sensitive.
    Bearer(HeaderValue),
    /// Keys to sign each request with.
    Aws(aws::AwsKeys),
    /// A key to sign each request with, as Oracle Cloud wants it.
    Oci(oci::Signer),
}

impl Key {
    /// The texts that must not be shown.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Bearer(value) => {
                let text = value.to_str().unwrap_or_default();
                vec![text.split_once(' ').map_or(text, |(_, token)| token)]
            }
            Self::Aws(keys) => {
                let session = keys.session.as_ref().map(|token| token.reveal().as_str());
                session.into_iter().chain([keys.secret.reveal().as_str()]).collect()
            }
            // What is sent is a signature: the key itself leaves nowhere.
            Self::Oci(signer) => signer.token().into_iter().collect(),
        }
    }
}

/// What is at hand, and until when.
#[derive(Debug)]
pub struct Held {
    /// What signs in.
    pub key: Key,
    /// Where requests go, where the service said so.
    pub base: Option<Uri>,
    /// What requests say beside.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What requests say in lists, behind what stands there already.
    pub listed: Vec<(HeaderName, HeaderValue)>,
    expires: Option<SystemTime>,
    renew: Option<SystemTime>,
}

impl Held {
    /// What holds until `expires` (for ever when there is no such time), fetched at `now`.
    pub(crate) fn new(key: Key, expires: Option<SystemTime>, now: SystemTime) -> Self {
        let renew = expires.map(|expires| {
            // What lives shorter than usual is renewed in the last fifth of its life.
            let life = expires.duration_since(now).unwrap_or_default();
            expires - RENEW.min(life / 5)
        });
        Self { key, base: None, headers: Vec::new(), listed: Vec::new(), expires, renew }
    }

    /// The same, for requests to this place.
    pub(crate) fn at(mut self, base: Uri) -> Self {
        self.base = Some(base);
        self
    }
}

/// What must be done before a request can be signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing.
    Ready,
    /// Nothing, but it is time to renew what is at hand.
    Due,
    /// A fetch: there is nothing at hand that still holds.
    Needed,
}

/// A credential: where it comes from, and what of it is at hand. Shared by all targets that use it.
pub struct Credential {
    source: Source,
    held: RwLock<Option<Arc<Held>>>,
    turn: Turn<()>,
    /// How many fetches have ended.
    ended: AtomicU64,
    failure: Mutex<Option<(SystemTime, Error)>>,
}

impl Credential {
    /// A credential with nothing at hand.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            held: RwLock::default(),
            turn: Turn::new(()),
            ended: AtomicU64::new(0),
            failure: Mutex::default(),
        }
    }

    /// The credential of a source: the same one as long as anybody holds it, so that targets and reloaded
    /// configurations share what is at hand.
    #[must_use]
    pub fn shared(source: Source) -> Arc<Self> {
        static SHELF: Mutex<Vec<Weak<Credential>>> = Mutex::new(Vec::new());
        let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|credential| credential.strong_count() > 0);
        let known = shelf.iter().filter_map(Weak::upgrade).find(|credential| credential.source == source);
        known.unwrap_or_else(|| {
            let credential = Arc::new(Self::new(source));
            shelf.push(Arc::downgrade(&credential));
            credential
        })
    }

    /// Whether it signs what requests hold.
    pub(crate) fn signs_bodies(&self) -> bool {
        matches!(
            self.source,
            Source::Aws(_) | Source::Oci(_) | Source::OciSession(_) | Source::OciInstance(_)
        )
    }

    /// What must be done before a request can be signed in.
    #[must_use]
    pub fn readiness(&self, now: SystemTime) -> Readiness {
        match &*self.held.read().unwrap_or_else(PoisonError::into_inner) {
            None => Readiness::Needed,
            Some(held) if held.expires.is_some_and(|end| now + LAST >= end) => Readiness::Needed,
            Some(held) if held.renew.is_some_and(|from| now >= from) && !self.failed_since(now, PAUSE) => {
                Readiness::Due
            }
            Some(_) => Readiness::Ready,
        }
    }

    /// What is at hand and holds.
    #[must_use]
    pub fn held(&self, now: SystemTime) -> Option<Arc<Held>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        held.filter(|held| held.expires.is_none_or(|end| now < end))
    }

    /// Makes sure that something is at hand: fetches, or waits for the fetch that is under way.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::Unauthenticated`] when the service that gives tokens refuses or what it was
    /// asked with cannot be read, [`llm_types::ErrorKind::BadUpstream`] when it answers something else, and
    /// what the transport fails with.
    pub async fn ready(&self, transport: &dyn Transport, now: SystemTime) -> Result<()> {
        let seen = self.ended.load(Ordering::Acquire);
        let _turn = self.turn.lock().await;
        if self.ended.load(Ordering::Acquire) != seen {
            // The fetch this call waited for has ended: what it came to counts.
            let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return failure.map_or(Ok(()), |(_, error)| Err(error));
        }
        if self.readiness(now) == Readiness::Ready {
            return Ok(());
        }
        self.fetch(transport, now).await
    }

    /// Renews what is at hand, unless that is being done.
    ///
    /// # Errors
    /// As [`Credential::ready`]; what is at hand stays.
    pub async fn renew(&self, transport: &dyn Transport, now: SystemTime) -> Result<()> {
        match self.turn.try_lock() {
            Some(_turn) if self.readiness(now) != Readiness::Ready => self.fetch(transport, now).await,
            _ => Ok(()),
        }
    }

    async fn fetch(&self, transport: &dyn Transport, now: SystemTime) -> Result<()> {
        let fetched = match &self.source {
            Source::Token(token) => fetch::bearer(token.reveal()).map(|key| Held::new(key, None, now)),
            Source::Worded(word, token) => {
                fetch::worded(word, token.reveal()).map(|key| Held::new(key, None, now))
            }
            Source::Entra(source) => source.fetch(transport, now).await,
            Source::Google(source) => source.fetch(transport, now).await,
            Source::Aws(source) => source.fetch(transport, now).await,
            Source::Exchange(source) => source.fetch(transport, now).await,
            Source::Aicore(source) => source.fetch(transport, now).await,
            Source::Copilot(source) => source.fetch(transport, now).await,
            Source::Chatgpt(source) => source.fetch(transport, now).await,
            Source::Oci(key) => Ok(Held::new(Key::Oci(key.signer()), None, now)),
            Source::OciSession(session) => session.read(now),
            Source::OciInstance(instance) => instance.fetch(transport, now).await,
            Source::KeyPair(pair) => pair.sign(now),
            Source::Anthropic(source) => source.fetch(transport, now).await,
        };
        let outcome = match fetched {
            Ok(held) => {
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(held));
                Ok(())
            }
            Err(error) => Err(error),
        };
        let failure = outcome.as_ref().err().map(|error: &Error| (now, error.clone()));
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        self.ended.fetch_add(1, Ordering::AcqRel);
        outcome
    }

    fn failed_since(&self, now: SystemTime, pause: Duration) -> bool {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().is_some_and(|(at, _)| now < *at + pause)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
