//! Tool calls and results told in words, for conversations in which no tool is declared: the vendor
//! refuses blocks of tools there. The form is LiteLLM's, so that prompts of its users stay cached.

use llm_types::{Part, PartKind, ToolCall, ToolResult};

/// Parts with calls and results in words. Calls stand behind the text before them; what a result holds
/// beside text follows it, where `media` allows that.
pub(super) fn in_words(parts: &[Part], media: bool) -> Vec<Part> {
    let mut told: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        let words = match &part.kind {
            PartKind::ToolCall(call) => call_in_words(call),
            PartKind::ToolResult(result) => result_in_words(result),
            _ => {
                told.push(part.clone());
                continue;
            }
        };
        match told.last_mut().map(|last| &mut last.kind) {
            Some(PartKind::Text { text, .. }) if matches!(part.kind, PartKind::ToolCall(_)) => {
                text.push('\n');
                text.push_str(&words);
            }
            _ => told.push(Part { cache: part.cache, ..Part::text(words) }),
        }
        if let PartKind::ToolResult(result) = &part.kind
            && media
        {
            told.extend(
                result.parts.iter().filter(|part| !matches!(part.kind, PartKind::Text { .. })).cloned(),
            );
        }
    }
    told
}

fn call_in_words(call: &ToolCall) -> String {
    let arguments = call.arguments.trim();
    let arguments = if arguments == "{}" { "" } else { arguments };
    format!("[tool call {}: {}({arguments})]", call.id, call.name)
}

fn result_in_words(result: &ToolResult) -> String {
    let texts = result.parts.iter().filter_map(|part| match &part.kind {
        PartKind::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    format!("[tool result for {}: {}]", result.call_id, texts.collect::<String>())
}
