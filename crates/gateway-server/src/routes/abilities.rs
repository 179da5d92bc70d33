//! What models can: parameters they take, and what is known of the groups they form.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use llm_providers::Target;
use llm_providers::dialects::openai_params;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use super::models::{Shown, enter};
use crate::answer::{self, ReplyBody};
use crate::config::Model;
use crate::door::ConnState;
use crate::state::{Core, Snapshot};
use crate::walk::query;

/// `GET /utils/supported_openai_params?model=`: of a configured model, else of `<provider>/<model>`.
pub(super) async fn params(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let told = async {
        enter(core, conn, &snapshot, head, "/utils/supported_openai_params").await?;
        let lacking = || Error::new(ErrorKind::BadRequest, "the query names no `model`").with_param("model");
        let name =
            query::value(head.uri.query(), "model").filter(|name| !name.is_empty()).ok_or_else(lacking)?;
        params_of(&snapshot, &name)
    };
    match told.await {
        Ok(params) => answer::json_response(StatusCode::OK, &json!({ "supported_openai_params": params })),
        Err(error) => answer::openai_error(&error),
    }
}

/// `GET /utils/model_info?model=&custom_llm_provider=`: what the price map says of a model, whether or not one is
/// configured that is it.
pub(super) async fn record(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    const PATH: &str = "/utils/model_info";
    let snapshot = core.shared.snapshot();
    if let Err(error) = enter(core, conn, &snapshot, head, PATH).await {
        return answer::openai_error(&error);
    }
    let given = |name| query::value(head.uri.query(), name).filter(|value| !value.is_empty());
    let Some(name) = given("model") else {
        let error = Error::new(ErrorKind::BadRequest, "the query names no `model`").with_param("model");
        return answer::openai_error(&error);
    };
    let provider = given("custom_llm_provider");
    match record_of(&snapshot, &name, provider.as_deref()) {
        Some(record) => answer::json_response(StatusCode::OK, &record),
        None => {
            let provider = provider.as_deref().unwrap_or("None");
            let error = format!("model={name}, custom_llm_provider={provider} is not in the model cost map");
            answer::json_response(StatusCode::NOT_FOUND, &json!({ "detail": { "error": error } }))
        }
    }
}

fn record_of(snapshot: &Snapshot, name: &str, provider: Option<&str>) -> Option<Value> {
    let whole =
        provider.map(|provider| format!("{provider}/{}", name.trim_start_matches(&format!("{provider}/"))));
    let (spec, model) = snapshot.config.registry.split_model(whole.as_deref().unwrap_or(name)).ok()?;
    let known = snapshot.known(spec.id.as_str(), model)?;
    let can = |ability: &str| known.supports(ability) == Some(true);
    let params = openai_params(&Target::bare(Arc::clone(spec), model).routed().for_model(can));
    let mut info = known.to_litellm();
    info.entry("key").or_insert_with(|| name.into());
    info.entry("litellm_provider").or_insert_with(|| spec.id.as_str().into());
    info.insert("supported_openai_params".to_owned(), params.into());
    Some(json!({ "model": name, "custom_llm_provider": spec.id.as_str(), "model_info": info }))
}

fn params_of(snapshot: &Snapshot, name: &str) -> Result<Vec<&'static str>> {
    let configured = snapshot.config.models.iter().find(|model| *model.deployment.group == *name);
    if let Some(model) = configured {
        return Ok(of_model(snapshot, model));
    }
    let registry = &snapshot.config.registry;
    let (provider, model) = registry.split_model(name)?;
    let info = snapshot.known(provider.id.as_str(), model);
    let can = |ability: &str| info.as_ref().is_some_and(|info| info.supports(ability) == Some(true));
    Ok(openai_params(&Target::bare(Arc::clone(provider), model).routed().for_model(can)))
}

/// The parameters that a configured model takes.
pub(super) fn of_model(snapshot: &Snapshot, model: &Model) -> Vec<&'static str> {
    let info = snapshot.info_of(model);
    let can = |ability: &str| info.get(&format!("supports_{ability}")) == Some(&Value::Bool(true));
    openai_params(&(*model.deployment.target).clone().for_model(can))
}

/// `GET /model_group/info`: what the deployments of each name can, taken together. A limit or price is the
/// highest among them, an ability is there if one has it.
pub(super) async fn groups(core: &Arc<Core>, conn: &ConnState, head: &Parts) -> Response<ReplyBody> {
    let snapshot = core.shared.snapshot();
    let caller = match enter(core, conn, &snapshot, head, "/model_group/info").await {
        Ok(caller) => caller,
        Err(error) => return answer::openai_error(&error),
    };
    let wanted = query::value(head.uri.query(), "model_group");
    let shown = Shown::of(&snapshot, &caller, head);
    let mut groups: BTreeMap<&str, Vec<&Model>> = BTreeMap::new();
    for model in &snapshot.config.models {
        let name = &*model.deployment.group;
        let asked = wanted.as_deref().map_or_else(|| shown.lists(name), |wanted| wanted == name);
        if asked && caller.sees(&snapshot, name) {
            groups.entry(name).or_default().push(model);
        }
    }
    let mut data: Vec<Value> = Vec::new();
    for (name, models) in &groups {
        data.push(group(&snapshot, name, models));
        // Of hundreds of groups this is work for a while: the core's calls go on meanwhile.
        tokio::task::yield_now().await;
    }
    answer::json_response(StatusCode::OK, &json!({ "data": data }))
}

/// Facts of which a group has the highest.
const HIGHEST: [&str; 4] =
    ["max_input_tokens", "max_output_tokens", "input_cost_per_token", "output_cost_per_token"];

pub(super) fn group(snapshot: &Snapshot, name: &str, models: &[&Model]) -> Value {
    let mut entry = Map::from_iter([("model_group".to_owned(), Value::from(name))]);
    let (mut providers, mut params): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for fact in HIGHEST {
        entry.insert(fact.to_owned(), Value::Null);
    }
    entry.insert("mode".to_owned(), Value::Null);
    for model in models {
        let info = snapshot.info_of(model);
        join(&mut entry, &info);
        let slug = model.deployment.target.spec.id.as_str();
        providers.extend((!providers.contains(&slug)).then_some(slug));
        for param in of_model(snapshot, model) {
            params.extend((!params.contains(&param)).then_some(param));
        }
    }
    let sum = |limit: fn(&Model) -> Option<u64>| {
        models.iter().filter_map(|model| limit(model)).reduce(|sum, limit| sum.saturating_add(limit))
    };
    entry.insert("tpm".to_owned(), sum(|model| model.deployment.tpm).into());
    entry.insert("rpm".to_owned(), sum(|model| model.deployment.rpm).into());
    entry.insert("providers".to_owned(), providers.into());
    params.sort_unstable();
    entry.insert("supported_openai_params".to_owned(), params.into());
    Value::Object(entry)
}

/// Adds what one deployment can.
fn join(entry: &mut Map<String, Value>, info: &Map<String, Value>) {
    for (key, value) in info {
        let is_ability = key.starts_with("supports_") && value.is_boolean();
        let known = entry.get(key);
        let replaces = if HIGHEST.contains(&key.as_str()) {
            value.as_f64() > known.and_then(Value::as_f64)
        } else if key == "mode" {
            known.is_none_or(Value::is_null)
        } else {
            is_ability && known != Some(&Value::Bool(true))
        };
        if replaces {
            entry.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
