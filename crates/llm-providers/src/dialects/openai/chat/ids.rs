//! Ids of calls that a vendor leaves empty, as Google's OpenAI endpoint does: callers send results back by
//! them, and other vendors want them different in one conversation.

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::scan::{self, Item, Patch};

/// How many characters of the reply's id stand in a call's: ids of calls may be 40 long.
const SEED: usize = 24;

/// What stands before ids; looked for in every reply.
static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"id\":"));

/// The id of a call that came without one: the same whenever this reply is read.
pub(crate) fn call_id(reply: &str, choice: u32, number: usize) -> String {
    let seed: Vec<char> = reply.chars().rev().filter(char::is_ascii_alphanumeric).take(SEED).collect();
    let seed: String = seed.into_iter().rev().collect();
    let joint = if seed.is_empty() { "" } else { "_" };
    format!("call_{seed}{joint}{choice}_{number}")
}

/// A whole reply or a chunk of a stream with empty ids of calls filled in; `None` when there are none.
pub(super) fn filled(body: &Bytes, reply: Option<&str>) -> Option<Bytes> {
    let is_empty = |at: usize| {
        let value = &body[at + ID.needle().len()..];
        value.starts_with(b"\"\"") || value.starts_with(b" \"\"")
    };
    if !ID.find_iter(body).any(is_empty) {
        return None;
    }
    let item = scan::value(body).ok()?;
    let own = item.member("id").and_then(|id| id.as_str());
    let reply = reply.or(own.as_deref()).unwrap_or_default();
    let (mut patch, mut found) = (Patch::new(body), false);
    item.member("choices")?.elements(|choice| {
        let index = number(choice).unwrap_or(0);
        for place in ["message", "delta"] {
            let mut at = 0;
            let Some(calls) = choice.at(&[place, "tool_calls"]) else { continue };
            calls.elements(|call| {
                if let Some(id) = call.member("id").filter(|id| id.text == "\"\"") {
                    found = true;
                    let id_of_call = call_id(reply, index, number(call).map_or(at, |number| number as usize));
                    patch.replace(id.span(), scan::quoted(&id_of_call));
                }
                at += 1;
            });
        }
    });
    found.then(|| patch.finish())
}

fn number(item: Item<'_>) -> Option<u32> {
    item.member("index")?.as_u64().and_then(|index| u32::try_from(index).ok())
}

#[cfg(test)]
mod tests;
