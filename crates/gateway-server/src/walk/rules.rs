//! What keys, teams, projects and the operator say of calls: which tags they have, and what their bodies must have
//! (`tags`, `enforced_params`; LiteLLM surface §2.4, §3.3).

use gateway_db::ScopeKind;
use llm_types::{Error, Result};
use serde_json::Value;

use super::{Call, Caller};

/// Puts the tags of the key, its team and its project on a call, and sees that its body has what it must have.
///
/// # Errors
/// [`llm_types::ErrorKind::BadRequest`] naming the first member that is missing.
pub(super) fn apply(call: &mut Call, caller: &Caller) -> Result<()> {
    let general = &call.snapshot.config.general;
    let said = call.core.shared.directory.scopes.has_rules();
    if !said && general.required.is_empty() {
        return Ok(());
    }
    let Caller::Key(entry) = caller else { return require(call, [general.required.iter()]) };
    let of_services = if entry.rules.is_service { &general.required_of_services[..] } else { &[] };
    require(call, [general.required.iter(), of_services.iter(), entry.rules.required.iter()])?;
    let mut tags: Vec<String> = entry.rules.tags.clone();
    for link in &entry.chain {
        if matches!(link.scope.id.kind, ScopeKind::Team | ScopeKind::Project) {
            tags.extend_from_slice(&link.scope.view().rules.tags);
        }
    }
    call.tag(tags);
    Ok(())
}

/// The tokens that the answer to a call is expected to have, where the key or its team says it.
pub(super) fn answer_of(call: &Call, caller: &Caller) -> Option<u64> {
    let Caller::Key(entry) = caller else { return None };
    if !call.core.shared.directory.scopes.has_rules() {
        return None;
    }
    let model = &call.glance.model;
    let of_team = || entry.team().and_then(|team| team.view().rules.answer_of(model));
    entry.rules.answer_of(model).or_else(of_team)
}

fn require<'n>(call: &Call, lists: impl IntoIterator<Item = std::slice::Iter<'n, String>>) -> Result<()> {
    let mut names = lists.into_iter().flatten().peekable();
    if names.peek().is_none() {
        return Ok(());
    }
    let body = Body::of(call);
    match names.find(|name| !body.has(name)) {
        None => Ok(()),
        Some(name) => {
            let shown = match name.split_once('.') {
                Some(_) => name.split('.').map(|part| format!("[{part}]")).collect(),
                None => name.clone(),
            };
            let message =
                format!("BadRequest please pass param={shown} in request body. This is a required param");
            Err(Error::bad_param(name.clone(), message))
        }
    }
}

/// What a request says.
enum Body<'a> {
    Json(Value),
    Form(&'a llm_providers::operations::Form),
}

impl<'a> Body<'a> {
    fn of(call: &'a Call) -> Self {
        match call.asked.as_ref().and_then(|asked| asked.form.as_ref()) {
            Some(form) => Self::Form(form),
            None => Self::Json(serde_json::from_slice(call.said()).unwrap_or_default()),
        }
    }

    fn has(&self, path: &str) -> bool {
        match self {
            Self::Json(body) => path.split('.').try_fold(body, |part, name| part.get(name)).is_some(),
            // The fields of a form are flat.
            Self::Form(form) => form.fields.iter().any(|field| field.name == path),
        }
    }
}
