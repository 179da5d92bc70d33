//! Files that a provider wants left with it before the call that speaks of them: left, spoken of, and taken away
//! again when the answer is over, however it ended. No attempt leans on what another has left: it may ask on another
//! account.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use llm_providers::{Deposit, Encoded, deposit};
use llm_types::{Body, BoxFuture, HttpResponse, Result, Timeouts};
use tokio::runtime::Handle;

use super::Call;
use super::brought::exchange;
use super::dispatch::{self, ERROR_LIMIT, sign_in};
use crate::state::{Core, Served};

/// How many files of one call are left at a time.
const AT_A_TIME: usize = 4;

/// Leaves files, and sends the request that speaks of them.
///
/// # Errors
/// What the provider refuses a file with, or the request; a file that it gives no id.
pub(super) async fn send(
    call: &Call,
    served: &Arc<Served>,
    mut encoded: Encoded,
    files: &[Deposit],
    timeouts: Timeouts,
) -> Result<HttpResponse> {
    let mut left = Left { core: Arc::clone(&call.core), served: Arc::clone(served), away: Vec::new() };
    let mut ids = Vec::with_capacity(files.len());
    let leaving: Vec<_> = files.iter().map(|file| leave(call, served, file, timeouts)).collect();
    let mut leaving = stream::iter(leaving).buffered(AT_A_TIME);
    let mut failed = None;
    // Those that are under way are waited for: what is left must be known to be taken away.
    for file in files {
        match leaving.next().await {
            Some(Ok(id)) => {
                left.away.push(file.taking_away(&id));
                ids.push((&*file.place, id));
            }
            Some(Err(error)) => failed = failed.or(Some(error)),
            None => break,
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let ids: Vec<(&str, &str)> = ids.iter().map(|(place, id)| (*place, &**id)).collect();
    encoded.body = deposit::fill(&encoded.body, &ids)?;
    let mut response = again(call, served, encoded, timeouts).await?;
    response.body = Body::Stream(Box::pin(Held { body: response.body, _left: left }));
    Ok(response)
}

/// Sends what has no files of its own to leave.
fn again<'a>(
    call: &'a Call,
    served: &'a Arc<Served>,
    encoded: Encoded,
    timeouts: Timeouts,
) -> BoxFuture<'a, Result<HttpResponse>> {
    Box::pin(dispatch::send(call, served, encoded, timeouts))
}

/// Leaves one file; what it is called there.
fn leave<'a>(
    call: &'a Call,
    served: &'a Arc<Served>,
    file: &Deposit,
    timeouts: Timeouts,
) -> BoxFuture<'a, Result<String>> {
    let leaving = again(call, served, file.leaving(), timeouts);
    Box::pin(async move {
        let reply = leaving.await?;
        Deposit::id(&reply.body.collect(ERROR_LIMIT).await?)
    })
}

/// What is left at a provider; taken away when dropped.
struct Left {
    core: Arc<Core>,
    served: Arc<Served>,
    away: Vec<Encoded>,
}

impl Drop for Left {
    fn drop(&mut self) {
        let away = std::mem::take(&mut self.away);
        // Without a runtime the program is over, and so is every chance to ask.
        if let Ok(runtime) = Handle::try_current()
            && !away.is_empty()
        {
            runtime.spawn(take_away(Arc::clone(&self.core), Arc::clone(&self.served), away));
        }
    }
}

async fn take_away(core: Arc<Core>, served: Arc<Served>, away: Vec<Encoded>) {
    for encoded in away {
        let outcome = async {
            let mut request = served.target.request(encoded)?;
            if let Some(credential) = served.target.credential() {
                sign_in(&core, credential).await?;
            }
            served.target.seal(&mut request, std::time::SystemTime::now)?;
            exchange(&core, &served, request).await
        };
        match outcome.await {
            Ok(response) if response.status.is_success() => {}
            Ok(response) => {
                tracing::warn!(status = %response.status, "a file that a call left at its provider was not taken away");
            }
            Err(error) => {
                tracing::warn!(%error, "a file that a call left at its provider could not be taken away");
            }
        }
    }
}

/// A reply that speaks of what is left at its provider until it has been read, or is given up.
struct Held {
    body: Body,
    _left: Left,
}

impl Stream for Held {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
