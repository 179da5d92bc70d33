//! Fields of requests that are kept as they came, and what each must look like: what could not be read where it counts
//! would limit, name or forbid nothing.

use gateway_db::JsonMap;
use serde_json::Value;

use super::lax;
use super::refusal::Refusal;
use crate::limits::parse_duration_ms;

/// What a field looks like.
enum Shape {
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects,
    /// A list of anything.
    List,
    /// An object.
    Map,
    /// Texts by name.
    Names,
    /// Whole numbers by name.
    Counts,
    /// A whole number above zero.
    Count,
    /// `true` or `false`.
    Flag,
    /// A length of time such as `30d`.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

use Shape::{Count, Counts, Duration, Flag, List, Map, Names, Objects, OneOf, Text, Texts};

/// How rates may be meant.
const THROUGHPUTS: Shape = OneOf(&["guaranteed_throughput", "best_effort_throughput", "dynamic"]);

/// What may be permitted to the members of a team, as LiteLLM lists it (surface §3.5).
pub(super) const PERMISSIONS: &[&str] = &[
    "/key/generate",
    "/key/update",
    "/key/delete",
    "/key/info",
    "/key/regenerate",
    "/key/service-account/generate",
    "/key/{key_id}/regenerate",
    "/key/list",
    "/key/block",
    "/key/unblock",
    "/key/bulk_update",
    "/team/key/bulk_update",
    "/team/daily/activity",
    "/team/daily/activity/aggregated",
    "/team/daily/activity/aggregated/keys",
    "/team/daily/activity/aggregated/search",
    "/team/daily/activity/aggregated/model_top_keys",
    "/team/daily/activity/export",
    "/spend/logs",
    "/spend/logs/v2",
    "/key/{key_id}/reset_spend",
    "/key/aliases",
    "/key/access_group_assignment",
    "/auto_router/manage",
];

/// The fields, whatever the request is about (surface §3.3).
const SHAPES: &[(&str, Shape)] = &[
    ("access_group_ids", Texts),
    ("allowed_cache_controls", List),
    ("allowed_model_region", OneOf(&["eu", "us"])),
    ("allowed_models", Texts),
    ("allowed_passthrough_routes", List),
    ("allowed_vector_store_indexes", Objects),
    ("budget_id", Text),
    ("default_estimated_output_tokens", Count),
    ("default_estimated_output_tokens_per_model", Counts),
    ("default_model", Text),
    ("default_team_member_models", Texts),
    ("denied_passthrough_routes", Texts),
    ("description", Text),
    ("disable_global_guardrails", Flag),
    ("enable_prompt_caching", Flag),
    ("end_user_budget_id", Text),
    ("enforced_batch_output_expires_after", Map),
    ("enforced_file_expires_after", Map),
    ("enforced_params", Texts),
    ("guardrails", Texts),
    ("mcp_rpm_limit", Counts),
    ("model_aliases", Names),
    ("model_info", Map),
    ("model_itpm_limit", Counts),
    ("model_otpm_limit", Counts),
    ("object_permission", Map),
    ("policies", Texts),
    ("prompts", Texts),
    ("rpm_limit_type", THROUGHPUTS),
    ("secret_manager_settings", Map),
    ("send_invite_email", Flag),
    ("sso_user_id", Text),
    ("tag_rpm_limit", Counts),
    ("tags", Texts),
    ("team_member_key_duration", Duration),
    ("throttle_on_budget_exceeded", Flag),
    ("tpm_limit_type", THROUGHPUTS),
];

/// The fields that do not look as they must, each as a problem of the request.
pub(super) fn problems(fields: &JsonMap) -> Vec<Value> {
    let given = SHAPES.iter().filter_map(|(name, shape)| Some((*name, shape, fields.get(*name)?)));
    let mut problems: Vec<Value> = given
        .filter(|(_, _, said)| !said.is_null())
        .filter_map(|(name, shape, said)| shape.problem(name, said))
        .collect();
    problems.extend(fields.get("team_member_permissions").into_iter().flat_map(unknown_permissions));
    problems
}

/// Booleans and whole numbers are kept as what they mean: `"yes"` is `true`, `"5"` is 5.
pub(super) fn settle(fields: &mut JsonMap) {
    for (name, shape) in SHAPES {
        let Some(said) = fields.get_mut(*name) else { continue };
        let means = match shape {
            Flag => lax::boolean(said).ok().map(Value::from),
            Count => lax::count(said).ok().map(Value::from),
            _ => None,
        };
        if let Some(means) = means {
            *said = means;
        }
    }
}

impl Shape {
    fn problem(&self, name: &str, said: &Value) -> Option<Value> {
        let (kind, words) = self.words();
        let message = format!("Input should be {words}");
        (!self.is_of(said)).then(|| Refusal::field(kind, name, &message, said))
    }

    fn is_of(&self, said: &Value) -> bool {
        let all = |is: fn(&Value) -> bool| said.as_array().is_some_and(|list| list.iter().all(is));
        let by_name = |is: fn(&Value) -> bool| said.as_object().is_some_and(|map| map.values().all(is));
        match self {
            Text => said.is_string(),
            Texts => all(Value::is_string),
            Objects => all(Value::is_object),
            List => said.is_array(),
            Map => said.is_object(),
            Names => by_name(Value::is_string),
            Counts => by_name(|said| said.is_null() || said.is_u64()),
            Count => said.as_u64().is_some_and(|count| count > 0),
            Flag => said.is_boolean(),
            Duration => said.as_str().and_then(parse_duration_ms).is_some(),
            OneOf(words) => said.as_str().is_some_and(|said| words.contains(&said)),
        }
    }

    /// The framework's name for what is wrong, and what was expected.
    fn words(&self) -> (&'static str, String) {
        let (kind, words) = match self {
            Text => ("string_type", "a valid string"),
            Texts => ("list_type", "a valid list of strings"),
            Objects => ("list_type", "a valid list of dictionaries"),
            List => ("list_type", "a valid list"),
            Map => ("dict_type", "a valid dictionary"),
            Names => ("dict_type", "a valid dictionary of strings"),
            Counts => ("dict_type", "a valid dictionary of non-negative integers"),
            Count => ("int_type", "a valid integer greater than 0"),
            Flag => ("bool_type", "a valid boolean"),
            Duration => ("value_error", "a duration: a number and one of s, m, h, d, w, mo such as `30d`"),
            OneOf(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
                return ("literal_error", quoted.join(" or "));
            }
        };
        (kind, words.to_owned())
    }
}

/// Permissions that there are none of, each as a problem.
fn unknown_permissions(said: &Value) -> Vec<Value> {
    let name = "team_member_permissions";
    if said.is_null() {
        return Vec::new();
    }
    let Some(list) = said.as_array() else {
        return vec![Refusal::field("list_type", name, "Input should be a valid list", said)];
    };
    let unknown = |said: &&Value| !said.as_str().is_some_and(|said| PERMISSIONS.contains(&said));
    let message = format!("Input should be one of {}", PERMISSIONS.join(", "));
    list.iter().filter(unknown).map(|said| Refusal::field("enum", name, &message, said)).collect()
}

#[cfg(test)]
mod tests;
