//! The room of the Responses API's memory: what a call goes on from, and whether its reply is kept.
//!
//! A reply that its provider keeps is known there by the provider's id: the next call goes to the same
//! deployment with that id. All other replies are kept here, and the next call carries the conversation.

use std::sync::Arc;

use gateway_db::StoredResponse;
use llm_providers::DialectId;
use llm_providers::dialects::openai::responses::{input_items, outline, with_history};
use llm_providers::scan;
use llm_types::{DeploymentId, Error, ErrorKind, Result};
use serde_json::{Map, Value};

use super::{Call, Caller};
use crate::responses;
use crate::state::{Core, Shared};

/// The longest chain of replies that is followed.
const LONGEST: usize = 1_000;

/// A reply that is to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Keep {
    shared: Arc<Shared>,
    record: StoredResponse,
}

impl Keep {
    /// Keeps a reply that is held here.
    pub(crate) fn held(mut self, deployment: &str, reply: String) {
        self.record.held = true;
        self.record.deployment = deployment.to_owned();
        self.record.reply = Some(reply);
        responses::keep(&self.shared, self.record);
    }

    /// The same under another id: the one that the caller was told.
    pub(crate) fn named(mut self, id: &str) -> Self {
        self.record.id = id.to_owned();
        self
    }

    /// Remembers which deployment's provider keeps a reply.
    pub(crate) fn elsewhere(mut self, deployment: &str, id: &str) {
        self.record.held = false;
        self.record.deployment = deployment.to_owned();
        self.record.id = id.to_owned();
        (self.record.input, self.record.previous) = (None, None);
        responses::keep(&self.shared, self.record);
    }

    /// The record so far.
    pub(crate) fn record(&self) -> &StoredResponse {
        &self.record
    }
}

/// Reads what a call says of memory, and makes its body one that stands alone where that is needed.
///
/// # Errors
/// [`ErrorKind::NotFound`] when what it goes on from is not kept for this caller,
/// [`ErrorKind::Overloaded`] when the database does not answer.
pub(super) async fn recall(call: &mut Call, caller: &Caller) -> Result<()> {
    if call.dialect.id() != DialectId::OpenaiResponses {
        return Ok(());
    }
    let outline = outline(&call.body);
    let asked = call.body.clone();
    let mut previous = None;
    if let Some(id) = &outline.previous {
        previous = go_on(call, caller, id).await?;
    }
    if outline.background && !kept_by_provider(call, caller) {
        let body = with_history(&call.body, &[], &["background"])?;
        let stream = Map::from_iter([("stream".to_owned(), Value::Bool(true))]);
        call.wants_stream = call.glance.stream;
        call.replace_body(scan::merge(&body, &stream)?)?;
        call.glance.stream = true;
        call.runs_on = true;
    }
    let retention = call.snapshot.config.general.responses_retention;
    let keeps = outline.store && !retention.is_zero() && !call.compacts();
    if keeps || call.runs_on {
        let until = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let record = StoredResponse {
            input: keeps.then(|| Value::Array(input_items(&asked, &call.id_digits())).to_string()),
            previous,
            expires_at: call.started_ms.saturating_add(until.max(MADE_FOR)),
            ..owned(call, caller)
        };
        call.keep = Some(Keep { shared: Arc::clone(&call.core.shared), record });
    }
    call.waits_elsewhere = outline.background && !call.runs_on;
    Ok(())
}

/// A reply made in the background can be asked for at least this long, in milliseconds.
const MADE_FOR: i64 = 10 * 60 * 1_000;

fn owned(call: &Call, caller: &Caller) -> StoredResponse {
    let key = match caller {
        Caller::Operator => None,
        Caller::Key(entry) => Some(entry.record.hash.as_str().to_owned()),
    };
    StoredResponse {
        id: call.reply_id(),
        key_hash: key,
        team_id: caller.team().map(str::to_owned),
        model_group: call.glance.model.clone(),
        created_at: call.started_ms,
        ..StoredResponse::default()
    }
}

/// Whether every deployment that could answer has a store of its own: then its provider does what is
/// asked in the background.
fn kept_by_provider(call: &Call, caller: &Caller) -> bool {
    let Some(route) = call.snapshot.routes().resolve(&call.glance.model, caller.team()) else { return false };
    let metrics = &call.core.shared.metrics;
    route.group.candidates.iter().all(|candidate| {
        let model = route.model(&candidate.deployment);
        let served = call.snapshot.served(&candidate.deployment, &model, metrics);
        served.is_ok_and(|served| {
            served.mock_response.is_none() && served.dialect_for(call.dialect).id() == call.dialect.id()
        })
    })
}

/// Goes on from a reply; gives its id if it is held here.
async fn go_on(call: &mut Call, caller: &Caller, id: &str) -> Result<Option<String>> {
    let found = responses::find(&call.core.shared, id).await?;
    match found {
        Some(record) if !caller.owns(&record) => Err(not_found(id)),
        Some(record) if record.held => {
            let history = history(&call.core, caller, record).await?;
            let body = with_history(&call.body, &history, &["previous_response_id"])?;
            call.replace_body(body)?;
            Ok(Some(id.to_owned()))
        }
        Some(record) => {
            call.controls.pinned = Some(pin(call, caller, &record)?);
            call.controls.disable_fallbacks = true;
            Ok(None)
        }
        // A provider may know what was made without this gateway; an id of ours it cannot know.
        None if is_ours(id) => Err(not_found(id)),
        None => Ok(None),
    }
}

/// The deployment to go on at: the one that answered, or one of the group that is the same account.
fn pin(call: &Call, caller: &Caller, record: &StoredResponse) -> Result<DeploymentId> {
    let routes = call.snapshot.routes();
    let answered = routes.deployments().iter().find(|one| one.id.as_str() == record.deployment);
    let group = routes.resolve(&call.glance.model, caller.team()).map(|route| route.group);
    let mut candidates = group.iter().flat_map(|group| &group.candidates).map(|one| &one.deployment);
    let same = |one: &llm_router::Deployment| match answered {
        Some(answered) => {
            let key = |one: &llm_router::Deployment| {
                one.target.key.as_ref().map(|key| key.reveal().as_bytes().to_vec())
            };
            one.target.base_url == answered.target.base_url && key(one) == key(answered)
        }
        None => false,
    };
    let own = candidates.clone().find(|one| one.id.as_str() == record.deployment);
    own.or_else(|| candidates.find(|one| same(one))).map(|one| one.id.clone()).ok_or_else(|| {
        let (model, made_by) = (&call.glance.model, &record.model_group);
        Error::new(
            ErrorKind::NotFound,
            format!(
                "the previous response was made by `{made_by}`, whose provider keeps it: no deployment of `{model}` \
                 has access to it; ask `{made_by}`, or send the conversation in `input`"
            ),
        )
        .with_param("previous_response_id")
        .with_code("previous_response_not_found")
    })
}

/// What was said up to a reply, oldest first.
pub(crate) async fn history(
    core: &Arc<Core>,
    caller: &Caller,
    last: Arc<StoredResponse>,
) -> Result<Vec<Value>> {
    let mut said = Vec::new();
    let mut record = last;
    for _ in 0..LONGEST {
        let reply: Value = parsed(record.reply.as_deref());
        if matches!(reply["status"].as_str(), Some("queued" | "in_progress")) {
            let message = format!("the previous response `{}` is not finished", record.id);
            return Err(Error::bad_param("previous_response_id", message));
        }
        let mut turn = items(record.input.as_deref());
        turn.extend(reply.get("output").and_then(Value::as_array).cloned().unwrap_or_default());
        said.push(turn);
        let Some(id) = &record.previous else { break };
        let earlier = responses::find(&core.shared, id).await?;
        record = earlier.filter(|earlier| caller.owns(earlier)).ok_or_else(|| not_found(id))?;
    }
    Ok(said.into_iter().rev().flatten().collect())
}

/// A kept list of items.
pub(crate) fn items(json: Option<&str>) -> Vec<Value> {
    match parsed(json) {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn parsed(json: Option<&str>) -> Value {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// Whether an id has the form of those given out here: `resp_` and 32 hexadecimal digits.
fn is_ours(id: &str) -> bool {
    let digits = id.strip_prefix("resp_").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The error of an id that is not kept for this caller; it tells nothing of other callers' replies.
pub(crate) fn not_found(id: &str) -> Error {
    let shown: String = id.chars().take(100).collect();
    Error::new(ErrorKind::NotFound, format!("Previous response with id '{shown}' not found."))
        .with_param("previous_response_id")
        .with_code("previous_response_not_found")
}

impl Caller {
    /// Whether a reply is this caller's: its own, one of its team, or anyone's for the operator.
    pub(crate) fn owns(&self, record: &StoredResponse) -> bool {
        let Self::Key(entry) = self else { return true };
        let own = record.key_hash.as_deref() == Some(entry.record.hash.as_str());
        own || (self.team().is_some() && self.team() == record.team_id.as_deref())
    }
}

#[cfg(test)]
mod tests;
