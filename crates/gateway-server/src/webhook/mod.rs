//! Callers whom the operator's own program knows: a webhook is asked who comes with a secret (`custom_auth`).

mod ask;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use futures_util::StreamExt as _;
use gateway_db::{KeyRecord, KeySettings};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use llm_types::{Error, ErrorKind, HttpRequest, Origin, Result, Secret, Timeouts};

use self::ask::{Question, Reply};
use crate::clock::now_ms;
use crate::config::AuthWebhook;
use crate::identity::{Bearer, KeyDigest, KeyEntry};
use crate::state::Core;

/// The longest answer that is read, bytes.
const LARGEST: usize = 64 * 1024;
/// How many answers are kept.
const MOST: usize = 50_000;
const TIMESTAMP: HeaderName = HeaderName::from_static("x-gateway-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("x-gateway-signature");

/// Answers that still count.
#[derive(Debug, Default)]
pub(crate) struct Answers(DashMap<KeyDigest, Kept>);

#[derive(Debug)]
struct Kept {
    answer: Answer,
    until: i64,
}

#[derive(Debug, Clone)]
enum Answer {
    In(Arc<KeyEntry>),
    Refused(String),
}

impl Answers {
    fn of(&self, digest: &KeyDigest) -> Option<Answer> {
        let kept = self.0.get(digest)?;
        (now_ms() < kept.until).then(|| kept.answer.clone())
    }

    fn keep(&self, digest: KeyDigest, answer: &Answer, webhook: &AuthWebhook) {
        if webhook.cache.is_zero() {
            return;
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        let length = i64::try_from(webhook.cache.as_millis()).unwrap_or(i64::MAX);
        let until = now_ms().saturating_add(length);
        self.0.insert(digest, Kept { answer: answer.clone(), until });
    }
}

/// Asks who comes with a secret. Whatever goes wrong, nobody is let in.
///
/// # Errors
/// [`ErrorKind::Unauthenticated`] when the webhook refuses, [`ErrorKind::Overloaded`] when it does not say.
pub(crate) async fn admit(
    core: &Arc<Core>,
    webhook: &AuthWebhook,
    secret: &[u8],
    head: &Parts,
    address: Option<String>,
) -> Result<Arc<KeyEntry>> {
    let secret = std::str::from_utf8(secret).map_err(|_| denied("the key is not text"))?;
    let (method, path) = (head.method.as_str(), head.uri.path());
    let asked = [webhook.url.to_string().as_str(), secret, method, path].join("\n");
    let digest = KeyDigest::of(asked.as_bytes());
    let answers = &core.shared.answers;
    let answer = match answers.of(&digest) {
        Some(answer) => answer,
        None => {
            let question = Question { secret, method, path, address: address.as_deref() };
            let answer = ask(core, webhook, &question).await?;
            answers.keep(digest, &answer, webhook);
            answer
        }
    };
    match answer {
        Answer::In(entry) => Ok(entry),
        Answer::Refused(why) => Err(denied(&why)),
    }
}

async fn ask(core: &Arc<Core>, webhook: &AuthWebhook, question: &Question<'_>) -> Result<Answer> {
    let AuthWebhook { url, secret, timeout, .. } = webhook;
    let (status, body) = match post(core, (url, secret.as_ref()), *timeout, question.body()).await {
        Ok(answer) => answer,
        Err(error) => return Err(silent(&error.to_string())),
    };
    match status {
        StatusCode::OK => match ask::read(&body) {
            Ok(reply) => Ok(Answer::In(entry(core, question.secret, reply).await?)),
            Err(why) => Err(silent(&format!("its answer cannot be used: {why}"))),
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(Answer::Refused(ask::refusal(&body))),
        other => Err(silent(&format!("it answered status {}", other.as_u16()))),
    }
}

/// Asks a program of the operator's at its URL; the question is signed where there is a secret.
///
/// # Errors
/// The transport's; [`ErrorKind::Timeout`] when the answer is not whole in time, [`ErrorKind::TooLarge`] for one of
/// more than 64 KB.
pub(crate) async fn post(
    core: &Core,
    (url, secret): (&Uri, Option<&Secret>),
    patience: Duration,
    body: String,
) -> Result<(StatusCode, Vec<u8>)> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(secret) = secret {
        let now = now_ms() / 1_000;
        headers.insert(TIMESTAMP, HeaderValue::from(now));
        if let Ok(signature) = HeaderValue::try_from(ask::signature(secret.reveal(), now, &body)) {
            headers.insert(SIGNATURE, signature);
        }
    }
    let timeouts = Timeouts { total: Some(patience), ..Timeouts::default() };
    let (uri, body) = (url.clone(), Bytes::from(body));
    let request = HttpRequest { method: Method::POST, uri, headers, body, timeouts };
    let told = tokio::time::timeout(patience, exchange(core, request)).await;
    told.unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "it took too long")))
}

async fn exchange(core: &Core, request: HttpRequest) -> Result<(StatusCode, Vec<u8>)> {
    let mut response = core.transport.exchange(request).await?;
    let mut all = Vec::new();
    while let Some(piece) = response.body.next().await {
        let piece = piece?;
        if all.len() + piece.len() > LARGEST {
            return Err(Error::new(ErrorKind::TooLarge, "its answer is larger than 64 KB"));
        }
        all.extend_from_slice(&piece);
    }
    Ok((response.status, all))
}

/// The caller as the rooms know callers.
async fn entry(core: &Arc<Core>, secret: &str, reply: Reply) -> Result<Arc<KeyEntry>> {
    let settings = KeySettings {
        user_id: reply.user_id.clone(),
        team_id: reply.team_id,
        organization_id: reply.organization_id,
        models: reply.models,
        allowed_routes: reply.allowed_routes,
        rpm_limit: reply.rpm_limit,
        tpm_limit: reply.tpm_limit,
        max_parallel_requests: reply.max_parallel_requests,
        ..KeySettings::default()
    };
    let bearer = Bearer {
        name: reply.user_id.or(reply.user_email).unwrap_or_default(),
        role: reply.user_role,
        end_user: reply.end_user_id,
        ..Bearer::default()
    };
    let hash = KeyDigest::of(format!("webhook\n{secret}").as_bytes()).to_hex();
    let record = KeyRecord::unstored(hash.into(), settings);
    let shared = Arc::clone(&core.shared);
    let found = core.shared.control.spawn(async move { shared.directory.bearer(record, bearer).await });
    found.await.map_err(|gone| {
        Error::new(ErrorKind::Internal, "the lookup of the caller was interrupted").with_source(gone)
    })?
}

fn denied(why: &str) -> Error {
    Error::new(ErrorKind::Unauthenticated, format!("Authentication Error, {why}"))
        .with_vendor_type("auth_error")
        .with_param("None")
}

/// The webhook said nothing that counts. Why is for the operator.
fn silent(why: &str) -> Error {
    tracing::warn!(why, "the webhook of `custom_auth` does not say who calls");
    Error::new(ErrorKind::Overloaded, "the webhook that knows callers does not answer: try again")
        .with_origin(Origin::Gateway)
        .with_vendor_type("auth_provider_unavailable")
}
