//! Replies of the Responses API that are asked for later: read, stopped, forgotten, and their input.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use gateway_db::StoredResponse;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use llm_providers::dialects::OPENAI_RESPONSES;
use llm_providers::framing::sse;
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::answer::{self, ReplyBody};
use crate::door::ConnState;
use crate::responses;
use crate::state::{Core, Served, Snapshot};
use crate::walk::{Caller, admit, ask_provider, history_of, items};

/// What is asked of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The reply itself.
    Read,
    /// To stop making it.
    Cancel,
    /// To forget it.
    Delete,
    /// What it was made from.
    Input,
}

/// Items of a page unless the caller says otherwise, and at most.
const PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

/// One question about one reply.
struct Question<'a> {
    core: &'a Arc<Core>,
    snapshot: Arc<Snapshot>,
    caller: Caller,
    id: &'a str,
    query: &'a str,
}

/// Answers a question about a reply.
pub(super) async fn answer(
    core: &Arc<Core>,
    conn: &ConnState,
    (asked, path): (Ask, &'static str),
    head: &Parts,
    id: &str,
) -> Response<ReplyBody> {
    match answered(core, conn, (asked, path), head, id).await {
        Ok(response) => response,
        Err(error) => answer::error_response(&error, OPENAI_RESPONSES),
    }
}

async fn answered(
    core: &Arc<Core>,
    conn: &ConnState,
    (asked, path): (Ask, &'static str),
    head: &Parts,
    id: &str,
) -> Result<Response<ReplyBody>> {
    let snapshot = core.shared.snapshot();
    let caller = admit(core, conn, &snapshot, head).await?;
    caller.may_call_route(&snapshot, path)?;
    let question = Question { core, snapshot, caller, id, query: head.uri.query().unwrap_or_default() };
    let record = responses::find(&core.shared, id).await?;
    let record = record.filter(|record| question.caller.owns(record)).ok_or_else(|| not_found(id))?;
    if record.held {
        return match asked {
            Ask::Read => question.read(&record),
            Ask::Cancel => question.cancel(&record).await,
            Ask::Delete => question.delete().await,
            Ask::Input => question.input(&record).await,
        };
    }
    question.at_provider(asked, &record).await
}

fn not_found(id: &str) -> Error {
    let shown: String = id.chars().take(100).collect();
    Error::new(ErrorKind::NotFound, format!("Response with id '{shown}' not found."))
        .with_vendor_type("invalid_request_error")
        .with_param("id")
}

impl Question<'_> {
    fn param(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn read(&self, record: &StoredResponse) -> Result<Response<ReplyBody>> {
        let reply = reply_of(record);
        if self.param("stream") != Some("true") {
            return Ok(answer::json_response(StatusCode::OK, &reply));
        }
        if is_under_way(&reply) {
            let message =
                "`stream`: the response is still being made; ask again without `stream` until it ends";
            return Err(Error::bad_param("stream", message));
        }
        let after = self.param("starting_after").and_then(|number| number.parse::<u64>().ok());
        let mut frames = BytesMut::new();
        replay(&reply, after, &mut frames);
        Ok(answer::event_stream(ReplyBody::full(frames.freeze())))
    }

    /// Stops a reply that is being made; one that has ended stays what it is.
    async fn cancel(&self, record: &StoredResponse) -> Result<Response<ReplyBody>> {
        let mut reply = reply_of(record);
        if reply["background"] != json!(true) {
            let message =
                format!("response `{}` was not made in the background: it cannot be cancelled", self.id);
            return Err(Error::bad_param("id", message));
        }
        if is_under_way(&reply) {
            if !self.core.shared.responses.stop(self.id) {
                responses::ask_to_stop(&self.core.shared, self.id).await?;
            }
            reply["status"] = json!("cancelled");
        }
        Ok(answer::json_response(StatusCode::OK, &reply))
    }

    async fn delete(&self) -> Result<Response<ReplyBody>> {
        self.core.shared.responses.stop(self.id);
        responses::forget(&self.core.shared, self.id).await?;
        let deleted = json!({"id": self.id, "object": "response", "deleted": true});
        Ok(answer::json_response(StatusCode::OK, &deleted))
    }

    /// What a reply was made from, with all that was said before; the newest first unless asked otherwise.
    async fn input(&self, record: &StoredResponse) -> Result<Response<ReplyBody>> {
        let mut all = Vec::new();
        if let Some(previous) = &record.previous {
            let earlier = responses::find(&self.core.shared, previous).await?;
            if let Some(earlier) = earlier.filter(|earlier| self.caller.owns(earlier)) {
                all = history_of(self.core, &self.caller, earlier).await?;
            }
        }
        all.extend(items(record.input.as_deref()));
        if self.param("order") != Some("asc") {
            all.reverse();
        }
        let id = |item: &Value| item.get("id").and_then(Value::as_str).map(str::to_owned);
        if let Some(after) = self.param("after") {
            let at = all.iter().position(|item| id(item).as_deref() == Some(after));
            all.drain(..at.map_or(all.len(), |at| at + 1));
        }
        let size = self.param("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE);
        let size = size.clamp(1, LARGEST_PAGE);
        let more = all.len() > size;
        all.truncate(size);
        let (first, last) = (all.first().and_then(id), all.last().and_then(id));
        let list = json!({
            "object": "list", "data": all, "first_id": first, "last_id": last, "has_more": more,
        });
        Ok(answer::json_response(StatusCode::OK, &list))
    }

    /// Asks the provider that keeps the reply.
    async fn at_provider(&self, asked: Ask, record: &StoredResponse) -> Result<Response<ReplyBody>> {
        let served = self.served(record)?;
        let (method, end) = match asked {
            Ask::Read => (Method::GET, ""),
            Ask::Cancel => (Method::POST, "/cancel"),
            Ask::Delete => (Method::DELETE, ""),
            Ask::Input => (Method::GET, "/input_items"),
        };
        // The version of Azure's API is the deployment's own.
        let pairs =
            self.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("api-version="));
        let query = pairs.collect::<Vec<_>>().join("&");
        let joint = if query.is_empty() { "" } else { "?" };
        let path = format!("/{}{end}{joint}{query}", self.id);
        let (headers, body) = ask_provider(self.core, &served, method, &path).await?;
        if asked == Ask::Delete {
            responses::forget(&self.core.shared, self.id).await?;
        }
        Ok(passed_on(&headers, body))
    }

    fn served(&self, record: &StoredResponse) -> Result<Arc<Served>> {
        let routes = self.snapshot.routes();
        let found = routes.deployments().iter().find(|one| one.id.as_str() == record.deployment);
        let gone = || {
            Error::new(
                ErrorKind::NotFound,
                "the deployment that keeps this response is not configured any more",
            )
            .with_param("id")
        };
        let deployment = found.ok_or_else(gone)?;
        let model = routes
            .resolve(&record.model_group, self.caller.team())
            .map_or_else(|| deployment.target.model.clone(), |route| route.model(deployment).into_owned());
        self.snapshot.served(deployment, &model, &self.core.shared.metrics)
    }
}

/// A provider's answer as it came.
fn passed_on(headers: &http::HeaderMap, body: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(body));
    let kind = headers.get(CONTENT_TYPE).cloned();
    let kind = kind.unwrap_or(HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn reply_of(record: &StoredResponse) -> Value {
    record.reply.as_deref().and_then(|reply| serde_json::from_str(reply).ok()).unwrap_or_default()
}

fn is_under_way(reply: &Value) -> bool {
    matches!(reply["status"].as_str(), Some("queued" | "in_progress"))
}

/// A finished reply as a stream: begun, each item whole, ended. Frames up to `after` are left out.
fn replay(reply: &Value, after: Option<u64>, out: &mut BytesMut) {
    let mut begun = reply.clone();
    begun["status"] = json!("in_progress");
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    let mut events = vec![("response.created", json!({"response": begun}))];
    let items = reply["output"].as_array().into_iter().flatten();
    for (place, item) in items.enumerate() {
        for kind in ["response.output_item.added", "response.output_item.done"] {
            events.push((kind, json!({"output_index": place, "item": item})));
        }
    }
    let last = match reply["status"].as_str() {
        Some("incomplete") => "response.incomplete",
        Some("failed" | "cancelled") => "response.failed",
        _ => "response.completed",
    };
    events.push((last, json!({"response": reply})));
    for (number, (kind, body)) in (0_u64..).zip(events) {
        if after.is_some_and(|after| number <= after) {
            continue;
        }
        let mut event = json!({"type": kind, "sequence_number": number});
        if let (Some(event), Value::Object(body)) = (event.as_object_mut(), body) {
            event.extend(body);
        }
        sse::write(out, kind, event.to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests;
