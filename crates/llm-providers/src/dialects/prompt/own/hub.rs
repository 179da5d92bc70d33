//! Templates that stand beside a model at Hugging Face: fetched when the first call needs one, and kept.
//!
//! <https://huggingface.co/docs/transformers/chat_templating_writing>: `chat_template` in `tokenizer_config.json`,
//! a text or a list of named ones, or in a file of its own, `chat_template.jinja`.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use llm_types::{Error, ErrorKind, HttpRequest, Origin, Result, Secret, Timeouts, Transport};
use serde_json::Value;

use super::{LONGEST, OwnTemplate};

/// Where models are.
pub const ENDPOINT: &str = "https://huggingface.co";
/// The largest file that is read: some hold a vocabulary beside the template, bytes.
const LARGEST: usize = 16 * 1024 * 1024;
/// How long a failure is remembered.
const PAUSE: Duration = Duration::from_secs(30);
/// How often a renamed model is followed.
const HOPS: usize = 3;

/// The template of a model at Hugging Face.
#[derive(Debug)]
pub struct Hub {
    model: String,
    endpoint: String,
    token: Option<Secret>,
    found: OnceLock<OwnTemplate>,
    failed: Mutex<Option<(Instant, Error)>>,
}

impl PartialEq for Hub {
    fn eq(&self, other: &Self) -> bool {
        (&self.model, &self.endpoint, &self.token) == (&other.model, &other.endpoint, &other.token)
    }
}

/// Whether a text is a model's name there: `owner/name`, or a name alone.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let plain = |part: &str| {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.len() <= 96 && part.bytes().all(legal)
    };
    text.split('/').count() <= 2 && text.split('/').all(plain)
}

impl Hub {
    /// The template of a model: the same one as long as anybody holds it, so that what was fetched outlives a
    /// reload.
    #[must_use]
    pub fn shared(model: &str, endpoint: &str, token: Option<Secret>) -> Arc<Self> {
        static SHELF: Mutex<Vec<Weak<Hub>>> = Mutex::new(Vec::new());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let (found, failed) = (OnceLock::new(), Mutex::new(None));
        let hub = Self { model: model.to_owned(), endpoint, token, found, failed };
        let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|known| known.strong_count() > 0);
        let known = shelf.iter().filter_map(Weak::upgrade).find(|known| **known == hub);
        known.unwrap_or_else(|| {
            let hub = Arc::new(hub);
            shelf.push(Arc::downgrade(&hub));
            hub
        })
    }

    /// Whether it was fetched.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.found.get().is_some()
    }

    /// The template.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] before it was fetched.
    pub(super) fn template(&self) -> Result<&OwnTemplate> {
        self.found.get().ok_or_else(|| self.fault(ErrorKind::Internal, "was not fetched"))
    }

    /// Fetches it. What failed is not tried again for a while.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] and the like when the Hub cannot be asked, [`ErrorKind::Unauthenticated`] when
    /// it wants a token that was not given, [`ErrorKind::BadUpstream`] when the model has no template.
    pub async fn fetch(&self, transport: &dyn Transport, now: Instant) -> Result<()> {
        if let Some((at, error)) = &*self.failed.lock().unwrap_or_else(PoisonError::into_inner)
            && now < *at + PAUSE
        {
            return Err(error.clone());
        }
        match self.read(transport).await {
            Ok(template) => {
                // Calls that fetched it at the same time found the same.
                let _fetched_meanwhile = self.found.set(template);
                Ok(())
            }
            Err(error) => {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, error.clone()));
                Err(error)
            }
        }
    }

    async fn read(&self, transport: &dyn Transport) -> Result<OwnTemplate> {
        let text = self.file(transport, "tokenizer_config.json").await?;
        let text = text.ok_or_else(|| self.fault(ErrorKind::BadUpstream, "is nowhere: no such model"))?;
        let config: Value = serde_json::from_slice(&text)
            .map_err(|_| self.fault(ErrorKind::BadUpstream, "cannot be read: its file is not JSON"))?;
        let mut template = of_config(&config);
        if template.chat_template.is_empty()
            && let Some(text) = self.file(transport, "chat_template.jinja").await?
        {
            template.chat_template = String::from_utf8_lossy(&text).into_owned().into();
        }
        if template.chat_template.is_empty() {
            return Err(self.fault(ErrorKind::BadUpstream, "is missing: the model has none"));
        }
        match template.fault() {
            Some(why) => Err(self.fault(ErrorKind::BadUpstream, &format!("cannot be used: {why}"))),
            None => Ok(template),
        }
    }

    /// A file of the model; `None` where there is none.
    async fn file(&self, transport: &dyn Transport, name: &str) -> Result<Option<bytes::Bytes>> {
        let mut path = format!("/{}/raw/main/{name}", self.model);
        for _ in 0..HOPS {
            let response = transport.send(self.request(&path)?).await.map_err(|error| {
                let message = self
                    .fault(error.kind(), &format!("cannot be fetched: {}", error.message()))
                    .message()
                    .to_owned();
                error.with_message(message).with_origin(Origin::Gateway)
            })?;
            match response.status {
                status if status.is_success() => {
                    let limit = if name.ends_with(".jinja") { LONGEST } else { LARGEST };
                    return response.body.collect(limit).await.map(Some);
                }
                StatusCode::NOT_FOUND => return Ok(None),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    let why = "is not open to everybody: give a token that may read it as `HF_TOKEN`";
                    return Err(self.fault(ErrorKind::Unauthenticated, why));
                }
                status if status.is_redirection() => {
                    // A renamed model stands at the same host; nowhere else is a token sent.
                    let to =
                        response.headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
                    let to = to.strip_prefix(&self.endpoint).unwrap_or(to);
                    if !to.starts_with('/') || to.starts_with("//") {
                        return Err(self.fault(ErrorKind::BadUpstream, "is said to be at another host"));
                    }
                    to.clone_into(&mut path);
                }
                status => {
                    let why = format!("cannot be fetched: status {}", status.as_u16());
                    return Err(self.fault(ErrorKind::BadUpstream, &why));
                }
            }
        }
        Err(self.fault(ErrorKind::BadUpstream, "cannot be fetched: one place leads to the next"))
    }

    fn request(&self, path: &str) -> Result<HttpRequest> {
        let uri: Result<Uri, _> = format!("{}{path}", self.endpoint).parse();
        let uri =
            uri.map_err(|_| self.fault(ErrorKind::Internal, "cannot be fetched: `HF_ENDPOINT` is no URL"))?;
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            let value = HeaderValue::try_from(format!("Bearer {}", token.reveal()));
            let mut value = value.map_err(|_| {
                self.fault(ErrorKind::Internal, "cannot be fetched: `HF_TOKEN` cannot stand in a header")
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let timeouts = Timeouts {
            connect: Some(Duration::from_secs(5)),
            total: Some(Duration::from_secs(20)),
            ..Timeouts::default()
        };
        Ok(HttpRequest { method: Method::GET, uri, headers, body: bytes::Bytes::new(), timeouts })
    }

    fn fault(&self, kind: ErrorKind, why: &str) -> Error {
        let Self { model, endpoint, .. } = self;
        let message = format!(
            "the chat template of `{model}` at {endpoint} {why}. Give it as `chat_template`, or leave out `hf_model_name`"
        );
        Error::new(kind, message).with_origin(Origin::Gateway)
    }
}

/// What a tokenizer's configuration says of prompts.
fn of_config(config: &Value) -> OwnTemplate {
    // A token is a text, or an object that holds one.
    let token = |name: &str| {
        let value = &config[name];
        let text = value.as_str().or_else(|| value["content"].as_str());
        text.unwrap_or_default().to_owned().into()
    };
    let template = match &config["chat_template"] {
        Value::Array(named) => {
            let usual = named.iter().find(|one| one["name"] == "default").or(named.first());
            usual.and_then(|one| one["template"].as_str()).unwrap_or_default()
        }
        one => one.as_str().unwrap_or_default(),
    };
    OwnTemplate {
        chat_template: template.to_owned().into(),
        bos_token: token("bos_token"),
        eos_token: token("eos_token"),
        ..OwnTemplate::NONE
    }
}

#[cfg(test)]
mod tests;
