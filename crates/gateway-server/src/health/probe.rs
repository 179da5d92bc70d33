//! One short question to one deployment: to a chat model a chat, to another what it is for. LiteLLM surface §7.7.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method};
use llm_providers::dialects::openai::responses;
use llm_providers::operations::{
    self, Asked, FormWriter, Job, Payload, Place, Received, Sending, Taking, Wire,
};
use llm_providers::signin::Readiness;
use llm_providers::transport::HyperTransport;
use llm_providers::{DialectId, dialects};
use llm_types::{Error, ErrorKind, HttpRequest, HttpResponse, Operation, Result, Timeouts};
use serde_json::{Value, json};

use crate::config::Model;
use crate::state::{Served, Shared, Snapshot};
use crate::walk::{Ended, converse, named};

/// Tokens a chat may cost as answer: the least that every vendor takes.
const ANSWER: u64 = 16;
/// The largest answer, bytes: pictures come as text.
const LIMIT: usize = 64 * 1024 * 1024;
/// What is said where something must be.
const WORDS: &str = "Say yes.";
/// Half a second of silence to be written down.
const SILENCE: [u8; 44 + 16_000] = silence();

/// What a deployment is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Chat,
    Beside(Operation),
}

impl Question {
    /// What a model of this mode is asked; `None` where no short question can be asked of it.
    fn of(mode: &str) -> Option<Self> {
        Some(match mode {
            "chat" | "completion" | "responses" => Self::Chat,
            "embedding" => Self::Beside(Operation::Embeddings),
            "moderation" => Self::Beside(Operation::Moderation),
            "rerank" => Self::Beside(Operation::Rerank),
            "image_generation" => Self::Beside(Operation::ImageGeneration),
            "audio_speech" => Self::Beside(Operation::Speech),
            "audio_transcription" => Self::Beside(Operation::Transcription),
            _ => return None,
        })
    }
}

/// What a deployment is asked: by the mode that is named, else by the mode its operator states, else by the price map's; one that neither knows
/// is taken for a chat model. Of a wildcard something is asked where a model is named for it.
fn question_for(snapshot: &Snapshot, model: &Model, mode: Option<&str>) -> Option<Question> {
    let lacks_model = model.deployment.is_wildcard() && model.probe.model.is_none();
    if model.deployment.auto.is_some() || model.mock_response.is_some() || lacks_model {
        return None;
    }
    let info = snapshot.info_of(model);
    Question::of(mode.or_else(|| info.get("mode")?.as_str()).unwrap_or("chat"))
}

/// Whether there is a short question for a deployment.
pub(super) fn can_be_asked(snapshot: &Snapshot, model: &Model) -> bool {
    question_for(snapshot, model, None).is_some()
}

/// Asks a deployment a short question: what a model of its mode is asked, or of another that is named.
///
/// # Errors
/// The provider's, or why it could not be asked.
pub(super) async fn ask(
    shared: &Shared,
    transport: &HyperTransport,
    snapshot: &Snapshot,
    model: &Model,
    mode: Option<&str>,
) -> Result<()> {
    let Some(question) = question_for(snapshot, model, mode) else {
        let message = "there is no short question for a model of this kind: its `mode` is none of chat, completion, \
                       responses, embedding, moderation, rerank, image_generation, audio_speech, audio_transcription";
        return Err(Error::unsupported("mode", message));
    };
    let deployment = snapshot.deployment(&model.deployment.id)?;
    let name = model.probe.model.as_deref().unwrap_or(&deployment.target.model);
    let provider = deployment.target.spec.id.as_str();
    let name = name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    let served = snapshot.served(deployment, name, &shared.metrics)?;
    let prober = Prober { transport, snapshot, model, served: &served };
    let wait = model.probe.timeout;
    let asking = async {
        match question {
            Question::Chat => prober.chat(name).await,
            Question::Beside(operation) => prober.beside(operation, name).await,
        }
    };
    tokio::time::timeout(wait, asking).await.unwrap_or_else(|_| Err(took_long(wait)))
}

fn took_long(wait: Duration) -> Error {
    let seconds = wait.as_secs_f64();
    Error::new(ErrorKind::Timeout, format!("timeout: waited {seconds} s for the answer to a health check"))
}

/// A deployment being asked.
struct Prober<'a> {
    transport: &'a HyperTransport,
    snapshot: &'a Snapshot,
    model: &'a Model,
    served: &'a Served,
}

impl Prober<'_> {
    async fn chat(&self, name: &str) -> Result<()> {
        let served = self.served;
        let target = served.target.target();
        let mut body = json!({
            "model": name,
            "messages": [{ "role": "user", "content": WORDS }],
            "max_tokens": ANSWER,
        });
        self.add_params(&mut body);
        let body = Bytes::from(body.to_string());
        let request = dialects::dialect(DialectId::OpenaiChat).decode_request(&body)?;
        let encoded = served.dialect.encode_request(&request, target)?;
        let response = self.send(served.target.request(encoded)?).await?;
        let (status, headers) = (response.status, response.headers.clone());
        let mut body = served.target.reply(response).body.collect(LIMIT).await?;
        if !status.is_success() {
            return Err(named(served.dialect.decode_error(status, &headers, &body), served));
        }
        if target.spec.quirks.streams_only {
            body = responses::whole(body)?;
        }
        served.dialect.reply_facts(&body).error.map_or(Ok(()), |error| Err(named(error, served)))
    }

    async fn beside(&self, operation: Operation, name: &str) -> Result<()> {
        let target = self.served.target.target();
        let entry = operations::entry(&target.spec, operation, &target.model).ok_or_else(|| {
            let message =
                format!("provider `{}` has no {} for model `{name}`", target.spec.id, operation.name());
            Error::unsupported("model", message)
        })?;
        let (kind, body) = self.question(operation, name).await?;
        let (asked, _) = Asked::read(operation, body, kind.to_str().unwrap_or_default())?;
        let request = operations::settle(&asked, target, entry, None)?;
        let job = Job { asked: &asked, request: &request, target, entry, set: None };
        self.converse(&job).await.map_err(|error| named(error, self.served))
    }

    /// Asks until the answer is there; of one that flows its beginning says enough.
    async fn converse(&self, job: &Job<'_>) -> Result<()> {
        let wire = job.entry.wire;
        let mut first = wire.begin(job)?;
        if wire.taking(job) == Taking::Flow
            && let Some(sending) = first.pop()
        {
            return self.round(sending, wire).await.map(drop);
        }
        match converse(job, first, |sending| self.round(sending, wire)).await? {
            Ended::Done(..) => Ok(()),
            Ended::Forward(last) => operations::facts(job, &last.body).error.map_or(Ok(()), Err),
        }
    }

    async fn round(&self, mut sending: Sending, wire: &dyn Wire) -> Result<Received> {
        let is_open = matches!(sending.place, Place::Open(_));
        // What was left at the provider is taken away when the answer is there: it needs no success.
        let tidies = sending.method == Method::DELETE;
        if let Some(pieces) = sending.pieces.take() {
            sending.body = pieces.load(LIMIT as u64).await?;
        }
        let request = self.served.target.operation(sending)?;
        let response = if is_open {
            let guard = self.snapshot.config.calls.media.guard.clone();
            self.transport.guarded(guard).exchange(request).await?
        } else {
            self.send(request).await?
        };
        let (status, headers) = (response.status, response.headers);
        let body = response.body.collect(LIMIT).await?;
        if status.is_success() || tidies {
            return Ok(Received { headers, body });
        }
        Err(wire.decode_error(status, &headers, &body))
    }

    /// Signs a request in and sends it.
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse> {
        let target = &self.served.target;
        let wait = Some(self.model.probe.timeout);
        request.timeouts = Timeouts { first_byte: wait, total: wait, ..target.target().timeouts };
        if let Some(credential) = target.credential() {
            let now = SystemTime::now();
            if credential.readiness(now) != Readiness::Ready {
                credential.ready(self.transport, now).await.map_err(|error| named(error, self.served))?;
            }
        }
        target.seal(&mut request, SystemTime::now)?;
        self.transport.exchange(request).await.map_err(|error| named(error, self.served))
    }

    /// The question and its type, with the operator's parameters (`health_check_params`).
    async fn question(&self, operation: Operation, name: &str) -> Result<(HeaderValue, Bytes)> {
        let voice = self.model.probe.voice.as_deref().unwrap_or("alloy");
        let mut body = match operation {
            Operation::Rerank => json!({ "model": name, "query": WORDS, "documents": [WORDS] }),
            Operation::ImageGeneration => json!({ "model": name, "prompt": WORDS }),
            Operation::Speech => json!({ "model": name, "input": WORDS, "voice": voice }),
            Operation::Embeddings => json!({ "model": name, "input": [WORDS] }),
            _ => json!({ "model": name, "input": WORDS }),
        };
        if operation != Operation::Transcription {
            self.add_params(&mut body);
            return Ok((HeaderValue::from_static("application/json"), Bytes::from(body.to_string())));
        }
        let mut form = FormWriter::default();
        form.text("model", name);
        for (name, value) in &self.model.probe.params {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form.text(name, text);
        }
        form.file("file", "silence.wav", "audio/wav", &SILENCE);
        let (kind, payload) = form.finish();
        let body = match payload {
            Payload::Whole(bytes) => bytes,
            Payload::Pieces(pieces) => pieces.load(LIMIT as u64).await?,
        };
        Ok((kind, body))
    }

    fn add_params(&self, body: &mut Value) {
        for (key, value) in &self.model.probe.params {
            body[key.as_str()] = value.clone();
        }
    }
}

/// A WAV file: 16,000 samples a second of 16 bits, one channel, all zero.
const fn silence() -> [u8; 44 + 16_000] {
    const HEAD: [u8; 44] =
        *b"RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x80\x3e\0\0";
    let mut wav = [0; 44 + 16_000];
    let mut at = 0;
    while at < HEAD.len() {
        wav[at] = HEAD[at];
        at += 1;
    }
    wav
}

#[cfg(test)]
mod tests;
