//! Who tells how hard a prompt is: `classifier_type` of `complexity_router_config`.

use std::time::Duration;

use http::Uri;
use llm_router::auto::{Capability, Classifier, Forecast, Judge, Pair, Tier, Webhook, Who};
use llm_types::Secret;
use serde_json::{Map, Value};

use super::super::Section;
use super::wrong;

/// Options that are read here.
pub(super) const KNOWN: &[&str] = &[
    "classifier_type",
    "classifier_llm_config",
    "classifier_fallback",
    "classification_prompt",
    "classification_examples",
    "classifier_context_window_size",
    "classifier_context_budget_chars",
    "classifier_context_include_assistant_turns",
    "heuristic_first_max_tier",
    "hybrid_boundary_margin",
    "capability_classifier_config",
    "llm_v2_config",
    "classifier_plugin",
    "classifier_plugin_secret",
    "classifier_plugin_timeout_ms",
];

/// The longest wait for an answer unless told, milliseconds, and the rest of who was too slow, seconds.
const PATIENCE: usize = 3_000;
const REST: f64 = 30.0;

type Config = Map<String, Value>;

/// The classifier; one that is not served is told of, and the words decide.
pub(super) fn classifier(section: &mut Section<'_, '_, '_>, key: &str, config: &Config) -> Classifier {
    let kind = config.get("classifier_type").and_then(Value::as_str).unwrap_or("heuristic");
    match kind {
        "heuristic" => return Classifier::Words,
        "heuristic_v2" => return Classifier::Success,
        "custom" => return custom(section, key, config),
        _ => {}
    }
    if !["llm", "heuristic_first", "hybrid", "capability", "llm_v2"].contains(&kind) {
        let (path, at) = (format!("{}.classifier_type", section.path_of(key)), section.at(key));
        let instead = "it is not served: prompts are classified by their words";
        section.cx.warning(&path, &at, format!("found `{kind}`"), instead);
        return Classifier::Words;
    }
    let Some(judge) = judge(section, key, config) else { return Classifier::Words };
    match kind {
        "heuristic_first" => first(section, key, config, judge),
        "hybrid" => hybrid(section, key, config, judge),
        "capability" => capability(section, key, config, judge),
        "llm_v2" => forecast(section, key, config, judge),
        _ => Classifier::Model(judge),
    }
}

fn text(from: Option<&Config>, name: &str) -> Option<String> {
    let text = from?.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn count(config: &Config, name: &str, usual: usize) -> usize {
    let count = config.get(name).and_then(Value::as_u64);
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usual)
}

/// What is quoted of what was said before.
fn context(config: &Config) -> (usize, usize, bool) {
    (
        count(config, "classifier_context_window_size", 3),
        count(config, "classifier_context_budget_chars", 8_000),
        config.get("classifier_context_include_assistant_turns") == Some(&Value::Bool(true)),
    )
}

fn falls_to_default(config: &Config) -> bool {
    config.get("classifier_fallback") == Some(&Value::from("default_model"))
}

/// A program of the operator's. LiteLLM names a Python class here, which cannot be run: its words decide, where the
/// operator lets them.
fn custom(section: &mut Section<'_, '_, '_>, key: &str, config: &Config) -> Classifier {
    const NAME: &str = "classifier_plugin";
    const GUIDE: &str = "(docs/guide/auto-routers.md)";
    let Some(said) = text(Some(config), NAME) else {
        wrong(section, key, NAME, "the URL of a program that names a tier");
        return Classifier::Words;
    };
    let url: Option<Uri> = said.parse().ok();
    let url = url.filter(|url| url.host().is_some() && matches!(url.scheme_str(), Some("http" | "https")));
    let Some(url) = url else {
        let (path, at) = (format!("{}.{NAME}", section.path_of(key)), section.at(key));
        let found = format!("found `{said}`, which looks like a Python class");
        let way_out =
            format!("Python is not run here: name the URL of a program that answers with a tier {GUIDE}");
        match falls_to_default(config) {
            // Words are what the operator does not want to decide.
            true => section.cx.error(&path, &at, found, format!("expected a URL: {way_out}")),
            false => {
                let meanwhile = format!("prompts are classified by their words. {way_out}");
                section.cx.warning(&path, &at, found, meanwhile)
            }
        };
        return Classifier::Words;
    };
    let patience = count(config, "classifier_plugin_timeout_ms", PATIENCE);
    if patience == 0 {
        wrong(section, key, "classifier_plugin_timeout_ms", "milliseconds, more than zero");
    }
    let secret = text(Some(config), "classifier_plugin_secret").map(Secret::new);
    Classifier::Model(Judge {
        who: Who::Webhook(Webhook { url, secret }),
        patience: Duration::from_millis(u64::try_from(patience).unwrap_or(u64::MAX)),
        breaker: Duration::try_from_secs_f64(REST).ok(),
        effort: None,
        system: None,
        instructions: None,
        examples: None,
        context: context(config),
        falls_to_default: falls_to_default(config),
        max_tokens: 0,
    })
}

fn judge(section: &mut Section<'_, '_, '_>, key: &str, config: &Config) -> Option<Judge> {
    let own = config.get("classifier_llm_config").and_then(Value::as_object);
    let Some(model) = text(own, "model") else {
        wrong(section, key, "classifier_llm_config", "a mapping with the `model` to ask");
        return None;
    };
    let number = |name: &str| own?.get(name)?.as_f64();
    let breaks =
        own.and_then(|own| own.get("circuit_breaker_enabled")).and_then(Value::as_bool).unwrap_or(true);
    let rest = Duration::try_from_secs_f64(number("circuit_breaker_cooldown_seconds").unwrap_or(REST));
    if rest.is_err() {
        wrong(section, key, "circuit_breaker_cooldown_seconds", "seconds, zero or more");
    }
    let patience = own.map_or(PATIENCE, |own| count(own, "timeout_ms", PATIENCE));
    Some(Judge {
        who: Who::Model(model.into()),
        patience: Duration::from_millis(u64::try_from(patience).unwrap_or(u64::MAX)),
        breaker: rest.ok().filter(|_| breaks),
        effort: text(own, "reasoning_effort"),
        system: text(own, "system_prompt"),
        instructions: text(Some(config), "classification_prompt"),
        examples: text(Some(config), "classification_examples"),
        context: context(config),
        falls_to_default: falls_to_default(config),
        max_tokens: 256,
    })
}

fn tier(config: Option<&Config>, name: &str, usual: Option<Tier>) -> Option<Tier> {
    match config.and_then(|config| config.get(name)) {
        None => usual,
        Some(value) => value.as_str().and_then(|name| Tier::named(name.trim())),
    }
}

fn first(section: &mut Section<'_, '_, '_>, key: &str, config: &Config, judge: Judge) -> Classifier {
    let most = tier(Some(config), "heuristic_first_max_tier", None).filter(|tier| *tier < Tier::Reasoning);
    if most.is_none() {
        wrong(section, key, "heuristic_first_max_tier", "the name of a tier below the highest");
    }
    Classifier::First(judge, most.unwrap_or(Tier::Simple))
}

fn hybrid(section: &mut Section<'_, '_, '_>, key: &str, config: &Config, judge: Judge) -> Classifier {
    let margin = config.get("hybrid_boundary_margin").and_then(Value::as_f64);
    let margin = margin.filter(|margin| (0.0..=1.0).contains(margin));
    if margin.is_none() {
        wrong(section, key, "hybrid_boundary_margin", "a number from 0 to 1");
    }
    Classifier::Hybrid(judge, margin.unwrap_or_default())
}

/// The two tiers of a forecast.
fn pair(section: &mut Section<'_, '_, '_>, key: &str, name: &str, own: Option<&Config>) -> Pair {
    let efficient = tier(own, "efficient_tier", Some(Tier::Simple));
    let capable = tier(own, "capable_tier", Some(Tier::Reasoning));
    if efficient.zip(capable).is_none_or(|(efficient, capable)| efficient >= capable) {
        wrong(section, key, name, "`efficient_tier` and, higher, `capable_tier`");
    }
    Pair { efficient: efficient.unwrap_or(Tier::Simple), capable: capable.unwrap_or(Tier::Reasoning) }
}

fn with_room(judge: Judge, own: Option<&Config>, usual: u64) -> Judge {
    let most = own.and_then(|own| own.get("max_output_tokens")).and_then(Value::as_u64);
    Judge { max_tokens: most.unwrap_or(usual), ..judge }
}

fn capability(section: &mut Section<'_, '_, '_>, key: &str, config: &Config, judge: Judge) -> Classifier {
    const NAME: &str = "capability_classifier_config";
    let own = config.get(NAME).and_then(Value::as_object);
    let pair = pair(section, key, NAME, own);
    let base = own.and_then(|own| own.get("base_threshold")).and_then(Value::as_f64);
    let step = own.and_then(|own| own.get("threshold_step")).and_then(Value::as_f64).unwrap_or_default();
    let fits = |base: &f64| step >= 0.0 && *base >= 0.0 && base + 2.0 * step <= 1.0;
    if base.filter(fits).is_none() {
        let expected = "`base_threshold` from 0 to 1, with twice `threshold_step` at most 1";
        wrong(section, key, NAME, expected);
    }
    let asked = Capability { base: base.unwrap_or(1.0), step };
    Classifier::Capability(with_room(judge, own, 4_096), pair, asked)
}

fn forecast(section: &mut Section<'_, '_, '_>, key: &str, config: &Config, judge: Judge) -> Classifier {
    const NAME: &str = "llm_v2_config";
    let own = config.get(NAME).and_then(Value::as_object);
    let pair = pair(section, key, NAME, own);
    let text = |name: &str| {
        let text = own.and_then(|own| own.get(name)).and_then(Value::as_str).unwrap_or_default();
        text.trim().to_owned()
    };
    let gap = own.and_then(|own| own.get("max_quality_gap")).and_then(Value::as_f64);
    let (efficient, capable, harness) = (text("efficient_profile"), text("capable_profile"), text("harness"));
    let told = ![&efficient, &capable, &harness].iter().any(|text| text.is_empty());
    if !told || gap.filter(|gap| (0.0..=1.0).contains(gap)).is_none() {
        let expected = "`efficient_profile`, `capable_profile`, `harness` and `max_quality_gap` from 0 to 1";
        wrong(section, key, NAME, expected);
    }
    let forecast = Forecast { efficient, capable, harness, gap: gap.unwrap_or_default() };
    Classifier::Forecast(with_room(judge, own, 1_024), pair, forecast)
}
