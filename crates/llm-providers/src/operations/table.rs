//! Which vendor is asked by which wire, operation by operation.
//!
//! To add a vendor to an operation, add an entry to the file of the operation, in the order of slugs. A vendor
//! that has OpenAI's form is `like(…)`; what it lacks or names otherwise stands behind.

mod audio;
mod embeddings;
mod images;
mod texts;

use llm_types::Operation;

use super::Wire;
use super::wires::openai::Openai;
use super::wires::rank;
use crate::cloud::looks_like;
use crate::{DialectId, ProviderSpec, Registry};

/// How a vendor is asked for an operation.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The vendor's slug; empty for every vendor of OpenAI's dialect that users add themselves.
    pub provider: &'static str,
    /// What is asked.
    pub operation: Operation,
    /// How the names of models look for which this holds (`a*b` begins with `a` and holds `b`); empty for all.
    pub models: &'static [&'static str],
    /// How it is asked.
    pub wire: &'static dyn Wire,
    /// Where, for wires of several vendors: the path behind the base URL.
    pub path: &'static str,
    /// Whether the vendor's cloud wraps the path.
    pub wrapped: bool,
    /// Whether the URL says the model and the body does not.
    pub without_model: bool,
    /// Whether it is asked without naming a model: the vendor has one, or the rest of the request says which.
    pub nameless: bool,
    /// Whether the key goes as a bearer token, whatever the vendor's record says.
    pub bearer: bool,
    /// What stands before the model's name here.
    pub model_prefix: &'static str,
    /// Parameters of OpenAI's that the vendor does not take.
    pub lacks: &'static [&'static str],
    /// OpenAI's names and the vendor's.
    pub renames: &'static [(&'static str, &'static str)],
}

/// A vendor that has OpenAI's form, at OpenAI's path.
const fn like(provider: &'static str, operation: Operation) -> Entry {
    let (path, wire): (&str, &'static dyn Wire) = match operation {
        Operation::Embeddings => ("/embeddings", &Openai),
        Operation::Moderation => ("/moderations", &Openai),
        Operation::Rerank => ("/rerank", &rank::Cohere),
        Operation::ImageGeneration => ("/images/generations", &Openai),
        Operation::ImageEdit => ("/images/edits", &Openai),
        Operation::ImageVariation => ("/images/variations", &Openai),
        Operation::Speech => ("/audio/speech", &Openai),
        Operation::Transcription => ("/audio/transcriptions", &Openai),
        Operation::Translation => ("/audio/translations", &Openai),
    };
    Entry {
        provider,
        operation,
        models: &[],
        wire,
        path,
        wrapped: false,
        without_model: false,
        nameless: false,
        bearer: false,
        model_prefix: "",
        lacks: &[],
        renames: &[],
    }
}

impl Entry {
    const fn by(self, wire: &'static dyn Wire) -> Self {
        Self { wire, ..self }
    }

    const fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    const fn of(self, models: &'static [&'static str]) -> Self {
        Self { models, ..self }
    }

    const fn lacking(self, lacks: &'static [&'static str]) -> Self {
        Self { lacks, ..self }
    }

    const fn renaming(self, renames: &'static [(&'static str, &'static str)]) -> Self {
        Self { renames, ..self }
    }

    const fn bearer(self) -> Self {
        Self { bearer: true, ..self }
    }

    const fn nameless(self) -> Self {
        Self { nameless: true, ..self }
    }

    const fn prefixed(self, model_prefix: &'static str) -> Self {
        Self { model_prefix, ..self }
    }

    const fn wrapped(self) -> Self {
        Self { wrapped: true, ..self }
    }

    pub(super) const fn without_model(self) -> Self {
        Self { without_model: true, ..self }
    }

    fn fits(&self, model: &str) -> bool {
        (self.nameless || !model.is_empty())
            && (self.models.is_empty() || self.models.iter().any(|look| looks_like(model, look)))
    }
}

/// Every entry, in the order of operations and slugs.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [embeddings::TABLE, texts::TABLE, images::TABLE, audio::TABLE].into_iter().flatten()
}

/// Whether a vendor can be asked for something without naming a model.
#[must_use]
pub fn has_nameless(spec: &ProviderSpec) -> bool {
    entries().any(|entry| entry.nameless && entry.provider == spec.id.as_str())
}

/// How a vendor is asked for an operation of a model; `None` where it has none. Vendors of OpenAI's dialect
/// that are none of the built-in ones have OpenAI's form.
#[must_use]
pub fn entry(spec: &ProviderSpec, operation: Operation, model: &str) -> Option<&'static Entry> {
    static OWN: [Entry; 9] = [
        like("", Operation::Embeddings),
        like("", Operation::Moderation),
        like("", Operation::Rerank),
        like("", Operation::ImageGeneration),
        like("", Operation::ImageEdit),
        like("", Operation::ImageVariation),
        like("", Operation::Speech),
        like("", Operation::Transcription),
        like("", Operation::Translation),
    ];
    let slug = spec.id.as_str();
    let listed =
        entries().find(|entry| entry.provider == slug && entry.operation == operation && entry.fits(model));
    if listed.is_some() || Registry::built_in().provider(slug).is_some() {
        return listed;
    }
    let speaks =
        matches!(spec.dialect, DialectId::OpenaiChat | DialectId::OpenaiText | DialectId::OpenaiResponses);
    OWN.iter().find(|own| speaks && own.operation == operation)
}

#[cfg(test)]
mod tests;
