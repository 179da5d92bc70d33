//! Entries of `model_list` that name other groups by what a caller says: `auto_router/…`. LiteLLM surface §7.8.

use std::sync::Arc;
use std::time::Duration;

use llm_router::auto::{
    self, Adaptive, AutoRouter, Choice, Complexity, Custom, Dimension, Keyword, Place, Quality, Rule, Scorer,
    Semantic, Tier,
};
use serde_json::{Map, Value};

use super::Section;
use crate::config::source::{Tree, parse_text};

/// Options of `complexity_router_config` that are served.
const COMPLEXITY: &[&str] = &[
    "tiers",
    "tier_boundaries",
    "token_thresholds",
    "dimension_weights",
    "code_keywords",
    "reasoning_keywords",
    "technical_keywords",
    "simple_keywords",
    "reasoning_override_min_score",
    "keyword_tier_rules",
    "escalation_keywords",
    "custom_dimensions",
    "default_model",
    "session_affinity",
    "session_affinity_ttl_seconds",
    // Shown by LiteLLM's dashboard only.
    "tier_labels",
];

/// How long a session stays with its group unless told.
const SESSION: Duration = Duration::from_secs(3600);

/// The auto router of an entry; problems are reported, and what is wrong is left out.
pub(super) fn router(section: &mut Section<'_, '_, '_>, model: &str) -> AutoRouter {
    let name = model.strip_prefix(auto::PREFIX).unwrap_or(model);
    if name.starts_with("complexity_router") {
        return AutoRouter::Complexity(Box::new(complexity(section)));
    }
    if name.starts_with("quality_router") {
        return AutoRouter::Quality(Box::new(quality(section)));
    }
    if name.starts_with("adaptive_router") {
        return AutoRouter::Adaptive(adaptive(section));
    }
    AutoRouter::Semantic(semantic(section))
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

fn complexity(section: &mut Section<'_, '_, '_>) -> Complexity {
    const KEY: &str = "complexity_router_config";
    let config = section.map(KEY);
    for name in config.keys().filter(|name| !COMPLEXITY.contains(&name.as_str())) {
        let heuristic = name == "classifier_type" && config[name.as_str()] == "heuristic";
        if !heuristic {
            let (path, at) = (format!("{}.{name}", section.path_of(KEY)), section.at(KEY));
            let instead = "it has no effect: prompts are classified by their words";
            section.cx.warning(&path, &at, "found an option that is not served", instead);
        }
    }
    let mut router = Complexity { scorer: scorer(section, KEY, &config), ..Complexity::default() };
    for (name, value) in config.get("tiers").and_then(Value::as_object).into_iter().flatten() {
        match (Tier::named(name), choices(value)) {
            (Some(tier), Some(choices)) => router.tiers[tier as usize] = choices,
            _ => wrong(
                section,
                KEY,
                "tiers",
                "SIMPLE, MEDIUM, COMPLEX and REASONING with a model each, or several",
            ),
        }
    }
    let default = config.get("default_model").and_then(Value::as_str).map(str::to_owned);
    let default = default.or_else(|| section.text("complexity_router_default_model"));
    router.default = default.map(|model| Choice { model: model.into(), params: None });
    if router.tiers.iter().all(Vec::is_empty) && router.default.is_none() {
        section.error(KEY, "found no `tiers`", "expected a model for each tier, or `default_model`");
    }
    router.rules = rules(section, KEY, &config);
    if let Some(words) = config.get("escalation_keywords").and_then(Value::as_array) {
        router.escalations = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if config.get("session_affinity") == Some(&Value::Bool(true)) {
        let ttl = config.get("session_affinity_ttl_seconds").and_then(Value::as_f64);
        router.session = ttl.and_then(|ttl| Duration::try_from_secs_f64(ttl).ok()).or(Some(SESSION));
    }
    router
}

/// A model, a mapping of a model and its parameters, or a list of them.
fn choices(value: &Value) -> Option<Vec<Choice>> {
    let one = |value: &Value| match value {
        Value::String(model) => Some(Choice { model: model.as_str().into(), params: None }),
        Value::Object(map) => {
            let model = map.get("model_name").or_else(|| map.get("model"))?.as_str()?;
            let params =
                map.get("litellm_params").and_then(Value::as_object).filter(|params| !params.is_empty());
            Some(Choice { model: model.into(), params: params.cloned().map(Arc::new) })
        }
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        other => one(other).map(|choice| vec![choice]),
    }
}

fn scorer(section: &mut Section<'_, '_, '_>, key: &str, config: &Map<String, Value>) -> Scorer {
    let mut scorer = Scorer::default();
    if let Some(weights) = config.get("dimension_weights").and_then(Value::as_object) {
        // What a table of weights does not name weighs nothing.
        scorer.weights =
            Dimension::ALL.map(|(_, name, _)| weights.get(name).and_then(Value::as_f64).unwrap_or(0.0));
    }
    let number = |table: &str, name: &str| config.get(table)?.get(name)?.as_f64();
    for (slot, name) in
        scorer.boundaries.iter_mut().zip(["simple_medium", "medium_complex", "complex_reasoning"])
    {
        *slot = number("tier_boundaries", name).unwrap_or(*slot);
    }
    let count = |name: &str| config.get("token_thresholds")?.get(name)?.as_u64();
    let (simple, complex) = scorer.token_thresholds;
    scorer.token_thresholds = (count("simple").unwrap_or(simple), count("complex").unwrap_or(complex));
    for (name, slot) in [
        ("code_keywords", &mut scorer.code),
        ("reasoning_keywords", &mut scorer.reasoning),
        ("technical_keywords", &mut scorer.technical),
        ("simple_keywords", &mut scorer.simple),
    ] {
        if let Some(words) = config.get(name) {
            match keywords(words) {
                Some(words) => *slot = words,
                None => wrong(section, key, name, "a list of words"),
            }
        }
    }
    scorer.override_from = config.get("reasoning_override_min_score").and_then(Value::as_f64);
    for one in config.get("custom_dimensions").and_then(Value::as_array).into_iter().flatten() {
        match custom(one) {
            Some(custom) => scorer.custom.push(custom),
            None => wrong(
                section,
                key,
                "custom_dimensions",
                "{name, weight, keywords, patterns} with valid patterns",
            ),
        }
    }
    scorer
}

fn keywords(value: &Value) -> Option<Vec<Keyword>> {
    let words = value.as_array()?.iter().map(|word| word.as_str().map(|word| Keyword::new(word.trim())));
    words
        .collect::<Option<Vec<_>>>()
        .map(|words| words.into_iter().filter(|word| !word.as_str().is_empty()).collect())
}

fn custom(value: &Value) -> Option<Custom> {
    let empty = Value::Array(Vec::new());
    let patterns = value.get("patterns").and_then(Value::as_array).into_iter().flatten();
    let patterns = patterns.map(|pattern| auto::pattern(pattern.as_str()?)).collect::<Option<Vec<_>>>()?;
    Some(Custom {
        name: value.get("name")?.as_str()?.to_owned(),
        weight: value.get("weight")?.as_f64()?,
        keywords: keywords(value.get("keywords").unwrap_or(&empty))?,
        patterns,
        graded: value.get("scoring_mode").is_some_and(|mode| mode == "match_count"),
    })
}

fn rules(section: &mut Section<'_, '_, '_>, key: &str, config: &Map<String, Value>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for one in config.get("keyword_tier_rules").and_then(Value::as_array).into_iter().flatten() {
        let tier = one.get("tier").and_then(Value::as_str).and_then(Tier::named);
        let words = one.get("keywords").and_then(keywords).filter(|words| !words.is_empty());
        match (tier, words) {
            (Some(tier), Some(keywords)) => rules.push(Rule { keywords, tier }),
            _ => wrong(
                section,
                key,
                "keyword_tier_rules",
                "{keywords, tier} with words and the name of a tier",
            ),
        }
    }
    rules
}

fn quality(section: &mut Section<'_, '_, '_>) -> Quality {
    const KEY: &str = "quality_router_config";
    let config = section.map(KEY);
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
    let weight =
        |name: &str| config.get("weights").and_then(|weights| weights.get(name)).and_then(Value::as_f64);
    let usual = Adaptive::default();
    Adaptive {
        models: models(section, KEY, &config),
        default: section.text("adaptive_router_default_model").map(Arc::from),
        weights: (weight("quality").unwrap_or(usual.weights.0), weight("cost").unwrap_or(usual.weights.1)),
        exploration: config.get("exploration_rate").and_then(Value::as_f64).unwrap_or(usual.exploration),
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
