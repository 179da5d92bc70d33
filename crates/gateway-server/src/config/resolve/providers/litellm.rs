//! Records as LiteLLM's `providers.json` writes them, so that an entry of it can be taken over as it is.

use llm_providers::{Amendment, ProviderSpec, Quirks};

use crate::config::resolve::Section;
use crate::config::source::Node;

/// Reads the words of LiteLLM's format into a record.
pub(super) fn read(section: &mut Section<'_, '_, '_>, record: &mut ProviderSpec) {
    for (key, list) in [("api_base_env", &mut record.base_url_env), ("api_key_env", &mut record.key_env)] {
        if let Some(name) = section.text(key) {
            list.to_mut().push(name.into());
        }
    }
    mappings(section, &mut record.quirks);
    constraints(section, &mut record.quirks);
    if flag(section, "special_handling", "convert_content_list_to_string") {
        record.quirks.amend.to_mut().push(Amendment::JoinTexts);
    }
    record.quirks.responses |=
        section.texts("supported_endpoints").iter().any(|path| path == "/v1/responses");
    for (name, value) in section.map("headers") {
        match value.as_str() {
            Some(text) => record.quirks.headers.to_mut().push((name.into(), text.to_owned().into())),
            None => {
                section.error("headers", format!("found no text for `{name}`"), "expected a header's text")
            }
        }
    }
}

fn mappings(section: &mut Section<'_, '_, '_>, quirks: &mut Quirks) {
    for (name, value) in section.map("param_mappings") {
        match (name.as_str(), value.as_str()) {
            ("max_completion_tokens", Some("max_tokens")) => {
                quirks.max_completion_tokens_as_max_tokens = true
            }
            (_, Some(other)) => {
                quirks.amend.to_mut().push(Amendment::Rename(name.into(), other.to_owned().into()));
            }
            (_, None) => {
                let found = format!("found no text for `{name}`");
                section.error("param_mappings", found, "expected the vendor's name of the parameter");
            }
        }
    }
}

fn constraints(section: &mut Section<'_, '_, '_>, quirks: &mut Quirks) {
    for (name, value) in section.map("constraints") {
        match (name.as_str(), value.as_f64()) {
            ("temperature_max", Some(most)) => quirks.amend.to_mut().push(Amendment::TemperatureAtMost(most)),
            (_, Some(_)) => {
                let (path, at) = (section.path_of("constraints"), section.at("constraints"));
                section.cx.warning(&path, &at, format!("found `{name}`"), "only `temperature_max` counts");
            }
            (_, None) => {
                section.error("constraints", format!("found no number for `{name}`"), "expected a number");
            }
        }
    }
}

fn flag(section: &mut Section<'_, '_, '_>, key: &str, name: &str) -> bool {
    let on = |node: &Node| node.json().as_bool() == Some(true);
    section.mapping(key).and_then(|node| node.member(name)).is_some_and(on)
}
