//! How a cloud wraps a dialect: where model, project and version stand in the URL, and what the body says
//! instead.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use llm_types::{Body, Error, ErrorKind, Origin, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Envelope, Words};
use crate::Target;
use crate::scan::{self, Patch};

/// The header that names beta features of Anthropic's dialect.
const BETAS: HeaderName = HeaderName::from_static("anthropic-beta");

/// How requests are wrapped. In paths `{path}` stands for the dialect's own path, `{model}`, `{project}`,
/// `{region}` and `{version}` for the target's; `{model_path}` for a model's name whose slashes are the path's,
/// without a version behind a colon; `{whole}` for nothing: the operator's base URL is the whole URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shell {
    /// The path; empty when it is the dialect's.
    pub path: Cow<'static, str>,
    /// The path of requests for a stream; empty when it is the same.
    pub stream_path: Cow<'static, str>,
    /// Paths of the dialect that stand elsewhere: how they begin, and the path.
    pub elsewhere: Pairs,
    /// Members of the body that are left out: the URL says them.
    pub without: Words,
    /// Members of the body that are added unless they are there: name and text, filled in as paths are. What
    /// names a setting that the operator did not make is left out.
    pub with: Pairs,
    /// The object around the body, put on last.
    pub envelope: Envelope,
    /// What becomes of the header that names beta features.
    pub betas: Betas,
    /// Tools the vendor runs, by the beginning of their type, that need a beta feature here.
    pub tool_betas: Pairs,
    /// Whether streamed replies are AWS event stream messages, each around one event of the dialect in
    /// base64.
    pub framed: bool,
}

/// What becomes of the header that names beta features. Names are pairs: as callers write them, and as the
/// cloud does. A feature that is not listed is left out, for clouds refuse requests that name one they do
/// not have, and clients name them always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Betas {
    /// It is sent as it is.
    #[default]
    All,
    /// Only listed features are sent.
    Listed(Pairs),
    /// Only listed features are sent, in the body's member `anthropic_beta` too: that is where the cloud reads
    /// them.
    InBody(Pairs),
}

/// Pairs of names.
pub type Pairs = Cow<'static, [(Cow<'static, str>, Cow<'static, str>)]>;

impl Shell {
    /// No wrapping.
    pub const NONE: Self = Self {
        path: Cow::Borrowed(""),
        stream_path: Cow::Borrowed(""),
        elsewhere: Cow::Borrowed(&[]),
        without: Cow::Borrowed(&[]),
        with: Cow::Borrowed(&[]),
        envelope: Envelope::NONE,
        betas: Betas::All,
        tool_betas: Cow::Borrowed(&[]),
        framed: false,
    };
}

impl Default for Shell {
    fn default() -> Self {
        Self::NONE
    }
}

/// The shell of one target, its paths filled in.
#[derive(Debug)]
pub(crate) struct Wrapping {
    path: Option<String>,
    stream_path: Option<String>,
    elsewhere: Vec<(String, String)>,
    with: Vec<(String, String)>,
    /// What the envelope says.
    said: Vec<(String, String)>,
    shell: Shell,
}

impl Wrapping {
    /// Fills in what the target says; `None` when nothing is wrapped.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a path needs what the target does not say.
    pub(crate) fn of(target: &Target) -> Result<Option<Self>> {
        let shell = &target.spec.cloud.shell;
        if *shell == Shell::NONE {
            return Ok(None);
        }
        let filled = |path: &str| -> Result<Option<String>> {
            if path.is_empty() { Ok(None) } else { fill(path, target).map(Some) }
        };
        let (path, stream_path) = (filled(&shell.path)?, filled(&shell.stream_path)?);
        let elsewhere =
            shell.elsewhere.iter().map(|(start, path)| Ok((start.to_string(), fill(path, target)?)));
        let elsewhere = elsewhere.collect::<Result<_>>()?;
        let (with, said) = (texts(&shell.with, target), texts(&shell.envelope.said, target));
        Ok(Some(Self { path, stream_path, elsewhere, with, said, shell: shell.clone() }))
    }

    /// The path and body of a request whose dialect wrote these.
    pub(crate) fn wrap(&self, path: &str, body: Bytes) -> Result<(String, Bytes)> {
        let (mut body, stream) = self.body(body)?;
        if self.shell.envelope != Envelope::NONE {
            body = self.shell.envelope.wrap(&body, &self.said)?;
        }
        let elsewhere =
            self.elsewhere.iter().find(|(start, _)| path.starts_with(start)).map(|(_, path)| path);
        let own = elsewhere.or(self.path.as_ref());
        let wrapped = if stream { self.stream_path.as_ref().or(own) } else { own };
        Ok((wrapped.map_or_else(|| path.to_owned(), |wrapped| join(wrapped, path)), body))
    }

    /// The body, and whether it asks for a stream.
    fn body(&self, body: Bytes) -> Result<(Bytes, bool)> {
        let (without, with) = (&self.shell.without, &self.with);
        if self.stream_path.is_none() && without.is_empty() && with.is_empty() {
            return Ok((body, false));
        }
        let mut stream = false;
        let mut patch = Patch::new(&body);
        let mut said = Vec::new();
        scan::object(&body, |member| {
            stream |= member.name == "stream" && member.value.as_bool() == Some(true);
            if without.contains(&member.name) {
                patch.remove(member.span());
            } else {
                said.extend(with.iter().position(|(name, _)| *name == member.name));
            }
        })?;
        for (index, (name, text)) in with.iter().enumerate() {
            if !said.contains(&index) {
                patch.add(name, &scan::quoted(text));
            }
        }
        Ok((patch.finish(), stream))
    }

    /// The path that a wire of an operation wrote, wrapped.
    pub(crate) fn wrap_path(&self, path: &str) -> String {
        self.path.as_ref().map_or_else(|| path.to_owned(), |wrapped| join(wrapped, path))
    }

    /// The reply without the envelope around it.
    pub(crate) fn open(&self, body: Body, is_stream: bool) -> Body {
        if self.shell.envelope.reply.is_empty() { body } else { self.shell.envelope.opened(body, is_stream) }
    }

    /// Whether streamed replies are framed.
    pub(crate) fn framed(&self) -> bool {
        self.shell.framed
    }

    /// Puts beta features where the cloud reads them, when all headers are known.
    pub(crate) fn place_betas(&self, headers: &mut HeaderMap, body: &mut Bytes) -> Result<()> {
        let (pairs, in_body) = match &self.shell.betas {
            Betas::All => return Ok(()),
            Betas::Listed(pairs) => (pairs, false),
            Betas::InBody(pairs) => (pairs, true),
        };
        let mut names: Vec<&str> = Vec::new();
        for value in headers.get_all(&BETAS).iter().filter_map(|value| value.to_str().ok()) {
            for asked in value.split(',').map(str::trim) {
                let known = pairs.iter().find(|(theirs, _)| *theirs == asked);
                names.extend(known.map(|(_, ours)| &**ours).filter(|name| !names.contains(name)));
            }
        }
        for (kind, name) in self.shell.tool_betas.iter() {
            let offered = memchr::memmem::find(body, format!("\"{kind}").as_bytes()).is_some();
            if offered && !names.contains(&&**name) {
                names.push(name);
            }
        }
        let list = HeaderValue::try_from(names.join(","));
        headers.remove(&BETAS);
        if names.is_empty() {
            return Ok(());
        }
        if in_body {
            *body = with_betas(body, &names)?;
        }
        if let Ok(list) = list {
            headers.insert(BETAS, list);
        }
        Ok(())
    }
}

/// The body with these beta features beside those it names itself.
fn with_betas(body: &Bytes, names: &[&str]) -> Result<Bytes> {
    let mut patch = Patch::new(body);
    let mut own = None;
    scan::object(body, |member| {
        if member.name == "anthropic_beta" {
            own = Some((member.span(), member.value.text.to_owned()));
        }
    })?;
    let mut all: Vec<Value> = Vec::new();
    if let Some((span, text)) = own {
        all = serde_json::from_str(&text).unwrap_or_default();
        patch.remove(span);
    }
    all.extend(names.iter().map(|name| Value::from(*name)));
    let mut seen = Vec::new();
    all.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    patch.add("anthropic_beta", Value::from(all).to_string().as_bytes());
    Ok(patch.finish())
}

/// Puts the dialect's path into a path; a query of the dialect's goes behind one that is there.
fn join(wrapped: &str, path: &str) -> String {
    let (own, query) = path.split_once('?').map_or((path, None), |(own, query)| (own, Some(query)));
    let mut whole = wrapped.replace("{path}", own);
    if let Some(query) = query.filter(|_| wrapped.contains("{path}")) {
        whole.push(if whole.contains('?') { '&' } else { '?' });
        whole.push_str(query);
    }
    whole
}

/// A path with what the target says in its places.
pub(crate) fn fill(path: &str, target: &Target) -> Result<String> {
    filled(path, target, encoded).map_err(|param| missing(target, param))
}

/// A text of a record, a header's for one, with what the target says in it.
///
/// # Errors
/// [`ErrorKind::Internal`] when it names what the target does not say.
pub(crate) fn told(text: &str, target: &Target) -> Result<String> {
    filled(text, target, str::to_owned).map_err(|param| missing(target, param))
}

/// Texts with what the target says in them; those that name what it does not say are left out.
fn texts(pairs: &Pairs, target: &Target) -> Vec<(String, String)> {
    let text = |(name, text): &(Cow<'_, str>, Cow<'_, str>)| {
        Some((name.to_string(), filled(text, target, str::to_owned).ok()?))
    };
    pairs.iter().filter_map(text).collect()
}

/// A text with what the target says in it, written by `write`.
///
/// # Errors
/// The name of a parameter that is not said.
fn filled<'t>(text: &str, target: &'t Target, write: impl Fn(&str) -> String) -> Result<String, &'t str> {
    let cloud = target.cloud.as_ref();
    let spec = &target.spec.cloud;
    let mut filled = text.replace("{model}", &write(&target.model)).replace("{whole}", "");
    if filled.contains("{model_path}") {
        let name = target.model.split(':').next().unwrap_or_default();
        let words: Vec<String> = name.split('/').map(&write).collect();
        filled = filled.replace("{model_path}", &words.join("/"));
    }
    let own = [
        ("project", &spec.project, cloud.and_then(|cloud| cloud.project.as_deref())),
        ("region", &spec.region, cloud.and_then(|cloud| cloud.region.as_deref())),
        ("version", &spec.version, cloud.and_then(|cloud| cloud.version.as_deref())),
    ];
    let said = |param: &str| {
        let more = cloud.and_then(|cloud| cloud.more.iter().find(|(name, _)| *name == *param));
        more.map(|(_, value)| value.as_str())
    };
    let more = spec.more.iter().map(|setting| (&*setting.param, setting, said(&setting.param)));
    for (name, setting, value) in own.into_iter().chain(more) {
        let place = format!("{{{name}}}");
        if filled.contains(&place) {
            let default = Some(&*setting.default).filter(|text| !text.is_empty());
            filled = filled.replace(&place, &write(value.or(default).ok_or(&*setting.param)?));
        }
    }
    Ok(filled)
}

fn missing(target: &Target, param: &str) -> Error {
    let message = format!("provider `{}` needs `{param}`: give it in `litellm_params`", target.spec.id);
    Error::new(ErrorKind::Internal, message).with_origin(Origin::Gateway)
}

/// Text for one segment of a path.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).expect("four bits are one digit");
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    out
}
