//! What the looks over request bodies share: members given once, values that may be null, and the words
//! for what is wrong.

use llm_types::{Error, Result};

use crate::dialect::Glance;
use crate::scan::{self, Item, Kind, Member};

/// Looks a body over, member by member, up to the first that is refused; all of it is validated.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] when the body is not one JSON object, and what `note` refuses.
pub(super) fn over<'b>(
    body: &'b [u8],
    mut glance: Glance,
    mut note: impl FnMut(&Member<'b>, &mut Glance) -> Result<()>,
) -> Result<Glance> {
    let mut fault = None;
    glance.names = Some(scan::object(body, |member| {
        if fault.is_none() {
            fault = note(&member, &mut glance).err();
        }
    })?);
    fault.map_or(Ok(glance), Err)
}

/// Notes what most dialects say alike: the model, the messages, the tools, the wish for a stream. `false`
/// when the member is none of these.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] when it has a wrong type.
pub(super) fn common(member: &Member<'_>, glance: &mut Glance) -> Result<bool> {
    let value = member.value;
    match &*member.name {
        "model" => {
            let model = expect(value, value.as_str(), "model", "a string")?;
            glance.model_span = model.is_some().then(|| value.span());
            glance.model = model.unwrap_or_default().into_owned();
        }
        "messages" => {
            if value.kind != Kind::Array {
                return Err(wrong("messages", value, "an array of messages"));
            }
            glance.prompt_bytes += value.text.len() as u64;
            glance.lacks = None;
        }
        "tools" => {
            glance.prompt_bytes += value.text.len() as u64;
            value.elements(|_| glance.has_tools = true);
        }
        "stream" => {
            // Where it is not said, what the dialect does unasked counts.
            glance.stream = expect(value, value.as_bool(), "stream", "a boolean")?.unwrap_or(glance.stream);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Members that decide who pays for what: given twice, readers could disagree on which one counts.
#[derive(Debug)]
pub(super) struct Once {
    names: &'static [&'static str],
    seen: Vec<&'static str>,
}

impl Once {
    /// These may be given once.
    pub(super) fn of(names: &'static [&'static str]) -> Self {
        Self { names, seen: Vec::new() }
    }

    /// Notes a member.
    ///
    /// # Errors
    /// [`llm_types::ErrorKind::BadRequest`] when it was given before.
    pub(super) fn note(&mut self, name: &str) -> Result<()> {
        let Some(name) = self.names.iter().find(|once| **once == name) else { return Ok(()) };
        if self.seen.contains(name) {
            return Err(Error::bad_param(*name, format!("`{name}` is given twice; give it once")));
        }
        self.seen.push(name);
        Ok(())
    }

    /// Whether a member was given.
    pub(super) fn saw(&self, name: &str) -> bool {
        self.seen.contains(&name)
    }
}

/// A value that may be null, but nothing else than what was read.
///
/// # Errors
/// As [`wrong`].
pub(super) fn expect<T>(value: Item<'_>, read: Option<T>, name: &str, expected: &str) -> Result<Option<T>> {
    match read {
        None if !value.is_null() => Err(wrong(name, value, expected)),
        read => Ok(read),
    }
}

/// The refusal of a value that is not what it should be.
pub(super) fn wrong(name: &str, value: Item<'_>, expected: &str) -> Error {
    let found = match value.kind {
        Kind::Number | Kind::Bool => format!("`{}`", value.text),
        kind => kind.described().to_owned(),
    };
    Error::bad_param(name, format!("`{name}`: expected {expected}, found {found}"))
}
