//! `providers`: records of the operator's own, beside the built-in ones or instead of them.

use llm_providers::{Auth, CloudSpec, DialectId, ProviderSpec, Quirks, Registry};
use llm_types::ProviderId;
use serde_json::{Map, Value};

use super::{Context, Section};
use crate::config::Severity;
use crate::config::raw::{PROVIDER, QUIRKS, find, nearest};
use crate::config::source::{Member, Node};

/// Members of a record's quirks that are pairs: a mapping in the file.
const PAIRS: [&str; 4] = ["always", "base_ends", "headers", "model_paths"];

/// The registry with the file's own providers. A record with errors is left out; they are reported.
pub(crate) fn resolve(cx: &mut Context<'_>, node: Option<&Node>, registry: &Registry) -> Registry {
    let mut registry = registry.clone();
    let section = Section::open(cx, "providers", node, &[]);
    for member in section.members() {
        let before = section.cx.problems.len();
        let record = one(section.cx, member, &registry);
        if section.cx.problems[before..].iter().any(|problem| problem.severity == Severity::Error) {
            continue;
        }
        match registry.clone().with(record) {
            Ok(more) => registry = more,
            Err(error) => {
                let path = section.path_of(&member.key);
                section.cx.error(&path, &member.at, error.message().to_owned(), "expected a usable record");
            }
        }
    }
    registry
}

/// One record; `None` when a problem that was reported leaves none.
fn one(cx: &mut Context<'_>, member: &Member, registry: &Registry) -> Option<ProviderSpec> {
    let slug = &member.key;
    let path = format!("providers.{slug}");
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(&byte);
    if slug.is_empty() || !slug.bytes().all(plain) {
        let expected = "expected a slug of small letters, digits, `_`, `-` and `.`";
        cx.error(&path, &member.at, format!("found `{slug}`"), expected);
        return None;
    }
    let mut section = Section::open(cx, &path, Some(&member.value), PROVIDER);
    section.review();
    let mut record = beginning(&mut section, slug, registry)?;
    if let Some(name) = section.text("name") {
        record.name = name.into();
    }
    if let Some(docs) = section.text("docs") {
        record.docs = docs.into();
    }
    if let Some(base_url) = section.text("base_url") {
        record.base_url = base_url.trim_end_matches('/').to_owned().into();
    }
    if let Some(prefix) = section.text("prefix") {
        record.prefix = prefix.into();
    }
    for (key, list) in [("base_url_env", &mut record.base_url_env), ("key_env", &mut record.key_env)] {
        if section.gives(key) {
            *list = section.texts(key).into_iter().map(Into::into).collect();
        }
    }
    read(&mut section, "auth", Some(AUTH), &mut record.auth);
    read(&mut section, "dialect", None, &mut record.dialect);
    record.quirks = quirks(&mut section, record.quirks);
    litellm::read(&mut section, &mut record);
    Some(record)
}

const AUTH: &str = "expected `bearer`, `none`, `{header: NAME}`, `{query: NAME}` or `{bearer_or: WORD}`";
/// The record that `like` names, without its keys and hosts, or an empty one.
fn beginning(section: &mut Section<'_, '_, '_>, slug: &str, registry: &Registry) -> Option<ProviderSpec> {
    let id = ProviderId(slug.to_owned().into());
    let Some(like) = section.text("like") else {
        return Some(ProviderSpec {
            name: slug.to_owned().into(),
            id,
            docs: "".into(),
            base_url: "".into(),
            prefix: "".into(),
            base_url_env: Vec::new().into(),
            key_env: Vec::new().into(),
            auth: Auth::Bearer,
            dialect: DialectId::OpenaiChat,
            quirks: Quirks::NONE,
            cloud: CloudSpec::NONE,
        });
    };
    let Some(known) = registry.provider(&like) else {
        let slugs = registry.all();
        let near = nearest(&like, slugs.iter().map(|provider| provider.id.as_str()));
        let (path, at) = (section.path_of("like"), section.at("like"));
        let found = format!("found `{like}`, which nobody knows");
        let problem = section.cx.error(&path, &at, found, "expected the slug of a provider");
        problem.hint = near.map(|near| format!("did you mean `{near}`?"));
        return None;
    };
    // Another vendor's key stays with that vendor.
    let own = *slug == *known.id.as_str();
    let mut record = ProviderSpec { id, ..(**known).clone() };
    if !own {
        record.name = slug.to_owned().into();
        record.base_url = "".into();
        record.base_url_env = Vec::new().into();
        record.key_env = Vec::new().into();
    }
    Some(record)
}

/// Reads a value that serde knows; without words of ours serde says what it expects.
fn read<T: serde::de::DeserializeOwned>(
    section: &mut Section<'_, '_, '_>,
    key: &str,
    expected: Option<&str>,
    into: &mut T,
) {
    let Some(node) = section.value(key) else { return };
    match serde_json::from_value(node.json()) {
        Ok(value) => *into = value,
        Err(error) => {
            let said = error.to_string();
            let known = said.split_once(", expected").map_or(&*said, |(_, known)| known.trim_start());
            let known = format!("expected {known}");
            section.wrong(key, node, expected.unwrap_or(&known));
        }
    }
}

/// The quirks, each key read by itself so that a fault is told where it stands.
fn quirks(section: &mut Section<'_, '_, '_>, beginning: Quirks) -> Quirks {
    let path = section.path_of("quirks");
    let Some(node) = section.mapping("quirks") else { return beginning };
    let mut inner = Section::open(section.cx, &path, Some(node), QUIRKS);
    inner.review();
    let written = serde_json::to_value(&beginning).expect("quirks are plain data");
    let mut whole = written.as_object().cloned().unwrap_or_default();
    let known = |member: &&Member| find(QUIRKS, &member.key).is_some();
    for member in inner.members().iter().filter(known) {
        let value = said(member);
        if let Err(error) = serde_json::from_value::<Quirks>(alone(&member.key, &value)) {
            let path = inner.path_of(&member.key);
            let found = format!("found a value that cannot be read: {error}");
            inner.cx.error(&path, &member.value.at, found, "expected what the reference says of this key");
            continue;
        }
        whole.insert(member.key.clone(), value);
    }
    serde_json::from_value(Value::Object(whole)).unwrap_or(beginning)
}

fn alone(key: &str, value: &Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value.clone())]))
}

/// What a key says; mappings of pairs as the record has them.
fn said(member: &Member) -> Value {
    match member.value.json() {
        Value::Object(pairs) if PAIRS.contains(&member.key.as_str()) => {
            pairs.into_iter().map(|(name, value)| Value::from(vec![Value::from(name), value])).collect()
        }
        other => other,
    }
}

mod litellm;

#[cfg(test)]
mod tests;
