//! What only the caller's dialect can say, on its way to another: told to the caller, or dropped where
//! the operator or the caller allows it.

use std::sync::Arc;

use llm_providers::dialects::openai::responses::DIALECT as RESPONSES;
use llm_providers::left_out::note;
use llm_providers::{DialectId, ParamPolicy};
use llm_types::{ChatRequest, Error, Part, PartKind, Result, ToolKind};

/// Settles a request that is about to be written in another dialect.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] naming a member without which the answer would be another one.
pub(super) fn settle(request: &mut Arc<ChatRequest>, policy: &ParamPolicy) -> Result<()> {
    let dropped = |name: &str| policy.drop || policy.always_drop.iter().any(|listed| listed == name);
    let native = request.native.as_ref();
    if let Some(native) = native
        && let Some(name) = native.needed.iter().find(|name| !dropped(name))
    {
        return Err(Error::unsupported(
            name,
            format!(
                "`{name}` is understood by providers that speak `{}` only, and this model's speaks another API; \
                 leave it out, or set `drop_params: true`",
                native.dialect
            ),
        ));
    }
    native.iter().flat_map(|native| native.fields.0.keys()).for_each(|name| note(name.clone()));
    if dropped("tools") && request.tools.iter().any(|tool| is_own(&tool.kind)) {
        note("tools");
        Arc::make_mut(request).tools.retain(|tool| !is_own(&tool.kind));
    }
    if policy.drop && request.messages.iter().flat_map(|message| &message.parts).any(is_own_part) {
        note("messages.content");
        let request = Arc::make_mut(request);
        for message in &mut request.messages {
            message.parts.retain(|part| !is_own_part(part));
        }
        request.messages.retain(|message| !message.parts.is_empty());
    }
    if request.messages.is_empty() {
        let message = "nothing is left to ask the model: expected at least one message or item, found none";
        return Err(Error::bad_param("messages", message));
    }
    Ok(())
}

/// Takes out what callers of the Responses API say of caches where the provider has no words for it: the
/// answer stays the same, and the clients of that API always say it. LiteLLM leaves it out too.
pub(super) fn leave_hints(request: &mut Arc<ChatRequest>, provider: DialectId) {
    let knows = matches!(provider, DialectId::OpenaiChat | DialectId::OpenaiResponses);
    if !knows && request.options.prompt_cache_key.is_some() {
        Arc::make_mut(request).options.prompt_cache_key = None;
        note("prompt_cache_key");
    }
}

fn is_own(kind: &ToolKind) -> bool {
    matches!(kind, ToolKind::Native { dialect, .. } if dialect == RESPONSES)
}

fn is_own_part(part: &Part) -> bool {
    matches!(&part.kind, PartKind::Native { dialect, .. } if dialect == RESPONSES)
}

#[cfg(test)]
mod tests;
