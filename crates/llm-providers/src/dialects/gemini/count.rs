//! `countTokens`: the request read and written, the answer read and written.
//!
//! Vendor's page: <https://ai.google.dev/api/tokens>.

use bytes::Bytes;
use llm_types::{ChatRequest, Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::wire::model_path;
use super::{request, wire};
use crate::{Encoded, Target};

/// Bytes of JSON that stand for one token in an estimate.
const BYTES_PER_TOKEN: u64 = 4;

/// A caller's `countTokens` body: a prompt alone, or a whole request under `generateContentRequest`.
#[derive(Debug, Clone)]
pub struct CountTokens {
    body: Value,
}

/// What an answer to `countTokens` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Tokens of the prompt.
    pub total: u64,
    /// True when the figure is an estimate of the gateway's.
    pub estimated: bool,
}

impl CountTokens {
    /// Reads a body.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when it is no JSON object or has nothing to count.
    pub fn read(body: &[u8]) -> Result<Self> {
        let body = request::body(body)?.into_value();
        let said = Self { body };
        if said.prompt().get("contents").is_none_or(Value::is_null) {
            let message = "missing required parameter `contents`: expected an array of contents, or `generateContentRequest`";
            return Err(Error::bad_param("contents", message));
        }
        Ok(said)
    }

    fn prompt(&self) -> &Value {
        self.body.get("generateContentRequest").filter(|inner| inner.is_object()).unwrap_or(&self.body)
    }

    /// The prompt as a chat request.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] naming the field at fault.
    pub fn request(&self) -> Result<ChatRequest> {
        request::decode(self.prompt().to_string().as_bytes())
    }

    /// The request for a provider of this dialect, the model's name replaced where the body has it.
    #[must_use]
    pub fn encode(&self, target: &Target) -> Encoded {
        let mut body = self.body.clone();
        let name = Value::from(format!("models/{}", target.model));
        if let Some(inner) = body.get_mut("generateContentRequest").and_then(Value::as_object_mut) {
            inner.insert("model".to_owned(), name);
        } else if let Some(model) = body.get_mut("model") {
            *model = name;
        }
        Encoded {
            path: format!("{}:countTokens", model_path(&target.model)),
            body: body.to_string().into(),
            ..Encoded::default()
        }
    }

    /// An estimate without a provider: one token for every four bytes of the prompt's texts and schemas,
    /// media not counted.
    #[must_use]
    pub fn estimate(&self) -> Counted {
        let members = ["contents", "systemInstruction", "tools"];
        let bytes: u64 = members.iter().filter_map(|name| self.prompt().get(*name)).map(texts).sum();
        Counted { total: bytes.div_ceil(BYTES_PER_TOKEN).max(1), estimated: true }
    }
}

/// Bytes of text in a value, data of media left out.
fn texts(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Array(list) => list.iter().map(texts).sum(),
        Value::Object(map) => map
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "data" | "thoughtSignature"))
            .map(|(name, value)| if name == "role" { 0 } else { texts(value) })
            .sum(),
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => 1,
    }
}

impl Counted {
    /// Reads a provider's answer.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when it states no count.
    pub fn read(body: &[u8]) -> Result<Self> {
        let value = wire::camel_value(serde_json::from_slice(body).unwrap_or_default());
        let total = value.get("totalTokens").and_then(Value::as_u64);
        let total = total.ok_or_else(|| {
            Error::new(ErrorKind::BadUpstream, "provider reply to `countTokens` has no `totalTokens`")
        })?;
        Ok(Self { total, estimated: false })
    }

    /// Writes the answer for a caller. Strict clients refuse members they do not know: that it is an
    /// estimate is for a header to say.
    #[must_use]
    pub fn write(&self) -> Bytes {
        json!({
            "totalTokens": self.total,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": self.total }],
        })
        .to_string()
        .into()
    }
}

#[cfg(test)]
mod tests;
