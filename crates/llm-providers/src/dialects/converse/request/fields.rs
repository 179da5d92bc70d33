//! What has no canonical form: members of the body, and members of `additionalModelRequestFields`,
//! which go to the model as they are.

use http::HeaderMap;
use llm_types::ChatRequest;
use serde_json::{Map, Value};

use super::super::content::NATIVE;
use super::super::models::Model;
use super::place;
use crate::Target;
use crate::dialects::anthropic::{BETA_HEADER, add_extra};

const ADDED: &str = "additionalModelRequestFields";
const EXTRA_HEADERS: &str = "extra_headers";
/// Claude's beta features, by their names.
const BETAS: &str = "anthropic_beta";
/// The beta features that Claude has behind this dialect; it refuses names it does not know, so others
/// that a caller's header names are left out. Names in the body are the caller's own affair.
const HERE: &[&str] = &[
    "computer-use-2025-01-24",
    "computer-use-2025-11-24",
    "context-1m-2025-08-07",
    "effort-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "structured-outputs-2025-11-13",
    "thinking-binding-controls-2026-08-01",
    "thinking-display-updates-2026-08-18",
];

/// The members, and the headers a caller adds.
#[derive(Debug)]
pub(super) struct Fields {
    /// Members of the body itself.
    pub(super) top: Map<String, Value>,
    /// Members for the model.
    pub(super) added: Map<String, Value>,
    pub(super) headers: HeaderMap,
}

impl Fields {
    /// The caller's own members, then the target's.
    pub(super) fn of(
        request: &ChatRequest,
        defaults: &Map<String, Value>,
        target: &Target,
        model: &Model,
    ) -> Self {
        let native = request.native.as_ref().filter(|native| native.dialect == NATIVE);
        let mut top = native.map(|native| native.fields.0.clone()).unwrap_or_default();
        for (name, value) in request.extra.0.iter().chain(defaults) {
            place::add(&mut top, name, value);
        }
        for name in &target.policy.always_drop {
            place::remove(&mut top, name);
        }
        let added = match top.shift_remove(ADDED) {
            Some(Value::Object(added)) => added,
            _ => Map::new(),
        };
        // Said in canonical form already.
        top.shift_remove("inferenceConfig");
        let mut fields = Self { top, added, headers: HeaderMap::new() };
        fields.read_headers(request.extra.value(EXTRA_HEADERS), model.claude.is_some());
        fields
    }

    /// Takes the caller's own headers. Beta features are named in the body here.
    fn read_headers(&mut self, given: Option<&Value>, is_claude: bool) {
        add_extra(&mut self.headers, given);
        let names: Vec<String> = self
            .headers
            .get_all(BETA_HEADER)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_owned())
            .filter(|name| is_claude && HERE.contains(&name.as_str()))
            .collect();
        self.headers.remove(BETA_HEADER);
        self.add_betas(names.iter().map(String::as_str));
    }

    /// Names beta features, each once.
    pub(super) fn add_betas<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        for name in names.filter(|name| !name.is_empty()) {
            let list = self.added.entry(BETAS).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::String(one) = list {
                *list = Value::Array(one.split(',').map(|name| Value::from(name.trim())).collect());
            }
            if let Value::Array(list) = list
                && !list.iter().any(|have| have == name)
            {
                list.push(Value::from(name));
            }
        }
    }
}
