//! `complexity_router_config`.

use std::sync::Arc;
use std::time::Duration;

use llm_router::auto::{
    self, Choice, Compaction, Complexity, Custom, Dimension, Keyword, Reminder, Rule, Scorer, Tier,
};
use serde_json::{Map, Value};

use super::super::Section;
use super::classifier;
use super::{unserved, wrong};

/// Options that are served.
const KNOWN: &[&str] = &[
    "tiers",
    "tier_boundaries",
    "token_thresholds",
    "dimension_weights",
    "code_keywords",
    "reasoning_keywords",
    "technical_keywords",
    "custom_technical_keywords",
    "simple_keywords",
    "reasoning_override_min_score",
    "keyword_tier_rules",
    "escalation_keywords",
    "custom_dimensions",
    "default_model",
    "session_affinity",
    "session_affinity_ttl_seconds",
    "deployment_affinity",
    "classification_mode",
    "plan_mode_min_tier",
    "plan_mode_patterns",
    "stall_escalation_enabled",
    "stall_escalation_window",
    "stall_escalation_repeat_threshold",
    "route_housekeeping_to_cheapest_tier",
    "housekeeping_patterns",
    "enable_context_window_escalation",
    "context_window_escalation_buffer",
    "modality_routing",
    "modality_pin_override",
    "reminder_markers",
    "context_compaction",
    "context_window_compaction_model",
    "cache_aware_routing",
    "cache_aware_routing_output_tokens",
    // LiteLLM asks the provider to count; here nobody is asked.
    "cache_aware_routing_timeout_ms",
    // Shown by LiteLLM's dashboard only.
    "tier_labels",
];

const KEY: &str = "complexity_router_config";
/// How long a session stays with its group unless told.
const SESSION: Duration = Duration::from_secs(3600);
/// Tokens that an answer is expected to have unless told.
const OUTPUT: u64 = 1_024;
/// Tool calls looked at for an agent that is stuck, and how many alike are too many, unless told.
const STALL: (usize, usize) = (6, 3);

/// The router; problems are reported, and what is wrong is left out.
pub(super) fn complexity(section: &mut Section<'_, '_, '_>) -> Complexity {
    let config = section.map(KEY);
    let known = |name: &str| KNOWN.contains(&name) || classifier::KNOWN.contains(&name);
    let off = |name: &str| name == "adaptive" && config[name] == Value::Bool(false);
    unserved(section, KEY, &config, |name| known(name) || off(name));
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
    let ttl = config.get("session_affinity_ttl_seconds").and_then(Value::as_f64);
    let ttl = ttl.map(Duration::try_from_secs_f64).transpose().unwrap_or_else(|_| {
        wrong(section, KEY, "session_affinity_ttl_seconds", "seconds, zero or more");
        None
    });
    let ttl = ttl.unwrap_or(SESSION);
    router.session = is_on(&config, "session_affinity", false).then_some(ttl);
    router.turn = (config.get("classification_mode") == Some(&Value::from("user_turn"))).then_some(ttl);
    router.sticky = is_on(&config, "deployment_affinity", true);
    router.cache_aware = cache_aware(section, &config, &router);
    router.classifier = classifier::classifier(section, KEY, &config);
    of_agents(section, &config, &mut router);
    of_models(section, &config, &mut router);
    router
}

/// The tokens that an answer is expected to have, where conversations stay where they are warm.
fn cache_aware(
    section: &mut Section<'_, '_, '_>,
    config: &Map<String, Value>,
    router: &Complexity,
) -> Option<u64> {
    const NAME: &str = "cache_aware_routing";
    const TOKENS: &str = "cache_aware_routing_output_tokens";
    let expected = config.get(TOKENS).filter(|tokens| !tokens.is_null()).map_or(Some(OUTPUT), Value::as_u64);
    if expected.is_none() {
        wrong(section, KEY, TOKENS, "a number of tokens, zero or more");
    }
    let is_on = is_on(config, NAME, false);
    if is_on && (router.session.is_some() || router.turn.is_some()) {
        let (path, at) = (format!("{}.{NAME}", section.path_of(KEY)), section.at(KEY));
        let found = "found it beside `session_affinity` or `classification_mode: user_turn`";
        section.cx.warning(
            &path,
            &at,
            found,
            "where these keep a model, what is warm elsewhere is not looked at",
        );
    }
    expected.filter(|_| is_on)
}

fn is_on(config: &Map<String, Value>, name: &str, usual: bool) -> bool {
    config.get(name).and_then(Value::as_bool).unwrap_or(usual)
}

fn words(config: &Map<String, Value>, name: &str) -> Vec<String> {
    let words = config.get(name).and_then(Value::as_array).into_iter().flatten();
    let words = words.filter_map(Value::as_str).map(|word| word.trim().to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// What it does for coding agents: those that plan, are stuck, or keep house.
fn of_agents(section: &mut Section<'_, '_, '_>, config: &Map<String, Value>, router: &mut Complexity) {
    if let Some(name) = config.get("plan_mode_min_tier").filter(|name| !name.is_null()) {
        let floor = name.as_str().and_then(|name| Tier::named(name.trim()));
        match floor.filter(|tier| !router.tiers[*tier as usize].is_empty()) {
            Some(floor) => router.plan = Some((floor, words(config, "plan_mode_patterns"))),
            None => wrong(section, KEY, "plan_mode_min_tier", "the name of a tier that has a model"),
        }
    }
    if is_on(config, "stall_escalation_enabled", false) {
        let count = |name: &str, usual: usize| {
            let count = config.get(name).and_then(Value::as_u64);
            count.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0).unwrap_or(usual)
        };
        let times = count("stall_escalation_repeat_threshold", STALL.1);
        router.stall = Some((count("stall_escalation_window", STALL.0), times));
        if router.session.is_some() || router.turn.is_some() {
            let expected = "no `session_affinity` and no `classification_mode: user_turn` beside it";
            wrong(section, KEY, "stall_escalation_enabled", expected);
        }
    }
    if let Some(pairs) = config.get("reminder_markers").and_then(Value::as_array) {
        let text = |pair: &Value, name: &str| pair.get(name)?.as_str().map(str::to_owned);
        let read = |pair: &Value| Reminder::new(&text(pair, "open")?, &text(pair, "close")?);
        router.reminders = pairs.iter().map(read).collect();
        if router.reminders.is_none() {
            wrong(section, KEY, "reminder_markers", "a list of {open, close} with two different texts");
        }
    }
    let keeps = is_on(config, "route_housekeeping_to_cheapest_tier", true);
    router.housekeeping = keeps.then(|| words(config, "housekeeping_patterns"));
}

/// What it asks of models: that they hold the prompt, and take its pictures.
fn of_models(section: &mut Section<'_, '_, '_>, config: &Map<String, Value>, router: &mut Complexity) {
    let share = config.get("context_window_escalation_buffer").and_then(Value::as_f64).unwrap_or(0.95);
    if !(0.0..=1.0).contains(&share) || share == 0.0 {
        wrong(section, KEY, "context_window_escalation_buffer", "a share above 0, up to 1");
    }
    router.compaction = compaction(section, config);
    router.window = is_on(config, "enable_context_window_escalation", true).then_some(share);
    let looks = is_on(config, "modality_routing", false);
    router.modality = looks.then(|| is_on(config, "modality_pin_override", false));
}

/// How conversations are made shorter: only where the operator says so, as a summary is not what was said.
fn compaction(section: &mut Section<'_, '_, '_>, config: &Map<String, Value>) -> Option<Compaction> {
    const NAME: &str = "context_compaction";
    let older = config.get("context_window_compaction_model").and_then(Value::as_str);
    let own = match config.get(NAME) {
        None if older.is_none() => return None,
        Some(Value::Null | Value::Bool(false)) => return None,
        Some(Value::Object(own)) => own.clone(),
        None | Some(Value::Bool(true)) => Map::new(),
        Some(_) => {
            wrong(
                section,
                KEY,
                NAME,
                "`true`, `false` or a mapping {model, trigger_ratio, max_tokens, timeout_seconds}",
            );
            return None;
        }
    };
    let number = |name: &str, usual: f64| own.get(name).map_or(Some(usual), Value::as_f64);
    let ratio = number("trigger_ratio", 0.9).filter(|ratio| *ratio > 0.0 && *ratio < 1.0);
    let max_tokens = own.get("max_tokens").map_or(Some(4_096), Value::as_u64).filter(|tokens| *tokens >= 512);
    let seconds = number("timeout_seconds", 120.0).filter(|seconds| *seconds > 0.0);
    let patience = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let (Some(ratio), Some(max_tokens), Some(patience)) = (ratio, max_tokens, patience) else {
        let expected =
            "`trigger_ratio` between 0 and 1, `max_tokens` of 512 or more, `timeout_seconds` above 0";
        wrong(section, KEY, NAME, expected);
        return None;
    };
    let model = own.get("model").and_then(Value::as_str).or(older).map(Arc::from);
    Some(Compaction { model, ratio, max_tokens, patience })
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
    if let Some(more) = config.get("custom_technical_keywords").and_then(keywords) {
        let new = more.into_iter().filter(|word| !scorer.technical.contains(word)).collect::<Vec<_>>();
        scorer.technical.extend(new);
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
