//! A finished body said the way its vendor wants it: one function for each [`Amendment`].
//!
//! It is the last step of both lanes, so that no amendment is written twice. Only vendors whose record lists
//! some pay for it.

use bytes::Bytes;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

mod messages;
mod reasoning;
mod schemas;

use crate::dialects::params::leave_out;
use crate::{Amendment, Target};

/// A JSON object.
type Members = Map<String, Value>;

/// Makes the amendments of a target's record.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what the vendor would refuse.
pub(super) fn amend(body: Bytes, target: &Target) -> Result<Bytes> {
    let amendments = &target.spec.quirks.amend;
    if amendments.is_empty() {
        return Ok(body);
    }
    let read = serde_json::from_slice::<Members>(&body);
    let mut members = read.map_err(|error| broken(&format!("the finished body is no object: {error}")))?;
    for amendment in amendments.iter() {
        make(amendment, &mut members, target)?;
    }
    let written = serde_json::to_vec(&members).map_err(|error| broken(&error.to_string()))?;
    Ok(written.into())
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::Internal, why.to_owned())
}

fn make(amendment: &Amendment, body: &mut Members, target: &Target) -> Result<()> {
    match amendment {
        Amendment::Rename(from, to) => rename(body, from, to),
        Amendment::RenameText(from, to) if body.get(&**from).is_some_and(Value::is_string) => {
            rename(body, from, to);
        }
        Amendment::NoTextFormat if body.get("response_format").is_some_and(|f| f["type"] == "text") => {
            body.shift_remove("response_format");
        }
        Amendment::SchemasOnly => schemas::only(body),
        Amendment::NoForcedCalls if forces(body) => {
            leave_out(&target.policy, "tool_choice", "its models cannot be made to call a tool")?;
            body.shift_remove("tool_choice");
        }
        Amendment::SchemaByTool => schemas::by_tool(body, target)?,
        Amendment::MessagesWithout(names) => messages::without(body, names),
        Amendment::NamesOfUsers => messages::names_of_users(body),
        Amendment::Role(from, to) => messages::said_as(body, from, to),
        Amendment::MergeSystems => messages::merge_systems(body),
        Amendment::OneCallEach => messages::one_call_each(body),
        Amendment::NoEmptyAnswers => messages::no_empty_answers(body),
        Amendment::SoundsAsText => messages::each(body).for_each(messages::sounds_as_text),
        Amendment::JoinTexts => messages::each(body).for_each(messages::join_texts),
        Amendment::NoParts(kinds) => messages::no_parts(body, kinds, target)?,
        Amendment::Required(word) if requires_any(body) => {
            body.insert("tool_choice".to_owned(), (**word).into());
        }
        Amendment::RequiredByAsking(words) if requires_any(body) => {
            body.shift_remove("tool_choice");
            messages::ask(body, words);
        }
        // The body does not say what they change.
        Amendment::RenameText(..)
        | Amendment::NoTextFormat
        | Amendment::NoForcedCalls
        | Amendment::Required(_)
        | Amendment::RequiredByAsking(_) => {}
        Amendment::NoStrict => functions(body).for_each(|function| drop(function.shift_remove("strict"))),
        Amendment::OpenSchemas => functions(body).for_each(|function| {
            function.get_mut("parameters").into_iter().for_each(schemas::open);
        }),
        Amendment::ParametersAlways => functions(body).for_each(|function| {
            function.entry("parameters").or_insert_with(|| json!({"type": "object", "properties": {}}));
        }),
        Amendment::DescriptionAlways => functions(body).for_each(|function| {
            function.entry("description").or_insert_with(|| "".into());
        }),
        Amendment::MarksInParts => messages::each(body).for_each(messages::mark_in_part),
        Amendment::FunctionsOnly => functions_only(body),
        Amendment::TemperatureAtMost(most) => at_most(body, "temperature", *most),
        Amendment::EffortAsThinking => reasoning::effort_as_thinking(body),
        Amendment::ThinkingSwitch => reasoning::thinking_switch(body),
        Amendment::AdaptiveUnsaid => reasoning::adaptive_unsaid(body),
        Amendment::EffortAsBudget => reasoning::effort_as_budget(body),
        Amendment::ThinkingAsEffort => reasoning::thinking_as_effort(body),
        Amendment::EffortHighOrNone => reasoning::high_or_none(body),
        Amendment::ReasoningInAnswers => reasoning::in_answers(body),
        Amendment::ReasoningInCalls => reasoning::in_calls(body),
    }
    Ok(())
}

/// The functions that are offered.
fn functions(body: &mut Members) -> impl Iterator<Item = &mut Members> {
    let tools = body.get_mut("tools").and_then(Value::as_array_mut);
    tools.into_iter().flatten().filter_map(|tool| tool.get_mut("function")?.as_object_mut())
}

/// Renames a member in its place; one that has the other name already counts.
fn rename(body: &mut Members, from: &str, to: &str) {
    if body.contains_key(to) {
        body.shift_remove(from);
    } else if body.contains_key(from) {
        let members = std::mem::take(body).into_iter();
        *body =
            members.map(|(name, value)| (if name == from { to.to_owned() } else { name }, value)).collect();
    }
}

fn requires_any(body: &Members) -> bool {
    body.get("tool_choice").is_some_and(|choice| choice == "required")
}

/// Whether some tool, or one by name, has to be called.
fn forces(body: &Members) -> bool {
    body.get("tool_choice").is_some_and(|choice| choice.is_object() || choice == "required")
}

/// Without any tool left there is nothing to choose.
fn functions_only(body: &mut Members) {
    let Some(tools) = body.get_mut("tools").and_then(Value::as_array_mut) else { return };
    tools.retain(|tool| tool.get("function").is_some());
    if tools.is_empty() {
        body.shift_remove("tools");
        body.shift_remove("tool_choice");
    }
}

fn at_most(body: &mut Members, name: &str, most: f64) {
    let above = |value: &Value| value.as_f64().is_some_and(|number| number > most);
    if body.get(name).is_some_and(above) {
        body.insert(name.to_owned(), json!(most));
    }
}

#[cfg(test)]
mod tests;
