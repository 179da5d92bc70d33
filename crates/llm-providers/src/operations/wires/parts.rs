//! What wires share: parameters taken one by one, vectors packed, answers read by name.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use llm_types::{
    Embeddings, Error, ErrorKind, OperationReply, OperationRequest, Picture, Pictures, Result, Upload, Usage,
    Vector,
};
use serde_json::{Map, Value, json};

use crate::operations::{Job, Received};

/// The parameters of a request, taken one by one. What nobody takes is the vendor's own and goes along.
#[derive(Debug)]
pub(crate) struct Said {
    params: Map<String, Value>,
}

impl Said {
    /// All parameters.
    pub(crate) fn of(job: &Job<'_>) -> Self {
        Self { params: job.request.params.clone() }
    }

    /// A parameter.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.params.shift_remove(name)
    }

    /// A parameter that must be text.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] naming it.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, &other, "text")),
        }
    }

    /// A parameter that must be text and be there.
    ///
    /// # Errors
    /// As [`Said::text`].
    pub(crate) fn required(&mut self, name: &str) -> Result<String> {
        let missing =
            || Error::bad_param(name, format!("missing required parameter `{name}`: expected text"));
        self.text(name)?.ok_or_else(missing)
    }

    /// A parameter under another name into a body.
    pub(crate) fn rename(&mut self, name: &str, theirs: &str, body: &mut Map<String, Value>) {
        if let Some(value) = self.take(name) {
            body.insert(theirs.to_owned(), value);
        }
    }

    /// What nobody took.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.params
    }

    /// Refuses what nobody took: the wire has no place for it.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] naming the first.
    pub(crate) fn end(self, job: &Job<'_>) -> Result<()> {
        match self.params.keys().next().filter(|_| !job.target.policy.drop) {
            None => Ok(()),
            Some(name) => Err(unsupported(job, name)),
        }
    }
}

/// The refusal of a parameter.
pub(crate) fn unsupported(job: &Job<'_>, name: &str) -> Error {
    let provider = &job.target.spec.id;
    let message = format!(
        "`{name}`: provider `{provider}` takes no such parameter for {}; leave it out, or set `drop_params`",
        job.asked.operation.name()
    );
    Error::unsupported(name, message)
}

pub(crate) fn wrong(name: &str, found: &Value, expected: &str) -> Error {
    let found: String = found.to_string().chars().take(60).collect();
    Error::bad_param(name, format!("`{name}`: expected {expected}, found `{found}`"))
}

/// The error of an answer that is not what it should be.
pub(crate) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::BadUpstream, format!("the provider's answer has no {what}"))
}

/// The input's texts. Lists of token ids mean something to their own model only.
pub(crate) fn texts(said: &mut Said) -> Result<Vec<String>> {
    const EXPECTED: &str = "text or a list of texts; this provider takes no token ids";
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        other => Err(wrong("input", &other, EXPECTED)),
    };
    match said.take("input") {
        Some(Value::Array(list)) => list.into_iter().map(text).collect(),
        Some(one) => Ok(vec![text(one)?]),
        None => {
            Err(Error::bad_param("input", format!("missing required parameter `input`: expected {EXPECTED}")))
        }
    }
}

/// The documents' texts; a document may be `{"text": …}`.
pub(crate) fn documents(value: Option<Value>) -> Result<Vec<String>> {
    let Some(Value::Array(list)) = value else {
        return Err(Error::bad_param("documents", "`documents`: expected a list of texts"));
    };
    list.into_iter()
        .map(|document| match document {
            Value::String(text) => Ok(text),
            Value::Object(mut members) => match members.shift_remove("text") {
                Some(Value::String(text)) => Ok(text),
                _ => Err(wrong("documents", &Value::Object(members), "texts or objects with `text`")),
            },
            other => Err(wrong("documents", &other, "texts or objects with `text`")),
        })
        .collect()
}

/// The first file of a field.
///
/// # Errors
/// [`ErrorKind::BadRequest`] when there is none.
pub(crate) fn file<'r>(request: &'r OperationRequest, field: &str) -> Result<&'r Upload> {
    let at = |file: &&Upload| file.field.trim_end_matches("[]") == field;
    let missing = || Error::bad_param(field, format!("missing required file `{field}`"));
    request.files.iter().find(at).ok_or_else(missing)
}

/// Bytes in base64.
pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Base64 as bytes.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is none.
pub(crate) fn unbase64(text: &str) -> Result<Vec<u8>> {
    BASE64_STANDARD.decode(text.trim()).map_err(|_| broken("readable base64"))
}

/// Numbers of 32 bits in base64, as OpenAI writes vectors.
#[expect(clippy::cast_possible_truncation, reason = "the form has 32 bits")]
pub(crate) fn packed(numbers: &[f64]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| (*number as f32).to_le_bytes()).collect();
    base64(&bytes)
}

/// The numbers of [`packed`].
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is no such text.
pub(crate) fn unpacked(text: &str) -> Result<Vec<f64>> {
    let bytes = unbase64(text)?;
    let (words, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(broken("vector of whole 32-bit numbers"));
    }
    Ok(words.iter().map(|word| f64::from(f32::from_le_bytes(*word))).collect())
}

/// A vector in whichever form it stands.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when it is none.
pub(crate) fn vector(value: &Value) -> Result<Vector> {
    match value {
        Value::Array(numbers) => {
            let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
            numbers.map(Vector::Numbers).ok_or_else(|| broken("vector of numbers"))
        }
        Value::String(text) => Ok(Vector::Base64(text.clone())),
        _ => Err(broken("vector")),
    }
}

/// Vectors of a list.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when one is none.
pub(crate) fn vectors(list: &Value) -> Result<Vec<Vector>> {
    list.as_array().ok_or_else(|| broken("list of vectors"))?.iter().map(vector).collect()
}

/// An answer of vectors.
pub(crate) fn embedded(vectors: Vec<Vector>, input_tokens: Option<u64>) -> OperationReply {
    let usage = input_tokens.map(|input_tokens| Usage { input_tokens, ..Usage::default() });
    OperationReply::Embeddings(Embeddings { vectors, usage, ..Embeddings::default() })
}

/// A URL of data.
pub(crate) fn data_uri(mime: &str, bytes: &[u8]) -> String {
    format!("data:{mime};base64,{}", base64(bytes))
}

/// The type of a picture, by what the caller states, else by its first bytes.
pub(crate) fn picture_mime(file: &Upload) -> &str {
    let stated = file.mime.as_deref().filter(|mime| mime.starts_with("image/"));
    stated.unwrap_or(match file.start() {
        [0xff, 0xd8, ..] => "image/jpeg",
        [b'R', b'I', b'F', b'F', ..] => "image/webp",
        [b'G', b'I', b'F', ..] => "image/gif",
        _ => "image/png",
    })
}

/// The ratio LiteLLM's adapters name for a size; `None` where there is none.
pub(crate) fn aspect_ratio(size: &str) -> Option<&'static str> {
    Some(match size {
        "1024x1024" | "512x512" | "256x256" => "1:1",
        "1792x1024" | "1536x864" => "16:9",
        "1024x1792" | "864x1536" => "9:16",
        "1280x896" | "1536x1152" | "1024x768" => "4:3",
        "896x1280" | "1152x1536" | "768x1024" => "3:4",
        "1536x1024" => "3:2",
        "1024x1536" => "2:3",
        _ => return None,
    })
}

/// One text part of a body in Google's form.
pub(crate) fn text_part(text: &str) -> Value {
    json!({ "text": text })
}

/// The one reply of the last round, as JSON.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when there is none or it is no JSON.
pub(crate) fn only(rounds: &[Vec<Received>]) -> Result<Value> {
    last(rounds)?.json()
}

/// The one reply of the last round.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] when there is none.
pub(crate) fn last(rounds: &[Vec<Received>]) -> Result<&Received> {
    rounds.last().and_then(|round| round.first()).ok_or_else(|| broken("body"))
}

/// An answer of pictures.
pub(crate) fn drawn(pictures: Vec<Picture>, usage: Option<Usage>) -> OperationReply {
    OperationReply::Pictures(Pictures { pictures, usage, ..Pictures::default() })
}

/// A picture in base64.
pub(crate) fn in_base64(data: impl Into<String>) -> Picture {
    Picture { base64: Some(data.into()), ..Picture::default() }
}

/// A picture at a URL.
pub(crate) fn at_url(url: impl Into<String>) -> Picture {
    Picture { url: Some(url.into()), ..Picture::default() }
}

/// Spoken words.
pub(crate) fn spoken(mime: &str, bytes: Vec<u8>) -> OperationReply {
    OperationReply::Audio { mime: mime.to_owned(), bytes: bytes.into(), usage: None }
}
