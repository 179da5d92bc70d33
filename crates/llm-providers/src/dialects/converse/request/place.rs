//! Where a parameter stands in this dialect's body, by the names operators and callers use.

use serde_json::{Map, Value, json};

/// The objects that hold parameters.
pub(in super::super) const HOLDERS: &[&str] =
    &["additionalModelRequestFields", "inferenceConfig", "serviceTier", "toolConfig"];

/// Members of the body itself that a parameter may name.
const OWN: &[&str] = &[
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
];

/// Whether a parameter is a member of the body.
pub(in super::super) fn is_own(name: &str) -> bool {
    OWN.contains(&name)
}

/// Members of the body that are no parameters: nobody sets them beside the request.
fn is_request(name: &str) -> bool {
    matches!(name, "messages" | "system" | "toolConfig" | "model" | "modelId" | "stream")
}

/// The member of `inferenceConfig` that a parameter is.
fn inference(name: &str) -> Option<&'static str> {
    match name {
        "max_tokens" | "max_completion_tokens" | "maxTokens" => Some("maxTokens"),
        "temperature" => Some("temperature"),
        "top_p" | "topP" => Some("topP"),
        "stop" | "stop_sequences" | "stopSequences" => Some("stopSequences"),
        _ => None,
    }
}

/// Adds a parameter unless the body has it.
pub(in super::super) fn add(body: &mut Map<String, Value>, name: &str, value: &Value) {
    if value.is_null() || is_request(name) {
        return;
    }
    if let Some(member) = inference(name) {
        let value = if value.is_string() { json!([value]) } else { value.clone() };
        return absent(object(body, "inferenceConfig"), member, value);
    }
    match (name, value) {
        ("service_tier", Value::String(tier)) => absent(body, "serviceTier", json!({ "type": tier })),
        ("inferenceConfig" | "additionalModelRequestFields" | "extra_body", Value::Object(members)) => {
            members.iter().for_each(|(member, value)| match name {
                "extra_body" => add(body, member, value),
                holder => absent(object(body, holder), member, value.clone()),
            });
        }
        ("extra_headers", _) => {}
        _ if is_own(name) => absent(body, name, value.clone()),
        _ => absent(object(body, "additionalModelRequestFields"), name, value.clone()),
    }
}

/// Removes a parameter.
pub(in super::super) fn remove(body: &mut Map<String, Value>, name: &str) {
    let mut within = |holder: &str, member: &str| {
        if let Some(Value::Object(object)) = body.get_mut(holder) {
            object.shift_remove(member);
        }
    };
    match (inference(name), name) {
        (Some(member), _) => within("inferenceConfig", member),
        (None, "tool_choice") => within("toolConfig", "toolChoice"),
        (None, "service_tier") => drop(body.shift_remove("serviceTier")),
        (None, "response_format") => drop(body.shift_remove("outputConfig")),
        (None, "metadata") => drop(body.shift_remove("requestMetadata")),
        (None, name) if is_own(name) => drop(body.shift_remove(name)),
        (None, name) => within("additionalModelRequestFields", name),
    }
}

fn object<'b>(body: &'b mut Map<String, Value>, name: &str) -> &'b mut Map<String, Value> {
    let slot = body.entry(name).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was made an object")
}

fn absent(object: &mut Map<String, Value>, name: &str, value: Value) {
    if object.get(name).is_none_or(Value::is_null) {
        object.insert(name.to_owned(), value);
    }
}
