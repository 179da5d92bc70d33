//! Calls whose file is still arriving (`stream_uploads`): sent on at once where the provider takes OpenAI's form,
//! else when all of it is there.

use std::sync::Arc;

use llm_providers::operations::{self, Asked, Form};
use llm_router::Attempt;
use llm_types::{Error, Result};

use super::ask;
use crate::state::Served;
use crate::walk::relay::Reply;
use crate::walk::{Call, Tail, policy};

/// Asks one deployment.
///
/// # Errors
/// As [`ask`]; [`llm_types::ErrorKind::BadRequest`] when the form did not arrive, or has a field behind its file
/// that had to be known before.
pub(in crate::walk) async fn attempt(
    call: &Call,
    asked: &Asked,
    served: &Arc<Served>,
    tail: &Tail,
    attempt: &Attempt<'_>,
) -> Result<Reply> {
    let Some(arriving) = &call.arriving else { return ask(call, asked, served, tail, attempt).await };
    if sends_on(call, asked, served) {
        match ask(call, asked, served, tail, attempt).await {
            // It got no whole request: it is asked again, with the whole form.
            Err(_) if arriving.surprises() => {}
            answer => return answer,
        }
    }
    let (texts, form) = arriving.whole().await?.whole;
    if let Some(name) = late(&form) {
        let message = format!(
            "`{name}` stands behind the file: fields that the gateway reads come before it where large files are sent \
             on while they arrive (`stream_uploads`)"
        );
        return Err(Error::bad_param(name, message));
    }
    let (whole, _) = Asked::of_form(asked.operation, texts, form)?;
    ask(call, &whole, served, tail, attempt).await
}

/// Whether a provider is sent the file as it arrives.
fn sends_on(call: &Call, asked: &Asked, served: &Served) -> bool {
    let target = policy::target(served.target.target(), &call.policy);
    let entry = operations::entry(&target.spec, asked.operation, &target.model);
    entry.is_some_and(|entry| entry.wire.streams()) && !served.target.signs_bodies()
}

/// A field behind the file that says something to the rooms the call has been through.
fn late(form: &Form) -> Option<&str> {
    let behind = form.fields.iter().skip_while(|field| field.file_name.is_none());
    behind.map(|field| &*field.name).find(|name| operations::speaks_to_rooms(name))
}
