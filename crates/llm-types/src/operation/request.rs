//! What is asked.

use std::fmt;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::Operation;
use crate::Kept;

/// One request of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationRequest {
    /// What is to be done.
    pub operation: Operation,
    /// Every parameter but the model, under OpenAI's names (Cohere's for reranking), in the caller's order.
    /// Fields of forms are text; fields given several times, or as `name[]`, are lists under the bare name.
    pub params: Map<String, Value>,
    /// The files of a form, in order.
    pub files: Vec<Upload>,
}

impl OperationRequest {
    /// A request without parameters.
    #[must_use]
    pub fn new(operation: Operation) -> Self {
        Self { operation, params: Map::new(), files: Vec::new() }
    }

    /// A parameter that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name)?.as_str()
    }

    /// A parameter that is a number from 0; text that holds one counts.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<u64> {
        let value = self.params.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// A parameter that is a number; text that holds one counts.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        let value = self.params.get(name)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// A parameter that is true or false; text that says so counts.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        let value = self.params.get(name)?;
        value.as_bool().or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// The files of a field; `name[]` is `name`.
    pub fn files_of<'s>(&'s self, field: &'s str) -> impl Iterator<Item = &'s Upload> {
        self.files.iter().filter(move |file| file.field.trim_end_matches("[]") == field)
    }
}

/// A file of a form.
#[derive(Clone, PartialEq)]
pub struct Upload {
    /// The form's field, as the caller names it.
    pub field: String,
    /// The file's name.
    pub file_name: String,
    /// Its type, where the caller states one.
    pub mime: Option<String>,
    /// What it holds, where it stands in memory.
    pub bytes: Bytes,
    /// Where it stands, if not in memory: `bytes` is empty then.
    pub kept: Option<Kept>,
}

impl Upload {
    /// Its size in bytes, wherever it stands.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.kept.as_ref().map_or(self.bytes.len() as u64, Kept::len)
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it begins with, wherever it stands.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        self.kept.as_ref().map_or(&*self.bytes, Kept::start)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, file_name, mime, .. } = self;
        write!(f, "Upload({field}, {file_name}, {mime:?}, {} bytes)", self.len())
    }
}
