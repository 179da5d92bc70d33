//! What a caller asks, read once: what the rooms need at the door, the rest when a wire needs it.

use std::sync::OnceLock;

use bytes::Bytes;
use llm_types::{Error, Operation, OperationRequest, Result, Upload};
use serde_json::{Map, Value};

use super::{Entry, Form};
use crate::Target;
use crate::dialect::Glance;
use crate::dialects::control_of;
use crate::scan::{self, Kind};

/// A caller's request of an operation.
#[derive(Debug)]
pub struct Asked {
    /// What is to be done.
    pub operation: Operation,
    /// The body, as it came.
    pub body: Bytes,
    /// Where the fields of a form stand; `None` for JSON.
    pub form: Option<Form>,
    request: OnceLock<Result<OperationRequest>>,
}

/// A request on its way to one target.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// What is asked.
    pub asked: &'a Asked,
    /// What is asked, with what the target's operator, a fallback and the policy for parameters change.
    pub request: &'a OperationRequest,
    /// By whom it is answered.
    pub target: &'a Target,
    /// How that vendor is asked.
    pub entry: &'a Entry,
    /// Members that a fallback sets.
    pub set: Option<&'a Map<String, Value>>,
}

impl Asked {
    /// Reads a request, and what the rooms must know of it.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] when the body is neither one JSON object nor a form, or a
    /// parameter the rooms need has a wrong type.
    pub fn read(operation: Operation, body: Bytes, content_type: &str) -> Result<(Self, Glance)> {
        let mime = content_type.trim_start().get(..10).unwrap_or_default();
        let is_form = operation.is_form() && !content_type.trim_start().starts_with("application/json")
            || mime.eq_ignore_ascii_case("multipart/");
        if is_form {
            let form = Form::read(content_type, &body)?;
            return Self::of_form(operation, body, form);
        }
        let mut glance = Glance { n: 1, ..Glance::default() };
        glance_over_json(operation, &body, &mut glance)?;
        Ok((Self { operation, body, form: None, request: OnceLock::new() }, glance))
    }

    /// A request that came as a form, which was read already; `body` is that of which the form says where its
    /// fields stand.
    ///
    /// # Errors
    /// As [`Asked::read`].
    pub fn of_form(operation: Operation, body: Bytes, form: Form) -> Result<(Self, Glance)> {
        let mut glance = Glance { n: 1, ..Glance::default() };
        glance_over_form(operation, &form, &body, &mut glance)?;
        Ok((Self { operation, body, form: Some(form), request: OnceLock::new() }, glance))
    }

    /// The whole request. Members that speak to the gateway are no parameters.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] when it cannot be read.
    pub fn request(&self) -> Result<&OperationRequest> {
        let read = self.request.get_or_init(|| match &self.form {
            Some(form) => Ok(of_form(self.operation, form, &self.body)),
            None => of_json(self.operation, &self.body),
        });
        read.as_ref().map_err(Clone::clone)
    }
}

/// The parameters without which an operation means nothing.
const fn needs(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::Embeddings | Operation::Moderation | Operation::Speech => &["input"],
        Operation::Rerank => &["query", "documents"],
        Operation::ImageGeneration => &["prompt"],
        Operation::ImageEdit | Operation::ImageVariation => &["image"],
        Operation::Transcription | Operation::Translation => &["file"],
    }
}

/// The parameters that hold what is paid for.
fn is_prompt(name: &str) -> bool {
    matches!(name, "input" | "query" | "documents" | "prompt" | "instructions")
}

fn glance_over_json(operation: Operation, body: &[u8], glance: &mut Glance) -> Result<()> {
    let mut needed = needs(operation).to_vec();
    let mut seen: Vec<String> = Vec::new();
    let mut fault = None;
    scan::object(body, |member| {
        let value = member.value;
        let name = &*member.name;
        if matches!(name, "model" | "user" | "stream" | "n" | "size" | "quality") || is_prompt(name) {
            if seen.iter().any(|seen| seen == name) {
                fault.get_or_insert_with(|| {
                    Error::bad_param(name, format!("`{name}` is given twice; give it once"))
                });
            }
            seen.push(name.to_owned());
        }
        let wrong = |expected: &str| {
            let found = value.kind.described();
            Error::bad_param(name, format!("`{name}`: expected {expected}, found {found}"))
        };
        match name {
            "model" if value.kind == Kind::String => {
                glance.model = value.as_str().unwrap_or_default().into_owned();
                glance.model_span = Some(value.span());
            }
            "model" if !value.is_null() => fault = fault.take().or_else(|| Some(wrong("a string"))),
            "user" => glance.user = value.as_str().map(Into::into),
            "n" => match value.as_u64() {
                Some(n) if n > 0 => glance.n = n,
                None if value.is_null() => {}
                _ => fault = fault.take().or_else(|| Some(wrong("a whole number from 1"))),
            },
            "stream" => glance.stream = value.as_bool().unwrap_or(false),
            name if is_prompt(name) => {
                if !value.is_null() {
                    glance.prompt_bytes += value.text.len() as u64;
                }
            }
            name => {
                if let Some(control) = control_of(name) {
                    glance.controls.push((control, value.span()));
                }
            }
        }
        if !value.is_null() {
            needed.retain(|need| {
                *need != name && !(*need == "image" && matches!(name, "images" | "image_url"))
            });
        }
    })?;
    glance.lacks = needed.first().copied();
    fault.map_or(Ok(()), Err)
}

fn glance_over_form(operation: Operation, form: &Form, body: &[u8], glance: &mut Glance) -> Result<()> {
    let mut needed = needs(operation).to_vec();
    for field in &form.fields {
        let name = field.name.trim_end_matches("[]");
        needed.retain(|need| *need != name);
        if field.file_name.is_some() {
            continue;
        }
        let text = std::str::from_utf8(&body[field.content.clone()])
            .map_err(|_| Error::bad_param(name, format!("`{name}`: expected UTF-8 text")))?;
        match name {
            "model" if glance.model_span.is_some() => {
                return Err(Error::bad_param("model", "`model` is given twice; give it once"));
            }
            "model" => {
                glance.model = text.trim().to_owned();
                glance.model_span = Some(field.content.clone());
            }
            "user" => glance.user = Some(text.to_owned()),
            "stream" => glance.stream = text.trim().eq_ignore_ascii_case("true"),
            "n" => {
                let n = text.trim().parse().ok().filter(|n| *n > 0);
                let wrong =
                    || Error::bad_param("n", format!("`n`: expected a whole number from 1, found `{text}`"));
                glance.n = n.ok_or_else(wrong)?;
            }
            name if is_prompt(name) => glance.prompt_bytes += text.len() as u64,
            name => {
                if let Some(control) = control_of(name) {
                    glance.controls.push((control, field.content.clone()));
                }
            }
        }
    }
    glance.lacks = needed.first().copied();
    Ok(())
}

/// Whether a field of a form says something to the rooms before its provider is asked: whose call it is, what it
/// may cost, how it is answered.
#[must_use]
pub fn speaks_to_rooms(name: &str) -> bool {
    matches!(name, "model" | "user" | "stream" | "n") || control_of(name).is_some()
}

fn of_json(operation: Operation, body: &[u8]) -> Result<OperationRequest> {
    let read: Map<String, Value> = serde_json::from_slice(body).map_err(|error| {
        Error::new(llm_types::ErrorKind::BadRequest, format!("the body is not a JSON object: {error}"))
    })?;
    let params = read.into_iter().filter(|(name, value)| is_param(name) && !value.is_null()).collect();
    Ok(OperationRequest { operation, params, files: Vec::new() })
}

fn of_form(operation: Operation, form: &Form, body: &Bytes) -> OperationRequest {
    let mut request = OperationRequest::new(operation);
    for field in &form.fields {
        if let Some(file_name) = &field.file_name {
            request.files.push(Upload {
                field: field.name.clone(),
                file_name: file_name.clone(),
                mime: field.mime.clone(),
                bytes: body.slice(field.content.clone()),
                kept: field.kept.clone(),
            });
            continue;
        }
        let name = field.name.trim_end_matches("[]");
        if !is_param(name) {
            continue;
        }
        let text = Value::from(String::from_utf8_lossy(&body[field.content.clone()]).into_owned());
        match request.params.get_mut(name) {
            None if name == field.name => {
                request.params.insert(name.to_owned(), text);
            }
            None => {
                request.params.insert(name.to_owned(), Value::Array(vec![text]));
            }
            Some(Value::Array(list)) => list.push(text),
            Some(one) => *one = Value::Array(vec![one.take(), text]),
        }
    }
    request
}

/// Whether a member is a parameter: neither the model nor a word to the gateway.
fn is_param(name: &str) -> bool {
    name != "model" && control_of(name).is_none()
}

#[cfg(test)]
mod tests;
