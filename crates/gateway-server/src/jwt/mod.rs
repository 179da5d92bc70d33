//! Callers who come with a JWT of their own identity provider (surface §4.10).
//!
//! A token is taken apart, proved by a public key that is held already, and its claims say who it is. Nothing is
//! fetched because a token says so: addresses of keys come from the configuration alone, and an unknown key makes
//! the gateway look there again, at most once in ten seconds.

mod bearer;
mod claims;
mod id_token;
mod keys;
mod mapped;
mod source;
mod synced;
mod token;

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use http::request::Parts;
use llm_providers::transport::HyperTransport;
use llm_types::{Error, ErrorKind, Origin, Result};
use serde_json::Value;

use self::bearer::Lookup;
use self::claims::Identity;
use self::mapped::Named;
use self::source::{Source, Verdict};
use self::token::{Expected, Token};
use crate::clock::now_ms;
use crate::config::{JwtAuth, JwtFields, JwtIssuer};
use crate::identity::{Directory, KeyDigest, KeyEntry};
use crate::state::{Core, Shared, Snapshot};
use crate::store::{self, Condition};

pub(crate) use self::id_token::{Audience, IdToken, KeysAt, Unproved};
pub(crate) use self::token::looks_like_jwt;

/// How long a proved token is remembered, milliseconds: what is looked up for it is looked up again then.
const REMEMBERED: i64 = 10_000;
/// How many are remembered.
const MOST: usize = 50_000;
/// How often it is looked whether keys are due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The header that chooses among the teams of a token.
const TEAM: &str = "x-litellm-team-id";

/// What is known of issuers and tokens.
#[derive(Debug)]
pub(crate) struct Jwt {
    pub(crate) transport: HyperTransport,
    sources: DashMap<String, Arc<Source>>,
    seen: DashMap<KeyDigest, Seen>,
}

#[derive(Debug)]
struct Seen {
    entry: Arc<KeyEntry>,
    epoch: u64,
    until: i64,
}

/// Who must have issued a token.
struct Issuer<'i> {
    urls: Vec<String>,
    issuer: Option<&'i str>,
    audience: Option<&'i str>,
    fields: &'i JwtFields,
    /// Its entry in the configuration, where it has one: rules of one issuer are for those alone.
    own: Option<&'i JwtIssuer>,
}

impl Jwt {
    pub(crate) fn new(transport: HyperTransport) -> Self {
        Self { transport, sources: DashMap::new(), seen: DashMap::new() }
    }

    fn source(&self, url: &str) -> Arc<Source> {
        if let Some(source) = self.sources.get(url) {
            return Arc::clone(&source);
        }
        Arc::clone(&self.sources.entry(url.to_owned()).or_insert_with(|| Arc::new(Source::new(url))))
    }

    /// Whether a key that is held proves the token.
    fn judge(&self, urls: &[String], token: &Token<'_>, auth: &JwtAuth) -> Verdict {
        let mut verdict = Verdict::NoSuchKey;
        for url in urls {
            match self.source(url).judge(token, auth) {
                Verdict::Proved => return Verdict::Proved,
                Verdict::NoSuchKey => {}
                worse if verdict != Verdict::NoKeys => verdict = worse,
                _ => {}
            }
        }
        verdict
    }

    fn remember(&self, digest: KeyDigest, entry: &Arc<KeyEntry>, epoch: u64) {
        if self.seen.len() >= MOST {
            self.seen.clear();
        }
        let until = now_ms().saturating_add(REMEMBERED);
        self.seen.insert(digest, Seen { entry: Arc::clone(entry), epoch, until });
    }

    fn remembered(&self, digest: &KeyDigest, epoch: u64) -> Option<Arc<KeyEntry>> {
        let seen = self.seen.get(digest)?;
        (seen.epoch == epoch && now_ms() < seen.until).then(|| Arc::clone(&seen.entry))
    }

    /// Who it was when the database could be asked last. Users, teams and so on are followed in memory; a key that was
    /// lent must be the one that is there.
    fn last_known(&self, digest: &KeyDigest, directory: &Directory) -> Option<Arc<KeyEntry>> {
        let seen = self.seen.get(digest)?;
        let record = &seen.entry.record;
        let is_there = seen.entry.bearer.is_some()
            || KeyDigest::from_hex(record.hash.as_str())
                .and_then(|key| directory.cached(&key))
                .is_some_and(|key| key.record.version == record.version);
        is_there.then(|| Arc::clone(&seen.entry))
    }
}

/// Fetches keys when they are due, for as long as the gateway runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        if let Some(auth) = &shared.snapshot().config.general.jwt {
            let own = auth.issuers.iter().map(|issuer| address_of(issuer.jwks_url.as_ref(), &issuer.issuer));
            for url in own.chain(auth.shared_urls.iter().cloned()) {
                let source = shared.jwt.source(&url);
                if source.is_due(auth) {
                    source.refresh(&shared.jwt.transport).await;
                }
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn address_of(jwks_url: Option<&String>, issuer: &str) -> String {
    jwks_url.cloned().unwrap_or_else(|| source::discovery_of(issuer))
}

/// Finds out who came with a token.
///
/// # Errors
/// [`ErrorKind::Unauthenticated`] for a token that proves nothing, [`ErrorKind::Forbidden`] for one that may not call,
/// [`ErrorKind::Overloaded`] when keys or database cannot be reached.
pub(crate) async fn admit(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    auth: &JwtAuth,
    secret: &[u8],
    head: &Parts,
) -> Result<Arc<KeyEntry>> {
    let team = head.headers.get(TEAM).and_then(|team| team.to_str().ok()).map(str::trim);
    let team = team.filter(|team| !team.is_empty()).map(str::to_owned);
    let whole = [secret, b"\n", team.as_deref().unwrap_or_default().as_bytes()].concat();
    let (digest, epoch) = (KeyDigest::of(&whole), core.shared.directory.epoch());
    if let Some(entry) = core.shared.jwt.remembered(&digest, epoch) {
        return Ok(entry);
    }
    let proved = prove(core, auth, secret).await?;
    let entry = match look_up(core, snapshot, proved, team).await {
        Ok(entry) => entry,
        // Whoever is known goes on while the database is away, as holders of keys do.
        Err(error) if core.shared.store.condition() == Condition::Silent => {
            let known = core.shared.jwt.last_known(&digest, &core.shared.directory);
            return known.ok_or(error);
        }
        Err(error) => return Err(error),
    };
    // What was changed while it was looked up may not be in it: then it is looked up again.
    core.shared.jwt.remember(digest, &entry, epoch);
    Ok(entry)
}

/// What a proved token says.
struct Proved {
    /// Whom it names by a claim that stands for keys.
    named: Option<Named>,
    /// Who it is by its other claims, or why they let nobody in: a bearer with a key needs none of them.
    identity: std::result::Result<Identity, claims::Denied>,
    expires_ms: i64,
}

/// Proves a token and reads its claims.
async fn prove(core: &Arc<Core>, auth: &JwtAuth, secret: &[u8]) -> Result<Proved> {
    let token = Token::read(secret).map_err(denied)?;
    if !keys::is_asymmetric(&token.alg) {
        return Err(denied("Validation fails: The specified alg value is not allowed"));
    }
    let issuer = issuer_of(auth, &token)?;
    let jwt = &core.shared.jwt;
    let mut verdict = jwt.judge(&issuer.urls, &token, auth);
    if matches!(verdict, Verdict::NoSuchKey | Verdict::NoKeys) {
        refresh(core, &issuer.urls).await?;
        verdict = jwt.judge(&issuer.urls, &token, auth);
    }
    match verdict {
        Verdict::Proved => {}
        Verdict::Refuted => return Err(denied("Validation fails: Signature verification failed")),
        Verdict::NoSuchKey => {
            let kid: String = token.kid.as_deref().unwrap_or("None").chars().take(80).collect();
            return Err(denied(&format!("No matching public key found. kid={kid}")));
        }
        Verdict::NoKeys => {
            let words = "the identity provider's JWKS endpoint is temporarily unreachable";
            return Err(Error::new(ErrorKind::Overloaded, words)
                .with_origin(Origin::Gateway)
                .with_vendor_type("auth_provider_unavailable"));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
    let now = now_ms() as f64 / 1_000.0;
    let leeway = auth.leeway.as_secs_f64();
    let expected = Expected { issuer: issuer.issuer, audience: issuer.audience, now, leeway };
    let expires_ms = expected.check(&token.claims).map_err(denied)?;
    let named = Named::of(auth, &issuer, &token.claims)?;
    let identity = claims::identify(auth, issuer.fields, &token.claims);
    if named.is_none()
        && let Err(why) = identity
    {
        return Err(forbidden(why));
    }
    Ok(Proved { named, identity, expires_ms })
}

fn issuer_of<'i>(auth: &'i JwtAuth, token: &Token<'_>) -> Result<Issuer<'i>> {
    let said = token.claims.get("iss").and_then(Value::as_str);
    if let Some(own) = auth.issuers.iter().find(|issuer| said == Some(&issuer.issuer)) {
        return Ok(Issuer {
            urls: vec![address_of(own.jwks_url.as_ref(), &own.issuer)],
            issuer: Some(&own.issuer),
            audience: own.audience.as_deref(),
            fields: &own.fields,
            own: Some(own),
        });
    }
    if auth.shared_urls.is_empty() {
        return Err(denied(
            "Missing JWT Public Key URL from environment: no issuer of the configuration made the token",
        ));
    }
    Ok(Issuer {
        urls: auth.shared_urls.clone(),
        issuer: auth.shared_issuer.as_deref(),
        audience: auth.shared_audience.as_deref(),
        fields: &auth.fields,
        own: None,
    })
}

async fn refresh(core: &Arc<Core>, urls: &[String]) -> Result<()> {
    let (shared, urls) = (Arc::clone(&core.shared), urls.to_vec());
    let fetched = core.shared.control.spawn(async move {
        for url in urls {
            shared.jwt.source(&url).refresh(&shared.jwt.transport).await;
        }
    });
    fetched.await.map_err(interrupted)
}

async fn look_up(
    core: &Arc<Core>,
    snapshot: &Snapshot,
    proved: Proved,
    wanted_team: Option<String>,
) -> Result<Arc<KeyEntry>> {
    let shared = Arc::clone(&core.shared);
    let auth = snapshot.config.general.jwt.clone().unwrap_or_default();
    let found = async move {
        let Some(db) = shared.directory.db().cloned() else {
            let words = "No connected db.";
            return Err(Error::new(ErrorKind::BadRequest, words).with_vendor_type("no_db_connection"));
        };
        let Proved { named, identity, expires_ms } = proved;
        if let Some(named) = &named
            && let Some(entry) = named.entry(&shared, &db, expires_ms).await?
        {
            return Ok(entry);
        }
        let identity = identity.map_err(forbidden)?;
        let lookup = Lookup { shared: &shared, db, auth: &auth, identity, wanted_team, expires_ms };
        let entry = lookup.entry().await?;
        let own = match &named {
            Some(named) => named.register(&shared, &lookup.db, &entry, &lookup.identity).await?,
            None => None,
        };
        Ok(own.unwrap_or(entry))
    };
    store::ask(&core.shared, "the lookup of this token", found).await
}

fn interrupted(gone: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "the lookup of the token was interrupted").with_source(gone)
}

fn denied(message: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, format!("Authentication Error, {message}"))
        .with_vendor_type("auth_error")
        .with_param("None")
}

fn forbidden(message: String) -> Error {
    Error::new(ErrorKind::Forbidden, message).with_vendor_type("auth_error").with_param("None")
}
