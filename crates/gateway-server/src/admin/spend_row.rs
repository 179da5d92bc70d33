//! One call of the spend log as LiteLLM's answers show it (surface §3.8, §12).

use gateway_db::{SessionSums, SpendRow};
use serde_json::{Value, json};

use super::view::time;
use crate::config::RowMetadata;

/// The member of metadata that is always there.
const STATUS: &str = "status";

/// A row, with the members of metadata that the operator wants.
pub(super) fn row(row: &SpendRow, fields: Option<&RowMetadata>) -> Value {
    let mut shown = whole(row);
    if let (Some(fields), Some(Value::Object(metadata))) = (fields, shown.get_mut("metadata")) {
        metadata.retain(|name, _| name == STATUS || fields.has(name));
    }
    shown
}

fn whole(row: &SpendRow) -> Value {
    let end = row.started_at.saturating_add(row.duration_us / 1_000);
    let first = row.first_byte_us.map(|us| row.started_at.saturating_add(us / 1_000));
    let json_of = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let tags: Value = json_of(&row.tags).unwrap_or_else(|| json!([]));
    let usage: Value = json_of(&row.usage).unwrap_or(Value::Null);
    let told = told(row);
    let noted = |name: &str| told.get(name).cloned().unwrap_or_else(|| json!({}));
    let failed = matches!(row.outcome.as_str(), "failed" | "cut");
    json!({
        "request_id": row.request_id,
        "litellm_call_id": row.call_id.as_deref().unwrap_or(&row.request_id),
        "call_type": row.call_type,
        "api_key": row.key.as_ref().map(|key| key.as_str()),
        "spend": row.cost.map_or(0.0, |cost| cost.as_usd()),
        "total_tokens": row.input_tokens + row.output_tokens,
        "prompt_tokens": row.input_tokens,
        "completion_tokens": row.output_tokens,
        "startTime": time(Some(row.started_at)),
        "endTime": time(Some(end)),
        "completionStartTime": time(first.or(Some(end))),
        "request_duration_ms": row.duration_us / 1_000,
        "model": row.model,
        "model_id": row.deployment,
        "model_group": row.model_group,
        "custom_llm_provider": row.provider,
        "user": row.user_id,
        "end_user": row.end_user,
        "team_id": row.team_id,
        "organization_id": row.organization_id,
        "cache_hit": if row.cache_hit { "True" } else { "False" },
        "request_tags": tags,
        "status": if failed { "failure" } else { "success" },
        "metadata": {
            "status": if failed { "failure" } else { "success" },
            "user_api_key": row.key.as_ref().map(|key| key.as_str()),
            "user_api_key_user_id": row.user_id,
            "user_api_key_team_id": row.team_id,
            "user_api_key_org_id": row.organization_id,
            "attempted_retries": row.retries,
            "attempted_fallbacks": row.fallbacks,
            "usage_object": usage,
            "error_information": row.error.as_ref().map(|error| json!({
                "error_class": error,
                "error_code": row.status.to_string(),
            })),
            "outcome": row.outcome,
            "usage_is_estimated": row.estimated,
            "price_is_unknown": row.unpriced,
            "spend_logs_metadata": told.get("spend_logs_metadata"),
        },
        "session_id": row.session_id,
        "messages": noted("messages"),
        "response": noted("response"),
        "proxy_server_request": noted("proxy_server_request"),
    })
}

/// Models of a session that are named.
const MODELS: usize = 10;

/// Adds what the session of a call came to; a call without one stands alone.
pub(super) fn tell_session(shown: &mut Value, session: Option<&SessionSums>) {
    let Some(sums) = session else {
        shown["session_total_count"] = 1.into();
        return;
    };
    let Value::Object(row) = shown else { return };
    row.extend([
        ("session_total_count".to_owned(), sums.calls.into()),
        ("session_total_spend".to_owned(), sums.cost.as_usd().into()),
        ("session_total_duration_ms".to_owned(), (sums.duration_us / 1_000).into()),
        ("session_cache_hit_count".to_owned(), sums.cache_hits.into()),
        ("session_llm_count".to_owned(), sums.calls.into()),
        ("session_total_prompt_tokens".to_owned(), sums.input_tokens.into()),
        ("session_total_completion_tokens".to_owned(), sums.output_tokens.into()),
        ("session_total_tokens".to_owned(), (sums.input_tokens + sums.output_tokens).into()),
        ("session_models".to_owned(), sums.models.iter().take(MODELS).cloned().collect()),
        ("session_models_truncated".to_owned(), (sums.models.len() > MODELS).into()),
    ]);
}

/// What was noted of a call beside figures, and what a row that was imported had in columns that are none here.
pub(super) fn told(row: &SpendRow) -> Value {
    let told: Option<Value> = row.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(mut told) = told else { return Value::Null };
    match told.get_mut("litellm").map(Value::take) {
        None => told,
        Some(mut theirs) => {
            let notes = theirs.pointer("/metadata/spend_logs_metadata").cloned().unwrap_or_default();
            theirs["spend_logs_metadata"] = notes;
            theirs
        }
    }
}
