//! Entries of the configuration that are kept in the database: what the file's lists are made longer by.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use gateway_db::{ConfigEntry, EntryKind, JsonMap};
use llm_providers::Registry;
use serde_json::{Map, Value, json};

use super::raw::{MODEL_PARAMS, ROUTER};
use super::source::{At, Env, Node, Tree};
use super::{Config, Problem, mask, resolve};

/// What a configuration was made from.
pub(crate) struct Origin {
    /// The file, and those it includes, with the environment's values.
    pub(super) root: Node,
    /// The environment, and what the file adds to it.
    pub(crate) env: Env,
    /// The providers that are built in.
    pub(super) registry: Registry,
}

impl Origin {
    pub(super) fn new(root: Node, env: Env, registry: Registry) -> Self {
        Self { root, env, registry }
    }

    /// The configuration with these entries besides the file's. What is wrong with one of them is a warning, and
    /// the entry is left out.
    pub(crate) fn with(self: &Arc<Self>, stored: &StoredEntries) -> (Config, Vec<Problem>) {
        resolve::resolve(self, stored)
    }

    /// The file's credentials: name, values, notes.
    pub(crate) fn credentials(&self) -> Vec<(String, JsonMap, JsonMap)> {
        let map = |node: Option<&Node>| match node.map(Node::json) {
            Some(Value::Object(map)) => map,
            _ => JsonMap::new(),
        };
        let items = self.root.member("credential_list").map(Node::items).unwrap_or_default();
        let read = |item: &Node| {
            let name = item.member("credential_name")?.text()?.to_owned();
            Some((name, map(item.member("credential_values")), map(item.member("credential_info"))))
        };
        items.iter().filter_map(read).collect()
    }

    /// The file's mapping of `litellm_settings` under a name; an empty one where it has none.
    pub(crate) fn setting(&self, name: &str) -> JsonMap {
        let section = self.root.member("litellm_settings");
        match section.and_then(|section| section.member(name)).map(Node::json) {
            Some(Value::Object(map)) => map,
            _ => JsonMap::new(),
        }
    }

    /// The file's settings of the router, without what is secret.
    pub(crate) fn router(&self) -> Map<String, Value> {
        self.root.member("router_settings").map(|node| mask::public(node, ROUTER, true)).unwrap_or_default()
    }

    /// Entries in the form of the file's lists; `os.environ/…` is replaced as in the file.
    pub(crate) fn entries(&self, entries: &[ConfigEntry]) -> StoredEntries {
        let of = |kind: EntryKind, written: fn(&ConfigEntry) -> Value| {
            let entries = entries.iter().filter(|entry| entry.kind == kind);
            let mut list = list(entries.map(|entry| Node::of_json(&written(entry))).collect());
            self.env.expand(&mut list);
            list
        };
        let settings = entries.iter().filter(|entry| entry.kind == EntryKind::Setting);
        StoredEntries {
            settings: settings.map(|entry| (entry.id.clone(), entry.info.clone())).collect(),
            models: of(EntryKind::Model, model),
            credentials: of(EntryKind::Credential, credential),
        }
    }
}

/// Parameters of a deployment without what is secret.
pub(crate) fn public_params(params: &JsonMap) -> Map<String, Value> {
    mask::public(&Node::of_json(&Value::Object(params.clone())), MODEL_PARAMS, true)
}

/// The file may hold secrets.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

/// Entries in the form of the file's lists.
pub(crate) struct StoredEntries {
    pub(super) models: Node,
    pub(super) credentials: Node,
    /// Settings that hold instead of the file's, by name.
    pub(super) settings: HashMap<String, JsonMap>,
}

/// Discounts by provider.
pub(crate) const COST_DISCOUNT: &str = "cost_discount_config";
/// Margins by provider.
pub(crate) const COST_MARGIN: &str = "cost_margin_config";
/// Model groups shown to the public; stored as a mapping with a list under the same name.
pub(crate) const PUBLIC_GROUPS: &str = "public_model_groups";
/// Links shown beside them.
pub(crate) const PUBLIC_LINKS: &str = "public_model_groups_links";

/// Lists of fallbacks; one entry of the database for each group of each, so that what two replicas store at once stays.
pub(crate) const FALLBACK_LISTS: [&str; 3] =
    ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"];
/// Where such an entry has the groups to try; an empty list there takes back what the file says.
pub(crate) const FALLBACK_MODELS: &str = "fallback_models";

/// The id of what is stored of a list for a group.
pub(crate) fn fallback_id(list: &str, group: &str) -> String {
    format!("{list}:{group}")
}

impl StoredEntries {
    /// What is stored of a list of fallbacks: groups, each with the groups to try after it.
    pub(super) fn fallbacks(&self, list: &str) -> Vec<(&str, Vec<&str>)> {
        let of_list = self.settings.iter().filter_map(|(id, info)| {
            let (of, group) = id.split_once(':')?;
            let models = info.get(FALLBACK_MODELS).and_then(Value::as_array)?;
            (of == list).then(|| (group, models.iter().filter_map(Value::as_str).collect()))
        });
        let mut found: Vec<_> = of_list.collect();
        found.sort_unstable();
        found
    }
}

impl Default for StoredEntries {
    fn default() -> Self {
        Self { models: list(Vec::new()), credentials: list(Vec::new()), settings: HashMap::new() }
    }
}

fn list(items: Vec<Node>) -> Node {
    Node { at: At::nowhere(), tree: Tree::List(items) }
}

fn model(entry: &ConfigEntry) -> Value {
    let mut info = entry.info.clone();
    info.insert("id".to_owned(), entry.id.clone().into());
    info.insert("db_model".to_owned(), true.into());
    if entry.blocked {
        info.insert("blocked".to_owned(), true.into());
    }
    json!({ "model_name": entry.name, "litellm_params": entry.secret, "model_info": info })
}

fn credential(entry: &ConfigEntry) -> Value {
    json!({ "credential_name": entry.name, "credential_values": entry.secret, "credential_info": entry.info })
}
