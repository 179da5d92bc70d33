//! A request as one target takes it: what its vendor lacks is refused or dropped, what fallbacks and operators
//! set is set.

use std::borrow::Cow;

use llm_types::{Error, OperationRequest, Result};
use serde_json::{Map, Value};

use super::{Asked, Entry};
use crate::Target;
use crate::left_out::note;

/// Settled by the gateway where a vendor lacks it: replies are written in the form the caller wants, with the
/// documents if they are wanted.
pub(crate) const OURS: &[&str] = &["encoding_format", "return_documents"];

/// The request for a target.
///
/// # Errors
/// [`llm_types::ErrorKind::Unsupported`] naming a parameter the vendor lacks and that no policy drops.
pub fn settle<'a>(
    asked: &'a Asked,
    target: &Target,
    entry: &Entry,
    set: Option<&Map<String, Value>>,
) -> Result<Cow<'a, OperationRequest>> {
    let mut request = Cow::Borrowed(asked.request()?);
    if let Some(set) = set {
        let params = &mut request.to_mut().params;
        params.extend(set.iter().filter(|(name, _)| *name != "stream").map(|(k, v)| (k.clone(), v.clone())));
    }
    let policy = &target.policy;
    let named = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
    let mut dropped = Vec::new();
    for name in request.params.keys() {
        let lacks = entry.lacks.contains(&name.as_str()) && !named(&policy.allow, name);
        if named(&policy.always_drop, name) || (lacks && (policy.drop || OURS.contains(&name.as_str()))) {
            if !lacks || policy.drop {
                note(name.clone());
            }
            dropped.push(name.clone());
        } else if lacks {
            let provider = &target.spec.id;
            let message = format!(
                "`{name}`: provider `{provider}` takes no such parameter for {}; leave it out, or set `drop_params`",
                asked.operation.name()
            );
            return Err(Error::unsupported(name, message));
        }
    }
    for name in dropped {
        request.to_mut().params.shift_remove(&name);
    }
    for (name, value) in &target.defaults {
        if !request.params.contains_key(name) {
            request.to_mut().params.insert(name.clone(), value.clone());
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests;
