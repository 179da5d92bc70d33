//! A caller's body made ready for a provider of the same dialect: a few members patched, the rest as
//! it came.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use llm_types::{Error, Result};
use memchr::memmem::Finder;
use serde_json::Value;

use super::amend::amend;
use super::glance::control_of;
use super::models::{Rules, Sampling};
use super::request::{Fate, Judge, MAX_STOPS, Said, canonical, rules_of};
use super::wire::PATH;
use crate::dialect::{Control, Encoded, Glance};
use crate::left_out::note;
use crate::scan::{self, Item, Kind, Member, Patch, quoted};
use crate::{Quirks, Target};

/// Makes a body ready. The common case, where only the model's name differs, needs no second look.
pub(super) fn forward(body: &Bytes, glance: &Glance, target: &Target) -> Result<Encoded> {
    let mut patch = Patch::new(body);
    let name = target.spec.quirks.model_name(&target.model);
    let model = (glance.model != name).then(|| quoted(&name));
    if is_plain(body, glance, target) {
        match (model, &glance.model_span) {
            (Some(name), Some(span)) => patch.replace(span.clone(), name),
            (Some(name), None) => patch.add("model", &name),
            (None, _) => {}
        }
    } else {
        let ahead = Ahead::look(body)?;
        let mut walk = Walk {
            patch,
            glance,
            target,
            model,
            seen: Vec::new(),
            fault: None,
            has_options: false,
            stores: ahead.stores,
            judge: Judge::new(target, ahead.effort, ahead.both_caps),
        };
        scan::object(body, |member| walk.member(&member))?;
        patch = walk.finish()?;
    }
    let body = amend(patch.finish(), target)?;
    Ok(Encoded { path: PATH.to_owned(), body, ..Encoded::default() })
}

/// Whether nothing but the model's name can differ.
fn is_plain(body: &[u8], glance: &Glance, target: &Target) -> bool {
    let (policy, quirks) = (&target.policy, &target.spec.quirks);
    glance.controls.is_empty()
        && policy.always_drop.is_empty()
        && target.defaults.is_empty()
        && takes_what_is_common(quirks, glance, body)
        && !quirks.renames()
        && !quirks.usage_on_request
        && (!glance.stream || (glance.include_usage && !quirks.no_stream_options))
        && !(quirks.developer_as_system && mentions(body, &DEVELOPER))
        && (quirks.keeps_cache_control
            || !(glance.may_hold("cache_control") && mentions(body, &CACHE_CONTROL)))
        && !(quirks.no_reasoning_content && mentions(body, &REASONING_CONTENT))
        && !glance.rare
        && rules_of(target).is_none_or(|rules| takes_as_it_is(rules, glance))
        && !messages::may_need_change(body, glance)
}

/// Whether the vendor takes the parameters that do not make a request rare.
fn takes_what_is_common(quirks: &Quirks, glance: &Glance, body: &[u8]) -> bool {
    let ignored = |name: &str| quirks.ignored.iter().any(|listed| listed == name);
    let all = |names: &[&str]| names.iter().all(|name| quirks.takes(name) && !ignored(name));
    let is_free = |asked: bool, names: &[&str]| !asked || all(names);
    (quirks.unsupported.is_empty() && quirks.supported.is_empty() && quirks.ignored.is_empty())
        || (!mentions(body, &NULL)
            && all(&["response_format", "seed"])
            && is_free(glance.user.is_some(), &["user"])
            && is_free(glance.has_tools, &["tools", "functions", "tool_choice"])
            && is_free(glance.n > 1, &["n"])
            && is_free(glance.max_tokens.is_some(), &["max_tokens", "max_completion_tokens"])
            && is_free(glance.sampled, &["temperature", "top_p"]))
}

/// Whether a family's models take a request of this look as it is.
fn takes_as_it_is(rules: &Rules, glance: &Glance) -> bool {
    let samples = rules.sampling == Sampling::Free && !rules.completion_cap;
    (samples || !glance.sampled) && !rules.system_as_user
}

/// A word that is looked for in every body: made ready once.
type Word = LazyLock<Finder<'static>>;

static DEVELOPER: Word = LazyLock::new(|| Finder::new(b"\"developer\""));
static REASONING_CONTENT: Word = LazyLock::new(|| Finder::new(b"\"reasoning_content\""));
static NULL: Word = LazyLock::new(|| Finder::new(b"null"));
static CACHE_CONTROL: Word = LazyLock::new(|| Finder::new(b"\"cache_control\""));

fn mentions(body: &[u8], word: &Word) -> bool {
    word.find(body).is_some()
}

/// What must be known before the members are judged one by one.
#[derive(Default)]
struct Ahead<'a> {
    /// Whether the provider is to store the exchange: only then it takes `metadata`.
    stores: bool,
    effort: Option<Cow<'a, str>>,
    both_caps: bool,
}

impl<'a> Ahead<'a> {
    fn look(body: &'a [u8]) -> Result<Self> {
        let mut ahead = Self::default();
        let (mut older, mut newer) = (false, false);
        scan::object(body, |member| match &*member.name {
            "store" => ahead.stores = member.value.as_bool() == Some(true),
            "reasoning_effort" => ahead.effort = member.value.as_str(),
            "max_tokens" => older = !member.value.is_null(),
            "max_completion_tokens" => newer = !member.value.is_null(),
            _ => {}
        })?;
        ahead.both_caps = older && newer;
        Ok(ahead)
    }
}

struct Walk<'a> {
    patch: Patch<'a>,
    glance: &'a Glance,
    target: &'a Target,
    model: Option<Vec<u8>>,
    /// The names of the members there are.
    seen: Vec<Cow<'a, str>>,
    fault: Option<Error>,
    has_options: bool,
    stores: bool,
    judge: Judge<'a>,
}

impl<'a> Walk<'a> {
    fn member(&mut self, member: &Member<'a>) {
        self.seen.push(member.name.clone());
        let quirks = &self.target.spec.quirks;
        match &*member.name {
            "model" => {
                if let Some(name) = self.model.take() {
                    self.patch.replace(member.value.span(), name);
                }
                return;
            }
            "stream_options" => return self.stream_options(member),
            "messages" => {
                let system_as_user = self.judge.system_as_user();
                return messages::patch(member.value, quirks, system_as_user, &mut self.patch);
            }
            // A null asks for nothing, and the other name may stand beside it.
            "max_tokens" | "max_completion_tokens" if member.value.is_null() && self.judge.one_cap() => {
                return self.patch.remove(member.span());
            }
            _ => {}
        }
        match control_of(&member.name) {
            Some(Control::Metadata) if self.stores && all_text(member.value) => {}
            Some(_) => return self.patch.remove(member.span()),
            None => {}
        }
        let word = member.value.as_str();
        let said = said(member.value, word.as_deref());
        match self.judge.fate(&member.name, said) {
            Fate::Send if member.name == "stop" => self.stop(member.value),
            Fate::Send if member.name == "tools" => {
                if !self.target.spec.quirks.keeps_cache_control {
                    member.value.elements(|tool| messages::unmark(tool, &mut self.patch));
                }
                self.rename(member);
            }
            Fate::Send => self.rename(member),
            Fate::Idle => self.patch.remove(member.span()),
            Fate::Drop => {
                note(member.name.clone().into_owned());
                self.patch.remove(member.span());
            }
            // A null asks for nothing.
            Fate::Refuse if member.value.is_null() => self.patch.remove(member.span()),
            Fate::Refuse => {
                self.fault.get_or_insert_with(|| self.judge.refusal(&member.name, said));
            }
        }
    }

    fn rename(&mut self, member: &Member<'a>) {
        let name = self.judge.name_of(&member.name);
        if name != member.name {
            let mut text = quoted(name);
            text.push(b':');
            self.patch.replace(member.start..member.value.start, text);
        }
    }

    /// Leaves out the texts beyond the most that are taken.
    fn stop(&mut self, texts: Item<'a>) {
        let mut ends = Vec::new();
        texts.elements(|text| ends.push(text.span().end));
        if let (Some(kept), Some(last)) =
            (ends.get(MAX_STOPS - 1), ends.get(MAX_STOPS..).and_then(<[_]>::last))
        {
            self.patch.replace(*kept..*last, b"".as_slice());
        }
    }

    /// Streams are always asked for usage: settlement needs it.
    fn stream_options(&mut self, member: &Member<'a>) {
        self.has_options = true;
        let value = member.value;
        if self.target.spec.quirks.no_stream_options || !self.glance.stream {
            return self.patch.remove(member.span());
        }
        match value.member("include_usage") {
            Some(flag) if flag.as_bool() == Some(true) => {}
            Some(flag) => self.patch.replace(flag.span(), b"true".as_slice()),
            None if value.kind == Kind::Object && !value.text[1..].trim_start().starts_with('}') => {
                let inside = value.start + 1;
                self.patch.replace(inside..inside, b"\"include_usage\":true,".as_slice());
            }
            None => self.patch.replace(value.span(), br#"{"include_usage":true}"#.as_slice()),
        }
    }

    fn finish(mut self) -> Result<Patch<'a>> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let quirks = &self.target.spec.quirks;
        if let Some(name) = self.model.take() {
            self.patch.add("model", &name);
        }
        if self.glance.stream && !self.has_options && !quirks.no_stream_options {
            self.patch.add("stream_options", br#"{"include_usage":true}"#);
        }
        let asks =
            |name: &str| self.seen.iter().any(|seen| seen == name) || self.target.defaults.contains_key(name);
        if quirks.usage_on_request && !asks("usage") {
            self.patch.add("usage", br#"{"include":true}"#);
        }
        for (name, value) in &self.target.defaults {
            if !self.seen.iter().any(|seen| canonical(seen) == canonical(name)) {
                self.patch.add(self.judge.name_of(name), value.to_string().as_bytes());
            }
        }
        Ok(self.patch)
    }
}

/// What a member says, for its judge.
fn said<'v>(value: Item<'_>, word: Option<&'v str>) -> Said<'v> {
    match (value.kind, word) {
        (Kind::Number, _) => value.text.parse().map_or(Said::Other, Said::Number),
        (_, Some(word)) => Said::Word(word),
        _ => Said::Other,
    }
}

/// Whether these are labels as OpenAI stores them: text to text.
fn all_text(metadata: Item<'_>) -> bool {
    let value: Result<Value, _> = serde_json::from_str(metadata.text);
    value.is_ok_and(|value| value.as_object().is_some_and(|map| map.values().all(Value::is_string)))
}

mod messages;
#[cfg(test)]
mod tests;
