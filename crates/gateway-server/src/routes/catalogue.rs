//! What is known of models and providers, configured or not: prices, retirements, what a provider needs; and what of
//! it the public may see.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use llm_router::{FallbackTarget, strategies};
use llm_types::Result;
use serde_json::{Map, Value, json};

use super::{abilities, models, operators_only};
use crate::answer::{self, ReplyBody};
use crate::clock::now_ms;
use crate::config::{FALLBACK_LISTS, Model, router_fields};
use crate::door::ConnState;
use crate::state::{Core, Snapshot};
use crate::walk::{Role, query};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Deployments whose models go out of service.
    Deprecations,
    /// What providers need.
    Settings,
    /// Where prices come from.
    CostMapSource,
    /// All prices; for everybody.
    CostMap,
    /// The model groups that the public may see.
    PublicHub,
    /// What the public is told beside them.
    PublicHubInfo,
    /// What can be said to the router.
    RouterFields,
    /// The same, and what is said.
    RouterSettings,
}

/// Answers a question about what is known.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    asked: Known,
    path: &'static str,
    head: &Parts,
) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let public = matches!(asked, Known::CostMap | Known::PublicHub | Known::PublicHubInfo);
    if !public && let Err(error) = administrators(core, conn, &snapshot, head, path).await {
        return answer::openai_error(&error);
    }
    let value = match asked {
        Known::Deprecations => deprecations(&snapshot, head),
        Known::Settings => settings(&snapshot),
        Known::CostMapSource => source(core, &snapshot),
        Known::CostMap => return cost_map(core, &snapshot).await,
        Known::PublicHub => hub(&snapshot),
        Known::RouterFields => router(&Map::new()),
        Known::RouterSettings => {
            let values = router_values(&snapshot);
            let mut told = router(&values);
            told["current_values"] = Value::Object(values);
            told
        }
        Known::PublicHubInfo => json!({
            "docs_title": "Gateway",
            "custom_docs_description": null,
            "litellm_version": env!("CARGO_PKG_VERSION"),
            "useful_links": snapshot.config.calls.public_links,
        }),
    };
    answer::json_response(StatusCode::OK, &value)
}

/// Administrators and those who may look at everything.
async fn administrators(
    core: &Arc<Core>,
    conn: &ConnState,
    snapshot: &Snapshot,
    head: &Parts,
    path: &'static str,
) -> Result<()> {
    let caller = models::enter(core, conn, snapshot, head, path).await?;
    if caller.role() == Role::Other { Err(operators_only(&caller, path)) } else { Ok(()) }
}

/// The settings of the router, and what the strategies are.
fn router(values: &Map<String, Value>) -> Value {
    let told = strategies::ALL.iter().map(|strategy| (strategy.name, strategy.about));
    json!({
        "fields": router_fields(values),
        "routing_strategy_descriptions": told.collect::<BTreeMap<_, _>>(),
    })
}

/// What the file says to the router, and the fallbacks in force, which may be stored ones.
fn router_values(snapshot: &Snapshot) -> Map<String, Value> {
    let mut values = snapshot.config.origin.router();
    let router = &snapshot.config.router;
    let lists = [&router.fallbacks, &router.context_window_fallbacks, &router.content_policy_fallbacks];
    for (name, map) in FALLBACK_LISTS.into_iter().zip(lists).filter(|(_, map)| !map.is_empty()) {
        let entry = |(group, targets): (&str, &[FallbackTarget])| {
            let models: Vec<&str> = targets.iter().map(|target| &*target.model).collect();
            json!({ group: models })
        };
        values.insert(name.to_owned(), map.iter().map(entry).collect());
    }
    let strategy = || Value::from(router.strategy.name);
    values.entry("routing_strategy").or_insert_with(strategy);
    values
}

/// Days before a retirement that count as near, unless told (`warn_within_days`).
const NEAR_DAYS: i32 = 30;

/// `/model/deprecations`: deployments whose models have a day of retirement, by how near it is; the first to go first.
fn deprecations(snapshot: &Snapshot, head: &Parts) -> Value {
    let near = query::value(head.uri.query(), "warn_within_days");
    let near = near.and_then(|text| text.parse().ok()).unwrap_or(NEAR_DAYS);
    let today = Timestamp::from_millisecond(now_ms()).map(|now| now.to_zoned(TimeZone::UTC).date());
    let today = today.unwrap_or_default();
    let mut rows: Vec<(i32, Value)> = Vec::new();
    for model in &snapshot.config.models {
        let info = snapshot.info_of(model);
        let Some(date) = info.get("deprecation_date").and_then(Value::as_str) else { continue };
        let Some(days) = days_until(today, date) else { continue };
        let row = json!({
            "model_name": &*model.deployment.group,
            "litellm_model": model.deployment.params.get("model"),
            "deprecation_date": date,
            "days_until_deprecation": days,
            "status": status(days, near),
            "litellm_provider": model.deployment.target.spec.id.as_str(),
        });
        rows.push((days, row));
    }
    rows.sort_by_key(|(days, _)| *days);
    let of = |word: &str| -> Vec<&Value> {
        rows.iter().map(|(_, row)| row).filter(|row| row["status"] == word).collect()
    };
    json!({
        "deprecated": of("deprecated"),
        "imminent": of("imminent"),
        "upcoming": of("upcoming"),
        "warn_within_days": near,
    })
}

fn days_until(today: Date, date: &str) -> Option<i32> {
    let date: Date = date.get(..10)?.parse().ok()?;
    Some(today.until((Unit::Day, date)).ok()?.get_days())
}

fn status(days: i32, near: i32) -> &'static str {
    match days {
        ..0 => "deprecated",
        _ if days <= near => "imminent",
        _ => "upcoming",
    }
}

/// `/model/settings`: every provider, and what its deployments are given.
fn settings(snapshot: &Snapshot) -> Value {
    let field = |name: &str, words: &str, value: Value| json!({ "field_name": name, "field_type": "string", "field_description": words, "field_value": value });
    let provider = |spec: &&llm_providers::Provider| {
        let mut fields = vec![field("api_key", "What the provider is signed in to with.", Value::Null)];
        let base = spec.full_base_url(None);
        let base = if base.is_empty() { Value::Null } else { base.into() };
        fields.push(field("api_base", "Where the provider is, if elsewhere.", base));
        json!({ "name": spec.id.as_str(), "fields": fields })
    };
    snapshot.config.registry.all().iter().map(provider).collect()
}

/// `/model/cost_map/source`: prices are a part of the program where the operator has no map of their own.
fn source(core: &Core, snapshot: &Snapshot) -> Value {
    let (url, why_not) = core.shared.prices.origin();
    json!({
        "source": if url.is_some() { "remote" } else { "local" },
        "url": url,
        "is_env_forced": snapshot.config.calls.price_map.local,
        "fallback_reason": why_not,
        "model_count": snapshot.book().count(),
    })
}

/// `/public/litellm_model_cost_map`: all prices in LiteLLM's keys. Thousands of records are read for it, which is no
/// work for a thread that serves calls.
async fn cost_map(core: &Arc<Core>, snapshot: &Snapshot) -> Response<ReplyBody> {
    let book = Arc::clone(snapshot.book());
    let written = core.shared.control.spawn_blocking(move || {
        let map: BTreeMap<String, Map<String, Value>> =
            book.models().map(|info| (info.name.to_string(), info.to_litellm())).collect();
        serde_json::to_vec(&map)
    });
    match written.await {
        Ok(Ok(body)) => answer::json_written(StatusCode::OK, body),
        Ok(Err(_)) | Err(_) => {
            answer::detail(StatusCode::INTERNAL_SERVER_ERROR, "the prices cannot be written")
        }
    }
}

/// `/public/model_hub`: what is made public by `/model_group/make_public` or `litellm_settings.public_model_groups`.
fn hub(snapshot: &Snapshot) -> Value {
    let group = |name: &String| {
        let models: Vec<&Model> =
            snapshot.config.models.iter().filter(|model| *model.deployment.group == **name).collect();
        (!models.is_empty()).then(|| {
            let mut group = abilities::group(snapshot, name, &models);
            group["is_public_model_group"] = true.into();
            group
        })
    };
    snapshot.config.calls.public_groups.iter().filter_map(group).collect()
}
