//! What a key, a team or a project says of its calls beside limits: their tags, what their bodies must have, how long
//! their answers are expected to be. LiteLLM takes each as a field and keeps it in `metadata` (surface §3.3).

use gateway_db::JsonMap;
use serde_json::Value;

use super::For;

/// What is said of calls; most say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Tags that every call has (`tags`).
    pub(crate) tags: Vec<String>,
    /// Members that every body must have, as dotted paths (`enforced_params`).
    pub(crate) required: Vec<String>,
    /// The key belongs to a service, to no person (`metadata.service_account_id`).
    pub(crate) is_service: bool,
    /// What is noted in rows of the spend log (`metadata.spend_logs_metadata`).
    pub(crate) notes: JsonMap,
    /// Nothing of what is said is kept there (`metadata.turn_off_message_logging`).
    pub(crate) is_silent: bool,
    /// Its rates of requests, and of tokens, hold only while the model fails (`rpm_limit_type`, `tpm_limit_type`:
    /// `dynamic`).
    pub(crate) is_dynamic: (bool, bool),
    /// Tokens of an answer to a call that sets no cap (`default_estimated_output_tokens`).
    answer: Option<u64>,
    /// The same by model (`default_estimated_output_tokens_per_model`).
    answers: Vec<(For, u64)>,
}

impl Rules {
    /// Those of settings.
    pub(super) fn of(extra: &JsonMap, metadata: &JsonMap) -> Self {
        let said =
            |name: &str| extra.get(name).filter(|value| !value.is_null()).or_else(|| metadata.get(name));
        let texts = |name: &str| -> Vec<String> {
            let listed = said(name).and_then(Value::as_array).into_iter().flatten();
            listed.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let by_model = said("default_estimated_output_tokens_per_model").and_then(Value::as_object);
        let answers = by_model.into_iter().flatten();
        Self {
            tags: texts("tags"),
            required: texts("enforced_params"),
            is_service: metadata.get("service_account_id").is_some_and(|id| !id.is_null()),
            notes: metadata
                .get("spend_logs_metadata")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            is_silent: metadata.get("turn_off_message_logging") == Some(&Value::Bool(true)),
            is_dynamic: (
                said("rpm_limit_type") == Some(&Value::from("dynamic")),
                said("tpm_limit_type") == Some(&Value::from("dynamic")),
            ),
            answer: said("default_estimated_output_tokens").and_then(Value::as_u64),
            answers: answers
                .filter_map(|(model, tokens)| Some((For::Model(model.clone()), tokens.as_u64()?)))
                .collect(),
        }
    }

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The tokens that an answer of a model is expected to have where the call sets no cap.
    pub(crate) fn answer_of(&self, model: &str) -> Option<u64> {
        let own = self.answers.iter().find(|(of, _)| of.holds(model, &[]));
        own.map(|(_, tokens)| *tokens).or(self.answer)
    }
}

#[cfg(test)]
mod tests;
