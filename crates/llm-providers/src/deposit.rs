//! Files that a provider wants left with it before the call that speaks of them. What is sent and what comes back
//! is written and read here; sending is the caller's: nothing here does I/O.

use bytes::Bytes;
use http::{HeaderMap, header};
use llm_types::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::Encoded;
use crate::operations::{FormWriter, Payload};

/// One file to leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Deposit {
    /// Where the request that speaks of it wants the id it is given: a JSON pointer.
    pub place: String,
    /// Where it is left, behind the base URL.
    path: &'static str,
    /// Where it is taken away again, `{id}` standing for the id.
    away: &'static str,
    headers: HeaderMap,
    body: Bytes,
}

/// What a file is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File<'a> {
    pub(crate) name: &'a str,
    pub(crate) mime: &'a str,
    pub(crate) bytes: &'a [u8],
}

impl Deposit {
    /// A file as a form: `file` beside the texts in `said`.
    pub(crate) fn form(
        place: String,
        (path, away): (&'static str, &'static str),
        file: File<'_>,
        said: &[(&str, &str)],
    ) -> Result<Self> {
        let mut form = FormWriter::default();
        for (name, text) in said {
            form.text(name, *text);
        }
        form.file("file", file.name, file.mime, file.bytes);
        let (kind, Payload::Whole(body)) = form.finish() else {
            return Err(Error::new(
                ErrorKind::Internal,
                "a form of bytes in memory does not stand in memory",
            ));
        };
        Ok(Self { place, path, away, headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]), body })
    }

    /// The request that leaves it.
    #[must_use]
    pub fn leaving(&self) -> Encoded {
        let (path, headers, body) = (self.path.to_owned(), self.headers.clone(), self.body.clone());
        Encoded { path, headers, body, beforehand: None }
    }

    /// The id that the reply gives it.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] when the reply names none that could stand in a URL.
    pub fn id(reply: &[u8]) -> Result<String> {
        let reply: Value = serde_json::from_slice(reply).unwrap_or_default();
        let legal = |id: &&str| {
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        reply["id"].as_str().filter(legal).map(str::to_owned).ok_or_else(|| {
            Error::new(
                ErrorKind::BadUpstream,
                "the provider took a file and gave it no `id` to speak of it by",
            )
        })
    }

    /// The request that takes it away again.
    #[must_use]
    pub fn taking_away(&self, id: &str) -> Encoded {
        Encoded { path: self.away.replace("{id}", id), ..Encoded::default() }
    }
}

/// The body with ids in their places.
///
/// # Errors
/// [`ErrorKind::Internal`] when it is no JSON.
pub fn fill(body: &Bytes, ids: &[(&str, &str)]) -> Result<Bytes> {
    let mut value: Value = serde_json::from_slice(body).map_err(|fault| {
        Error::new(ErrorKind::Internal, "a finished body is no JSON object").with_source(fault)
    })?;
    for (place, id) in ids {
        // A caller's `extra_body` may have put something else in the place of what speaks of the file.
        if let Some(place) = value.pointer_mut(place) {
            *place = (*id).into();
        }
    }
    Ok(value.to_string().into())
}

#[cfg(test)]
mod tests;
