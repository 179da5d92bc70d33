//! What functions take of a prompt, by OpenAI's cookbook.
//!
//! OpenAI turns schemas into a text of its own that it does not publish; the cookbook ("How to count tokens
//! with tiktoken", tool calls) gives what each part of it takes.

use llm_types::{Tool, ToolKind};
use serde_json::Value;

use super::Encoding;

/// Tokens that begin the properties of an object.
const OBJECT: u64 = 3;
/// Tokens that each property takes beside its texts.
const PROPERTY: u64 = 3;
/// Tokens that each value of an enumeration takes beside its text.
const VALUE: u64 = 3;
/// What an enumeration takes less.
const ENUMERATION: u64 = 3;
/// Tokens that end the list of functions.
const END: u64 = 12;
/// Objects in objects that are looked into.
const DEEPEST: usize = 32;

/// The tokens of a request's tools.
pub(super) fn of_tools(encoding: Encoding, tools: &[Tool]) -> u64 {
    let end = if tools.iter().any(|tool| matches!(tool.kind, ToolKind::Function { .. })) { END } else { 0 };
    tools.iter().map(|tool| of_tool(encoding, tool)).sum::<u64>() + end
}

fn of_tool(encoding: Encoding, tool: &Tool) -> u64 {
    // Tokens that begin a function: the older encoding's models take more.
    let begin = if encoding == Encoding::Cl100k { 10 } else { 7 };
    let about = tool.description.as_deref().unwrap_or_default();
    let line = encoding.text(&format!("{}:{}", tool.name, about.strip_suffix('.').unwrap_or(about)));
    match &tool.kind {
        ToolKind::Function { parameters } => {
            begin + line + parameters.as_ref().map_or(0, |schema| of_object(encoding, schema, DEEPEST))
        }
        ToolKind::Custom { format } => {
            begin + line + format.as_ref().map_or(0, |format| encoding.text(&format.to_string()))
        }
        ToolKind::Native { value, .. } => begin + encoding.text(&value.to_string()),
    }
}

/// The properties of an object, and of what is in them.
fn of_object(encoding: Encoding, schema: &Value, depth: usize) -> u64 {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return 0 };
    if properties.is_empty() || depth == 0 {
        return 0;
    }
    OBJECT
        + properties.iter().map(|(name, property)| of_property(encoding, name, property, depth)).sum::<u64>()
}

fn of_property(encoding: Encoding, name: &str, property: &Value, depth: usize) -> u64 {
    let text = |member: &str| property.get(member).and_then(Value::as_str).unwrap_or_default();
    let about = text("description");
    let line = format!("{name}:{}:{}", text("type"), about.strip_suffix('.').unwrap_or(about));
    let values = property.get("enum").and_then(Value::as_array).map_or(0, |values| {
        let each = values.iter().map(|value| match value {
            Value::String(text) => VALUE + encoding.text(text),
            other => VALUE + encoding.text(&other.to_string()),
        });
        each.sum::<u64>().saturating_sub(ENUMERATION)
    });
    let items = property.get("items").map_or(0, |items| of_object(encoding, items, depth - 1));
    PROPERTY + encoding.text(&line) + values + items + of_object(encoding, property, depth - 1)
}
