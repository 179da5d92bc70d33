//! The price book: a text with one model a line, searched where it lies and parsed line by line.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

use super::names::{ModelQuery, same_vendor};
use super::{ModelInfo, litellm};

/// The book this release was built with: the file at the project's root.
static BUILTIN: &[u8] = include_bytes!("../../../../model_prices.json");

const MODELS: &[u8] = b"\"models\":{\n";

/// Every known model. Opening it reads nothing; a lookup reads the few lines it touches. Look models
/// up when a deployment is configured, not per request.
#[derive(Clone)]
pub struct PriceBook {
    /// The lines of the models, in order: name without case, then name.
    lines: Cow<'static, [u8]>,
}

impl PriceBook {
    /// The book this release was built with.
    #[must_use]
    pub fn builtin() -> Self {
        // The models begin within the head's first lines; a broken file fails this crate's tests.
        let lines = model_lines(BUILTIN).unwrap_or_default();
        Self { lines: Cow::Borrowed(lines) }
    }

    /// A book from the text of a `model_prices.json`.
    ///
    /// # Errors
    /// When the text is no such file, or its models are out of order.
    pub fn from_json(text: &[u8]) -> Result<Self> {
        let broken =
            |what: &str| Error::new(ErrorKind::BadRequest, format!("not a `model_prices.json`: {what}"));
        let lines = model_lines(text).ok_or_else(|| broken("found no line `\"models\":{`"))?;
        let book = Self { lines: Cow::Owned(lines.to_vec()) };
        let mut last: Option<&str> = None;
        for (name, line) in book.entries() {
            if last.is_some_and(|last| order(last, name) != Ordering::Less) {
                return Err(broken(&format!("`{name}` is out of order")));
            }
            parse(name, line).ok_or_else(|| broken(&format!("the line of `{name}` is unreadable")))?;
            last = Some(name);
        }
        last.ok_or_else(|| broken("found no model"))?;
        Ok(book)
    }

    /// A book from LiteLLM's price map, for operators who keep one of their own
    /// (`LITELLM_MODEL_COST_MAP_URL`).
    ///
    /// # Errors
    /// When the map is empty or an entry has a price that is none; the first one is named.
    pub fn from_litellm(map: &Map<String, Value>) -> Result<Self> {
        let mut models = Vec::with_capacity(map.len());
        for (name, entry) in map {
            let Some(entry) = entry.as_object().filter(|entry| entry.contains_key("litellm_provider")) else {
                continue;
            };
            if name == "sample_spec" || !is_plain(name) {
                continue;
            }
            let info = litellm::read(name, entry)?;
            let line = serde_json::to_string(&info).map_err(|error| {
                Error::new(ErrorKind::Internal, format!("cannot write the record of `{name}`"))
                    .with_source(error)
            })?;
            models.push((name.as_str(), line));
        }
        if models.is_empty() {
            return Err(Error::new(ErrorKind::BadRequest, "the price map holds no model"));
        }
        models.sort_by(|(left, _), (right, _)| order(left, right));
        let mut lines = Vec::new();
        for (name, line) in models {
            lines.extend_from_slice(format!("\"{name}\":{line},\n").as_bytes());
        }
        Ok(Self { lines: Cow::Owned(lines) })
    }

    /// The model that LiteLLM's rules choose for a deployment: see [`ModelQuery`].
    #[must_use]
    pub fn lookup(&self, query: &ModelQuery<'_>) -> Option<Arc<ModelInfo>> {
        query.candidates().into_iter().find_map(|(name, of_vendor)| {
            let info = self.find(&name)?;
            (!of_vendor || same_vendor(query.provider, &info.provider)).then(|| Arc::new(info))
        })
    }

    /// The model of exactly this name, else of this name in another case.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ModelInfo> {
        let mut at = self.seek(name);
        let mut other_case = None;
        while let Some((found, line, next)) = self.entry_at(at) {
            if !found.eq_ignore_ascii_case(name) {
                break;
            }
            if found == name {
                return parse(found, line);
            }
            other_case.get_or_insert((found, line));
            at = next;
        }
        other_case.and_then(|(found, line)| parse(found, line))
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|(name, _)| name)
    }

    /// Every model; each step parses one line.
    pub fn models(&self) -> impl Iterator<Item = ModelInfo> {
        self.entries().filter_map(|(name, line)| parse(name, line))
    }

    /// How many models there are. Counts lines.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries().count()
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (name, line, next) = self.entry_at(at)?;
            at = next;
            Some((name, line))
        })
    }

    /// The name, the record and the start of the next line, of the line that starts here.
    fn entry_at(&self, at: usize) -> Option<(&str, &[u8], usize)> {
        let rest = self.lines.get(at..)?.strip_prefix(b"\"")?;
        let name_end = memchr::memchr(b'"', rest)?;
        let line_end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let name = std::str::from_utf8(&rest[..name_end]).ok()?;
        let line = rest.get(name_end + 2..line_end)?;
        let line = line.strip_suffix(b",").unwrap_or(line);
        Some((name, line, at + 1 + line_end + 1))
    }

    /// The start of the first line whose name, without case, is not before this one. Bisects bytes.
    fn seek(&self, name: &str) -> usize {
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = memchr::memrchr(b'\n', &self.lines[low..middle]).map_or(low, |end| low + end + 1);
            let Some((found, _, next)) = self.entry_at(start) else { return high };
            if lower(found).lt(lower(name)) {
                low = next.min(high);
            } else {
                high = start;
            }
        }
        low
    }
}

impl Default for PriceBook {
    fn default() -> Self {
        Self::builtin()
    }
}

impl std::fmt::Debug for PriceBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PriceBook").field("bytes", &self.lines.len()).finish()
    }
}

/// The part of a `model_prices.json` that holds the models' lines.
fn model_lines(text: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::find(text, MODELS)? + MODELS.len();
    let end = memchr::memmem::rfind(text, b"\n}\n}")?;
    text.get(start..end + 1)
}

fn parse(name: &str, line: &[u8]) -> Option<ModelInfo> {
    let info: ModelInfo = serde_json::from_slice(line).ok()?;
    Some(ModelInfo { name: name.into(), ..info })
}

/// Whether a name can stand in a line without escapes.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' || byte == b' ')
}

fn lower(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn order(left: &str, right: &str) -> Ordering {
    lower(left).cmp(lower(right)).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests;
