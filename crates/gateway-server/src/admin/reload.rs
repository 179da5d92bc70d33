//! `/reload/*`: what the gateway read from elsewhere is read again.

use gateway_db::JsonMap;
use http::StatusCode;
use serde_json::{Value, json};

use super::job::Job;
use super::refusal::Refusal;
use super::settings::keep;
use super::view::time;
use crate::prices::{WANTED, WANTED_AT};

/// `/reload/model_cost_map`: the price map is read again and holds from the next call on, in all gateways that share the
/// database's configuration (`store_model_in_db`).
pub(super) async fn prices(job: &Job) -> Result<Value, Refusal> {
    let models = job.shared.prices.reload(&job.shared).await.map_err(|why| {
        let words = format!("Failed to reload model cost map: {why}");
        Refusal::Detail(StatusCode::INTERNAL_SERVER_ERROR, words.into())
    })?;
    if job.shared.stored.seal().is_some() {
        job.shared.prices.hear(job.moment.now);
        keep(job, WANTED, JsonMap::from_iter([(WANTED_AT.to_owned(), json!(job.moment.now))])).await?;
    }
    Ok(json!({
        "message": format!("Price data reloaded successfully! {models} models updated."),
        "status": "success",
        "models_count": models,
        "timestamp": time(Some(job.moment.now)),
    }))
}

/// `/reload/anthropic_beta_headers`: LiteLLM has a table of which provider knows which beta feature; here they are sent
/// as callers and models name them, so that no table is out of date.
pub(super) fn betas(job: &Job) -> Value {
    json!({
        "message": "Beta headers are sent as callers and models name them: there is no table to reload. 0 providers updated.",
        "status": "success",
        "providers_count": 0,
        "timestamp": time(Some(job.moment.now)),
    })
}
