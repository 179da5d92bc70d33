//! Replies of the Responses API that callers ask for later: who made them, where they are, and which of
//! them are being made here right now.

use std::sync::Arc;

use dashmap::DashMap;
use gateway_db::{Db, DbError, StoredResponse};
use llm_types::{Error, ErrorKind, Result};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::clock::now_ms;
use crate::state::Shared;

/// What is known of replies beside the database.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    /// Replies on their way into the database: a caller may ask at once.
    fresh: DashMap<String, Arc<StoredResponse>>,
    /// Replies being made here; notified when one is to stop.
    running: DashMap<String, Arc<Notify>>,
}

impl Responses {
    /// Begins to make a reply here.
    pub(crate) fn begin(&self, id: &str) -> Arc<Notify> {
        let stop = Arc::new(Notify::new());
        self.running.insert(id.to_owned(), Arc::clone(&stop));
        stop
    }

    /// The reply is made, or is not made any more.
    pub(crate) fn end(&self, id: &str) {
        self.running.remove(id);
    }

    /// Stops a reply; false when it is not made here.
    pub(crate) fn stop(&self, id: &str) -> bool {
        self.running.get(id).map(|stop| stop.notify_one()).is_some()
    }
}

/// Keeps a reply without waiting for the database.
pub(crate) fn keep(shared: &Arc<Shared>, record: StoredResponse) {
    let record = Arc::new(record);
    shared.responses.fresh.insert(record.id.clone(), Arc::clone(&record));
    let shared_too = Arc::clone(shared);
    shared.control.spawn(async move {
        let kept = put(&shared_too, &record).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a response cannot be asked for later");
        }
        shared_too.responses.fresh.remove_if(&record.id, |_, fresh| Arc::ptr_eq(fresh, &record));
    });
}

/// Keeps a reply and returns when it is in the database.
///
/// # Errors
/// [`ErrorKind::Overloaded`] when the database does not take it.
pub(crate) async fn keep_now(shared: &Arc<Shared>, record: StoredResponse) -> Result<()> {
    on_control(shared, async move |shared| put(&shared, &record).await).await
}

async fn put(shared: &Shared, record: &StoredResponse) -> Result<(), DbError> {
    match shared.directory.db() {
        Some(db) => db.put_response(record).await,
        None => Ok(()),
    }
}

/// The reply of an id; `None` when none is kept.
///
/// # Errors
/// [`ErrorKind::Overloaded`] when the database does not answer.
pub(crate) async fn find(shared: &Arc<Shared>, id: &str) -> Result<Option<Arc<StoredResponse>>> {
    if let Some(fresh) = shared.responses.fresh.get(id) {
        return Ok(Some(Arc::clone(&fresh)));
    }
    let id = id.to_owned();
    let found = on_db(shared, async move |db| db.response(&id, now_ms()).await).await?;
    let Some(found) = found.flatten() else { return Ok(None) };
    if let Some(record) = abandoned(&found).filter(|_| !shared.responses.running.contains_key(&found.id)) {
        keep(shared, record.clone());
        return Ok(Some(Arc::new(record)));
    }
    Ok(Some(Arc::new(found)))
}

/// How long a reply that is made in the background is believed to be under way after its maker was last
/// heard of, in milliseconds: after a crash it reads as failed that much later.
const LEASE: i64 = 15_000;

/// The lease of a reply that is being made, from now on.
pub(crate) fn lease() -> Option<i64> {
    Some(now_ms() + LEASE)
}

/// Says that a reply is still being made here; gives the reply as it is kept.
///
/// # Errors
/// [`ErrorKind::Overloaded`] when the database does not answer.
pub(crate) async fn renew(shared: &Arc<Shared>, id: &str) -> Result<Option<Arc<StoredResponse>>> {
    let renewed = id.to_owned();
    on_db(shared, async move |db| db.lease_response(&renewed, now_ms() + LEASE).await).await?;
    find(shared, id).await
}

/// A reply that nobody makes any more, if that is so: the process that made it has ended.
fn abandoned(record: &StoredResponse) -> Option<StoredResponse> {
    if record.lease_until? > now_ms() {
        return None;
    }
    let (state, error) = match record.cancel {
        true => ("cancelled", Value::Null),
        false => ("failed", json!({"code": "server_error", "message": ABANDONED})),
    };
    let mut reply: Value = serde_json::from_str(record.reply.as_deref()?).ok()?;
    reply["status"] = json!(state);
    reply["error"] = error;
    Some(StoredResponse { reply: Some(reply.to_string()), lease_until: None, ..record.clone() })
}

const ABANDONED: &str =
    "the gateway was stopped while it made this response; what had been made until then is lost";

/// Forgets a reply.
///
/// # Errors
/// [`ErrorKind::Overloaded`] when the database does not answer.
pub(crate) async fn forget(shared: &Arc<Shared>, id: &str) -> Result<()> {
    shared.responses.fresh.remove(id);
    let id = id.to_owned();
    on_db(shared, async move |db| db.delete_response(&id).await).await.map(drop)
}

/// Tells the instance that makes a reply to stop.
///
/// # Errors
/// [`ErrorKind::Overloaded`] when the database does not answer.
pub(crate) async fn ask_to_stop(shared: &Arc<Shared>, id: &str) -> Result<()> {
    let id = id.to_owned();
    on_db(shared, async move |db| db.cancel_response(&id).await).await.map(drop)
}

async fn on_db<T, F, Fut>(shared: &Arc<Shared>, ask: F) -> Result<Option<T>>
where
    T: Send + 'static,
    F: FnOnce(Db) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, DbError>> + Send,
{
    on_control(shared, move |shared| async move {
        match shared.directory.db().cloned() {
            Some(db) => ask(db).await.map(Some),
            None => Ok(None),
        }
    })
    .await
}

/// The database is asked on the control runtime, which its connections belong to.
async fn on_control<T, F, Fut>(shared: &Arc<Shared>, ask: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(Arc<Shared>) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, DbError>> + Send,
{
    let shared_too = Arc::clone(shared);
    let asked = shared.control.spawn(async move { ask(shared_too).await });
    match asked.await {
        Ok(answer) => answer.map_err(|error| {
            Error::new(ErrorKind::Overloaded, "the store of responses does not answer").with_source(error)
        }),
        Err(gone) => {
            Err(Error::new(ErrorKind::Internal, "the store of responses was interrupted").with_source(gone))
        }
    }
}
