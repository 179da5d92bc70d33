//! Entries of `model_list` that name other groups by what a caller says: `auto_router/…`. LiteLLM surface §7.8.

mod classifier;
mod complexity;

use std::sync::Arc;

use llm_router::auto::{self, Adaptive, AutoRouter, Place, Quality, Semantic, Tier};
use serde_json::{Map, Value};

use super::Section;
use crate::config::source::{Tree, parse_text};

/// The auto router of an entry; problems are reported, and what is wrong is left out.
pub(super) fn router(section: &mut Section<'_, '_, '_>, model: &str) -> AutoRouter {
    let name = model.strip_prefix(auto::PREFIX).unwrap_or(model);
    if name.starts_with("complexity_router") {
        return AutoRouter::Complexity(Box::new(complexity::complexity(section)));
    }
    if name.starts_with("quality_router") {
        return AutoRouter::Quality(Box::new(quality(section)));
    }
    if name.starts_with("adaptive_router") {
        return AutoRouter::Adaptive(adaptive(section));
    }
    AutoRouter::Semantic(semantic(section))
}

/// Tells of options that are not served.
fn unserved(
    section: &mut Section<'_, '_, '_>,
    key: &str,
    config: &Map<String, Value>,
    known: impl Fn(&str) -> bool,
) {
    for name in config.keys().filter(|name| !known(name)) {
        let (path, at) = (format!("{}.{name}", section.path_of(key)), section.at(key));
        section.cx.warning(&path, &at, "found an option that is not served", "it has no effect");
    }
}

fn wrong(section: &mut Section<'_, '_, '_>, key: &str, member: &str, expected: &str) {
    section.error(key, format!("found something else in `{member}`"), format!("expected {expected}"));
}

fn semantic(section: &mut Section<'_, '_, '_>) -> Semantic {
    let routes = match (section.text("auto_router_config_path"), section.gives("auto_router_config")) {
        (Some(path), _) => from_file(section, &path),
        (None, true) => inline(section),
        (None, false) => {
            let expected = "expected `auto_router_config` or `auto_router_config_path` with the routes";
            section.error("model", "found a semantic router without routes", expected);
            None
        }
    };
    let routes = routes.map(|config| places(section, &config)).unwrap_or_default();
    let embedding = section.text("auto_router_embedding_model");
    if embedding.is_none() {
        let found = "found no `auto_router_embedding_model`";
        section.error("auto_router_embedding_model", found, "expected the name of a model that embeds");
    }
    Semantic {
        routes,
        default: section.text("auto_router_default_model").map(Into::into),
        embedding: embedding.unwrap_or_default().into(),
        max_letters: section.count("auto_router_max_input_chars"),
    }
}

fn from_file(section: &mut Section<'_, '_, '_>, path: &str) -> Option<Value> {
    let key = "auto_router_config_path";
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            section.error(
                key,
                format!("found `{path}`, which cannot be read: {}", error.kind()),
                "expected a file",
            );
            return None;
        }
    };
    let parsed = parse_text(&text, path);
    if parsed.is_none() {
        section.error(key, format!("found `{path}`, which is no YAML or JSON"), "expected a file of routes");
    }
    parsed
}

fn inline(section: &mut Section<'_, '_, '_>) -> Option<Value> {
    let key = "auto_router_config";
    let node = section.value(key)?;
    if matches!(node.tree, Tree::Map(_)) {
        return Some(node.json());
    }
    let parsed = node.text().and_then(|text| serde_json::from_str(text).ok());
    if parsed.is_none() {
        section.wrong(key, node, "expected routes as JSON");
    }
    parsed
}

/// Routes in the format of the `semantic-router` library.
fn places(section: &mut Section<'_, '_, '_>, config: &Value) -> Vec<Place> {
    let routes = config.get("routes").and_then(Value::as_array);
    let place = |route: &Value| {
        let utterances = route.get("utterances").and_then(Value::as_array)?;
        Some(Place {
            name: route.get("name")?.as_str()?.into(),
            utterances: utterances
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            threshold: route.get("score_threshold").and_then(Value::as_f64),
        })
    };
    let places: Option<Vec<Place>> = routes.and_then(|routes| routes.iter().map(place).collect());
    match places.filter(|places| places.iter().any(|place| !place.utterances.is_empty())) {
        Some(places) => places,
        None => {
            let expected = "expected `routes`, a list of {name, utterances, score_threshold}";
            let key = if section.gives("auto_router_config") {
                "auto_router_config"
            } else {
                "auto_router_config_path"
            };
            section.error(key, "found no such routes", expected);
            Vec::new()
        }
    }
}

fn quality(section: &mut Section<'_, '_, '_>) -> Quality {
    const KEY: &str = "quality_router_config";
    let config = section.map(KEY);
    unserved(section, KEY, &config, |name| {
        ["available_models", "default_model", "complexity_to_quality"].contains(&name)
    });
    let mut router = Quality { models: models(section, KEY, &config), ..Quality::default() };
    let default = config.get("default_model").and_then(Value::as_str).map(Arc::from);
    router.default = default.or_else(|| section.text("quality_router_default_model").map(Arc::from));
    for (name, value) in config.get("complexity_to_quality").and_then(Value::as_object).into_iter().flatten()
    {
        match (Tier::named(name), value.as_u64().and_then(|tier| u32::try_from(tier).ok())) {
            (Some(tier), Some(needed)) => router.needed[tier as usize] = needed,
            _ => wrong(
                section,
                KEY,
                "complexity_to_quality",
                "SIMPLE, MEDIUM, COMPLEX and REASONING with a number each",
            ),
        }
    }
    router
}

fn adaptive(section: &mut Section<'_, '_, '_>) -> Adaptive {
    const KEY: &str = "adaptive_router_config";
    let config = section.map(KEY);
    unserved(section, KEY, &config, |name| {
        ["available_models", "weights", "exploration_rate"].contains(&name)
    });
    let weight =
        |name: &str| config.get("weights").and_then(|weights| weights.get(name)).and_then(Value::as_f64);
    let usual = Adaptive::default();
    let exploration = config.get("exploration_rate").and_then(Value::as_f64).unwrap_or(usual.exploration);
    if !(0.0..=1.0).contains(&exploration) {
        wrong(section, KEY, "exploration_rate", "a share from 0 to 1");
    }
    Adaptive {
        models: models(section, KEY, &config),
        default: section.text("adaptive_router_default_model").map(Arc::from),
        weights: (weight("quality").unwrap_or(usual.weights.0), weight("cost").unwrap_or(usual.weights.1)),
        exploration,
    }
}

fn models(section: &mut Section<'_, '_, '_>, key: &str, config: &Map<String, Value>) -> Vec<Arc<str>> {
    let names = config.get("available_models").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<Arc<str>> = names.filter_map(Value::as_str).map(Arc::from).collect();
    if names.is_empty() {
        section.error(key, "found no `available_models`", "expected a list of models");
    }
    names
}
