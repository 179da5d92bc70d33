//! The walk of a call: from the door to a provider and back, on one page.
//!
//! Each room takes what the one before gave, so a wrong order does not compile:
//!
//! | room | takes | gives | may answer early with |
//! |---|---|---|---|
//! | [`admit`] | the head | a [`Caller`]: whose key it is | 401, 403 |
//! | [`call`](mod@call) | the body | a [`Call`]: what is asked, of which model | 400, 413 |
//! | [`attend`] | the call | whom it names besides its key, none of whom refuses it | 401, 403 |
//! | [`recall`] | the call | what it goes on from; whether its reply is kept | 404 |
//! | [`auto`] | the call | the group that serves, where an auto router was asked | 400 |
//! | [`limit`], [`charge`], [`instead`] | both | a [`Tail`]: money, tokens and a place set aside, announced to the ledger | 403, 422, 429 |
//! | [`dispatch`] | the tail | a reply of some deployment | the provider's error, after retries and fallbacks |
//! | [`relay`] | the reply | bytes in the caller's dialect | an error event inside the stream |
//! | [`settle`] | the tail, on every path | spend, ledger, metrics, access log | — |

mod admit;
mod advice;
mod allowed;
mod asked;
mod attend;
mod auto;
mod background;
mod behalf;
mod betas;
mod brought;
mod call;
mod charge;
mod compact;
mod controls;
mod count;
mod cover;
mod customer;
mod deposits;
mod details;
mod dispatch;
mod early;
mod encode;
mod extras;
mod fetch;
mod funds;
mod groups;
mod guests;
mod instead;
mod judge;
mod lasting;
mod later;
mod limit;
mod listed;
mod marks;
mod meaning;
mod media;
mod mock;
mod native;
mod notes;
mod operation;
mod outward;
mod pings;
mod policy;
mod priority;
mod prompts;
mod pump;
pub(crate) mod query;
mod recall;
mod refused;
mod relay;
mod resume;
mod routing;
mod rules;
mod said;
mod settle;
mod shares;
mod sheet;
mod signs;
mod stream;
mod thinking;
mod turns;
mod unstreamed;
mod untold;
mod whose;

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::Response;
use http::request::Parts;
use hyper::body::Incoming;
use llm_types::{Result, seldom};

pub(crate) use admit::{Caller, Role, admit, check_address, client_of};
pub(crate) use asked::{bonds_of, prompt_tenant};
pub(crate) use auto::{session_of, shown as shown_decision};
pub(crate) use background::ask as ask_provider;
pub(crate) use call::{Call, Entrance};
pub(crate) use count::count_tokens;
pub(crate) use details::{OWN, SHARES, asked_of};
pub(crate) use dispatch::named;
pub(crate) use early::Early;
pub(crate) use funds::why_broke;
pub(crate) use limit::MASTER;
pub(crate) use operation::{Ended, converse};
pub(crate) use recall::{history as history_of, items};
pub(crate) use settle::Tail;
pub(crate) use stream::Stream;

use crate::answer::{self, ReplyBody};
use crate::door::ConnState;
use crate::state::Core;

/// Answers one call to a model.
pub(crate) async fn walk(
    core: &Arc<Core>,
    conn: &ConnState,
    entrance: Entrance<'_>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let mut call = Call::begin(core, &entrance, head);
    match enter(core, conn, &mut call, body).await {
        Ok(tail) if call.runs_on => seldom(|| background::begin(call, tail)).await,
        Ok(tail) if call.is_pinged_early() => seldom(|| early::dispatch(call, tail)).await,
        Ok(tail) => {
            let mut response = dispatch::dispatch(&mut call, tail).await;
            if call.may_go_on()
                && let ReplyBody::Stream(stream) = response.body_mut()
            {
                stream.outlast(call);
            }
            response
        }
        Err(refusal) => {
            let response = answer::error_response(&refusal, call.dialect);
            settle::refused(&call, &refusal, response.status());
            call.stamp(response)
        }
    }
}

/// Answers a call that the gateway makes for a caller: whoever the head says is asked for, limited and billed as if
/// the call had come from outside.
pub(crate) async fn within(
    core: &Arc<Core>,
    conn: &ConnState,
    entrance: Entrance<'_>,
    head: Parts,
    body: Bytes,
) -> Response<ReplyBody> {
    let mut call = Call::begin(core, &entrance, head);
    let entered = async {
        let caller = let_in(core, conn, &mut call).await?;
        call.receive_whole(body)?;
        attended(core, &mut call, caller).await
    };
    match entered.await {
        Ok(tail) => dispatch::dispatch(&mut call, tail).await,
        Err(refusal) => {
            let response = answer::error_response(&refusal, call.dialect);
            settle::refused(&call, &refusal, response.status());
            call.stamp(response)
        }
    }
}

/// From the door to the ledger: who calls, what for, and whether they may.
async fn enter(core: &Arc<Core>, conn: &ConnState, call: &mut Call, body: Incoming) -> Result<Box<Tail>> {
    let caller = let_in(core, conn, call).await?;
    call.receive(body).await?;
    attended(core, call, caller).await
}

/// Who calls, and whether they may at all.
async fn let_in(core: &Arc<Core>, conn: &ConnState, call: &mut Call) -> Result<Caller> {
    let caller = admit(core, conn, &call.snapshot, &call.head).await?;
    caller.may_call_route(&call.snapshot, call.path)?;
    if let Some(bound) = call.snapshot.config.general.doors.admission {
        call.admitted = Some(Arc::new(seldom(|| core.shared.gate.enter(bound)).await?));
    }
    let caller = behalf::apply(call, caller).await?;
    call.end_user = caller.end_user();
    Ok(caller)
}

/// What for, and who pays.
async fn attended(core: &Arc<Core>, call: &mut Call, caller: Caller) -> Result<Box<Tail>> {
    customer::check(call).await?;
    let caller = caller.for_call(call)?;
    rules::apply(call, &caller)?;
    caller.settle_routing(call)?;
    caller.may_call_model(call)?;
    attend::attend(call, &caller).await?;
    recall::recall(call, &caller).await?;
    auto::choose(call, &caller, auto::For::Answer).await?;
    brought::check(call, &caller)?;
    turns::name_tenant(call, &caller);
    let (mut tail, announced) = instead::limit(call, caller).await?;
    if let Some(turn) = announced
        && let Err(error) = core.journal.written(turn).await
    {
        tail.withdraw(call.dialect.encode_error(&error).0, &error);
        return Err(error);
    }
    Ok(tail)
}
